//! A garment as a list of layers in garment units: x from -1 to 1 (right), y from -1.25 to 1.25 (down).

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use tiny_skia::{Path, PathBuilder};

/// A point in garment units.
pub(crate) type Point = (f32, f32);

/// What a layer is covered with.
#[derive(Clone, Copy)]
pub(crate) enum Paint {
    /// The garment's cloth; the number turns its pattern (radians), as a sleeve's is.
    Cloth(f32),
    /// The ground colour without its pattern: cuffs, ribs, waist bands. The number scales its brightness.
    Plain(f32),
    /// The second colour: trims and contrast parts.
    Trim,
    /// A colour of its own: buttons, soles, metal, hangers.
    Fixed([f32; 3]),
}

/// One thing to draw, in order from the back to the front.
pub(crate) enum Layer {
    /// A filled outline. `relief` says how much it bulges: edges darken and a shadow falls on what is below.
    Fill {
        path: Path,
        paint: Paint,
        relief: f32,
    },
    /// A seam, crease or edge: darkens (positive) or lightens (negative) along a line of the given width.
    Seam { path: Path, width: f32, depth: f32 },
}

/// One step of an outline: straight to a point, or curved to the second point drawn towards the first.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    /// A straight edge.
    To(Point),
    /// A quadratic curve: control, end.
    Bow(Point, Point),
}

pub(crate) use Step::{Bow, To};

/// Collects layers, with a transform for parts that are drawn more than once (sleeves, shoes).
pub(crate) struct Sketch {
    pub(crate) layers: Vec<Layer>,
    /// Columns of a 2 x 3 matrix: x' = a x + c y + e, y' = b x + d y + f.
    matrix: [f32; 6],
    wobble: [f32; 4],
}

impl Sketch {
    /// An empty sketch whose outlines all sway a little, as cloth laid down by hand does.
    pub(crate) fn new(rng: &mut ChaCha8Rng) -> Self {
        let wobble = std::array::from_fn(|_| rng.random_range(0.0..std::f32::consts::TAU));
        Self {
            layers: Vec::new(),
            matrix: [1.0, 0.0, 0.0, 1.0, 0.0, 0.0],
            wobble,
        }
    }

    /// Draws what `draw` draws mirrored at the vertical axis.
    pub(crate) fn mirrored(&mut self, draw: impl FnOnce(&mut Self)) {
        let before = self.matrix;
        for index in [0, 2, 4] {
            self.matrix[index] = -self.matrix[index];
        }
        draw(self);
        self.matrix = before;
    }

    /// Draws what `draw` draws turned by `angle`, scaled and then moved to `to`.
    pub(crate) fn placed(
        &mut self,
        to: Point,
        scale: f32,
        angle: f32,
        draw: impl FnOnce(&mut Self),
    ) {
        let before = self.matrix;
        let (sin, cos) = angle.sin_cos();
        self.matrix = [
            cos * scale,
            sin * scale,
            -sin * scale,
            cos * scale,
            to.0,
            to.1,
        ];
        draw(self);
        self.matrix = before;
    }

    /// A closed outline.
    pub(crate) fn fill(&mut self, start: Point, steps: &[Step], paint: Paint, relief: f32) {
        let path = self.trace(start, steps, true);
        self.push_fill(path, paint, relief);
    }

    /// A closed outline that is the same left and right: the steps run down the right side, from top to bottom.
    pub(crate) fn fill_symmetric(
        &mut self,
        start: Point,
        steps: &[Step],
        paint: Paint,
        relief: f32,
    ) {
        let mut all = steps.to_vec();
        let mut corners = vec![start];
        corners.extend(steps.iter().map(|step| step.end()));
        let flip = |(x, y): Point| (-x, y);
        if let Some(last) = corners.last() {
            all.push(To(flip(*last)));
        }
        for (step, corner) in steps.iter().zip(&corners).rev() {
            all.push(match step {
                To(_) => To(flip(*corner)),
                Bow(control, _) => Bow(flip(*control), flip(*corner)),
            });
        }
        self.fill(start, &all, paint, relief);
    }

    /// A disc.
    pub(crate) fn disc(&mut self, centre: Point, radius: f32, paint: Paint) {
        self.oval(centre, (radius, radius), paint, 0.0);
    }

    /// An ellipse.
    pub(crate) fn oval(
        &mut self,
        (x, y): Point,
        (across, down): (f32, f32),
        paint: Paint,
        relief: f32,
    ) {
        // Eight quadratic arcs are round to the eye.
        let corner = |index: usize, reach: f32| {
            let angle = index as f32 * std::f32::consts::PI / 8.0;
            (
                x + reach * across * angle.cos(),
                y + reach * down * angle.sin(),
            )
        };
        let outside = 1.0 / (std::f32::consts::PI / 8.0).cos();
        let steps: Vec<Step> = (0..8)
            .map(|arc| Bow(corner(2 * arc + 1, outside), corner(2 * arc + 2, 1.0)))
            .collect();
        self.fill(corner(0, 1.0), &steps, paint, relief);
    }

    /// A line drawn into the cloth.
    pub(crate) fn seam(&mut self, start: Point, steps: &[Step], width: f32, depth: f32) {
        if let Some(path) = self.trace(start, steps, false) {
            self.layers.push(Layer::Seam { path, width, depth });
        }
    }

    /// The same seam left and right.
    pub(crate) fn seams(&mut self, start: Point, steps: &[Step], width: f32, depth: f32) {
        self.seam(start, steps, width, depth);
        self.mirrored(|sketch| sketch.seam(start, steps, width, depth));
    }

    fn push_fill(&mut self, path: Option<Path>, paint: Paint, relief: f32) {
        if let Some(path) = path {
            self.layers.push(Layer::Fill {
                path,
                paint,
                relief,
            });
        }
    }

    fn trace(&self, start: Point, steps: &[Step], closed: bool) -> Option<Path> {
        let mut builder = PathBuilder::new();
        let (x, y) = self.place(start);
        builder.move_to(x, y);
        for step in steps {
            match step {
                To(end) => {
                    let (x, y) = self.place(*end);
                    builder.line_to(x, y);
                }
                Bow(control, end) => {
                    let ((cx, cy), (x, y)) = (self.place(*control), self.place(*end));
                    builder.quad_to(cx, cy, x, y);
                }
            }
        }
        if closed {
            builder.close();
        }
        builder.finish()
    }

    fn place(&self, (x, y): Point) -> Point {
        let [a, b, c, d, e, f] = self.matrix;
        let (x, y) = (a * x + c * y + e, b * x + d * y + f);
        let [w0, w1, w2, w3] = self.wobble;
        let sway_x = (3.1 * y + w0).sin() + 0.6 * (6.3 * y + 2.0 * x + w1).sin();
        let sway_y = (2.7 * x + w2).sin() + 0.6 * (5.9 * x + 1.5 * y + w3).sin();
        (x + 0.012 * sway_x, y + 0.012 * sway_y)
    }
}

impl Step {
    fn end(&self) -> Point {
        match self {
            To(end) | Bow(_, end) => *end,
        }
    }
}

/// The point a share `t` of the way from `a` to `b`.
pub(crate) fn between(a: Point, b: Point, t: f32) -> Point {
    (a.0 + (b.0 - a.0) * t, a.1 + (b.1 - a.1) * t)
}
