//! The cloth: which colour a point of the garment has before light falls on it.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::blossoms::{Blossom, Blossoms, turns};
use super::labels::{Colour, Pattern};
use super::noise::{Noise, floor, fraction, mix3, scale3, smoothstep};

/// A cloth with every free choice of its pattern made.
pub(crate) struct Fabric {
    pattern: Pattern,
    /// The ground colour: the one the garment is named after.
    pub(crate) ground: [f32; 3],
    /// The colour of stripes, dots, squares or blossoms.
    pub(crate) figure: [f32; 3],
    accent: [f32; 3],
    leaf: [f32; 3],
    /// Length after which the pattern repeats, in garment units (the picture is about 2 wide).
    period: f32,
    /// Share of the period that the figure takes.
    duty: f32,
    variant: u32,
    angle: (f32, f32),
    blossoms: Blossoms,
}

impl Fabric {
    /// Chooses period, share, angle and kind of the pattern.
    pub(crate) fn new(
        pattern: Pattern,
        ground: [f32; 3],
        figure: [f32; 3],
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let period = match pattern {
            Pattern::Solid => 1.0,
            Pattern::Striped => rng.random_range(0.09..0.2),
            Pattern::Dotted => rng.random_range(0.10..0.2),
            Pattern::Checkered => rng.random_range(0.11..0.22),
            Pattern::Floral => rng.random_range(0.2..0.32),
            Pattern::Zigzag => rng.random_range(0.13..0.22),
        };
        let duty = match pattern {
            Pattern::Dotted => rng.random_range(0.24..0.31),
            Pattern::Zigzag => rng.random_range(0.34..0.46),
            _ => rng.random_range(0.3..0.46),
        };
        let angle: f32 = match pattern {
            Pattern::Striped => [
                0.0,
                0.0,
                0.0,
                std::f32::consts::FRAC_PI_2,
                std::f32::consts::FRAC_PI_2,
                0.7,
            ][rng.random_range(0..6)],
            Pattern::Checkered => [0.0, 0.0, 0.0, 0.785][rng.random_range(0..4)],
            Pattern::Floral | Pattern::Dotted => rng.random_range(-0.3..0.3),
            _ => 0.0,
        };
        let accents =
            [Colour::Yellow, Colour::White, Colour::Pink, Colour::Orange].map(Colour::centre);
        let leaves = [[62.0, 112.0, 60.0], [98.0, 140.0, 88.0], [40.0, 92.0, 74.0]];
        let accent = accents[rng.random_range(0..accents.len())];
        let leaf = leaves[rng.random_range(0..leaves.len())];
        let variant = rng.random_range(0..6);
        Self {
            pattern,
            ground,
            figure,
            accent,
            leaf,
            period,
            duty,
            variant,
            angle: angle.sin_cos(),
            blossoms: Blossoms::new(if variant < 3 { 5.0 } else { 6.0 }, rng.random()),
        }
    }

    /// Whether it has one colour everywhere.
    pub(crate) fn is_plain(&self) -> bool {
        self.pattern == Pattern::Solid
    }

    /// How far the pattern is moved at garment point (u, v), since cloth is never flat: it follows slow waves.
    pub(crate) fn bend(&self, u: f32, v: f32, noise: &Noise) -> f32 {
        if self.is_plain() {
            0.0
        } else {
            0.018 * noise.at(u * 3.0 + 7.0, v * 3.0)
        }
    }

    /// The colour at garment point (u, v), moved by `bend`; `pixel` is the size of a picture pixel in the same units.
    #[inline]
    pub(crate) fn at(&self, u: f32, v: f32, pixel: f32, bend: f32) -> [f32; 3] {
        let (u, v) = (u + bend, v - bend);
        let (sin, cos) = self.angle;
        let (x, y) = (
            (u * cos + v * sin) / self.period,
            (v * cos - u * sin) / self.period,
        );
        let blur = 0.9 * pixel / self.period;
        match self.pattern {
            Pattern::Solid => self.ground,
            Pattern::Striped => self.striped(y, blur),
            Pattern::Dotted => self.dotted(x, y, blur),
            Pattern::Checkered => self.checkered(x, y, blur),
            Pattern::Floral => self.floral(x, y, blur),
            Pattern::Zigzag => self.zigzag(x, y, blur),
        }
    }

    fn striped(&self, y: f32, blur: f32) -> [f32; 3] {
        let band = band(y, self.duty, blur);
        let thin = if self.variant == 0 {
            band_at(y, 0.5, 0.08, blur)
        } else {
            0.0
        };
        mix3(self.ground, self.figure, band.max(thin))
    }

    fn dotted(&self, x: f32, y: f32, blur: f32) -> [f32; 3] {
        let row = floor(y);
        // Most dotted cloth staggers every second row.
        let shift = if self.variant > 1 && row as i32 & 1 == 1 {
            0.5
        } else {
            0.0
        };
        let (dx, dy) = (fraction(x + shift) - 0.5, y - row - 0.5);
        let inside = 1.0
            - smoothstep(
                self.duty - blur,
                self.duty + blur,
                (dx * dx + dy * dy).sqrt(),
            );
        mix3(self.ground, self.figure, inside)
    }

    fn checkered(&self, x: f32, y: f32, blur: f32) -> [f32; 3] {
        match self.variant {
            // Gingham: two half-transparent sets of bands.
            0..=2 => {
                let share = 0.5 * (band(x, 0.5, blur) + band(y, 0.5, blur));
                mix3(self.ground, self.figure, share)
            }
            // Chessboard.
            3 => {
                let (a, b) = (band(x, 0.5, blur), band(y, 0.5, blur));
                mix3(self.ground, self.figure, a + b - 2.0 * a * b)
            }
            // Tartan: broad bands with fine lines between.
            _ => {
                let (x, y) = (x * 0.8, y * 0.8);
                let broad = 0.5 * (band(x, 0.42, blur) + band(y, 0.42, blur));
                let fine = band_at(x, 0.71, 0.07, blur).max(band_at(y, 0.71, 0.07, blur));
                mix3(
                    mix3(self.ground, self.figure, broad),
                    self.accent,
                    0.7 * fine,
                )
            }
        }
    }

    fn zigzag(&self, x: f32, y: f32, blur: f32) -> [f32; 3] {
        let width = if self.variant < 3 { 0.8 } else { 1.2 };
        let tooth = (fraction(x / width) - 0.5).abs() * 2.0;
        mix3(
            self.ground,
            self.figure,
            band(y + 0.75 * tooth * width, self.duty, 1.5 * blur),
        )
    }

    fn floral(&self, x: f32, y: f32, blur: f32) -> [f32; 3] {
        self.blossoms
            .at(x, y)
            .fold(self.ground, |under, (blossom, dx, dy)| {
                self.bloom(under, blossom, (dx, dy), blur)
            })
    }

    fn bloom(
        &self,
        under: [f32; 3],
        blossom: &Blossom,
        (dx, dy): (f32, f32),
        blur: f32,
    ) -> [f32; 3] {
        let radius = blossom.radius;
        let square = dx * dx + dy * dy;
        let farthest = 1.5 * radius + blur;
        if square > farthest * farthest {
            return under;
        }
        let distance = square.sqrt();
        let ([leaf, petal], mut colour) =
            (self.blossoms.shape(turns(dy, dx) + blossom.turn), under);
        let leaf = 1.5 * radius * leaf;
        colour = mix3(
            colour,
            self.leaf,
            1.0 - smoothstep(leaf - blur, leaf + blur, distance),
        );

        let reach = radius * petal;
        let petal = 1.0 - smoothstep(reach - blur, reach + blur, distance);
        let tone = if blossom.is_accent {
            self.accent
        } else {
            self.figure
        };
        colour = mix3(
            colour,
            scale3(tone, 0.82 + 0.25 * (distance / radius).min(1.0)),
            petal,
        );

        let heart = 1.0 - smoothstep(0.26 * radius - blur, 0.26 * radius + blur, distance);
        mix3(colour, scale3(self.accent, 0.85), heart)
    }
}

/// Coverage of a band that takes `duty` of every unit, edges softened by `blur`.
#[inline]
fn band(x: f32, duty: f32, blur: f32) -> f32 {
    band_at(x, 0.5, duty, blur)
}

/// Coverage of a band of width `duty` around `centre` of every unit.
#[inline]
fn band_at(x: f32, centre: f32, duty: f32, blur: f32) -> f32 {
    let off = (fraction(x - centre + 0.5) - 0.5).abs();
    1.0 - smoothstep(duty / 2.0 - blur, duty / 2.0 + blur, off)
}
