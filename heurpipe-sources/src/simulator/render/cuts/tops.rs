//! T-shirts, longsleeves and shirts: a body, two sleeves and a neck.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::simulator::render::sketch::{Bow, Paint, Point, Sketch, To, between};

/// The measures a top's parts agree on, for its right half.
pub(super) struct Body {
    /// Where the shoulder meets the neck.
    pub(super) neck: Point,
    /// Outer end of the shoulder.
    pub(super) shoulder: Point,
    /// Where sleeve and side seam meet.
    pub(super) armpit: Point,
    /// Outer end of the hem.
    pub(super) hem: Point,
}

impl Body {
    pub(super) fn new(rng: &mut ChaCha8Rng, neck: f32, half: f32, hem: f32) -> Self {
        let top = -0.86;
        Self {
            neck: (neck, top),
            shoulder: (half + 0.08, top + rng.random_range(0.10..0.15)),
            armpit: (half, top + rng.random_range(0.42..0.5)),
            hem: (half + rng.random_range(-0.03..0.05), hem),
        }
    }

    /// The torso with a round neck of the given depth; `drop` lets the hem hang lower in the middle.
    fn fill_round(&self, sketch: &mut Sketch, depth: f32, drop: f32, paint: Paint) {
        let (neck, hem) = (self.neck, self.hem);
        sketch.fill_symmetric(
            (0.0, neck.1 + depth),
            &[
                Bow((neck.0 * 0.9, neck.1 + depth), neck),
                To(self.shoulder),
                To(self.armpit),
                Bow((self.armpit.0 - 0.03, 0.2), hem),
                Bow((hem.0 * 0.5, hem.1 + drop), (0.0, hem.1 + drop)),
            ],
            paint,
            1.0,
        );
    }

    /// The torso with a V-neck.
    fn fill_pointed(&self, sketch: &mut Sketch, depth: f32, drop: f32, paint: Paint) {
        let (neck, hem) = (self.neck, self.hem);
        sketch.fill_symmetric(
            (0.0, neck.1 + depth),
            &[
                To(neck),
                To(self.shoulder),
                To(self.armpit),
                Bow((self.armpit.0 - 0.03, 0.2), hem),
                Bow((hem.0 * 0.5, hem.1 + drop), (0.0, hem.1 + drop)),
            ],
            paint,
            1.0,
        );
    }

    /// Both sleeves, from the shoulder to a cuff whose outer and inner corners are given.
    pub(super) fn sleeves(&self, sketch: &mut Sketch, outer: Point, inner: Point, relief: f32) {
        let slope = (outer.1 - self.shoulder.1).atan2(outer.0 - self.shoulder.0);
        let (from, armpit) = (self.shoulder, self.armpit);
        let elbow = between(from, outer, 0.5);
        let inside = between(armpit, inner, 0.5);
        let steps = [
            Bow((elbow.0 + 0.03, elbow.1 - 0.03), outer),
            To(inner),
            Bow(
                (inside.0 - 0.02, inside.1),
                (armpit.0 - 0.03, armpit.1 + 0.02),
            ),
            To((from.0 - 0.1, from.1 - 0.03)),
        ];
        let turn = std::f32::consts::FRAC_PI_2 - slope;
        sketch.fill(from, &steps, Paint::Cloth(-turn), relief);
        sketch.mirrored(|mirror| mirror.fill(from, &steps, Paint::Cloth(turn), relief));
        // The seam that joins sleeve and body.
        sketch.seams(
            from,
            &[Bow((armpit.0 - 0.05, from.1 + 0.15), armpit)],
            0.012,
            0.35,
        );
    }

    /// Cuffs of the given paint over the last `share` of the sleeves.
    pub(super) fn cuffs(
        &self,
        sketch: &mut Sketch,
        outer: Point,
        inner: Point,
        share: f32,
        paint: Paint,
    ) {
        let top = between(outer, self.shoulder, share);
        let bottom = between(inner, self.armpit, share);
        let steps = [To(outer), To(inner), To(bottom)];
        sketch.fill(top, &steps, paint, 0.4);
        sketch.mirrored(|mirror| mirror.fill(top, &steps, paint, 0.4));
        sketch.seams(top, &[To(bottom)], 0.012, 0.4);
    }

    /// The inside of the back, seen through the neck.
    pub(super) fn back_of_neck(&self, sketch: &mut Sketch, depth: f32, paint: Paint) {
        let (x, y) = self.neck;
        sketch.fill_symmetric(
            (0.0, y + 0.03),
            &[
                Bow((x * 0.6, y + 0.02), (x, y - 0.01)),
                Bow((x * 0.8, y + depth), (0.0, y + depth + 0.02)),
            ],
            paint,
            0.2,
        );
    }
}

/// Short sleeves; crew or V-neck; sometimes ribs in the second colour and a chest pocket.
pub(super) fn t_shirt(sketch: &mut Sketch, rng: &mut ChaCha8Rng) {
    let half = rng.random_range(0.46..0.56);
    let neck = rng.random_range(0.19..0.25);
    let hem = rng.random_range(0.62..0.9);
    let body = Body::new(rng, neck, half, hem);
    let length = rng.random_range(0.26..0.4);
    let outer = (
        body.shoulder.0 + length * 0.95,
        body.shoulder.1 + length * rng.random_range(0.75..1.1),
    );
    let inner = (outer.0 - 0.17, outer.1 + 0.19);
    let depth = rng.random_range(0.1..0.2);
    let rib = if rng.random_bool(0.2) {
        Paint::Trim
    } else {
        Paint::Plain(0.86)
    };

    body.back_of_neck(sketch, depth, Paint::Plain(0.62));
    body.sleeves(sketch, outer, inner, 0.9);
    if rng.random_bool(0.3) {
        body.fill_pointed(sketch, depth + 0.12, 0.03, Paint::Cloth(0.0));
        v_rib(sketch, &body, depth + 0.12, rib);
    } else {
        body.fill_round(sketch, depth, 0.03, Paint::Cloth(0.0));
        crew_rib(sketch, &body, depth, rib);
    }
    hem_seams(sketch, &body, outer, inner);
    if rng.random_bool(0.2) {
        pocket(sketch, (0.13, -0.36), 0.2);
    }
}

/// Long sleeves without a collar: crew neck, boat neck or turtle neck.
pub(super) fn longsleeve(sketch: &mut Sketch, rng: &mut ChaCha8Rng) {
    let half = rng.random_range(0.42..0.5);
    let hem = rng.random_range(0.58..0.82);
    let neck = rng.random_range(0.18..0.25);
    let body = Body::new(rng, neck, half, hem);
    let (outer, inner) = long_arm(&body, rng);
    let depth = rng.random_range(0.08..0.16);
    let rib = if rng.random_bool(0.15) {
        Paint::Trim
    } else {
        Paint::Plain(0.85)
    };

    let turtle = rng.random_bool(0.25);
    if !turtle {
        body.back_of_neck(sketch, depth, Paint::Plain(0.6));
    }
    body.fill_round(sketch, depth, 0.02, Paint::Cloth(0.0));
    body.sleeves(sketch, outer, inner, 1.0);
    body.cuffs(sketch, outer, inner, rng.random_range(0.05..0.1), rib);
    if turtle {
        let (x, y) = body.neck;
        sketch.fill_symmetric(
            (0.0, y - 0.14),
            &[
                Bow((x * 0.7, y - 0.13), (x * 0.86, y - 0.13)),
                To((x, y + 0.02)),
                Bow((x * 0.6, y + 0.1), (0.0, y + 0.1)),
            ],
            Paint::Plain(0.93),
            0.7,
        );
        sketch.seams(
            (0.0, y - 0.03),
            &[Bow((x * 0.6, y - 0.03), (x * 0.93, y - 0.06))],
            0.02,
            0.3,
        );
    } else {
        crew_rib(sketch, &body, depth, rib);
    }
    // A rib at the hem.
    let (x, y) = body.hem;
    sketch.seams(
        (x, y - 0.08),
        &[Bow((x * 0.5, y - 0.05), (0.0, y - 0.05))],
        0.012,
        0.35,
    );
}

/// Collar, button placket, cuffs and a curved hem; long or short sleeves.
pub(super) fn shirt(sketch: &mut Sketch, rng: &mut ChaCha8Rng) {
    let half = rng.random_range(0.44..0.53);
    let hem = rng.random_range(0.66..0.86);
    let body = Body::new(rng, 0.2, half, hem);
    let long = rng.random_bool(0.65);
    let (outer, inner) = if long {
        long_arm(&body, rng)
    } else {
        let outer = (body.shoulder.0 + 0.32, body.shoulder.1 + 0.34);
        (outer, (outer.0 - 0.2, outer.1 + 0.16))
    };
    let drop = rng.random_range(0.06..0.13);

    body.back_of_neck(sketch, 0.12, Paint::Plain(0.62));
    body.fill_pointed(sketch, 0.24, drop, Paint::Cloth(0.0));
    body.sleeves(sketch, outer, inner, 1.0);
    body.cuffs(
        sketch,
        outer,
        inner,
        if long { 0.1 } else { 0.16 },
        Paint::Cloth(0.6),
    );

    placket(sketch, rng, -0.6, hem + drop);
    collar(sketch, &body, rng);
    for side in [true, false] {
        if rng.random_bool(0.55) {
            let at = (0.14, -0.34);
            if side {
                pocket(sketch, at, 0.22)
            } else {
                sketch.mirrored(|mirror| pocket(mirror, at, 0.22))
            }
        }
    }
}

/// Outer and inner corner of the cuff of a long sleeve.
pub(super) fn long_arm(body: &Body, rng: &mut ChaCha8Rng) -> (Point, Point) {
    let spread = rng.random_range(0.12..0.36);
    let outer = (
        body.shoulder.0 + spread + 0.07,
        rng.random_range(0.38..0.62),
    );
    (outer, (outer.0 - 0.15, outer.1 + 0.02 + 0.15 * spread))
}

fn crew_rib(sketch: &mut Sketch, body: &Body, depth: f32, paint: Paint) {
    let (x, y) = body.neck;
    let wide = 0.045;
    sketch.fill_symmetric(
        (0.0, y + depth - 0.005),
        &[
            Bow((x * 0.9, y + depth - 0.005), (x - 0.005, y - 0.005)),
            To((x + wide, y + 0.012)),
            Bow((x * 0.95 + wide, y + depth + wide), (0.0, y + depth + wide)),
        ],
        paint,
        0.25,
    );
    sketch.seams(
        (x + wide, y + 0.012),
        &[Bow(
            (x * 0.95 + wide, y + depth + wide),
            (0.0, y + depth + wide),
        )],
        0.01,
        0.4,
    );
}

fn v_rib(sketch: &mut Sketch, body: &Body, depth: f32, paint: Paint) {
    let (x, y) = body.neck;
    sketch.fill_symmetric(
        (0.0, y + depth - 0.01),
        &[
            To((x - 0.005, y - 0.005)),
            To((x + 0.045, y + 0.01)),
            To((0.0, y + depth + 0.065)),
        ],
        paint,
        0.25,
    );
    sketch.seams(
        (x + 0.045, y + 0.01),
        &[To((0.0, y + depth + 0.065))],
        0.01,
        0.4,
    );
}

fn hem_seams(sketch: &mut Sketch, body: &Body, outer: Point, inner: Point) {
    let (x, y) = body.hem;
    sketch.seams(
        (x, y - 0.05),
        &[Bow((x * 0.5, y - 0.02), (0.0, y - 0.02))],
        0.008,
        0.3,
    );
    sketch.seams(
        between(outer, body.shoulder, 0.1),
        &[To(between(inner, body.armpit, 0.1))],
        0.008,
        0.3,
    );
}

/// A patch pocket whose upper inner corner is at `at`.
pub(super) fn pocket(sketch: &mut Sketch, (x, y): Point, size: f32) {
    let steps = [
        To((x + size, y)),
        To((x + size, y + size)),
        Bow((x + size / 2.0, y + size * 1.22), (x, y + size)),
        To((x, y)),
    ];
    sketch.fill((x, y), &steps, Paint::Cloth(0.0), 0.25);
    sketch.seam((x, y), &steps, 0.012, 0.45);
    sketch.seam((x, y + 0.04), &[To((x + size, y + 0.04))], 0.008, 0.3);
}

/// The strip of cloth that holds the buttons.
pub(super) fn placket(sketch: &mut Sketch, rng: &mut ChaCha8Rng, top: f32, bottom: f32) {
    let half = 0.045;
    sketch.fill(
        (-half, top),
        &[To((half, top)), To((half, bottom)), To((-half, bottom))],
        Paint::Cloth(0.0),
        0.3,
    );
    sketch.seam((-half, top), &[To((-half, bottom))], 0.012, 0.5);
    sketch.seam((half, top), &[To((half, bottom))], 0.01, 0.4);
    let tone = [
        [238.0, 236.0, 230.0],
        [60.0, 48.0, 40.0],
        [170.0, 140.0, 90.0],
    ][rng.random_range(0..3)];
    let count = rng.random_range(5..8);
    for button in 0..count {
        let y = top + 0.08 + (bottom - top - 0.2) * button as f32 / (count - 1) as f32;
        sketch.disc((0.003, y + 0.005), 0.026, Paint::Fixed([40.0, 36.0, 34.0]));
        sketch.disc((0.0, y), 0.022, Paint::Fixed(tone));
    }
}

/// A turned-down collar over the neck.
fn collar(sketch: &mut Sketch, body: &Body, rng: &mut ChaCha8Rng) {
    let (x, y) = body.neck;
    let paint = if rng.random_bool(0.15) {
        Paint::Trim
    } else {
        Paint::Cloth(0.9)
    };
    let tip = (
        rng.random_range(0.2..0.27),
        y + rng.random_range(0.24..0.32),
    );
    // The stand behind the neck, then the two wings.
    sketch.fill_symmetric(
        (0.0, y - 0.06),
        &[
            Bow((x * 0.6, y - 0.06), (x * 0.95, y - 0.07)),
            To((x + 0.03, y + 0.02)),
            Bow((x * 0.5, y + 0.04), (0.0, y + 0.04)),
        ],
        Paint::Plain(0.8),
        0.4,
    );
    let wing = [
        To((x * 0.95, y - 0.08)),
        Bow((x + 0.09, y + 0.02), (tip.0 + 0.05, tip.1 - 0.06)),
        To((tip.0 - 0.02, tip.1)),
        To((0.0, y + 0.22)),
    ];
    sketch.fill((0.0, y + 0.22), &wing, paint, 0.7);
    sketch.mirrored(|mirror| mirror.fill((0.0, y + 0.22), &wing, paint, 0.7));
    sketch.seams(
        (0.0, y + 0.22),
        &[
            To((tip.0 - 0.02, tip.1)),
            To((tip.0 + 0.05, tip.1 - 0.06)),
            Bow((x + 0.09, y + 0.02), (x * 0.95, y - 0.08)),
        ],
        0.014,
        0.55,
    );
}
