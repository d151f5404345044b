//! Finding brands in one post.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use heurpipe_core::text::{is_han, keyword};
use heurpipe_core::{Platform, Post};

use super::FoundBrand;
use super::evidence::Evidence;
use super::handle::brand_of_variant;
use super::lexicon::{Lexicon, Sort, Spelling, squeezed};
use super::prose::Prose;
use crate::text::spans::{Kind, Span, spans};

const PLAIN: f32 = 0.95;
const HANDLE_VARIANT: f32 = 0.9;
const TAG_WITH_PRODUCT: f32 = 0.85;
const AMBIGUOUS_TAG_IN_CONTEXT: f32 = 0.8;
const JOINED: f32 = 0.75;
const MISSPELT: f32 = 0.75;
const AMBIGUOUS_TAG: f32 = 0.6;

/// The brands that a post names, by name.
pub(super) fn brands(lexicon: &Lexicon, post: &Post) -> Vec<FoundBrand> {
    let paired = post.id.platform == Platform::weibo();
    let spans = spans(&post.text, paired);
    let of_kind = |kind: Kind| spans.iter().filter(move |s| s.kind == kind).map(|s| s.text);
    let mut search = Search::new(lexicon, post);
    search.prose(&spans);
    for tag in of_kind(Kind::Hashtag).chain(post.hashtags.iter().map(String::as_str)) {
        search.hashtag(tag);
    }
    for handle in of_kind(Kind::Mention).chain(post.mentions.iter().map(String::as_str)) {
        search.mention(handle);
    }
    search.found()
}

struct Search<'a> {
    lexicon: &'a Lexicon,
    /// Whether the post speaks of clothes.
    context: bool,
    /// Brands whose ambiguous spellings mean something else here.
    meant_otherwise: Vec<usize>,
    /// The greatest confidence by brand.
    best: BTreeMap<usize, f32>,
}

impl<'a> Search<'a> {
    fn new(lexicon: &'a Lexicon, post: &Post) -> Self {
        let mut all = keyword(&post.text);
        for tag in &post.hashtags {
            all.push_str(" #");
            all.push_str(&keyword(tag));
        }
        Self {
            lexicon,
            context: lexicon.context.find(&all).next().is_some(),
            meant_otherwise: lexicon
                .unless
                .find(&all)
                .map(|(_, _, brand)| brand)
                .collect(),
            best: BTreeMap::new(),
        }
    }

    fn found(self) -> Vec<FoundBrand> {
        let names = &self.lexicon.names;
        let found = self.best.into_iter().map(|(brand, confidence)| FoundBrand {
            brand: names[brand].clone(),
            confidence,
        });
        let mut found: Vec<_> = found.collect();
        found.sort_by(|a, b| a.brand.cmp(&b.brand));
        found
    }

    fn see(&mut self, brand: usize, confidence: f32) {
        let best = self.best.entry(brand).or_insert(confidence);
        *best = best.max(confidence);
    }

    fn prose(&mut self, spans: &[Span<'_>]) {
        let prose = Prose::of(spans);
        let mut named = self.named(&prose);
        // Of names within one another the longest counts: "american eagle outfitters", not "american eagle".
        named.sort_by_key(|name| (name.start, Reverse(name.end)));
        let mut reached = 0;
        for name in named {
            if name.start >= reached {
                self.see(name.brand, name.confidence);
                reached = name.end;
            }
        }
        for brand in self.lexicon.misspelt.brands(&prose.folded) {
            self.see(brand, MISSPELT);
        }
    }

    /// Spellings in a text that mean their brand.
    fn named(&self, prose: &Prose) -> Vec<Named> {
        let found = self.lexicon.spellings.find(&prose.folded);
        let meant = found.filter(|(_, _, spelling)| {
            spelling.sort == Sort::Plain || self.may_mean(spelling.brand)
        });
        let (plain, open): (Vec<_>, Vec<_>) =
            meant.partition(|(_, _, spelling)| matches!(spelling.sort, Sort::Plain | Sort::Mostly));
        let mut named: Vec<Named> = plain
            .into_iter()
            .map(|(start, end, spelling)| Named::new(start, end, spelling, PLAIN))
            .collect();
        if open.is_empty() {
            return named;
        }
        let evidence = Evidence::of(self.lexicon, prose, self.context);
        let mut joined = Vec::new();
        for (start, end, spelling) in open {
            match evidence.confidence(start, end, spelling) {
                Some(confidence) => named.push(Named::new(start, end, spelling, confidence)),
                None => joined.push((start, end, spelling)),
            }
        }
        let sure: Vec<_> = named.iter().map(|name| (name.start, name.end)).collect();
        joined.retain(|(start, end, _)| evidence.is_joined(*start, *end, &sure));
        named.extend(
            joined
                .into_iter()
                .map(|(start, end, spelling)| Named::new(start, end, spelling, JOINED)),
        );
        named
    }

    fn may_mean(&self, brand: usize) -> bool {
        !self.meant_otherwise.contains(&brand)
    }

    fn hashtag(&mut self, tag: &str) {
        let folded = keyword(tag);
        let tag = squeezed(&folded);
        let Some(spelling) = self.lexicon.tags.get(&tag).copied() else {
            return self.part_of_tag(&tag);
        };
        let possible = self.may_mean(spelling.brand);
        match spelling.sort {
            Sort::Plain => self.see(spelling.brand, PLAIN),
            Sort::Mostly if possible => self.see(spelling.brand, PLAIN),
            Sort::Ambiguous if possible && self.context => {
                self.see(spelling.brand, AMBIGUOUS_TAG_IN_CONTEXT);
            }
            Sort::Name if possible && self.context => self.see(spelling.brand, AMBIGUOUS_TAG),
            Sort::Ambiguous if possible => self.see(spelling.brand, AMBIGUOUS_TAG),
            _ => {}
        }
    }

    /// A brand and its product in one tag, or a brand among the Han of a tag.
    fn part_of_tag(&mut self, tag: &str) {
        let cuts: Vec<usize> = tag.char_indices().map(|(index, _)| index).skip(1).collect();
        for cut in cuts {
            let (brand, product) = tag.split_at(cut);
            let spelling = self.lexicon.tags.get(brand);
            if let Some(spelling) = spelling.filter(|s| s.sort != Sort::Word)
                && self.lexicon.products.contains(product)
            {
                self.see(spelling.brand, TAG_WITH_PRODUCT);
            }
        }
        if tag.chars().any(is_han) {
            self.plain_names(tag, TAG_WITH_PRODUCT, |_| true);
        }
    }

    /// Plain spellings of this form anywhere in a text without spaces.
    fn plain_names(&mut self, text: &str, confidence: f32, form: impl Fn(&str) -> bool) {
        let lexicon = self.lexicon;
        for (start, end, spelling) in lexicon.spellings.find(text) {
            let plain = matches!(spelling.sort, Sort::Plain | Sort::Mostly);
            if plain && form(&text[start..end]) {
                self.see(spelling.brand, confidence);
            }
        }
    }

    fn mention(&mut self, handle: &str) {
        let handle = keyword(handle);
        if let Some(brand) = self.lexicon.handles.get(&squeezed(&handle)) {
            return self.see(*brand, PLAIN);
        }
        match brand_of_variant(self.lexicon, &handle) {
            Some(brand) => self.see(brand, HANDLE_VARIANT),
            None => self.plain_names(&handle, HANDLE_VARIANT, |name| name.chars().all(is_han)),
        }
    }
}

/// A spelling in a text that means its brand.
struct Named {
    start: usize,
    end: usize,
    brand: usize,
    confidence: f32,
}

impl Named {
    fn new(start: usize, end: usize, spelling: Spelling, confidence: f32) -> Self {
        Self {
            start,
            end,
            brand: spelling.brand,
            confidence,
        }
    }
}
