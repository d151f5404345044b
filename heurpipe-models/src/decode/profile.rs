//! Colours by a profile of their own (Display P3 of phones, Adobe RGB of cameras) become sRGB.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use moxcms::{
    ColorProfile, DataColorSpace, Layout, Transform8BitExecutor, TransformExecutor,
    TransformOptions,
};

/// Colours that sRGB would show at most so far off (of 255) are left alone: profiles of sRGB itself differ by rounding.
const UNSEEN: u8 = 2;

/// How many values are converted at a time.
const CHUNK: usize = 3 * 4096;

/// Pictures come with the profiles of a few makes of phones and cameras: so many are remembered, with what is made of them.
const REMEMBERED: usize = 8;

/// What turns a profile's colours into sRGB; none where they are that already, or the profile is of no use.
type Transform = Option<Arc<Transform8BitExecutor>>;

/// The latest profiles, the newest last.
static KNOWN: Mutex<VecDeque<(Vec<u8>, Transform)>> = Mutex::new(VecDeque::new());

/// Converts RGB pixels that `profile` describes. One that is broken, or of other colours than RGB, is as good as none: the pixels stay.
pub(super) fn to_srgb(profile: &[u8], rgb: &mut [u8]) {
    let Some(transform) = transform(profile) else {
        return;
    };
    let mut before = [0; CHUNK];
    for after in rgb.chunks_mut(CHUNK) {
        let before = &mut before[..after.len()];
        before.copy_from_slice(after);
        if transform.transform(before, after).is_err() {
            after.copy_from_slice(before);
        }
    }
}

/// Recalled, or made: that takes as long as decoding a small picture.
fn transform(profile: &[u8]) -> Transform {
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, transform)) = known().iter().find(|(of, _)| of == profile) {
        return transform.clone();
    }
    let made = made(profile);
    let mut known = known();
    if known.len() >= REMEMBERED {
        known.pop_front();
    }
    known.push_back((profile.to_vec(), made.clone()));
    made
}

fn made(profile: &[u8]) -> Transform {
    let profile = ColorProfile::new_from_slice(profile).ok()?;
    if profile.color_space != DataColorSpace::Rgb {
        return None;
    }
    let (to, layout) = (ColorProfile::new_srgb(), Layout::Rgb);
    let options = TransformOptions::default();
    let transform = profile.create_transform_8bit(layout, &to, layout, options);
    transform
        .ok()
        .filter(|transform| !is_srgb(transform.as_ref()))
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
    fn more_profiles_than_are_remembered_are_each_told_apart() {
        let red_of = |gamma: f32| {
            let mut profile = ColorProfile::new_display_p3();
            profile.cicp = None; // it would count instead of the curves
            let curve = moxcms::curve_from_gamma(gamma);
            profile.red_trc = Some(curve.clone());
            profile.green_trc = Some(curve.clone());
            profile.blue_trc = Some(curve);
            converted(&profile, [128, 0, 0])[0]
        };
        let gammas = (0..REMEMBERED as u8 + 3).map(|step| 1.2 + f32::from(step) / 5.0);
        let first: Vec<u8> = gammas.clone().map(red_of).collect();
        assert!(first.is_sorted_by(|a, b| a > b), "{first:?}");
        assert_eq!(gammas.map(red_of).collect::<Vec<_>>(), first);
        assert!(KNOWN.lock().unwrap().len() <= REMEMBERED);
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
