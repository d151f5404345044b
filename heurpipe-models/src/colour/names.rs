//! What people call a colour.

use std::sync::LazyLock;

use palette::{IntoColor, Oklab, Srgb};

/// The names that colours are given.
pub const NAMES: [&str; 14] = [
    "black", "white", "grey", "red", "pink", "orange", "yellow", "green", "teal", "blue", "navy",
    "purple", "brown", "beige",
];

/// The names, and sRGB colours that bear them. Several for a name, since names cover regions of very different size: every leaf
/// is green, few things are teal.
const NAMED: &[(&str, &[[u8; 3]])] = &[
    ("black", &[[30, 29, 31], [12, 12, 12], [44, 42, 44]]),
    (
        "white",
        &[[243, 243, 240], [255, 255, 255], [226, 226, 226]],
    ),
    (
        "grey",
        &[
            [138, 138, 140],
            [100, 100, 102],
            [176, 176, 178],
            [70, 70, 72],
        ],
    ),
    (
        "red",
        &[[200, 30, 38], [150, 20, 30], [226, 60, 60], [110, 16, 28]],
    ),
    (
        "pink",
        &[
            [243, 150, 182],
            [250, 200, 215],
            [226, 80, 150],
            [210, 120, 150],
            [204, 160, 163],
            [188, 138, 142],
            [230, 150, 135],
            [205, 130, 115],
        ],
    ),
    ("orange", &[[238, 124, 28], [200, 96, 20], [250, 150, 80]]),
    ("yellow", &[[246, 210, 50], [255, 235, 120], [205, 170, 40]]),
    (
        "green",
        &[
            [52, 140, 62],
            [30, 80, 40],
            [120, 180, 90],
            [110, 120, 50],
            [170, 210, 160],
        ],
    ),
    ("teal", &[[18, 136, 138], [10, 95, 98], [80, 180, 180]]),
    (
        "blue",
        &[
            [44, 104, 212],
            [30, 70, 150],
            [110, 160, 230],
            [170, 200, 235],
            [70, 110, 160],
            [78, 92, 118],
            [110, 125, 150],
            [66, 90, 115],
        ],
    ),
    (
        "navy",
        &[
            [26, 36, 84],
            [18, 26, 60],
            [36, 48, 100],
            [62, 68, 100],
            [44, 52, 72],
        ],
    ),
    (
        "purple",
        &[
            [122, 58, 158],
            [85, 40, 112],
            [170, 130, 205],
            [200, 170, 225],
            [130, 92, 130],
            [110, 92, 120],
        ],
    ),
    (
        "brown",
        &[[116, 72, 40], [80, 50, 32], [150, 100, 60], [60, 36, 24]],
    ),
    (
        "beige",
        &[
            [218, 196, 158],
            [190, 165, 128],
            [236, 222, 196],
            [170, 148, 116],
        ],
    ),
];

/// How much a difference in lightness counts beside one in hue: light changes the one, not the other.
const LIGHTNESS: f32 = 0.1;
/// The chroma from which on further chroma counts for less: next to grey a little is seen, while vivid colours differ by much and
/// keep their name.
const VIVID: f32 = 0.03;

static EXAMPLES: LazyLock<Vec<(&str, Oklab)>> = LazyLock::new(|| {
    let seen = |rgb: [u8; 3]| seen(Srgb::from(rgb).into_linear::<f32>().into_color());
    let examples = |(name, rgbs): &(&'static str, &[[u8; 3]])| -> Vec<(&'static str, Oklab)> {
        rgbs.iter().map(|rgb| (*name, seen(*rgb))).collect()
    };
    NAMED.iter().flat_map(examples).collect()
});

/// The name of a colour.
pub(super) fn name(colour: Oklab) -> &'static str {
    let seen = seen(colour);
    let distance = |example: Oklab| {
        let d = example - seen;
        LIGHTNESS * d.l * d.l + d.a * d.a + d.b * d.b
    };
    EXAMPLES
        .iter()
        .min_by(|one, other| distance(one.1).total_cmp(&distance(other.1)))
        .map_or("grey", |(name, _)| name)
}

/// The colour with its chroma compressed as the eye does.
fn seen(colour: Oklab) -> Oklab {
    let chroma = colour.a.hypot(colour.b);
    if chroma <= f32::MIN_POSITIVE {
        return colour;
    }
    let scale = VIVID * (chroma / VIVID).ln_1p() / chroma;
    Oklab::new(colour.l, colour.a * scale, colour.b * scale)
}
