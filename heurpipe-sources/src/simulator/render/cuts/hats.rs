//! Caps, beanies, bucket hats and brimmed hats.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::simulator::render::sketch::{Bow, Paint, Sketch, To};

/// One of four kinds, equally likely.
pub(super) fn hat(sketch: &mut Sketch, rng: &mut ChaCha8Rng) {
    let trimmed = rng.random_bool(0.45);
    let tall = rng.random_range(0.9..1.12);
    let flip = rng.random_bool(0.5);
    let kind = rng.random_range(0..4);
    let draw = |s: &mut Sketch| match kind {
        0 => cap(s, tall, trimmed),
        1 => beanie(s, tall, trimmed),
        2 => bucket(s, tall),
        _ => brimmed(s, tall, trimmed),
    };
    sketch.placed((0.0, 0.05), 0.95, 0.0, |s| {
        if flip { s.mirrored(draw) } else { draw(s) }
    });
}

/// A baseball cap from the side.
fn cap(sketch: &mut Sketch, tall: f32, trimmed: bool) {
    let top = -0.62 * tall;
    let peak = if trimmed {
        Paint::Trim
    } else {
        Paint::Cloth(0.2)
    };
    sketch.fill(
        (0.3, 0.14),
        &[
            Bow((0.8, 0.06), (1.02, 0.3)),
            Bow((1.04, 0.37), (0.96, 0.36)),
            Bow((0.6, 0.22), (0.12, 0.3)),
        ],
        peak,
        1.0,
    );
    sketch.fill(
        (-0.62, 0.26),
        &[
            Bow((-0.74, -0.2), (-0.42, top + 0.14)),
            Bow((-0.2, top - 0.06), (0.06, top)),
            Bow((0.5, top + 0.1), (0.52, 0.17)),
            Bow((0.0, 0.34), (-0.62, 0.26)),
        ],
        Paint::Cloth(0.0),
        1.5,
    );
    sketch.seam(
        (-0.08, top),
        &[Bow((-0.28, -0.2), (-0.2, 0.28))],
        0.016,
        0.5,
    );
    sketch.seam(
        (-0.04, top),
        &[Bow((0.26, -0.24), (0.26, 0.24))],
        0.016,
        0.5,
    );
    sketch.seam((-0.64, 0.2), &[Bow((-0.05, 0.27), (0.5, 0.1))], 0.012, 0.4);
    sketch.oval(
        (-0.04, top),
        (0.06, 0.03),
        if trimmed {
            Paint::Trim
        } else {
            Paint::Plain(0.8)
        },
        0.5,
    );
    sketch.disc((0.1, -0.3), 0.02, Paint::Fixed([50.0, 46.0, 44.0]));
    sketch.seam((0.12, 0.29), &[Bow((0.5, 0.18), (0.94, 0.34))], 0.02, 0.6);
}

/// A knitted beanie with a turned-up brim, sometimes with a bobble.
fn beanie(sketch: &mut Sketch, tall: f32, trimmed: bool) {
    let top = -0.66 * tall;
    if trimmed {
        sketch.oval((0.0, top - 0.1), (0.19, 0.18), Paint::Trim, 1.4);
    }
    sketch.fill_symmetric(
        (0.0, top),
        &[
            Bow((0.46, top), (0.56, -0.12)),
            Bow((0.6, 0.1), (0.6, 0.3)),
            To((0.0, 0.36)),
        ],
        Paint::Cloth(0.0),
        1.5,
    );
    for rib in -4..=4 {
        let x = rib as f32 * 0.125;
        sketch.seam(
            (x * 0.35, top + 0.06),
            &[Bow((x * 1.05, top * 0.6), (x * 1.05, 0.16))],
            0.016,
            0.24,
        );
    }
    sketch.fill_symmetric(
        (0.0, 0.14),
        &[
            Bow((0.4, 0.14), (0.61, 0.08)),
            Bow((0.66, 0.26), (0.62, 0.42)),
            Bow((0.4, 0.5), (0.0, 0.5)),
        ],
        Paint::Plain(0.9),
        0.9,
    );
    for rib in -7..=7 {
        let x = rib as f32 * 0.08;
        sketch.seam((x, 0.17), &[To((x * 1.02, 0.47))], 0.014, 0.34);
    }
}

/// A bucket hat: a blunt crown on a sloping brim.
fn bucket(sketch: &mut Sketch, tall: f32) {
    let top = -0.52 * tall;
    sketch.fill_symmetric(
        (0.0, 0.06),
        &[
            Bow((0.3, 0.06), (0.52, 0.0)),
            Bow((0.74, 0.2), (0.92, 0.42)),
            Bow((0.6, 0.6), (0.0, 0.62)),
        ],
        Paint::Cloth(0.0),
        1.2,
    );
    for ring in 1..4 {
        let share = ring as f32 / 4.0;
        let (x, y) = (0.52 + 0.4 * share, 0.42 * share);
        sketch.seams(
            (0.0, 0.1 + 0.52 * share),
            &[Bow((x * 0.6, 0.1 + 0.5 * share), (x, y))],
            0.01,
            0.3,
        );
    }
    sketch.fill_symmetric(
        (0.0, top),
        &[
            Bow((0.34, top), (0.42, top + 0.1)),
            Bow((0.5, -0.2), (0.54, 0.02)),
            Bow((0.3, 0.14), (0.0, 0.14)),
        ],
        Paint::Cloth(0.0),
        1.3,
    );
    sketch.seams(
        (0.0, top + 0.1),
        &[Bow((0.3, top + 0.12), (0.42, top + 0.09))],
        0.014,
        0.4,
    );
    sketch.seams((0.0, 0.14), &[Bow((0.3, 0.14), (0.54, 0.02))], 0.03, 0.5);
    sketch.disc((0.34, -0.1), 0.022, Paint::Fixed([60.0, 56.0, 54.0]));
}

/// A fedora or straw hat: a dented crown, a band and a wide brim.
fn brimmed(sketch: &mut Sketch, tall: f32, trimmed: bool) {
    let top = -0.6 * tall;
    sketch.oval((0.0, 0.26), (0.98, 0.27), Paint::Cloth(0.0), 1.2);
    sketch.fill_symmetric(
        (0.0, top + 0.1),
        &[
            Bow((0.2, top - 0.06), (0.34, top + 0.06)),
            Bow((0.46, -0.2), (0.5, 0.2)),
            Bow((0.3, 0.34), (0.0, 0.34)),
        ],
        Paint::Cloth(0.0),
        1.5,
    );
    let band = if trimmed {
        Paint::Trim
    } else {
        Paint::Plain(0.5)
    };
    sketch.fill_symmetric(
        (0.0, 0.17),
        &[
            Bow((0.3, 0.17), (0.478, 0.03)),
            To((0.505, 0.2)),
            Bow((0.3, 0.35), (0.0, 0.35)),
        ],
        band,
        0.5,
    );
    sketch.seam(
        (0.0, top + 0.1),
        &[Bow((0.04, top + 0.24), (0.0, top + 0.4))],
        0.06,
        0.3,
    );
}
