//! Pairs of shoes seen from the side.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::simulator::render::sketch::{Bow, Paint, Sketch, To};

const RUBBER: [[f32; 3]; 4] = [
    [240.0, 238.0, 232.0],
    [226.0, 214.0, 190.0],
    [52.0, 50.0, 50.0],
    [196.0, 160.0, 110.0],
];

/// Two shoes of one kind, one behind the other.
pub(super) fn shoes(sketch: &mut Sketch, rng: &mut ChaCha8Rng) {
    let kind = rng.random_range(0..4);
    let sole = RUBBER[rng.random_range(0..RUBBER.len())];
    let laces = [[244.0, 244.0, 240.0], [40.0, 40.0, 42.0]][rng.random_range(0..2)];
    let trimmed = rng.random_bool(0.35);
    let apart = rng.random_range(0.4..0.62);
    let tilt = rng.random_range(-0.12..0.12);
    let offset = rng.random_range(-0.12..0.12);
    let opposed = rng.random_bool(0.25);
    let size = 0.86;
    let shoe = |s: &mut Sketch| match kind {
        0 => sneaker(s, sole, laces, trimmed),
        1 => boot(s, sole),
        2 => pump(s),
        _ => loafer(s, sole),
    };
    sketch.placed((offset, -apart), size, tilt, shoe);
    if opposed {
        // Sole to sole, as in shop pictures from above.
        sketch.placed((-offset, apart * 0.85), -size, tilt, |s| s.mirrored(shoe));
    } else {
        sketch.placed((-offset, apart * 0.75), size, tilt * 0.5, shoe);
    }
}

/// A low sneaker: toe to the right, x from -0.85 to 0.95, sole at y = 0.35.
fn sneaker(sketch: &mut Sketch, sole: [f32; 3], laces: [f32; 3], trimmed: bool) {
    sketch.fill(
        (-0.74, -0.3),
        &[
            Bow((-0.45, -0.2), (-0.12, -0.33)),
            To((-0.1, -0.1)),
            To((-0.7, -0.1)),
        ],
        Paint::Plain(0.45),
        0.2,
    );
    sketch.fill(
        (-0.76, -0.34),
        &[
            Bow((-0.62, -0.06), (-0.3, -0.16)),
            Bow((-0.18, -0.2), (-0.1, -0.38)),
            Bow((0.02, -0.42), (0.06, -0.32)),
            Bow((0.3, -0.06), (0.6, 0.0)),
            Bow((0.93, 0.05), (0.93, 0.26)),
            To((-0.8, 0.26)),
            Bow((-0.84, 0.0), (-0.76, -0.34)),
        ],
        Paint::Cloth(0.0),
        1.1,
    );
    // Toe cap and heel patch.
    sketch.seam((0.56, 0.26), &[Bow((0.5, 0.08), (0.62, 0.0))], 0.02, 0.45);
    sketch.fill(
        (-0.77, -0.3),
        &[
            Bow((-0.66, -0.1), (-0.66, 0.24)),
            To((-0.8, 0.24)),
            Bow((-0.83, 0.0), (-0.77, -0.3)),
        ],
        if trimmed {
            Paint::Trim
        } else {
            Paint::Plain(0.75)
        },
        0.3,
    );
    sole_unit(sketch, sole, 0.26, 0.13);
    for row in 0..5 {
        let (x, y) = (0.0 + 0.1 * row as f32, -0.3 + 0.065 * row as f32);
        sketch.fill(
            (x, y),
            &[
                To((x - 0.15, y + 0.09)),
                To((x - 0.13, y + 0.125)),
                To((x + 0.035, y + 0.03)),
            ],
            Paint::Fixed(laces),
            0.4,
        );
    }
    sketch.seam((-0.16, -0.12), &[Bow((0.1, 0.12), (0.36, 0.14))], 0.02, 0.4);
    if trimmed {
        sketch.fill(
            (-0.4, 0.2),
            &[
                Bow((0.0, 0.2), (0.3, -0.02)),
                Bow((0.06, 0.1), (-0.38, 0.08)),
            ],
            Paint::Trim,
            0.3,
        );
    }
}

/// An ankle boot with a heel.
fn boot(sketch: &mut Sketch, sole: [f32; 3]) {
    sketch.fill(
        (-0.68, -0.62),
        &[
            Bow((-0.4, -0.7), (-0.12, -0.62)),
            To((-0.12, -0.5)),
            To((-0.68, -0.5)),
        ],
        Paint::Plain(0.42),
        0.2,
    );
    sketch.fill(
        (-0.7, -0.6),
        &[
            Bow((-0.4, -0.53), (-0.1, -0.6)),
            Bow((-0.1, -0.3), (0.06, -0.14)),
            Bow((0.36, -0.06), (0.6, 0.02)),
            Bow((0.86, 0.08), (0.86, 0.26)),
            To((-0.72, 0.26)),
            Bow((-0.66, -0.1), (-0.7, -0.6)),
        ],
        Paint::Cloth(0.0),
        1.2,
    );
    sketch.fill(
        (-0.5, -0.555),
        &[
            To((-0.3, -0.555)),
            Bow((-0.3, -0.2), (-0.36, 0.02)),
            To((-0.44, 0.02)),
            Bow((-0.5, -0.2), (-0.5, -0.555)),
        ],
        Paint::Plain(0.55),
        0.1,
    );
    sketch.seam((0.4, 0.26), &[Bow((0.36, 0.06), (0.5, 0.0))], 0.016, 0.3);
    sole_unit(sketch, sole, 0.25, 0.06);
    sketch.fill(
        (-0.74, 0.28),
        &[To((-0.36, 0.28)), To((-0.4, 0.44)), To((-0.7, 0.44))],
        Paint::Fixed([48.0, 38.0, 34.0]),
        0.4,
    );
}

/// A court shoe on a high heel.
fn pump(sketch: &mut Sketch) {
    sketch.fill(
        (-0.7, -0.4),
        &[
            Bow((-0.4, -0.1), (0.2, 0.04)),
            To((0.1, 0.16)),
            To((-0.66, -0.1)),
        ],
        Paint::Plain(0.5),
        0.2,
    );
    sketch.fill(
        (-0.74, -0.14),
        &[
            To((-0.58, -0.08)),
            Bow((-0.63, 0.2), (-0.62, 0.5)),
            To((-0.69, 0.5)),
            Bow((-0.74, 0.2), (-0.74, -0.14)),
        ],
        Paint::Plain(0.7),
        0.5,
    );
    sketch.fill(
        (-0.74, -0.42),
        &[
            Bow((-0.6, -0.12), (-0.3, 0.0)),
            Bow((0.06, 0.2), (0.22, 0.06)),
            Bow((0.4, 0.06), (0.62, 0.24)),
            Bow((0.94, 0.4), (0.86, 0.47)),
            Bow((0.5, 0.5), (0.2, 0.46)),
            Bow((-0.1, 0.4), (-0.32, 0.1)),
            Bow((-0.46, -0.06), (-0.62, -0.04)),
            Bow((-0.8, -0.1), (-0.74, -0.42)),
        ],
        Paint::Cloth(0.0),
        1.2,
    );
    sketch.seam(
        (0.88, 0.48),
        &[
            Bow((0.5, 0.52), (0.18, 0.47)),
            Bow((-0.12, 0.4), (-0.34, 0.1)),
        ],
        0.03,
        0.7,
    );
}

/// A flat slip-on.
fn loafer(sketch: &mut Sketch, sole: [f32; 3]) {
    sketch.fill(
        (-0.74, -0.14),
        &[
            Bow((-0.3, -0.26), (0.06, -0.2)),
            To((0.06, 0.0)),
            To((-0.7, 0.06)),
        ],
        Paint::Plain(0.45),
        0.2,
    );
    sketch.fill(
        (-0.77, -0.18),
        &[
            Bow((-0.6, 0.02), (-0.3, 0.0)),
            Bow((-0.06, 0.0), (-0.02, -0.2)),
            Bow((0.1, -0.26), (0.24, -0.16)),
            Bow((0.5, -0.06), (0.7, 0.02)),
            Bow((0.94, 0.1), (0.92, 0.26)),
            To((-0.8, 0.26)),
            Bow((-0.84, 0.0), (-0.77, -0.18)),
        ],
        Paint::Cloth(0.0),
        1.2,
    );
    sketch.fill(
        (0.02, -0.13),
        &[To((0.12, -0.16)), To((0.3, 0.14)), To((0.18, 0.18))],
        Paint::Plain(0.7),
        0.5,
    );
    sketch.seam((0.2, -0.14), &[Bow((0.5, 0.08), (0.78, 0.14))], 0.018, 0.4);
    sole_unit(sketch, sole, 0.26, 0.05);
    sketch.fill(
        (-0.8, 0.3),
        &[To((-0.4, 0.3)), To((-0.42, 0.38)), To((-0.78, 0.38))],
        Paint::Fixed([54.0, 42.0, 36.0]),
        0.3,
    );
}

fn sole_unit(sketch: &mut Sketch, colour: [f32; 3], top: f32, height: f32) {
    sketch.fill(
        (-0.82, top - 0.02),
        &[
            Bow((0.1, top + 0.02), (0.94, top - 0.04)),
            Bow((0.97, top + height), (0.84, top + height)),
            To((-0.76, top + height)),
            Bow((-0.86, top + height), (-0.82, top - 0.02)),
        ],
        Paint::Fixed(colour),
        0.5,
    );
    sketch.seam(
        (-0.82, top),
        &[Bow((0.1, top + 0.03), (0.94, top - 0.02))],
        0.014,
        0.45,
    );
}
