//! How well brands and languages are told, over captions that a person has labelled.
//!
//! `brand_captions.csv` has a caption per row: platform, language, the kind of trap, the brands by name, text, hashtags, mentions; several are
//! divided by `;` (brands) or `,`. The rows were labelled by what they mean. Half of them, by the hash of their text, are held out: what goes wrong
//! there is counted and not listed, so that nobody tunes by it.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use heurpipe_core::{Digest, Post};
use heurpipe_models::text::brand::Brands;
use heurpipe_models::text::language::Language;
use serde::Deserialize;

const PRECISION: f64 = 0.97;
const RECALL: f64 = 0.95;
const LANGUAGE_ACCURACY: f64 = 0.9;

#[derive(Debug, Deserialize)]
struct Caption {
    platform: String,
    language: String,
    trap: String,
    brands: String,
    text: String,
    hashtags: String,
    mentions: String,
}

impl Caption {
    fn post(&self) -> Post {
        let id = format!("{}:1", self.platform).parse().unwrap();
        let mut post = Post::new(id, jiff::Timestamp::UNIX_EPOCH);
        post.text.clone_from(&self.text);
        post.hashtags = divided(&self.hashtags, ',').map(str::to_owned).collect();
        post.mentions = divided(&self.mentions, ',').map(str::to_owned).collect();
        post
    }

    fn brands(&self) -> BTreeSet<String> {
        divided(&self.brands, ';').map(str::to_owned).collect()
    }

    fn held_out(&self) -> bool {
        let digest = Digest::of(self.text.as_bytes()).to_string();
        digest.ends_with(['0', '2', '4', '6', '8', 'a', 'c', 'e'])
    }
}

fn divided(list: &str, by: char) -> impl Iterator<Item = &str> {
    list.split(by).filter(|part| !part.is_empty())
}

fn captions() -> Vec<Caption> {
    let rows = include_str!("brand_captions.csv");
    let mut reader = csv::Reader::from_reader(rows.as_bytes());
    reader.deserialize().collect::<Result<_, _>>().unwrap()
}

/// Brands by how they were told.
#[derive(Debug, Default, Clone, Copy)]
struct Told {
    right: usize,
    wrong: usize,
    missed: usize,
}

impl Told {
    fn precision(self) -> f64 {
        share(self.right, self.right + self.wrong)
    }

    fn recall(self) -> f64 {
        share(self.right, self.right + self.missed)
    }

    fn and(self, other: Self) -> Self {
        Self {
            right: self.right + other.right,
            wrong: self.wrong + other.wrong,
            missed: self.missed + other.missed,
        }
    }
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[test]
fn brands_are_told_by_what_captions_mean() {
    let captions = captions();
    let known = Brands::shipped().unwrap();
    let (mut tuned, mut held_out) = (Told::default(), Told::default());
    let mut by_trap: BTreeMap<&str, Told> = BTreeMap::new();
    for caption in &captions {
        let expected = caption.brands();
        let found = known.find(&caption.post());
        let found: BTreeSet<String> = found.into_iter().map(|found| found.brand).collect();
        let told = Told {
            right: expected.intersection(&found).count(),
            wrong: found.difference(&expected).count(),
            missed: expected.difference(&found).count(),
        };
        let of_trap = by_trap.entry(&caption.trap).or_default();
        *of_trap = of_trap.and(told);
        let half = if caption.held_out() {
            &mut held_out
        } else {
            &mut tuned
        };
        *half = half.and(told);
        if found != expected && !caption.held_out() {
            let text = &caption.text;
            println!("{}: {text:?}: {expected:?} told as {found:?}", caption.trap);
        }
    }
    for (trap, told) in &by_trap {
        println!("{trap}: {told:?}");
    }
    let all = tuned.and(held_out);
    for (part, told) in [("tuned on", tuned), ("held out", held_out), ("all", all)] {
        let (precision, recall) = (told.precision(), told.recall());
        println!("{part}: precision {precision:.4}, recall {recall:.4}, {told:?}");
    }
    assert!(all.precision() >= PRECISION, "{all:?}");
    assert!(all.recall() >= RECALL, "{all:?}");
}

#[test]
fn languages_are_told() {
    let (mut right, mut all) = (0, 0);
    let mut by_language: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for caption in captions().iter().filter(|c| !c.language.is_empty()) {
        let told = Language::default().tell(&caption.post());
        let told = told.map_or_else(|| "none".to_owned(), |told| told.language);
        let correct = told == caption.language;
        all += 1;
        right += usize::from(correct);
        let counts = by_language.entry(caption.language.clone()).or_default();
        *counts = (counts.0 + usize::from(correct), counts.1 + 1);
        if !correct && !caption.held_out() {
            let (text, language) = (&caption.text, &caption.language);
            println!("{text:?}: {language} told as {told}");
        }
    }
    println!("right by language, of all: {by_language:?}");
    println!("accuracy {:.4} of {all}", share(right, all));
    assert!(share(right, all) >= LANGUAGE_ACCURACY);
}
