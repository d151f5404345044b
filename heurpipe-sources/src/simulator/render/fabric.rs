//! The cloth: which colour a point of the garment has before light falls on it.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::labels::{Colour, Pattern};
use super::noise::{Noise, floor, fraction, hash01, mix3, scale3, smoothstep};

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
    seed: u32,
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
        Self {
            pattern,
            ground,
            figure,
            accent: accents[rng.random_range(0..accents.len())],
            leaf: leaves[rng.random_range(0..leaves.len())],
            period,
            duty,
            variant: rng.random_range(0..6),
            angle: angle.sin_cos(),
            seed: rng.random(),
        }
    }

    /// The colour at garment point (u, v); `pixel` is the size of a picture pixel in the same units.
    pub(crate) fn at(&self, u: f32, v: f32, pixel: f32, noise: &Noise) -> [f32; 3] {
        if self.pattern == Pattern::Solid {
            return self.ground;
        }
        // Cloth is never flat: the pattern follows slow waves.
        let bend = 0.018 * noise.at(u * 3.0 + 7.0, v * 3.0);
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
        let mut colour = self.ground;
        let (column, row) = (floor(x) as i32, floor(y) as i32);
        // A blossom may reach over the border of its cell, so the neighbours are asked too.
        let (near_x, near_y) = (
            if x - floor(x) < 0.5 { -1 } else { 1 },
            if y - floor(y) < 0.5 { -1 } else { 1 },
        );
        for (i, j) in [
            (column + near_x, row + near_y),
            (column, row + near_y),
            (column + near_x, row),
            (column, row),
        ] {
            let random = |salt: u32| hash01(i, j, self.seed.wrapping_add(salt));
            let stagger = if j & 1 == 1 { 0.3 } else { 0.0 };
            let (dx, dy) = (
                x - i as f32 - 0.35 - 0.3 * random(1) - stagger + 0.15,
                y - j as f32 - 0.35 - 0.3 * random(2),
            );
            let distance = (dx * dx + dy * dy).sqrt();
            if distance < 0.75 {
                colour = self.blossom(colour, (dx, dy, distance), blur, random);
            }
        }
        colour
    }

    fn blossom(
        &self,
        under: [f32; 3],
        (dx, dy, distance): (f32, f32, f32),
        blur: f32,
        random: impl Fn(u32) -> f32,
    ) -> [f32; 3] {
        let radius = 0.25 + 0.16 * random(3);
        let turn = std::f32::consts::TAU * random(4);
        let angle = dy.atan2(dx) + turn;
        let mut colour = under;

        let leaf_reach = radius * 1.5 * (2.0 * angle + 0.6).cos().max(0.0).powi(3);
        colour = mix3(
            colour,
            self.leaf,
            1.0 - smoothstep(leaf_reach - blur, leaf_reach + blur, distance),
        );

        let petals = if self.variant < 3 { 5.0 } else { 6.0 };
        let reach = radius * (0.66 + 0.34 * (petals * angle).cos());
        let petal = 1.0 - smoothstep(reach - blur, reach + blur, distance);
        let tone = if random(5) < 0.28 {
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
fn band(x: f32, duty: f32, blur: f32) -> f32 {
    band_at(x, 0.5, duty, blur)
}

/// Coverage of a band of width `duty` around `centre` of every unit.
fn band_at(x: f32, centre: f32, duty: f32, blur: f32) -> f32 {
    let off = (fraction(x - centre + 0.5) - 0.5).abs();
    1.0 - smoothstep(duty / 2.0 - blur, duty / 2.0 + blur, off)
}
