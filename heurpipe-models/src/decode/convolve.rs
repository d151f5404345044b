//! Resizing by filters, bit for bit as Pillow's `Resample.c` does it: weights of 22 bits, rounded and clipped after each pass.
//!
//! A pass resizes lines and lays the result down the other way, so both passes are the same code. Whole numbers of 32 bits are slow to multiply without the
//! instructions of newer processors. So sums are reckoned in floating point first, for several lines at once, and their error is known: the few that it leaves
//! between two values are reckoned again in whole numbers.

use std::f64::consts::PI;
use std::ops::Range;

/// The bits of a weight after the point.
const PRECISION: u32 = 22;
/// How many lines are resized at once, so that a weight is fetched once for all.
const LINES: usize = 4;

/// A filter, and how far it reaches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filter {
    weight: fn(f64) -> f64,
    reach: f64,
}

/// A line between two pixels.
pub(super) const BILINEAR: Filter = Filter {
    weight: triangle,
    reach: 1.0,
};

/// A cubic over four pixels with a = -0.5.
pub(super) const BICUBIC: Filter = Filter {
    weight: bicubic,
    reach: 2.0,
};

/// A windowed sine over six pixels.
pub(super) const LANCZOS: Filter = Filter {
    weight: lanczos,
    reach: 3.0,
};

/// What is resized along one axis: `length` pixels from `from` on, both in pixels of a line of `side` pixels, become `resized`, of which `kept` are made.
#[derive(Debug, Clone)]
pub(super) struct Span {
    pub from: f64,
    pub length: f64,
    pub side: usize,
    pub resized: usize,
    pub kept: Range<usize>,
}

/// The pixels that a line is resized to.
pub(super) struct Taps {
    /// The pixels of the line that are looked at.
    pub seen: Range<usize>,
    each: Vec<Tap>,
}

/// The source pixels of one result pixel, from `first` of those that are looked at, and their weights.
struct Tap {
    first: usize,
    weights: Vec<i32>,
    /// The same as parts of one.
    quick: Vec<f32>,
}

/// A pixel of each of the lines that are resized at once.
type Beside<T> = [T; LINES * 3];

/// What is resized: rows of RGB pixels, or their columns.
#[derive(Clone, Copy)]
pub(super) enum Lines<'a> {
    Rows(&'a [&'a [u8]]),
    Columns(&'a [&'a [u8]]),
}

impl Lines<'_> {
    fn count(self) -> usize {
        match self {
            Self::Rows(rows) => rows.len(),
            Self::Columns(rows) => rows.first().map_or(0, |row| row.len() / 3),
        }
    }

    /// The pixels of the lines from `at` on, as many as there are. What lies beside them is left as it is.
    fn lay_beside(self, at: usize, beside: &mut [Beside<u8>]) {
        match self {
            Self::Rows(rows) => {
                for (place, row) in rows[at..].iter().take(LINES).enumerate() {
                    for (numbers, pixel) in beside.iter_mut().zip(row.as_chunks::<3>().0) {
                        numbers.as_chunks_mut::<3>().0[place] = *pixel;
                    }
                }
            }
            Self::Columns(rows) => {
                for (numbers, row) in beside.iter_mut().zip(rows) {
                    put(numbers, &row[at * 3..]);
                }
            }
        }
    }
}

/// As many of the numbers as there are places, or as many as there are.
fn put(places: &mut [u8], numbers: &[u8]) {
    match (
        places.first_chunk_mut::<{ LINES * 3 }>(),
        numbers.first_chunk(),
    ) {
        (Some(places), Some(numbers)) => *places = *numbers,
        _ => places
            .iter_mut()
            .zip(numbers)
            .for_each(|(place, number)| *place = *number),
    }
}

impl Filter {
    pub(super) fn taps(self, span: &Span) -> Taps {
        let all: Vec<(usize, Vec<i32>)> = span.kept.clone().map(|at| self.tap(span, at)).collect();
        let start = all.first().map_or(0, |(first, _)| *first);
        let end = all
            .last()
            .map_or(0, |(first, weights)| first + weights.len());
        let each = all
            .into_iter()
            .map(|(first, weights)| Tap::new(first - start, weights));
        Taps {
            seen: start..end,
            each: each.collect(),
        }
    }

    /// The first source pixel of a result pixel, and the weights from there on; reckoned in Pillow's order, as the last bit may depend on it.
    fn tap(self, span: &Span, at: usize) -> (usize, Vec<i32>) {
        let step = span.length / span.resized as f64;
        // Enlarging, a filter spans its pixels of the source; reducing, its pixels of the result.
        let wide = step.max(1.0);
        let reach = self.reach * wide;
        let narrow = 1.0 / wide;
        let centre = span.from + (at as f64 + 0.5) * step;
        let first = (centre - reach + 0.5).max(0.0) as usize;
        let end = ((centre + reach + 0.5) as usize).min(span.side);
        let weights: Vec<f64> = (first..end)
            .map(|x| (self.weight)((x as f64 - centre + 0.5) * narrow))
            .collect();
        let sum: f64 = weights.iter().sum();
        let whole = |weight: f64| {
            let weight = if sum == 0.0 { weight } else { weight / sum };
            (weight * f64::from(1 << PRECISION) + 0.5_f64.copysign(weight)) as i32
        };
        (first, weights.into_iter().map(whole).collect())
    }
}

impl Tap {
    fn new(first: usize, weights: Vec<i32>) -> Self {
        let quick = |&weight: &i32| weight as f32 / (1 << PRECISION) as f32;
        Self {
            first,
            quick: weights.iter().map(quick).collect(),
            weights,
        }
    }

    /// How far the quick sum of a pixel may be from the true one: each product and each sum is rounded to 24 bits, and none is larger than all together.
    fn error(&self) -> f32 {
        let all: f32 = self.quick.iter().map(|weight| weight.abs()).sum();
        255.0 * all * f32::EPSILON * (self.quick.len() + 2) as f32
    }

    fn exact(&self, beside: &[Beside<u8>]) -> Beside<u8> {
        let mut sums = [1 << (PRECISION - 1); LINES * 3];
        for (numbers, weight) in beside.iter().zip(&self.weights) {
            for (sum, &number) in sums.iter_mut().zip(numbers) {
                *sum += i32::from(number) * weight;
            }
        }
        sums.map(clipped)
    }
}

impl Taps {
    /// Resizes each of the lines, of which only the pixels that are [`seen`](Self::seen) are given, and lays down the first pixels of all of them, then the
    /// second ones, and so on.
    pub(super) fn turned(&self, lines: Lines) -> Vec<u8> {
        let count = lines.count();
        let mut out = vec![0; self.each.len() * count * 3];
        let mut beside: Vec<Beside<u8>> = vec![Beside::default(); self.seen.len()];
        let mut wide: Vec<Beside<f32>> = vec![Beside::default(); self.seen.len()];
        let mut sums: Vec<Beside<f32>> = vec![Beside::default(); self.each.len()];
        let mut least: Vec<Beside<u8>> = vec![Beside::default(); self.each.len()];
        let mut most = least.clone();
        let error = self.each.iter().map(Tap::error).fold(0.0, f32::max);
        for at in (0..count).step_by(LINES) {
            lines.lay_beside(at, &mut beside);
            for (wide, number) in wide
                .as_flattened_mut()
                .iter_mut()
                .zip(beside.as_flattened())
            {
                *wide = f32::from(*number);
            }
            for (sums, tap) in sums.iter_mut().zip(&self.each) {
                *sums = weighed(&wide[tap.first..], &tap.quick);
            }
            round(sums.as_flattened(), -error, least.as_flattened_mut());
            round(sums.as_flattened(), error, most.as_flattened_mut());
            let rows = out.chunks_exact_mut(count * 3);
            for (((row, tap), least), most) in rows.zip(&self.each).zip(&least).zip(&most) {
                if least == most {
                    put(&mut row[at * 3..], least);
                } else {
                    put(&mut row[at * 3..], &tap.exact(&beside[tap.first..]));
                }
            }
        }
        out
    }
}

/// Numbers times weights, added up. Apart from what calls it, since the compiler lays the sums side by side in a small function only.
#[inline(never)]
fn weighed(wide: &[Beside<f32>], weights: &[f32]) -> Beside<f32> {
    let mut sums = Beside::default();
    for (numbers, weight) in wide.iter().zip(weights) {
        for (sum, number) in sums.iter_mut().zip(numbers) {
            *sum += number * weight;
        }
    }
    sums
}

/// Sums, and something more or less, as whole numbers.
fn round(sums: &[f32], more: f32, numbers: &mut [u8]) {
    // From here on numbers have no bits after the point, and the last eight bits are what was added.
    const WHOLE: f32 = (1 << 23) as f32;
    for (number, sum) in numbers.iter_mut().zip(sums) {
        *number = ((sum + more).clamp(0.0, 255.0) + WHOLE).to_bits() as u8;
    }
}

fn clipped(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

fn triangle(x: f64) -> f64 {
    (1.0 - x.abs()).max(0.0)
}

fn bicubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        return ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    }
    if x < 2.0 {
        return (((x - 5.0) * x + 8.0) * x - 4.0) * A;
    }
    0.0
}

fn lanczos(x: f64) -> f64 {
    if (-3.0..3.0).contains(&x) {
        sinc(x) * sinc(x / 3.0)
    } else {
        0.0
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    (x * PI).sin() / (x * PI)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(rgb: &[u8]) -> Vec<u8> {
        rgb.iter().step_by(3).copied().collect()
    }

    /// What Pillow 13 makes of a step: `Image.fromarray([[0, 0, 0, 255, 255, 255]]).resize((9, 1), ...)`.
    #[test]
    fn a_step_overshoots_as_in_pillow() {
        let row: Vec<u8> = [0, 0, 0, 255, 255, 255]
            .iter()
            .flat_map(|&v| [v, v, v])
            .collect();
        let span = Span {
            from: 0.0,
            length: 6.0,
            side: 6,
            resized: 9,
            kept: 0..9,
        };
        for (filter, expected) in [
            (BILINEAR, [0, 0, 0, 0, 128, 255, 255, 255, 255]),
            (BICUBIC, [0, 0, 0, 0, 128, 255, 255, 255, 255]),
            (LANCZOS, [0, 6, 0, 0, 128, 255, 255, 249, 255]),
        ] {
            let taps = filter.taps(&span);
            assert_eq!(taps.seen, 0..6);
            assert_eq!(
                grey(&taps.turned(Lines::Rows(&[&row, &row]))),
                expected.map(|v| [v, v]).concat()
            );
        }
    }

    /// The halves of weights and of lines come together again, whatever is cut out of the result.
    #[test]
    fn a_part_of_the_result_is_as_in_the_whole() {
        let line: Vec<u8> = (0..97 * 3u32).map(|at| (at * at * 7 % 251) as u8).collect();
        for filter in [BILINEAR, BICUBIC, LANCZOS] {
            for resized in [1, 2, 13, 96, 97, 98, 300] {
                let span = |kept| Span {
                    from: 0.0,
                    length: 97.0,
                    side: 97,
                    resized,
                    kept,
                };
                let made = |kept| {
                    let taps = filter.taps(&span(kept));
                    let seen = &line[taps.seen.start * 3..taps.seen.end * 3];
                    taps.turned(Lines::Rows(&[seen]))
                };
                let whole = made(0..resized);
                for at in 0..resized {
                    let (_, weights) = filter.tap(&span(0..resized), at);
                    let first = filter.tap(&span(0..resized), at).0;
                    let sum = |colour: usize| {
                        let pixels = line[first * 3..].chunks_exact(3);
                        let products = pixels
                            .zip(&weights)
                            .map(|(pixel, &weight)| i64::from(pixel[colour]) * i64::from(weight));
                        products.sum::<i64>() + (1 << (PRECISION - 1))
                    };
                    let expected =
                        [0, 1, 2].map(|colour| (sum(colour) >> PRECISION).clamp(0, 255) as u8);
                    assert_eq!(whole[at * 3..at * 3 + 3], expected);
                    assert_eq!(made(at..at + 1), expected);
                }
            }
        }
    }
}
