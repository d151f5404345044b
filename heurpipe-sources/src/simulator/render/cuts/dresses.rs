//! Dresses and skirts.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::simulator::render::sketch::{Bow, Paint, Sketch, To};

/// Straps, short sleeves or none; fitted waist; a skirt that falls straight or wide.
pub(super) fn dress(sketch: &mut Sketch, rng: &mut ChaCha8Rng) {
    let waist = rng.random_range(0.24..0.31);
    let waist_y = rng.random_range(-0.34..-0.2);
    let hem = rng.random_range(0.42..0.82);
    let hem_y = rng.random_range(0.6..1.1);
    let bust = waist + rng.random_range(0.06..0.1);
    let chest_y = -0.66;
    let sleeve = rng.random_range(0..3);
    let shoulder = (0.32_f32.max(bust - 0.04), -0.96);

    // The back of the neck shows above the front.
    sketch.fill_symmetric(
        (0.0, -0.88),
        &[
            Bow((0.1, -0.88), (0.18, -1.0)),
            To((0.24, -0.8)),
            To((0.0, -0.7)),
        ],
        Paint::Plain(0.6),
        0.2,
    );
    match sleeve {
        0 => {
            // Thin straps and a bodice with a heart-shaped edge.
            let strap = [To((0.2, -1.08)), To((0.23, -0.74)), To((0.18, -0.74))];
            sketch.layers.clear();
            sketch.fill((0.17, -1.08), &strap, Paint::Plain(0.9), 0.5);
            sketch.mirrored(|mirror| mirror.fill((0.17, -1.08), &strap, Paint::Plain(0.9), 0.5));
            sketch.fill_symmetric(
                (0.0, -0.7),
                &[
                    Bow((0.12, -0.82), (0.22, -0.78)),
                    Bow((bust, -0.74), (bust, chest_y + 0.06)),
                    Bow((waist + 0.01, waist_y - 0.1), (waist, waist_y)),
                    To((0.0, waist_y + 0.02)),
                ],
                Paint::Cloth(0.0),
                1.0,
            );
        }
        kind => {
            let neck_depth = rng.random_range(0.12..0.3);
            sketch.fill_symmetric(
                (0.0, -1.0 + neck_depth),
                &[
                    Bow((0.17, -1.0 + neck_depth), (0.18, -1.02)),
                    To(shoulder),
                    Bow((bust - 0.05, -0.8), (bust, chest_y)),
                    Bow((waist + 0.02, waist_y - 0.1), (waist, waist_y)),
                    To((0.0, waist_y + 0.02)),
                ],
                Paint::Cloth(0.0),
                1.0,
            );
            sketch.seams(
                (0.0, -0.98 + neck_depth),
                &[Bow((0.19, -0.98 + neck_depth), (0.2, -1.0))],
                0.02,
                0.35,
            );
            if kind == 2 {
                let reach = rng.random_range(0.16..0.3);
                let outer = (shoulder.0 + reach, shoulder.1 + reach * 1.2);
                let steps = [
                    Bow((shoulder.0 + reach * 0.8, shoulder.1 + 0.02), outer),
                    Bow(
                        (outer.0 - 0.1, outer.1 + 0.1),
                        (outer.0 - 0.16, outer.1 + 0.06),
                    ),
                    To((bust - 0.02, chest_y)),
                    To((shoulder.0 - 0.06, shoulder.1 + 0.02)),
                ];
                sketch.fill(shoulder, &steps, Paint::Cloth(-0.7), 1.0);
                sketch.mirrored(|mirror| mirror.fill(shoulder, &steps, Paint::Cloth(0.7), 1.0));
                sketch.seams(
                    shoulder,
                    &[Bow((bust - 0.07, -0.8), (bust - 0.02, chest_y))],
                    0.012,
                    0.35,
                );
            }
        }
    }
    let belly = waist + (hem - waist) * 0.35;
    let drop = 0.07;
    sketch.fill_symmetric(
        (0.0, waist_y),
        &[
            To((waist, waist_y - 0.01)),
            Bow((belly + 0.06, waist_y + 0.3), (hem, hem_y)),
            Bow((hem * 0.5, hem_y + drop), (0.0, hem_y + drop)),
        ],
        Paint::Cloth(0.0),
        1.1,
    );
    drapes(sketch, rng, waist, waist_y, hem, hem_y + 0.03);
    if rng.random_bool(0.6) {
        let paint = if rng.random_bool(0.35) {
            Paint::Trim
        } else {
            Paint::Plain(0.8)
        };
        sketch.fill_symmetric(
            (0.0, waist_y - 0.03),
            &[
                To((waist + 0.006, waist_y - 0.045)),
                To((waist + 0.012, waist_y + 0.025)),
                To((0.0, waist_y + 0.045)),
            ],
            paint,
            0.5,
        );
    } else {
        sketch.seams((0.0, waist_y + 0.01), &[To((waist, waist_y))], 0.014, 0.45);
    }
    sketch.seams(
        (0.0, hem_y + drop - 0.05),
        &[Bow(
            (hem * 0.5, hem_y + drop - 0.05),
            (hem - 0.02, hem_y - 0.05),
        )],
        0.008,
        0.3,
    );
}

/// A waist band over a straight, flared or pleated skirt.
pub(super) fn skirt(sketch: &mut Sketch, rng: &mut ChaCha8Rng) {
    let waist = rng.random_range(0.32..0.42);
    let top = rng.random_range(-0.72..-0.55);
    let flare = rng.random_range(0.02..0.55);
    let hem = waist + 0.1 + flare;
    let hem_y = rng.random_range(0.25..0.85);
    let drop = 0.03 + 0.12 * flare;
    let hip = waist + 0.1 + flare * 0.4;

    sketch.fill_symmetric(
        (0.0, top + 0.03),
        &[
            Bow((waist * 0.6, top + 0.02), (waist, top - 0.01)),
            Bow((waist * 0.5, top - 0.06), (0.0, top - 0.06)),
        ],
        Paint::Plain(0.5),
        0.1,
    );
    sketch.fill_symmetric(
        (0.0, top + 0.02),
        &[
            Bow((waist * 0.6, top + 0.02), (waist, top)),
            Bow((hip, top + 0.3), (hem, hem_y)),
            Bow((hem * 0.5, hem_y + drop), (0.0, hem_y + drop)),
        ],
        Paint::Cloth(0.0),
        1.2,
    );
    if flare > 0.15 {
        drapes(sketch, rng, waist, top + 0.1, hem, hem_y);
    } else {
        // A straight skirt has a seam in front, or a slit.
        sketch.seam(
            (0.14, top + 0.1),
            &[To((0.2, hem_y + drop * 0.7))],
            0.014,
            0.4,
        );
    }
    let band = if rng.random_bool(0.25) {
        Paint::Trim
    } else {
        Paint::Plain(0.86)
    };
    sketch.fill_symmetric(
        (0.0, top + 0.02),
        &[
            Bow((waist * 0.6, top + 0.02), (waist, top)),
            To((waist + 0.025, top + 0.1)),
            Bow((waist * 0.6, top + 0.13), (0.0, top + 0.13)),
        ],
        band,
        0.4,
    );
    sketch.seams(
        (0.0, top + 0.13),
        &[Bow((waist * 0.6, top + 0.13), (waist + 0.02, top + 0.1))],
        0.012,
        0.45,
    );
    sketch.seams(
        (0.0, hem_y + drop - 0.05),
        &[Bow(
            (hem * 0.5, hem_y + drop - 0.05),
            (hem - 0.02, hem_y - 0.05),
        )],
        0.008,
        0.3,
    );
    if rng.random_bool(0.4) {
        sketch.disc((0.0, top + 0.075), 0.028, Paint::Fixed([70.0, 58.0, 50.0]));
    }
}

/// Folds that fan out from the waist to the hem.
fn drapes(
    sketch: &mut Sketch,
    rng: &mut ChaCha8Rng,
    waist: f32,
    waist_y: f32,
    hem: f32,
    hem_y: f32,
) {
    let folds = rng.random_range(3..9);
    let sharp = rng.random_bool(0.4);
    for fold in 0..folds {
        let share = (fold as f32 + 0.5) / folds as f32 * 2.0 - 1.0 + rng.random_range(-0.06..0.06);
        let start = (
            share * waist * 0.92,
            waist_y
                + if sharp {
                    0.02
                } else {
                    rng.random_range(0.05..0.3)
                },
        );
        let end = (share * hem * 0.95, hem_y);
        let bend = (
            (start.0 + end.0) / 2.0 + 0.03 * share,
            (start.1 + end.1) / 2.0,
        );
        let width = if sharp {
            0.02
        } else {
            rng.random_range(0.03..0.07)
        };
        sketch.seam(
            start,
            &[Bow(bend, end)],
            width,
            if sharp { 0.42 } else { 0.26 },
        );
        sketch.seam(
            (start.0 + width, start.1),
            &[Bow((bend.0 + width, bend.1), (end.0 + width, end.1))],
            width,
            -0.14,
        );
    }
}
