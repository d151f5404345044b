//! Blossoms scattered over cloth, one to a cell of the pattern, with their outline in a table.

use super::noise::{floor, hash01};

/// Cells after which the blossoms repeat, both ways; a power of two.
const SIDE: i32 = 16;
/// Steps of the outline round a blossom; a power of two.
const STEPS: usize = 512;

/// One blossom.
pub(crate) struct Blossom {
    /// Centre, from the corner of its cell.
    x: f32,
    y: f32,
    pub(crate) radius: f32,
    /// How far it is turned, in whole turns.
    pub(crate) turn: f32,
    /// Whether it has the accent's colour rather than the figure's.
    pub(crate) is_accent: bool,
}

/// The blossoms of a cloth.
pub(crate) struct Blossoms {
    cells: Vec<Blossom>,
    /// How far leaf and petals reach in each direction, as shares of their longest.
    outline: Vec<[f32; 2]>,
}

impl Blossoms {
    pub(crate) fn new(petals: f32, seed: u32) -> Self {
        let cells = (0..SIDE * SIDE).map(|cell| {
            let (i, j) = (cell % SIDE, cell / SIDE);
            let random = |salt: u32| hash01(i, j, seed.wrapping_add(salt));
            let stagger = if j & 1 == 1 { 0.3 } else { 0.0 };
            Blossom {
                x: 0.2 + 0.3 * random(1) + stagger,
                y: 0.35 + 0.3 * random(2),
                radius: 0.25 + 0.16 * random(3),
                turn: random(4),
                is_accent: random(5) < 0.28,
            }
        });
        let outline = (0..STEPS).map(|step| {
            let angle = step as f32 / STEPS as f32 * std::f32::consts::TAU;
            let leaf = (2.0 * angle + 0.6).cos().max(0.0).powi(3);
            [leaf, 0.66 + 0.34 * (petals * angle).cos()]
        });
        Self {
            cells: cells.collect(),
            outline: outline.collect(),
        }
    }

    /// The blossoms that may cover (x, y), measured in cells, with the way from their centres to it. A blossom may reach over the border
    /// of its cell, so the nearest neighbours are asked too.
    #[inline]
    pub(crate) fn at(&self, x: f32, y: f32) -> impl Iterator<Item = (&Blossom, f32, f32)> {
        let (column, row) = (floor(x), floor(y));
        let near = |inside: f32| if inside < 0.5 { -1.0 } else { 1.0 };
        let (across, down) = (near(x - column), near(y - row));
        [(across, down), (0.0, down), (across, 0.0), (0.0, 0.0)]
            .into_iter()
            .map(move |(across, down)| {
                let (i, j) = (column + across, row + down);
                let cell = ((j as i32 & (SIDE - 1)) * SIDE + (i as i32 & (SIDE - 1))) as usize;
                let blossom = &self.cells[cell];
                (blossom, x - i - blossom.x, y - j - blossom.y)
            })
    }

    /// How far leaf and petals reach at an angle in whole turns.
    #[inline]
    pub(crate) fn shape(&self, turns: f32) -> [f32; 2] {
        // Angles are above -1 turn.
        self.outline[((turns + 1.0) * STEPS as f32) as i32 as usize & (STEPS - 1)]
    }
}

/// The angle of (x, y) in whole turns, -0.5 to 0.5, to about a thousandth of a turn: enough for outlines of some pixels.
#[inline]
pub(crate) fn turns(y: f32, x: f32) -> f32 {
    let (small, large) = (x.abs().min(y.abs()), x.abs().max(y.abs()).max(1e-9));
    let slope = small / large;
    // A parabola that meets the arc tangent at 0 and 1.
    let first = slope * (0.168_449 - 0.043_449 * slope);
    let steep = if y.abs() > x.abs() {
        0.25 - first
    } else {
        first
    };
    let half = if x < 0.0 { 0.5 - steep } else { steep };
    if y < 0.0 { -half } else { half }
}

#[cfg(test)]
mod tests {
    use super::turns;

    #[test]
    fn turns_follow_the_arc_tangent() {
        for degree in -179..180 {
            let angle = (degree as f32).to_radians();
            let expected = angle / std::f32::consts::TAU;
            let found = turns(3.0 * angle.sin(), 3.0 * angle.cos());
            assert!((found - expected).abs() < 0.001, "{degree}: {found}");
        }
    }
}
