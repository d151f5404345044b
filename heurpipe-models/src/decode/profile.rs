//! Colours by a profile of their own (Display P3 of phones, Adobe RGB of cameras) become sRGB.

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformExecutor, TransformOptions};

/// Colours that sRGB would show at most so far off (of 255) are left alone: profiles of sRGB itself differ by rounding.
const UNSEEN: u8 = 2;

/// How many values are converted at a time.
const CHUNK: usize = 3 * 4096;

/// Converts RGB pixels that `profile` describes. One that is broken, or of other colours than RGB, is as good as none: the pixels stay.
pub(super) fn to_srgb(profile: &[u8], rgb: &mut [u8]) {
    let Ok(profile) = ColorProfile::new_from_slice(profile) else {
        return;
    };
    if profile.color_space != DataColorSpace::Rgb {
        return;
    }
    let Ok(transform) = profile.create_transform_8bit(
        Layout::Rgb,
        &ColorProfile::new_srgb(),
        Layout::Rgb,
        TransformOptions::default(),
    ) else {
        return;
    };
    if is_srgb(transform.as_ref()) {
        return;
    }
    let mut before = [0; CHUNK];
    for after in rgb.chunks_mut(CHUNK) {
        let before = &mut before[..after.len()];
        before.copy_from_slice(after);
        if transform.transform(before, after).is_err() {
            after.copy_from_slice(before);
        }
    }
}

/// Whether it changes nothing that can be seen: tried on colours all over the cube.
fn is_srgb(transform: &(dyn TransformExecutor<u8> + Send + Sync)) -> bool {
    const STEPS: [u8; 6] = [0, 51, 102, 153, 204, 255];
    let mut before = Vec::with_capacity(3 * STEPS.len().pow(3));
    for red in STEPS {
        for green in STEPS {
            before.extend(STEPS.iter().flat_map(|&blue| [red, green, blue]));
        }
    }
    let mut after = vec![0; before.len()];
    transform.transform(&before, &mut after).is_err()
        || before
            .iter()
            .zip(&after)
            .all(|(before, &after)| before.abs_diff(after) <= UNSEEN)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn converted(profile: &ColorProfile, mut rgb: [u8; 3]) -> [u8; 3] {
        to_srgb(&profile.encode().unwrap(), &mut rgb);
        rgb
    }

    #[test]
    fn wider_colours_become_srgb() {
        // sRGB's red is (234, 51, 35) in Display P3; its green is (144, 255, 60) in Adobe RGB.
        for (profile, rgb, expected) in [
            (ColorProfile::new_display_p3(), [234, 51, 35], [255, 0, 0]),
            (ColorProfile::new_adobe_rgb(), [144, 255, 60], [0, 255, 0]),
        ] {
            let found = converted(&profile, rgb);
            let near = found.iter().zip(expected).all(|(&a, b)| a.abs_diff(b) <= 3);
            assert!(near, "{found:?} is not {expected:?}");
        }
    }

    #[test]
    fn srgb_and_broken_profiles_change_nothing() {
        let colour = [201, 99, 13];
        assert_eq!(converted(&ColorProfile::new_srgb(), colour), colour);
        let whole = ColorProfile::new_display_p3().encode().unwrap();
        for end in [0, 10, 128, 140] {
            let mut rgb = colour;
            to_srgb(&whole[..end], &mut rgb);
            assert_eq!(rgb, colour, "cut at {end}");
        }
        let mut rgb = colour;
        let grey = ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
        to_srgb(&grey, &mut rgb);
        assert_eq!(rgb, colour);
    }
}
