//! Resizing by filters that overshoot, bit for bit as Pillow's `Resample.c` does it: weights of 22 bits, rounded and clipped after each pass.

use std::f64::consts::PI;

/// The bits of a weight after the point.
const PRECISION: u32 = 22;

/// A filter, and how far it reaches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filter {
    weight: fn(f64) -> f64,
    reach: f64,
}

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

/// What is resized along one axis: `length` pixels from `from` on, both in pixels of a line of `side` pixels, become `wanted`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub from: f64,
    pub length: f64,
    pub side: usize,
    pub wanted: usize,
}

/// The source pixels of one result pixel, and their weights.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

impl Filter {
    /// Resizes the pixels of each row. `rows` are slices of RGB pixels, `across.side` each.
    pub(super) fn across<'a>(self, rows: impl Iterator<Item = &'a [u8]>, across: Span) -> Vec<u8> {
        let taps = self.taps(across);
        let mut out = Vec::new();
        for row in rows {
            for Taps { first, weights } in &taps {
                let mut sums = [1i32 << (PRECISION - 1); 3];
                for (pixel, &weight) in row[first * 3..].chunks_exact(3).zip(weights) {
                    for (sum, &value) in sums.iter_mut().zip(pixel) {
                        *sum += i32::from(value) * weight;
                    }
                }
                out.extend(sums.map(clipped));
            }
        }
        out
    }

    /// Resizes the columns of `rows`, of which there are `down.side`.
    pub(super) fn down(self, rows: &[&[u8]], down: Span) -> Vec<u8> {
        let length = rows.first().map_or(0, |row| row.len());
        let mut out = Vec::with_capacity(length * down.wanted);
        let mut sums = vec![0i32; length];
        for Taps { first, weights } in self.taps(down) {
            sums.fill(1 << (PRECISION - 1));
            for (row, weight) in rows[first..].iter().zip(weights) {
                for (sum, &value) in sums.iter_mut().zip(*row) {
                    *sum += i32::from(value) * weight;
                }
            }
            out.extend(sums.iter().map(|&sum| clipped(sum)));
        }
        out
    }

    fn taps(self, span: Span) -> Vec<Taps> {
        let step = span.length / span.wanted as f64;
        // Enlarging, a filter spans its pixels of the source; reducing, its pixels of the result.
        let wide = step.max(1.0);
        let reach = self.reach * wide;
        let tap = |at: usize| {
            let centre = span.from + (at as f64 + 0.5) * step;
            let first = (centre - reach + 0.5).max(0.0) as usize;
            let end = ((centre + reach + 0.5) as usize).min(span.side);
            let weights: Vec<f64> = (first..end)
                .map(|x| (self.weight)((x as f64 - centre + 0.5) / wide))
                .collect();
            let sum: f64 = weights.iter().sum();
            let whole = f64::from(1 << PRECISION) / if sum == 0.0 { 1.0 } else { sum };
            Taps {
                first,
                weights: weights.iter().map(|w| (w * whole).round() as i32).collect(),
            }
        };
        (0..span.wanted).map(tap).collect()
    }
}

fn clipped(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
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
            wanted: 9,
        };
        for (filter, expected) in [
            (BICUBIC, [0, 0, 0, 0, 128, 255, 255, 255, 255]),
            (LANCZOS, [0, 6, 0, 0, 128, 255, 255, 249, 255]),
        ] {
            let across = filter.across(std::iter::once(row.as_slice()), span);
            assert_eq!(grey(&across), expected);
            let column: Vec<&[u8]> = row.chunks_exact(3).collect();
            assert_eq!(grey(&filter.down(&column, span)), expected);
        }
    }
}
