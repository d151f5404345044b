//! Cheap, repeatable noise: an integer hash and a smooth tile sampled from it.

/// Side of the noise tile; a power of two so that wrapping is a mask.
const SIDE: usize = 64;

/// A number in 0..1 that depends on nothing but its arguments.
#[inline]
pub(crate) fn hash01(x: i32, y: i32, seed: u32) -> f32 {
    let mut h = (x as u32).wrapping_mul(0x85eb_ca6b)
        ^ (y as u32).wrapping_mul(0xc2b2_ae35)
        ^ seed.wrapping_mul(0x27d4_eb2f);
    h ^= h >> 15;
    h = h.wrapping_mul(0x2c1b_3c6d);
    h ^= h >> 12;
    h = h.wrapping_mul(0x297a_2d39);
    h ^= h >> 15;
    (h >> 8) as f32 / (1u32 << 24) as f32
}

/// A tile of random values, repeated over the plane and interpolated between its points.
pub(crate) struct Noise {
    tile: Vec<f32>,
}

impl Noise {
    /// The tile that belongs to `seed`.
    pub(crate) fn new(seed: u32) -> Self {
        let tile = (0..SIDE * SIDE)
            .map(|index| hash01((index % SIDE) as i32, (index / SIDE) as i32, seed) * 2.0 - 1.0)
            .collect();
        Self { tile }
    }

    /// Smooth noise in -1..1; its features are about one unit wide.
    #[inline]
    pub(crate) fn at(&self, x: f32, y: f32) -> f32 {
        let (left, top) = (floor(x), floor(y));
        let (across, down) = (ease(x - left), ease(y - top));
        let (column, row) = (
            left as i32 as usize & (SIDE - 1),
            top as i32 as usize & (SIDE - 1),
        );
        let (next_column, next_row) = ((column + 1) & (SIDE - 1), (row + 1) & (SIDE - 1));
        let upper = mix(
            self.tile[row * SIDE + column],
            self.tile[row * SIDE + next_column],
            across,
        );
        let lower = mix(
            self.tile[next_row * SIDE + column],
            self.tile[next_row * SIDE + next_column],
            across,
        );
        mix(upper, lower, down)
    }
}

/// Values in -1..1 for each pixel, from a table: rows begin at places of it that have nothing to do with one another.
pub(crate) struct Grain {
    values: Vec<f32>,
    seed: u32,
}

impl Grain {
    /// More than the widest picture, so that no row repeats itself.
    const LENGTH: usize = 8192;

    /// The grain that belongs to `seed`.
    pub(crate) fn new(seed: u32) -> Self {
        let values = (0..Self::LENGTH as i32)
            .map(|index| hash01(index, -1, seed) * 2.0 - 1.0)
            .collect();
        Self { values, seed }
    }

    /// The `count` values of row `y` from the pixel `left` on.
    pub(crate) fn row(&self, y: usize, left: usize, count: usize) -> impl Iterator<Item = f32> {
        let start = (hash01(y as i32, -2, self.seed) * Self::LENGTH as f32) as usize + left;
        (start..start + count).map(|index| self.values[index & (Self::LENGTH - 1)])
    }
}

/// The next lower whole number, without the library call that `f32::floor` is on baseline x86-64.
#[inline]
pub(crate) fn floor(x: f32) -> f32 {
    let whole = x as i32 as f32;
    if whole > x { whole - 1.0 } else { whole }
}

/// What is left of `x` above the next lower whole number.
#[inline]
pub(crate) fn fraction(x: f32) -> f32 {
    x - floor(x)
}

/// Linear interpolation from `a` (t = 0) to `b` (t = 1).
#[inline]
pub(crate) fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// Linear interpolation of colours.
#[inline]
pub(crate) fn mix3(a: [f32; 3], b: [f32; 3], t: f32) -> [f32; 3] {
    [mix(a[0], b[0], t), mix(a[1], b[1], t), mix(a[2], b[2], t)]
}

/// A colour made lighter (> 1) or darker (< 1).
#[inline]
pub(crate) fn scale3(a: [f32; 3], by: f32) -> [f32; 3] {
    [a[0] * by, a[1] * by, a[2] * by]
}

/// 0 below `low`, 1 above `high`, smooth between.
#[inline]
pub(crate) fn smoothstep(low: f32, high: f32, x: f32) -> f32 {
    ease(((x - low) / (high - low)).clamp(0.0, 1.0))
}

#[inline]
fn ease(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}
