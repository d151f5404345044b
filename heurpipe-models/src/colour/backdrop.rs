//! What a picture's border runs into without a seam: a wall, a lit studio, a table.

use palette::Oklab;

use super::cluster::square;

/// The most by which two neighbouring pixels of a plain surface differ; about a third of the least difference that the eye sees at a glance.
const STEP: f32 = 0.012;

/// Whether each pixel belongs to a surface that begins at the border and goes on in small steps only. However much its light changes on the way,
/// it is behind what is shown.
pub(super) fn backdrop(width: usize, colours: &[Oklab]) -> Vec<bool> {
    let height = colours.len() / width.max(1);
    let mut behind = vec![false; colours.len()];
    let mut reached: Vec<usize> = (0..colours.len())
        .filter(|at| {
            let (x, y) = (at % width, at / width);
            x == 0 || y == 0 || x + 1 == width || y + 1 == height
        })
        .collect();
    for at in &reached {
        behind[*at] = true;
    }
    while let Some(at) = reached.pop() {
        let (x, y) = (at % width, at / width);
        let neighbours = [
            (x > 0).then(|| at - 1),
            (x + 1 < width).then(|| at + 1),
            (y > 0).then(|| at - width),
            (y + 1 < height).then(|| at + width),
        ];
        for next in neighbours.into_iter().flatten() {
            if !behind[next] && square(colours[at], colours[next]) < STEP * STEP {
                behind[next] = true;
                reached.push(next);
            }
        }
    }
    behind
}
