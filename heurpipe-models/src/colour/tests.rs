#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use bytes::Bytes;
use heurpipe_core::{Item, Post, Record, Target};

use super::*;

const SIZE: u32 = 96;

/// A picture whose colour at (x, y), each 0 to 1, is what `paint` says.
fn picture(paint: impl Fn(f32, f32) -> [u8; 3]) -> Pixels {
    let at = |i: u32| {
        (
            (i % SIZE) as f32 / SIZE as f32,
            (i / SIZE) as f32 / SIZE as f32,
        )
    };
    let bytes: Bytes = (0..SIZE * SIZE)
        .flat_map(|i| paint(at(i).0, at(i).1))
        .collect();
    Pixels::rgb(SIZE, SIZE, bytes)
}

fn garment(x: f32, y: f32) -> bool {
    (0.3..0.7).contains(&x) && (0.2..0.8).contains(&y)
}

fn names(pixels: &Pixels) -> Vec<String> {
    let colours = Colours::default().name(pixels).unwrap();
    colours.into_iter().map(|colour| colour.name).collect()
}

#[test]
fn plain_colours_have_their_names() {
    let colours = [
        ("black", [25, 25, 28]),
        ("white", [245, 245, 243]),
        ("grey", [130, 130, 132]),
        ("red", [190, 25, 35]),
        ("pink", [245, 155, 185]),
        ("orange", [240, 130, 30]),
        ("yellow", [248, 215, 60]),
        ("green", [50, 135, 60]),
        ("green", [85, 100, 45]),
        ("teal", [15, 130, 135]),
        ("blue", [45, 100, 210]),
        ("blue", [150, 190, 235]),
        ("navy", [25, 35, 80]),
        ("purple", [120, 60, 155]),
        ("brown", [110, 70, 40]),
        ("beige", [220, 198, 160]),
    ];
    for (name, rgb) in colours {
        // A background that is none of them.
        let behind = if name == "grey" {
            [235, 235, 230]
        } else {
            [150, 158, 160]
        };
        let pixels = picture(|x, y| if garment(x, y) { rgb } else { behind });
        assert_eq!(names(&pixels), [name], "{rgb:?}");
    }
}

#[test]
fn every_name_is_listed() {
    for rgb in (0..=255_u8)
        .step_by(15)
        .flat_map(|r| [[r, 255 - r, 128], [255 - r, r, 0], [r, r, 255 - r]])
    {
        let pixels = picture(|_, _| rgb);
        assert!(NAMES.contains(&names(&pixels)[0].as_str()));
    }
}

#[test]
fn the_background_is_not_named_however_large() {
    let spot = |x: f32, y: f32| (0.4..0.6).contains(&x) && (0.4..0.6).contains(&y);
    let pixels = picture(|x, y| {
        if spot(x, y) {
            [200, 30, 40]
        } else {
            [60, 150, 70]
        }
    });
    assert_eq!(names(&pixels), ["red"]);
    let two_backgrounds = picture(|x, y| match (garment(x, y), x < 0.5) {
        (true, _) => [30, 40, 90],
        (false, true) => [230, 225, 215],
        (false, false) => [150, 110, 70],
    });
    assert_eq!(names(&two_backgrounds), ["navy"]);
}

/// A lit studio is dark at the border and light between two shoes: nowhere else, so only that no seam parts the two says what it is.
#[test]
fn a_backdrop_whose_light_changes_is_not_named() {
    let pixels = picture(|x, y| {
        let shoe = (0.2..0.45).contains(&x) || (0.55..0.8).contains(&x);
        if shoe && (0.3..0.7).contains(&y) {
            return [200, 30, 40];
        }
        let light = 220.0 - 200.0 * (x - 0.5).hypot(y - 0.5);
        [light as u8; 3]
    });
    assert_eq!(names(&pixels), ["red"]);
}

#[test]
fn a_picture_that_is_all_cloth_is_named_as_a_whole() {
    assert_eq!(names(&picture(|_, _| [245, 155, 185])), ["pink"]);
}

#[test]
fn two_colours_come_dominant_first() {
    let striped = picture(|x, y| match (garment(x, y), (y * 24.0) as u32 % 3) {
        (false, _) => [190, 190, 188],
        (true, 0) => [245, 245, 243],
        (true, _) => [25, 35, 80],
    });
    let colours = Colours::default().name(&striped).unwrap();
    let named: Vec<_> = colours.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(named, ["navy", "white"]);
    assert!((colours[0].share - 2.0 / 3.0).abs() < 0.1, "{colours:?}");
}

#[test]
fn gingham_is_of_the_colours_it_is_woven_of() {
    let gingham = picture(|x, y| {
        let band = |t: f32| ((t * 16.0) as u32).is_multiple_of(2);
        match (garment(x, y), band(x), band(y)) {
            (false, ..) => [120, 130, 110],
            (true, true, true) => [200, 30, 38],
            (true, false, false) => [245, 245, 243],
            (true, ..) => [222, 138, 141],
        }
    });
    let mut named = names(&gingham);
    named.sort();
    assert_eq!(named, ["red", "white"]);
}

#[test]
fn specks_are_left_out() {
    let dotted = picture(|x, y| {
        match (
            garment(x, y),
            ((x * 48.0) as u32 % 6, (y * 48.0) as u32 % 6),
        ) {
            (false, _) => [235, 232, 226],
            (true, (0, 0)) => [248, 215, 60],
            (true, _) => [15, 130, 135],
        }
    });
    assert_eq!(names(&dotted), ["teal"]);
}

#[test]
fn the_same_pixels_give_the_same_colours() {
    let noisy = picture(|x, y| {
        let noise = (x * 917.0 + y * 1303.0).sin().abs();
        [(noise * 255.0) as u8, (x * 255.0) as u8, (y * 255.0) as u8]
    });
    let colours = Colours::default();
    assert_eq!(colours.name(&noisy).unwrap(), colours.name(&noisy).unwrap());
}

#[test]
fn odd_sizes_are_read_or_refused() {
    let pixels = |width, height, bytes: usize| Pixels::rgb(width, height, vec![9; bytes]);
    for (width, height) in [(1, 1), (1, 96), (3, 2)] {
        let bytes = (width * height * 3) as usize;
        assert_eq!(names(&pixels(width, height, bytes)), ["black"]);
    }
    for wrong in [pixels(0, 0, 0), pixels(2, 2, 11), pixels(0, 9, 27)] {
        let error = Colours::default().name(&wrong).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

#[tokio::test]
async fn a_bad_item_fails_alone() {
    let post = Post::new("folder:1".parse().unwrap(), jiff::Timestamp::UNIX_EPOCH);
    let bare = Item::new(Arc::new(Record::new(post)), Target::Media("a".into()));
    let mut good = bare.clone();
    good.pixels = Some(Arc::new(picture(|_, _| [200, 30, 40])));
    let enriched = Colours::default()
        .enrich(&Batch::new(vec![bare, good]))
        .await
        .unwrap();
    assert!(enriched.outcomes[0].is_err());
    let findings = enriched.outcomes[1].as_ref().unwrap();
    assert_eq!(findings[0].value.labels(), ["red"]);
}
