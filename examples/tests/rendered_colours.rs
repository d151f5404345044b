//! Rendered garments are called by the colour that they were rendered in.

#![allow(clippy::unwrap_used)]

use heurpipe_core::{Fit, PixelRequest};
use heurpipe_models::colour::Colours;
use heurpipe_models::{DecodeLimits, PictureDecoder};
use heurpipe_sources::simulator::render::{Colour, Cut, GarmentPicture, Pattern};

const PICTURES: usize = 500;
/// The least part of each half of them whose dominant colour must be right. From one half to another it differs by about 0.02.
const LEAST: f64 = 0.95;
const SEED: u64 = 7_000_021;
/// The side of the square that the enricher asks pictures to fit into.
const SIDE: u32 = 144;

/// Every cut in turn, patterns and colours each stepping through their lists.
fn picture(index: usize) -> GarmentPicture {
    let (cut, round) = (index % Cut::ALL.len(), index / Cut::ALL.len());
    let pattern = round % Pattern::ALL.len();
    let colour = (round + round / Pattern::ALL.len() + 3 * cut) % Colour::ALL.len();
    let seed = SEED + index as u64;
    GarmentPicture::new(
        Cut::ALL[cut],
        Colour::ALL[colour],
        Pattern::ALL[pattern],
        seed,
    )
}

/// The names that are right for a picture. Of checkered cloth, half is of one colour and half of the other, and nothing but their
/// order in the label says which one dominates: either is right.
fn right(picture: &GarmentPicture) -> Vec<&'static str> {
    let mut right = vec![picture.colour.label()];
    if picture.pattern == Pattern::Checkered {
        right.push(picture.second_colour.label());
    }
    right
}

#[test]
fn rendered_garments_are_called_by_their_colour() {
    let decoder = PictureDecoder::new(DecodeLimits::default());
    let request = PixelRequest::new(SIDE, SIDE, Fit::Inside);
    let (mut as_labelled, mut either) = (0, [0; 2]);
    let mut wrong = Vec::new();
    for index in 0..PICTURES {
        let shown = picture(index);
        let pixels = decoder
            .decode_now(&shown.jpeg().unwrap(), std::slice::from_ref(&request))
            .unwrap();
        let named = Colours::default().name(&pixels[0]).unwrap();
        let dominant = named[0].name.as_str();
        as_labelled += usize::from(dominant == shown.colour.label());
        if right(&shown).contains(&dominant) {
            either[index % 2] += 1;
        } else {
            wrong.push(format!(
                "{} {} {} before {}: {dominant}",
                shown.colour, shown.pattern, shown.cut, shown.background
            ));
        }
    }
    println!("{}", wrong.join("\n"));
    let share = |right: usize| right as f64 / (PICTURES / 2) as f64;
    println!(
        "{PICTURES} pictures: dominant as labelled {:.3}, either colour of checkered cloth {:.3} and {:.3} of two halves",
        as_labelled as f64 / PICTURES as f64,
        share(either[0]),
        share(either[1])
    );
    assert!(
        either.iter().all(|right| share(*right) >= LEAST),
        "{either:?}"
    );
}
