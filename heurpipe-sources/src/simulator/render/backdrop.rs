//! What lies behind the garment.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::labels::{Background, distance};
use super::noise::{Noise, floor, fraction, hash01, mix3, scale3, smoothstep};

/// A background with its free choices made; asked pixel by pixel in units of the picture's width.
pub(crate) struct Backdrop {
    kind: Background,
    tone: [f32; 3],
    other: [f32; 3],
    /// Direction in which the light falls off.
    light: (f32, f32),
    scale: f32,
    turned: bool,
    seed: u32,
}

const WALLS: [[f32; 3]; 8] = [
    [232.0, 230.0, 226.0],
    [205.0, 203.0, 200.0],
    [222.0, 211.0, 196.0],
    [198.0, 210.0, 216.0],
    [214.0, 200.0, 200.0],
    [176.0, 184.0, 172.0],
    [120.0, 124.0, 130.0],
    [70.0, 72.0, 78.0],
];
const WOODS: [[f32; 3]; 5] = [
    [176.0, 132.0, 90.0],
    [146.0, 102.0, 66.0],
    [206.0, 174.0, 134.0],
    [104.0, 74.0, 54.0],
    [170.0, 160.0, 148.0],
];
const SHEETS: [[f32; 3]; 6] = [
    [236.0, 234.0, 230.0],
    [202.0, 208.0, 216.0],
    [224.0, 204.0, 200.0],
    [196.0, 204.0, 188.0],
    [110.0, 114.0, 124.0],
    [228.0, 218.0, 198.0],
];
const STREETS: [[f32; 3]; 4] = [
    [150.0, 150.0, 152.0],
    [176.0, 164.0, 150.0],
    [120.0, 126.0, 136.0],
    [190.0, 178.0, 166.0],
];
const CARPETS: [[f32; 3]; 5] = [
    [150.0, 144.0, 136.0],
    [118.0, 90.0, 84.0],
    [96.0, 106.0, 122.0],
    [196.0, 186.0, 170.0],
    [84.0, 98.0, 86.0],
];

impl Backdrop {
    /// Chooses tones that leave the garment's colour visible.
    pub(crate) fn new(kind: Background, garment: [f32; 3], rng: &mut ChaCha8Rng) -> Self {
        let tones: &[[f32; 3]] = match kind {
            Background::Wall | Background::Gradient => &WALLS,
            Background::Wood => &WOODS,
            Background::Bedsheet => &SHEETS,
            Background::Street => &STREETS,
            Background::Carpet => &CARPETS,
        };
        let visible: Vec<[f32; 3]> = tones
            .iter()
            .copied()
            .filter(|tone| distance(*tone, garment) > 62.0)
            .collect();
        let choices = if visible.is_empty() { tones } else { &visible };
        let tone = jittered(choices[rng.random_range(0..choices.len())], 9.0, rng);
        let angle: f32 = rng.random_range(0.0..std::f32::consts::TAU);
        Self {
            kind,
            tone,
            other: jittered(scale3(tone, rng.random_range(0.62..0.84)), 8.0, rng),
            light: angle.sin_cos(),
            scale: rng.random_range(0.8..1.3),
            turned: rng.random_bool(0.5),
            seed: rng.random(),
        }
    }

    /// Side of the cells, in pixels, on which the backdrop is drawn: it is out of focus, and what is smooth needs few.
    pub(crate) fn step(&self, width: u32) -> usize {
        let smooth = matches!(
            self.kind,
            Background::Wall | Background::Gradient | Background::Bedsheet
        );
        match (width < 360, smooth) {
            (true, true) | (false, false) => 2,
            (true, false) => 1,
            (false, true) => 4,
        }
    }

    /// The colour at (x, y), both measured in picture widths from the centre.
    #[inline]
    pub(crate) fn at(&self, x: f32, y: f32, noise: &Noise) -> [f32; 3] {
        let falloff = 1.0 + 0.14 * (x * self.light.0 + y * self.light.1);
        let (x, y) = (x * self.scale, y * self.scale);
        let colour = match self.kind {
            Background::Wall => scale3(self.tone, 1.0 + 0.02 * noise.at(x * 9.0, y * 9.0)),
            Background::Gradient => {
                let reach = ((x * x + y * y).sqrt() * 1.1).min(1.0);
                mix3(self.tone, scale3(self.other, 0.9), reach)
            }
            Background::Wood => self.wood(if self.turned { (y, x) } else { (x, y) }, noise),
            Background::Bedsheet => {
                let (along, across) = (x + 0.4 * y, y - 0.4 * x);
                let fold = noise.at(along * 3.0, across * 7.0)
                    + 0.5 * noise.at(along * 9.0, across * 14.0);
                scale3(self.tone, 1.0 + 0.09 * fold)
            }
            Background::Street => self.street(x, y, noise),
            Background::Carpet => {
                let knot = noise.at(x * 70.0, y * 70.0);
                let figure = smoothstep(-0.05, 0.05, noise.at(x * 6.0, y * 6.0) - 0.25);
                scale3(mix3(self.tone, self.other, 0.5 * figure), 1.0 + 0.12 * knot)
            }
        };
        scale3(colour, falloff)
    }

    fn wood(&self, (x, y): (f32, f32), noise: &Noise) -> [f32; 3] {
        let boards = x * 6.0;
        let board = floor(boards);
        let tint = 0.86 + 0.26 * hash01(board as i32, 0, self.seed);
        let grain = noise.at(
            boards * 5.0 + 0.6 * noise.at(x * 9.0, y * 2.0),
            y * 2.2 + 17.0 * board,
        );
        let fine = noise.at(boards * 16.0, y * 5.0);
        let gap = ((boards - board) - 0.5).abs();
        let groove = 1.0 - 0.45 * smoothstep(0.475, 0.495, gap);
        scale3(
            self.tone,
            tint * groove * (1.0 + 0.08 * grain + 0.04 * fine),
        )
    }

    fn street(&self, x: f32, y: f32, noise: &Noise) -> [f32; 3] {
        if y > 0.42 {
            // Paving, nearer rows larger.
            let depth = 0.25 / (y - 0.3);
            let (column, row) = (floor(x * depth * 6.0), floor(depth * 14.0));
            let slab = hash01(column as i32, row as i32, self.seed);
            return scale3(
                self.other,
                0.86 + 0.16 * slab + 0.04 * noise.at(x * 40.0, y * 40.0),
            );
        }
        // Façades out of focus: blocks of slightly different houses with soft windows.
        let houses = x * 2.2 + 0.3;
        let house = floor(houses);
        let tint = hash01(house as i32, 3, self.seed);
        let wall = scale3(self.tone, 0.78 + 0.4 * tint);
        let (column, row) = ((houses - house) * 3.0, y * 4.0 + tint);
        let window = smoothstep(0.2, 0.32, 0.5 - (fraction(column) - 0.5).abs())
            * smoothstep(0.16, 0.3, 0.5 - (fraction(row) - 0.5).abs());
        let lit = hash01(floor(houses * 3.0) as i32, floor(row) as i32, self.seed);
        let glass = mix3([70.0, 78.0, 90.0], [176.0, 184.0, 190.0], lit);
        mix3(wall, glass, 0.55 * window)
    }
}

/// A colour moved by at most `by` per channel, mostly in brightness.
pub(crate) fn jittered(colour: [f32; 3], by: f32, rng: &mut ChaCha8Rng) -> [f32; 3] {
    let brightness = rng.random_range(-by..=by);
    colour
        .map(|channel| (channel + brightness + 0.4 * rng.random_range(-by..=by)).clamp(4.0, 252.0))
}
