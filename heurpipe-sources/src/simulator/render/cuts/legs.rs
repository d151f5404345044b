//! Trousers, long and short.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::simulator::render::sketch::{Bow, Paint, Point, Sketch, To};

/// The measures of a pair of legs, right half.
struct Legs {
    waist: Point,
    hip: Point,
    outer: Point,
    inner: Point,
    crotch: Point,
}

/// Slim, straight or wide legs down to the ankle.
pub(super) fn pants(sketch: &mut Sketch, rng: &mut ChaCha8Rng) {
    let spread = rng.random_range(0.06..0.2);
    let ankle = rng.random_range(0.17..0.34);
    let top = -1.05;
    let waist = rng.random_range(0.31..0.38);
    let bottom = rng.random_range(0.92..1.1);
    let legs = Legs {
        waist: (waist, top),
        hip: (waist + 0.08, top + 0.42),
        outer: (spread + ankle, bottom),
        inner: (spread * 0.9, bottom + 0.02),
        crotch: (0.0, top + rng.random_range(0.58..0.7)),
    };
    draw(sketch, rng, &legs);
    if rng.random_bool(0.35) {
        let middle = (legs.outer.0 + legs.inner.0) / 2.0;
        sketch.seams(
            (waist * 0.55, top + 0.3),
            &[Bow((waist * 0.62, 0.0), (middle, bottom))],
            0.014,
            0.3,
        );
    }
    if rng.random_bool(0.3) {
        cuff(sketch, &legs, 0.07);
    }
}

/// Legs that end above the knee.
pub(super) fn shorts(sketch: &mut Sketch, rng: &mut ChaCha8Rng) {
    let waist = rng.random_range(0.42..0.5);
    let top = rng.random_range(-0.62..-0.5);
    let bottom = rng.random_range(0.22..0.48);
    let hem = rng.random_range(0.64..0.78);
    let legs = Legs {
        waist: (waist, top),
        hip: (waist + 0.1, top + 0.35),
        outer: (hem, bottom),
        inner: (rng.random_range(0.05..0.12), bottom + 0.09),
        crotch: (0.0, top + rng.random_range(0.5..0.58)),
    };
    draw(sketch, rng, &legs);
    if rng.random_bool(0.5) {
        cuff(sketch, &legs, 0.16);
    }
    if rng.random_bool(0.4) {
        for side in [-0.05_f32, 0.05] {
            let end = (side * 2.2, top + 0.32);
            sketch.seam(
                (side * 0.4, top + 0.07),
                &[Bow((side * 2.4, top + 0.2), end)],
                0.024,
                -0.9,
            );
        }
    }
}

fn draw(sketch: &mut Sketch, rng: &mut ChaCha8Rng, legs: &Legs) {
    let (waist, outer, inner, crotch) = (legs.waist, legs.outer, legs.inner, legs.crotch);
    sketch.fill_symmetric(
        (0.0, waist.1 + 0.03),
        &[
            Bow((waist.0 * 0.6, waist.1 + 0.02), (waist.0, waist.1 - 0.01)),
            Bow((waist.0 * 0.5, waist.1 - 0.05), (0.0, waist.1 - 0.05)),
        ],
        Paint::Plain(0.5),
        0.1,
    );
    // One leg over the other at the middle seam, each with a relief of its own.
    let knee = ((legs.hip.0 + outer.0) / 2.0, (legs.hip.1 + outer.1) / 2.0);
    let leg = [
        Bow((waist.0 * 0.6, waist.1 + 0.02), waist),
        Bow((waist.0 + 0.06, waist.1 + 0.2), legs.hip),
        Bow((knee.0 + 0.02, knee.1), outer),
        Bow(((outer.0 + inner.0) / 2.0, outer.1 + 0.035), inner),
        Bow(
            ((inner.0 + 0.02) * 0.6 + 0.02, (inner.1 + crotch.1) / 2.0),
            crotch,
        ),
    ];
    let turn = rng.random_range(0.02..0.09);
    sketch.mirrored(|mirror| mirror.fill((0.0, waist.1 + 0.02), &leg, Paint::Cloth(-turn), 1.0));
    sketch.fill((0.0, waist.1 + 0.02), &leg, Paint::Cloth(turn), 1.0);
    sketch.seam((0.0, waist.1 + 0.1), &[To(crotch)], 0.014, 0.5);
    sketch.seam(
        (0.075, waist.1 + 0.1),
        &[
            To((0.075, crotch.1 - 0.2)),
            Bow((0.07, crotch.1 - 0.1), (0.0, crotch.1 - 0.07)),
        ],
        0.01,
        0.4,
    );

    // Creases from the crotch, as cloth there always has.
    sketch.seams(
        crotch,
        &[Bow((0.1, crotch.1 - 0.03), (0.22, crotch.1 - 0.12))],
        0.03,
        0.22,
    );
    sketch.seams(
        (waist.0 * 0.62, waist.1 + 0.1),
        &[Bow(
            (waist.0 * 0.68, waist.1 + 0.24),
            (legs.hip.0 - 0.03, waist.1 + 0.3),
        )],
        0.016,
        0.5,
    );
    let band = if rng.random_bool(0.2) {
        Paint::Plain(0.7)
    } else {
        Paint::Plain(0.9)
    };
    sketch.fill_symmetric(
        (0.0, waist.1 + 0.02),
        &[
            Bow((waist.0 * 0.6, waist.1 + 0.02), waist),
            To((waist.0 + 0.02, waist.1 + 0.09)),
            Bow((waist.0 * 0.6, waist.1 + 0.11), (0.0, waist.1 + 0.11)),
        ],
        band,
        0.4,
    );
    sketch.seams(
        (0.0, waist.1 + 0.11),
        &[Bow(
            (waist.0 * 0.6, waist.1 + 0.11),
            (waist.0 + 0.02, waist.1 + 0.09),
        )],
        0.01,
        0.45,
    );
    if rng.random_bool(0.6) {
        sketch.disc(
            (0.0, waist.1 + 0.065),
            0.027,
            Paint::Fixed([168.0, 150.0, 112.0]),
        );
    }
    if rng.random_bool(0.5) {
        for x in [waist.0 * 0.5, waist.0 * 0.85] {
            let loop_ = [
                To((x + 0.03, waist.1)),
                To((x + 0.03, waist.1 + 0.12)),
                To((x, waist.1 + 0.12)),
            ];
            sketch.fill((x, waist.1), &loop_, Paint::Plain(0.82), 0.4);
            sketch.mirrored(|mirror| mirror.fill((x, waist.1), &loop_, Paint::Plain(0.82), 0.4));
        }
    }
    sketch.seams(
        (outer.0 - 0.01, outer.1 - 0.05),
        &[Bow(
            ((outer.0 + inner.0) / 2.0, outer.1 - 0.02),
            (inner.0 + 0.005, inner.1 - 0.05),
        )],
        0.009,
        0.35,
    );
}

fn cuff(sketch: &mut Sketch, legs: &Legs, height: f32) {
    let (outer, inner) = (legs.outer, legs.inner);
    let rise = outer.1 - legs.hip.1;
    let lean = height / rise * (outer.0 - legs.hip.0);
    let top_inner = (
        inner.0 - height / (inner.1 - legs.crotch.1) * inner.0,
        inner.1 - height,
    );
    let top_outer = (outer.0 - lean + 0.015, outer.1 - height);
    let steps = [
        Bow(
            (
                (outer.0 + inner.0) / 2.0,
                (top_outer.1 + top_inner.1) / 2.0 + 0.03,
            ),
            top_inner,
        ),
        To((inner.0 - 0.005, inner.1)),
        Bow(
            ((outer.0 + inner.0) / 2.0, outer.1 + 0.04),
            (outer.0 + 0.015, outer.1),
        ),
    ];
    sketch.fill(top_outer, &steps, Paint::Plain(1.08), 0.5);
    sketch.mirrored(|mirror| mirror.fill(top_outer, &steps, Paint::Plain(1.08), 0.5));
    sketch.seams(top_outer, &steps[..1], 0.012, 0.4);
}
