//! Garments on photographs are called by the colour that people call them by.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use heurpipe_core::{Fit, PixelRequest};
use heurpipe_models::colour::{Colours, NAMES};
use heurpipe_models::{DecodeLimits, PictureDecoder};
use serde::Deserialize;
use sha2::{Digest, Sha256};

const LABELS: &str = "training/colour/labels.csv";
/// The side of the square that the enricher asks pictures to fit into.
const SIDE: u32 = 144;
/// The least part of the photographs whose dominant colour must be right.
const GOAL: f64 = 0.8;

/// A line of `training/colour/labels.csv`, whose README says what the columns are.
#[derive(Deserialize)]
struct Label {
    image: String,
    dominant: String,
    also_right: String,
}

impl Label {
    fn is_right(&self, name: &str) -> bool {
        name == self.dominant || self.also_right.split('|').any(|other| other == name)
    }

    fn half(&self) -> &'static str {
        if Sha256::digest(&self.image)[0].is_multiple_of(2) {
            "development"
        } else {
            "test"
        }
    }
}

/// Right answers among all.
#[derive(Default)]
struct Score {
    right: usize,
    all: usize,
}

impl Score {
    fn count(&mut self, right: bool) {
        self.right += usize::from(right);
        self.all += 1;
    }

    fn share(&self) -> f64 {
        self.right as f64 / self.all as f64
    }
}

#[test]
fn garments_are_called_by_the_colour_that_people_see() {
    let Some(photographs) = common::photographs() else {
        println!("skipped: HEURPIPE_SHARED names no folder with data/clothing/images");
        return;
    };
    let labels = Path::new(env!("CARGO_MANIFEST_DIR")).join(LABELS);
    let labels = csv::Reader::from_path(labels).unwrap().into_deserialize();
    let decoder = PictureDecoder::new(DecodeLimits::default());
    let request = PixelRequest::new(SIDE, SIDE, Fit::Inside);
    let mut scores: BTreeMap<&str, Score> = BTreeMap::new();
    let mut confusion: BTreeMap<(String, String), usize> = BTreeMap::new();
    for label in labels {
        let label: Label = label.unwrap();
        let bytes = std::fs::read(photographs.join(format!("{}.jpg", label.image))).unwrap();
        let pixels = decoder
            .decode_now(&bytes, std::slice::from_ref(&request))
            .unwrap();
        let named = Colours::default().name(&pixels[0]).unwrap();
        let right = label.is_right(&named[0].name);
        for part in ["all", label.half()] {
            scores.entry(part).or_default().count(right);
        }
        // What is also right counts as the label's own colour, so that only errors lie off the diagonal.
        let said = if right {
            &label.dominant
        } else {
            &named[0].name
        };
        *confusion
            .entry((label.dominant.clone(), said.clone()))
            .or_default() += 1;
    }
    print_confusion(&confusion);
    for (part, score) in &scores {
        println!(
            "{part}: {} of {} right, {:.3}",
            score.right,
            score.all,
            score.share()
        );
    }
    assert!(scores["all"].share() >= GOAL);
    assert!(scores["test"].share() >= GOAL);
}

/// Labels down, answers across.
fn print_confusion(confusion: &BTreeMap<(String, String), usize>) {
    println!("| | {} |", NAMES.join(" | "));
    println!("|---|{}", "---|".repeat(NAMES.len()));
    for label in NAMES {
        let counts: Vec<String> = NAMES
            .iter()
            .map(|said| {
                let count = confusion.get(&(label.to_owned(), (*said).to_owned()));
                count.map_or_else(String::new, usize::to_string)
            })
            .collect();
        println!("| {label} | {} |", counts.join(" | "));
    }
}
