//! Coats, parkas, quilted and bomber jackets: open or zipped fronts, heavy sleeves, hoods and lapels.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::tops::{Body, long_arm};
use crate::simulator::render::sketch::{Bow, Paint, Sketch, To};

const METAL: Paint = Paint::Fixed([176.0, 174.0, 168.0]);

/// One of three kinds, equally likely.
pub(super) fn outwear(sketch: &mut Sketch, rng: &mut ChaCha8Rng) {
    match rng.random_range(0..3) {
        0 => coat(sketch, rng),
        1 => puffer(sketch, rng),
        _ => parka(sketch, rng),
    }
}

/// A tailored coat or blazer: lapels over a light inner garment, large buttons, long hem.
fn coat(sketch: &mut Sketch, rng: &mut ChaCha8Rng) {
    let half = rng.random_range(0.48..0.56);
    let hem = rng.random_range(0.72..1.08);
    let body = Body::new(rng, 0.2, half, hem);
    let (outer, inner) = heavy_arm(&body, rng);
    let inside = [
        [236.0, 234.0, 228.0],
        [186.0, 188.0, 192.0],
        [44.0, 44.0, 48.0],
    ][rng.random_range(0..3)];
    let closing = rng.random_range(-0.2..0.05);

    body.back_of_neck(sketch, 0.2, Paint::Plain(0.5));
    torso(sketch, &body, Paint::Cloth(0.0));
    body.sleeves(sketch, outer, inner, 1.3);
    body.cuffs(sketch, outer, inner, 0.08, Paint::Plain(0.9));
    // What is worn under it shows between the lapels.
    let (x, y) = body.neck;
    sketch.fill_symmetric(
        (0.0, y + 0.06),
        &[Bow((x * 0.7, y + 0.04), (x, y - 0.02)), To((0.0, closing))],
        Paint::Fixed(inside),
        0.2,
    );
    let lapel = [
        To((x + 0.07, y)),
        To((x + 0.17, y + 0.28)),
        To((x + 0.07, y + 0.33)),
        To((0.02, closing + 0.03)),
    ];
    for flip in [false, true] {
        let draw = |s: &mut Sketch| {
            s.fill((x - 0.02, y - 0.06), &lapel, Paint::Cloth(0.5), 0.9);
            s.seam(
                (x + 0.07, y),
                &[
                    To((x + 0.17, y + 0.28)),
                    To((x + 0.07, y + 0.33)),
                    To((0.02, closing + 0.03)),
                ],
                0.016,
                0.6,
            );
            s.seam(
                (x + 0.005, y + 0.14),
                &[To((x + 0.14, y + 0.2))],
                0.012,
                0.5,
            );
        };
        if flip {
            sketch.mirrored(draw)
        } else {
            draw(sketch)
        }
    }
    sketch.seam((0.02, closing), &[To((0.05, hem))], 0.022, 0.65);
    let double = rng.random_bool(0.4);
    let button = [
        [40.0, 34.0, 30.0],
        [120.0, 84.0, 48.0],
        [196.0, 170.0, 110.0],
    ][rng.random_range(0..3)];
    for row in 0..3 {
        let level = closing + 0.08 + 0.2 * row as f32;
        for side in if double {
            &[0.12_f32, -0.12][..]
        } else {
            &[-0.03][..]
        } {
            sketch.disc((*side, level), 0.034, Paint::Fixed(button));
        }
    }
    flaps(sketch, 0.22, hem.min(0.7) * 0.55);
    if rng.random_bool(0.3) {
        belt(sketch, half);
    }
}

/// A quilted jacket: swelling bands, a zip and a high collar.
fn puffer(sketch: &mut Sketch, rng: &mut ChaCha8Rng) {
    let half = rng.random_range(0.52..0.6);
    let hem = rng.random_range(0.5..0.85);
    let body = Body::new(rng, 0.2, half, hem);
    let (outer, inner) = heavy_arm(&body, rng);
    let bands = rng.random_range(6..10);

    torso(sketch, &body, Paint::Cloth(0.0));
    body.sleeves(sketch, outer, inner, 1.5);
    body.cuffs(sketch, outer, inner, 0.06, Paint::Plain(0.75));
    for band in 1..bands {
        let share = band as f32 / bands as f32;
        let level = body.neck.1 + 0.1 + (hem - body.neck.1 - 0.1) * share;
        sketch.seams(
            (0.0, level + 0.03),
            &[Bow((half * 0.5, level + 0.03), (half, level))],
            0.034,
            0.5,
        );
        sketch.seams(
            (0.0, level - 0.03),
            &[Bow((half * 0.5, level - 0.03), (half, level - 0.06))],
            0.05,
            -0.2,
        );
        let (from, to) = (body.shoulder, outer);
        let on_sleeve = (
            from.0 + (to.0 - from.0) * share,
            from.1 + (to.1 - from.1) * share,
        );
        let under = (
            body.armpit.0 + (inner.0 - body.armpit.0) * share,
            body.armpit.1 + (inner.1 - body.armpit.1) * share,
        );
        sketch.seams(
            on_sleeve,
            &[Bow(
                (under.0 * 0.5 + on_sleeve.0 * 0.5, under.1 + 0.02),
                under,
            )],
            0.03,
            0.5,
        );
    }
    stand_collar(sketch, &body);
    zip(sketch, body.neck.1 - 0.16, hem);
    if rng.random_bool(0.5) {
        hood(sketch, &body);
    }
}

/// A hooded jacket with flap pockets and a zip.
fn parka(sketch: &mut Sketch, rng: &mut ChaCha8Rng) {
    let half = rng.random_range(0.5..0.58);
    let hem = rng.random_range(0.55..0.98);
    let body = Body::new(rng, 0.21, half, hem);
    let (outer, inner) = heavy_arm(&body, rng);

    hood(sketch, &body);
    torso(sketch, &body, Paint::Cloth(0.0));
    body.sleeves(sketch, outer, inner, 1.3);
    body.cuffs(sketch, outer, inner, 0.07, Paint::Plain(0.8));
    stand_collar(sketch, &body);
    zip(sketch, body.neck.1 - 0.1, hem);
    sketch.seam((0.07, body.neck.1), &[To((0.07, hem))], 0.014, 0.5);
    flaps(sketch, 0.16, 0.12);
    if rng.random_bool(0.5) {
        flaps(sketch, 0.16, -0.38);
    }
    let (x, y) = body.hem;
    sketch.seams(
        (x, y - 0.07),
        &[Bow((x * 0.5, y - 0.04), (0.0, y - 0.04))],
        0.02,
        0.5,
    );
    for side in [-1.0_f32, 1.0] {
        sketch.seam(
            (side * 0.09, body.neck.1 + 0.02),
            &[Bow(
                (side * 0.12, body.neck.1 + 0.2),
                (side * 0.1, body.neck.1 + 0.34),
            )],
            0.016,
            -0.8,
        );
    }
}

fn torso(sketch: &mut Sketch, body: &Body, paint: Paint) {
    let (neck, hem) = (body.neck, body.hem);
    sketch.fill_symmetric(
        (0.0, neck.1 + 0.05),
        &[
            Bow((neck.0 * 0.8, neck.1 + 0.04), neck),
            Bow((body.shoulder.0 - 0.1, neck.1 + 0.03), body.shoulder),
            To(body.armpit),
            Bow((body.armpit.0 - 0.02, 0.1), (hem.0 + 0.03, hem.1)),
            Bow((hem.0 * 0.5, hem.1 + 0.03), (0.0, hem.1 + 0.02)),
        ],
        paint,
        1.3,
    );
}

fn heavy_arm(body: &Body, rng: &mut ChaCha8Rng) -> ((f32, f32), (f32, f32)) {
    let (outer, inner) = long_arm(body, rng);
    (
        (outer.0 + 0.03, outer.1 - 0.04),
        (inner.0 - 0.06, inner.1 - 0.02),
    )
}

fn stand_collar(sketch: &mut Sketch, body: &Body) {
    let (x, y) = body.neck;
    sketch.fill_symmetric(
        (0.0, y - 0.14),
        &[
            Bow((x * 0.8, y - 0.15), (x * 0.95, y - 0.16)),
            To((x + 0.04, y + 0.04)),
            Bow((x * 0.5, y + 0.11), (0.0, y + 0.11)),
        ],
        Paint::Cloth(0.0),
        0.9,
    );
    sketch.fill_symmetric(
        (0.0, y - 0.14),
        &[
            Bow((x * 0.6, y - 0.15), (x * 0.85, y - 0.165)),
            Bow((x * 0.6, y - 0.09), (0.0, y - 0.07)),
        ],
        Paint::Plain(0.5),
        0.0,
    );
}

fn hood(sketch: &mut Sketch, body: &Body) {
    let (x, y) = body.neck;
    sketch.fill_symmetric(
        (0.0, y - 0.34),
        &[
            Bow((x + 0.12, y - 0.36), (x + 0.12, y - 0.08)),
            Bow((x + 0.1, y + 0.08), (x, y + 0.1)),
            Bow((x * 0.5, y + 0.14), (0.0, y + 0.14)),
        ],
        Paint::Cloth(0.3),
        1.2,
    );
    sketch.fill_symmetric(
        (0.0, y - 0.24),
        &[
            Bow((x * 0.95, y - 0.26), (x * 0.9, y - 0.06)),
            Bow((x * 0.6, y + 0.1), (0.0, y + 0.12)),
        ],
        Paint::Plain(0.42),
        0.3,
    );
}

fn zip(sketch: &mut Sketch, top: f32, bottom: f32) {
    sketch.seam((0.0, top), &[To((0.0, bottom))], 0.05, 0.4);
    sketch.fill(
        (-0.01, top),
        &[To((0.01, top)), To((0.01, bottom)), To((-0.01, bottom))],
        METAL,
        0.0,
    );
    sketch.fill(
        (-0.02, top + 0.1),
        &[
            To((0.02, top + 0.1)),
            To((0.015, top + 0.17)),
            To((-0.015, top + 0.17)),
        ],
        METAL,
        0.2,
    );
}

/// Pocket flaps left and right.
fn flaps(sketch: &mut Sketch, x: f32, y: f32) {
    let outline = [
        To((x + 0.22, y - 0.02)),
        To((x + 0.22, y + 0.06)),
        To((x, y + 0.08)),
        To((x, y)),
    ];
    for flip in [false, true] {
        let draw = |s: &mut Sketch| {
            s.fill((x, y), &outline, Paint::Cloth(0.0), 0.6);
            s.seam((x, y), &outline, 0.014, 0.5);
        };
        if flip {
            sketch.mirrored(draw)
        } else {
            draw(sketch)
        }
    }
}

fn belt(sketch: &mut Sketch, half: f32) {
    sketch.fill_symmetric(
        (0.0, 0.12),
        &[
            To((half - 0.01, 0.1)),
            To((half - 0.01, 0.19)),
            To((0.0, 0.21)),
        ],
        Paint::Plain(0.82),
        0.7,
    );
    sketch.fill(
        (-0.06, 0.1),
        &[To((0.06, 0.1)), To((0.06, 0.23)), To((-0.06, 0.23))],
        METAL,
        0.4,
    );
    sketch.fill(
        (-0.035, 0.125),
        &[To((0.035, 0.125)), To((0.035, 0.205)), To((-0.035, 0.205))],
        Paint::Plain(0.75),
        0.0,
    );
}
