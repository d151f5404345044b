//! Groups of like colours in a picture, found the same way every time.

use palette::{IntoColor, Oklab, Srgb};

use super::backdrop::backdrop;

/// The side of a cell of colour space; about the least difference that the eye sees at a glance.
const CELL: f32 = 0.03;
/// How many groups a picture is divided into.
const GROUPS: usize = 12;
/// Rounds of k-means; pictures settle within these.
const ROUNDS: usize = 10;
/// The part of width and height that is border, on each side.
const BORDER: f32 = 0.05;
/// The least part of the centre that must be left without the backdrop.
const FRONT: f32 = 0.3;
/// The width of the bell that weights the centre, in parts of width and height.
const CENTRE: f32 = 0.14;

/// Pixels of like colour, and where they lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Group {
    /// The mean colour.
    pub(super) colour: Oklab,
    /// Pixels.
    pub(super) pixels: f32,
    /// Pixels at the border.
    pub(super) border: f32,
    /// Pixels weighted by how near they are to the centre.
    pub(super) centre: f32,
}

impl Group {
    const EMPTY: Self = Self {
        colour: Oklab::new(0.0, 0.0, 0.0),
        pixels: 0.0,
        border: 0.0,
        centre: 0.0,
    };

    /// Adds a group; the colour is a sum until [`mean`](Self::mean).
    fn add(&mut self, colour: Oklab, other: &Self) {
        self.colour += colour * other.pixels;
        self.pixels += other.pixels;
        self.border += other.border;
        self.centre += other.centre;
    }

    fn mean(mut self) -> Self {
        self.colour /= self.pixels.max(1.0);
        self
    }
}

/// The groups of a picture of `width` columns whose pixels are `rgb`.
pub(super) fn groups(width: usize, rgb: &[u8]) -> Vec<Group> {
    let cells = cells(width, rgb);
    let mut centres = seeds(&cells);
    let mut groups: Vec<Group> = Vec::new();
    for _ in 0..ROUNDS {
        let before = groups;
        groups = vec![Group::EMPTY; centres.len()];
        for cell in &cells {
            groups[nearest(&centres, cell.colour)].add(cell.colour, cell);
        }
        groups.retain(|group| group.pixels > 0.0);
        groups = groups.into_iter().map(Group::mean).collect();
        if groups == before {
            break; // settled: another round would give the same
        }
        centres = groups.iter().map(|group| group.colour).collect();
    }
    groups
}

/// Pixels gathered into cells of colour space: a few hundred colours instead of thousands of pixels.
fn cells(width: usize, rgb: &[u8]) -> Vec<Group> {
    let pixels = rgb.as_chunks::<3>().0;
    let height = pixels.len() / width.max(1);
    let (across, down) = (places(width), places(height));
    let colours: Vec<Oklab> = pixels
        .iter()
        .map(|pixel| Srgb::from(*pixel).into_linear::<f32>().into_color())
        .collect();
    let nearness: Vec<f32> = (0..colours.len())
        .map(|index| across[index % width].centre * down[index / width].centre)
        .collect();
    let nearness = in_front(nearness, &backdrop(width, &colours));
    let mut cells = Cells::default();
    for (index, (&colour, centre)) in colours.iter().zip(nearness).enumerate() {
        let (x, y) = (across[index % width], down[index / width]);
        let seen = Group {
            colour,
            pixels: 1.0,
            border: x.border.max(y.border),
            centre,
        };
        cells.add(colour, &seen);
    }
    cells.in_order()
}

/// Groups by the cell of colour space in which they lie.
struct Cells {
    /// For each cell of the grid the place of its group, counted from 1; 0: there is none.
    grid: Vec<u32>,
    /// The groups and their cells, as they came.
    groups: Vec<(usize, Group)>,
}

/// Cells along lightness, which goes from 0 to 1 in sRGB.
const LIGHTNESSES: usize = 36;
/// Cells along `a` and `b`, half of them on each side of grey: no colour of sRGB has more than a third of either.
const TINTS: usize = 32;

impl Default for Cells {
    fn default() -> Self {
        Self {
            grid: vec![0; LIGHTNESSES * TINTS * TINTS],
            groups: Vec::new(),
        }
    }
}

impl Cells {
    fn add(&mut self, colour: Oklab, seen: &Group) {
        let cell = cell(colour);
        let place = &mut self.grid[cell];
        if *place == 0 {
            self.groups.push((cell, Group::EMPTY));
            *place = self.groups.len() as u32;
        }
        self.groups[*place as usize - 1].1.add(colour, seen);
    }

    fn in_order(mut self) -> Vec<Group> {
        self.groups.sort_unstable_by_key(|(cell, _)| *cell);
        self.groups
            .into_iter()
            .map(|(_, group)| group.mean())
            .collect()
    }
}

/// Where a colour lies in the grid: by lightness, then `a`, then `b`.
fn cell(colour: Oklab) -> usize {
    let lightness = step(colour.l, 0, LIGHTNESSES);
    let [a, b] = [colour.a, colour.b].map(|axis| step(axis, TINTS / 2, TINTS));
    (lightness * TINTS + a) * TINTS + b
}

/// Which of `cells` along an axis, where nothing lies in the cell `origin`.
fn step(axis: f32, origin: usize, cells: usize) -> usize {
    let along = axis / CELL;
    let whole = along as i32;
    // A conversion cuts off towards nothing; below it, one less is the cell.
    let floor = whole - i32::from(whole as f32 > along);
    (floor + origin as i32).clamp(0, cells as i32 - 1) as usize
}

/// How near pixels are to the centre, nothing for those of the backdrop; unless the backdrop is nearly all there is, since then it is what is shown.
fn in_front(nearness: Vec<f32>, backdrop: &[bool]) -> Vec<f32> {
    let front = nearness
        .iter()
        .zip(backdrop)
        .map(|(near, behind)| if *behind { 0.0 } else { *near });
    let front: Vec<f32> = front.collect();
    if front.iter().sum::<f32>() < FRONT * nearness.iter().sum::<f32>() {
        return nearness;
    }
    front
}

/// What a place along one axis says of a pixel.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// 1 at the border, else 0.
    border: f32,
    /// How near it is to the centre, by a bell.
    centre: f32,
}

fn places(length: usize) -> Vec<Place> {
    let place = |index: usize| {
        let at = (index as f32 + 0.5) / length as f32;
        let off = (at - 0.5) / CENTRE;
        Place {
            border: if at.min(1.0 - at) < BORDER { 1.0 } else { 0.0 },
            centre: (-0.5 * off * off).exp(),
        }
    };
    (0..length).map(place).collect()
}

/// The first colours to group around: the commonest, then always the one that most pixels are farthest from.
fn seeds(cells: &[Group]) -> Vec<Oklab> {
    let mut seeds: Vec<Oklab> = Vec::new();
    let mut distances = vec![1.0_f32; cells.len()];
    for _ in 0..GROUPS.min(cells.len()) {
        let worth = |i: usize| cells[i].pixels * distances[i];
        let Some(best) = (0..cells.len()).max_by(|a, b| worth(*a).total_cmp(&worth(*b))) else {
            break;
        };
        if worth(best) <= 0.0 {
            break;
        }
        seeds.push(cells[best].colour);
        for (cell, distance) in cells.iter().zip(&mut distances) {
            *distance = distance.min(square(cell.colour, cells[best].colour));
        }
    }
    seeds
}

fn nearest(centres: &[Oklab], colour: Oklab) -> usize {
    let distance = |i: &usize| square(centres[*i], colour);
    (0..centres.len())
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
        .unwrap_or_default()
}

pub(super) fn square(one: Oklab, other: Oklab) -> f32 {
    let difference = one - other;
    difference.l * difference.l + difference.a * difference.a + difference.b * difference.b
}
