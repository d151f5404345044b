//! What changes slowly over the picture, computed on a coarser grid and interpolated along rows of pixels.

use tiny_skia::{FillRule, Mask, Path, Transform};

use super::noise::mix;

/// A part of a picture, in pixels or in cells of a grid; right and bottom are outside.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) right: usize,
    pub(crate) bottom: usize,
}

/// Values of type `T` at the centres of square cells.
pub(crate) struct Grid<T> {
    /// Binary logarithm of a cell's side in pixels.
    shift: u32,
    /// The cells that have values; beyond them the nearest one's holds.
    cells: Bounds,
    values: Vec<T>,
}

/// What can be interpolated.
pub(crate) trait Blend: Copy {
    /// The value a share `t` of the way from `self` to `other`.
    fn blend(self, other: Self, t: f32) -> Self;
}

impl Blend for f32 {
    #[inline]
    fn blend(self, other: Self, t: f32) -> Self {
        mix(self, other, t)
    }
}

impl<const N: usize> Blend for [f32; N] {
    #[inline]
    fn blend(self, other: Self, t: f32) -> Self {
        std::array::from_fn(|index| mix(self[index], other[index], t))
    }
}

impl<T: Blend> Grid<T> {
    /// A grid over the pixels in `area`, with values of `at`, which is asked in pixels. `step`, the side of a cell, is a power of two.
    pub(crate) fn new(step: usize, area: Bounds, mut at: impl FnMut(f32, f32) -> T) -> Self {
        let cells = Bounds {
            left: area.left / step,
            top: area.top / step,
            right: area.right / step + 2,
            bottom: area.bottom / step + 2,
        };
        let centre = |cell: usize| (cell as f32 + 0.5) * step as f32;
        let mut values = Vec::with_capacity(cells.width() * (cells.bottom - cells.top));
        for row in cells.top..cells.bottom {
            for column in cells.left..cells.right {
                values.push(at(centre(column), centre(row)));
            }
        }
        Self {
            shift: step.trailing_zeros(),
            cells,
            values,
        }
    }

    /// The value at a pixel, interpolated.
    #[inline]
    pub(crate) fn at(&self, x: f32, y: f32) -> T {
        let (column, across) = self.place(x, self.cells.left, self.cells.right);
        let (row, down) = self.place(y, self.cells.top, self.cells.bottom);
        let width = self.cells.width();
        let index = row * width + column;
        let upper = self.values[index].blend(self.values[index + 1], across);
        let lower = self.values[index + width].blend(self.values[index + width + 1], across);
        upper.blend(lower, down)
    }

    /// Interpolates row `y` of pixels from `left` to `right` into `out`; `line` is scratch.
    pub(crate) fn row(
        &self,
        y: usize,
        left: usize,
        right: usize,
        line: &mut Vec<T>,
        out: &mut Vec<T>,
    ) {
        let (row, down) = self.place(y as f32 + 0.5, self.cells.top, self.cells.bottom);
        let width = self.cells.width();
        let (upper, lower) = self.values[row * width..].split_at(width);
        let blended = upper.iter().zip(lower).map(|(a, b)| a.blend(*b, down));
        line.clear();
        // The first value twice, for the pixels before the first cell's centre.
        line.extend(blended.clone().take(1).chain(blended));
        let step = 1 << self.shift;
        // Pixels lie between the centres of two cells always at the same places.
        let centre = if step == 1 { 0.0 } else { 0.5 };
        let shares: [f32; 8] = std::array::from_fn(|place| (place as f32 + centre) / step as f32);
        out.clear();
        out.extend((left..right).map(|x| {
            let place = x + step - step / 2;
            let column = (place >> self.shift) - self.cells.left;
            line[column].blend(line[column + 1], shares[place & (step - 1) & 7])
        }));
    }

    /// The cell before a pixel coordinate, counted from the first cell, and how far beyond its centre the coordinate lies.
    #[inline]
    fn place(&self, pixel: f32, first: usize, end: usize) -> (usize, f32) {
        // Through signed numbers: conversions from and to unsigned ones are slow.
        let (first, count) = (first as i32, (end - first) as i32);
        let cell = pixel / (1_i32 << self.shift) as f32 - 0.5 - first as f32;
        let cell = cell.clamp(0.0, count as f32 - 1.01);
        let before = cell as i32;
        (before as usize, cell - before as f32)
    }
}

impl Bounds {
    pub(crate) fn width(&self) -> usize {
        self.right - self.left
    }
}

/// A silhouette on a grid `step` times coarser than the picture, blurred by twice a box of `radius` cells, which is nearly a Gaussian.
pub(crate) fn silhouette<'a>(
    paths: impl Iterator<Item = &'a Path>,
    transform: Transform,
    step: usize,
    area: Bounds,
    radius: usize,
) -> Grid<f32> {
    let margin = (2 * radius + 2) * step;
    let mut grid = Grid::new(
        step,
        Bounds {
            left: area.left.saturating_sub(margin),
            top: area.top.saturating_sub(margin),
            right: area.right + margin,
            bottom: area.bottom + margin,
        },
        |_, _| 0.0,
    );
    let (width, height) = (grid.cells.width(), grid.cells.bottom - grid.cells.top);
    if let Some(mut mask) = Mask::new(width as u32, height as u32) {
        let coarse = 1.0 / step as f32;
        let to_cells = transform
            .post_scale(coarse, coarse)
            .post_translate(-(grid.cells.left as f32), -(grid.cells.top as f32));
        for path in paths {
            mask.fill_path(path, FillRule::Winding, true, to_cells);
        }
        for (value, coverage) in grid.values.iter_mut().zip(mask.data()) {
            *value = f32::from(*coverage) / 255.0;
        }
    }
    let mut line = Vec::with_capacity(width.max(height));
    for _ in 0..2 {
        for row in 0..height {
            box_blur(&mut grid.values, row * width, 1, width, radius, &mut line);
        }
        for column in 0..width {
            box_blur(&mut grid.values, column, width, height, radius, &mut line);
        }
    }
    grid
}

/// Box blur of `count` values that lie `stride` apart, by a running sum; the borders repeat. `line` is scratch.
fn box_blur(
    values: &mut [f32],
    start: usize,
    stride: usize,
    count: usize,
    radius: usize,
    line: &mut Vec<f32>,
) {
    line.clear();
    line.extend((0..count).map(|step| values[start + step * stride]));
    let get = |position: isize| line[position.clamp(0, count as isize - 1) as usize];
    let reach = radius as isize;
    let mut sum: f32 = (-reach..=reach).map(get).sum();
    let share = 1.0 / (2 * radius + 1) as f32;
    for step in 0..count as isize {
        values[start + step as usize * stride] = sum * share;
        sum += get(step + reach + 1) - get(step - reach);
    }
}

#[cfg(test)]
mod tests {
    use super::{Bounds, Grid};

    #[test]
    fn what_is_linear_comes_back_exactly_by_pixel_and_by_row() {
        let area = Bounds {
            left: 8,
            top: 4,
            right: 40,
            bottom: 30,
        };
        let grid = Grid::new(4, area, |x, y| 2.0 * x - 3.0 * y);
        let (mut line, mut row) = (Vec::new(), Vec::new());
        for y in 6..28 {
            grid.row(y, 10, 38, &mut line, &mut row);
            for (value, x) in row.iter().zip(10..38) {
                let expected = 2.0 * (x as f32 + 0.5) - 3.0 * (y as f32 + 0.5);
                assert!((value - expected).abs() < 1e-3, "{value} {expected}");
                assert!((grid.at(x as f32 + 0.5, y as f32 + 0.5) - expected).abs() < 1e-3);
            }
        }
    }
}
