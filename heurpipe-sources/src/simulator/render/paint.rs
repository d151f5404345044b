//! From layers to pixels: coverage by tiny-skia, light and cloth by hand.

use image::RgbImage;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use tiny_skia::{FillRule, Mask, Path, Stroke, Transform};

use super::backdrop::Backdrop;
use super::fabric::Fabric;
use super::noise::{Noise, hash01, mix3, scale3};
use super::sketch::{Layer, Paint};

/// Soft shapes (shadows, relief) are computed on a grid this many times coarser than the picture.
const COARSE: u32 = 4;

/// Where the garment lies in the picture and how light falls on it.
pub(crate) struct Scene {
    width: u32,
    height: u32,
    transform: Transform,
    inverse: Transform,
    /// Picture pixels per garment unit.
    scale: f32,
    /// Direction the light comes from, as a unit vector in the picture.
    light: (f32, f32),
    contrast: f32,
    exposure: [f32; 3],
    seed: u32,
}

impl Scene {
    /// Chooses scale, rotation, position, light and white balance.
    pub(crate) fn new(width: u32, height: u32, rng: &mut ChaCha8Rng) -> Self {
        let fit = (width as f32 / 2.0).min(height as f32 / 2.5);
        let scale = fit * rng.random_range(0.74..0.95);
        let angle: f32 = rng.random_range(-7.0..7.0);
        let shift = |rng: &mut ChaCha8Rng| fit * rng.random_range(-0.07..0.07);
        let transform = Transform::from_scale(scale * rng.random_range(0.95..1.05), scale)
            .post_concat(Transform::from_rotate(angle))
            .post_translate(
                width as f32 / 2.0 + shift(rng),
                height as f32 / 2.0 + shift(rng),
            );
        let light: f32 = rng.random_range(-2.4..-0.7);
        let brightness = rng.random_range(0.93..1.06);
        let warmth = rng.random_range(-0.025..0.025);
        Self {
            width,
            height,
            transform,
            inverse: transform.invert().unwrap_or_default(),
            scale,
            light: (light.cos(), light.sin()),
            contrast: rng.random_range(0.7..1.2),
            exposure: [
                brightness * (1.0 + warmth),
                brightness,
                brightness * (1.0 - warmth),
            ],
            seed: rng.random(),
        }
    }

    /// Paints backdrop, shadow and layers, in this order.
    pub(crate) fn paint(&self, layers: &[Layer], backdrop: &Backdrop, fabric: &Fabric) -> RgbImage {
        let noise = Noise::new(self.seed);
        let mut canvas = vec![[0.0_f32; 3]; (self.width * self.height) as usize];
        self.paint_backdrop(&mut canvas, layers, backdrop, &noise);
        if let Some(mut mask) = Mask::new(self.width, self.height) {
            for layer in layers {
                match layer {
                    Layer::Fill {
                        path,
                        paint,
                        relief,
                    } => self.paint_fill(
                        &mut canvas,
                        &mut mask,
                        path,
                        *paint,
                        *relief,
                        fabric,
                        &noise,
                    ),
                    Layer::Seam { path, width, depth } => {
                        self.paint_seam(&mut canvas, &mut mask, path, *width, *depth)
                    }
                }
            }
        }
        self.develop(&canvas)
    }

    fn paint_backdrop(
        &self,
        canvas: &mut [[f32; 3]],
        layers: &[Layer],
        backdrop: &Backdrop,
        noise: &Noise,
    ) {
        let mut shadow = SoftShape::new(self.width, self.height);
        for layer in layers {
            if let Layer::Fill { path, .. } = layer {
                shadow.add(path, self.transform);
            }
        }
        let reach = self.scale * 0.05;
        shadow.blur((reach / COARSE as f32) as usize + 1);
        let (dx, dy) = (-self.light.0 * reach * 0.9, -self.light.1 * reach * 0.9);
        let unit = 1.0 / self.width as f32;
        for (row, line) in canvas.chunks_exact_mut(self.width as usize).enumerate() {
            let y = row as f32;
            for (column, pixel) in line.iter_mut().enumerate() {
                let x = column as f32;
                let colour = backdrop.at(
                    (x - self.width as f32 / 2.0) * unit,
                    (y - self.height as f32 / 2.0) * unit,
                    noise,
                );
                *pixel = scale3(
                    colour,
                    1.0 - 0.5 * self.contrast * shadow.at(x - dx, y - dy),
                );
            }
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the loop's inputs; a struct would only rename them"
    )]
    fn paint_fill(
        &self,
        canvas: &mut [[f32; 3]],
        mask: &mut Mask,
        path: &Path,
        paint: Paint,
        relief: f32,
        fabric: &Fabric,
        noise: &Noise,
    ) {
        mask.fill_path(path, FillRule::Winding, true, self.transform);
        let bounds = self.bounds(path, 0.0);
        let soft = (relief > 0.0).then(|| {
            let mut soft = SoftShape::new(self.width, self.height);
            soft.add(path, self.transform);
            soft.blur(((self.scale * 0.035) / COARSE as f32) as usize + 1);
            soft
        });
        let turn = if let Paint::Cloth(angle) = paint {
            angle.sin_cos()
        } else {
            (0.0, 1.0)
        };
        let pixel_size = 1.0 / self.scale;
        for y in bounds.top..bounds.bottom {
            for x in bounds.left..bounds.right {
                let index = (y * self.width + x) as usize;
                let coverage = f32::from(mask.data()[index]) / 255.0;
                if coverage == 0.0 {
                    continue;
                }
                let (u, v) = self.garment_point(x as f32 + 0.5, y as f32 + 0.5);
                let colour = match paint {
                    Paint::Cloth(_) => fabric.at(
                        u * turn.1 + v * turn.0,
                        v * turn.1 - u * turn.0,
                        pixel_size,
                        noise,
                    ),
                    Paint::Plain(by) => scale3(fabric.ground, by),
                    Paint::Trim => fabric.figure,
                    Paint::Fixed(colour) => colour,
                };
                let mut light = 1.0 + 0.03 * (hash01(x as i32, y as i32, self.seed) - 0.5) * 2.0;
                if !matches!(paint, Paint::Fixed(_)) {
                    light += self.folds(u, v, noise);
                }
                if let Some(soft) = &soft {
                    light += self.relief(soft, x as f32, y as f32) * relief;
                }
                canvas[index] = mix3(canvas[index], lit(colour, light), coverage);
            }
        }
        self.clear(mask, &bounds);
    }

    fn paint_seam(
        &self,
        canvas: &mut [[f32; 3]],
        mask: &mut Mask,
        path: &Path,
        width: f32,
        depth: f32,
    ) {
        let stroke = Stroke {
            width,
            line_cap: tiny_skia::LineCap::Round,
            line_join: tiny_skia::LineJoin::Round,
            ..Stroke::default()
        };
        let Some(line) = path.stroke(&stroke, self.scale) else {
            return;
        };
        mask.fill_path(&line, FillRule::Winding, true, self.transform);
        let bounds = self.bounds(&line, 1.0);
        for y in bounds.top..bounds.bottom {
            for x in bounds.left..bounds.right {
                let index = (y * self.width + x) as usize;
                let coverage = f32::from(mask.data()[index]) / 255.0;
                if coverage > 0.0 {
                    canvas[index] = lit(canvas[index], 1.0 - 0.75 * depth * coverage);
                }
            }
        }
        self.clear(mask, &bounds);
    }

    /// Light and dark of the cloth's slow folds at a garment point.
    fn folds(&self, u: f32, v: f32, noise: &Noise) -> f32 {
        let sway = noise.at(u * 1.3 + 11.0, v * 1.3);
        let long = noise.at(u * 4.2 + 1.8 * sway, v * 1.5 + 31.0);
        let short = noise.at(u * 8.0 + 2.0 * v + sway, v * 4.0 - 3.0);
        self.contrast * (0.11 * long + 0.055 * short)
    }

    /// Brighter where the surface faces the light, darker at the far edge.
    fn relief(&self, soft: &SoftShape, x: f32, y: f32) -> f32 {
        let step = self.scale * 0.03;
        let towards = soft.at(x + self.light.0 * step, y + self.light.1 * step);
        let away = soft.at(x - self.light.0 * step, y - self.light.1 * step);
        let edge = 1.0 - 0.5 * (towards + away);
        self.contrast * (0.34 * (away - towards) - 0.16 * edge)
    }

    /// Exposure, sensor noise and vignette, then eight bits.
    fn develop(&self, canvas: &[[f32; 3]]) -> RgbImage {
        let (half_width, half_height) = (self.width as f32 / 2.0, self.height as f32 / 2.0);
        RgbImage::from_fn(self.width, self.height, |x, y| {
            let [across, down] = [
                (x as f32 - half_width) / half_width,
                (y as f32 - half_height) / half_height,
            ];
            let vignette = 1.0 - 0.05 * (across * across + down * down);
            let grain = 3.0 * (hash01(x as i32, y as i32, self.seed ^ 0x9e37) - 0.5);
            let colour = canvas[(y * self.width + x) as usize];
            image::Rgb(std::array::from_fn(|channel| {
                (colour[channel] * self.exposure[channel] * vignette + grain).clamp(0.0, 255.0)
                    as u8
            }))
        })
    }

    fn garment_point(&self, x: f32, y: f32) -> (f32, f32) {
        let t = &self.inverse;
        (t.sx * x + t.kx * y + t.tx, t.ky * x + t.sy * y + t.ty)
    }

    fn bounds(&self, path: &Path, margin: f32) -> Bounds {
        let Some(rect) = path.bounds().transform(self.transform) else {
            return Bounds {
                left: 0,
                top: 0,
                right: self.width,
                bottom: self.height,
            };
        };
        let clip = |value: f32, limit: u32| (value.max(0.0) as u32).min(limit);
        Bounds {
            left: clip(rect.left() - 2.0 - margin, self.width),
            top: clip(rect.top() - 2.0 - margin, self.height),
            right: clip(rect.right() + 3.0 + margin, self.width),
            bottom: clip(rect.bottom() + 3.0 + margin, self.height),
        }
    }

    fn clear(&self, mask: &mut Mask, bounds: &Bounds) {
        let width = self.width as usize;
        let data = mask.data_mut();
        for y in bounds.top as usize..bounds.bottom as usize {
            data[y * width + bounds.left as usize..y * width + bounds.right as usize].fill(0);
        }
    }
}

struct Bounds {
    left: u32,
    top: u32,
    right: u32,
    bottom: u32,
}

/// A colour under a light: multiplied, and a little washed out where it is bright, so that black cloth shows folds too.
fn lit(colour: [f32; 3], light: f32) -> [f32; 3] {
    let gleam = 26.0 * (light - 1.0);
    colour.map(|channel| channel * light + gleam)
}

/// A blurred silhouette on a coarse grid.
struct SoftShape {
    width: usize,
    height: usize,
    mask: Option<Mask>,
    values: Vec<f32>,
}

impl SoftShape {
    fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width / COARSE + 1, height / COARSE + 1);
        Self {
            width: width as usize,
            height: height as usize,
            mask: Mask::new(width, height),
            values: Vec::new(),
        }
    }

    fn add(&mut self, path: &Path, transform: Transform) {
        let coarse = 1.0 / COARSE as f32;
        if let Some(mask) = &mut self.mask {
            mask.fill_path(
                path,
                FillRule::Winding,
                true,
                transform.post_scale(coarse, coarse),
            );
        }
    }

    /// Two box blurs of the given radius, which is nearly a Gaussian.
    fn blur(&mut self, radius: usize) {
        if let Some(mask) = &self.mask {
            self.values = mask
                .data()
                .iter()
                .map(|value| f32::from(*value) / 255.0)
                .collect();
        }
        for _ in 0..2 {
            for row in 0..self.height {
                box_blur(&mut self.values, row * self.width, 1, self.width, radius);
            }
            for column in 0..self.width {
                box_blur(&mut self.values, column, self.width, self.height, radius);
            }
        }
    }

    /// The blurred coverage at picture pixel (x, y), interpolated.
    fn at(&self, x: f32, y: f32) -> f32 {
        let (x, y) = (x / COARSE as f32 - 0.5, y / COARSE as f32 - 0.5);
        let (x, y) = (
            x.clamp(0.0, self.width as f32 - 1.01),
            y.clamp(0.0, self.height as f32 - 1.01),
        );
        let (column, row) = (x as usize, y as usize);
        let (across, down) = (x - column as f32, y - row as f32);
        let index = row * self.width + column;
        let upper = self.values[index] * (1.0 - across) + self.values[index + 1] * across;
        let lower = self.values[index + self.width] * (1.0 - across)
            + self.values[index + self.width + 1] * across;
        upper * (1.0 - down) + lower * down
    }
}

/// Box blur of `count` values that lie `stride` apart, by a running sum; the borders repeat.
fn box_blur(values: &mut [f32], start: usize, stride: usize, count: usize, radius: usize) {
    let line: Vec<f32> = (0..count)
        .map(|step| values[start + step * stride])
        .collect();
    let get = |position: isize| line[position.clamp(0, count as isize - 1) as usize];
    let reach = radius as isize;
    let mut sum: f32 = (-reach..=reach).map(get).sum();
    let share = 1.0 / (2 * radius + 1) as f32;
    for step in 0..count as isize {
        values[start + step as usize * stride] = sum * share;
        sum += get(step + reach + 1) - get(step - reach);
    }
}
