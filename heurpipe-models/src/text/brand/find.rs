//! Finding brands in one post.

use std::collections::BTreeMap;

use heurpipe_core::text::{is_han, keyword};
use heurpipe_core::{Platform, Post};

use super::FoundBrand;
use super::lexicon::{Lexicon, Spelling, squeezed};
use crate::text::spans::{Kind, Span, spans};

const PLAIN: f32 = 0.95;
const HANDLE_VARIANT: f32 = 0.9;
const TAG_WITH_PRODUCT: f32 = 0.85;
const AMBIGUOUS_TAG_IN_CONTEXT: f32 = 0.8;
const AMBIGUOUS_NAME: f32 = 0.7;
const AMBIGUOUS_TAG: f32 = 0.6;

/// What brands add to their names for accounts of shops and countries. Two letters are a country.
const HANDLE_PARTS: &[&str] = &[
    "official",
    "officiel",
    "store",
    "shop",
    "global",
    "world",
    "worldwide",
    "brand",
    "studio",
    "man",
    "men",
    "mens",
    "woman",
    "women",
    "home",
    "kids",
    "beauty",
    "sportswear",
    "china",
    "japan",
    "italia",
    "france",
    "usa",
];

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
        let mut names: Vec<(usize, usize, Spelling)> = self
            .lexicon
            .spellings
            .find(&prose.folded)
            .filter(|(start, end, spelling)| {
                !spelling.ambiguous
                    || (self.may_mean(spelling.brand)
                        && self.context
                        && prose.is_name(*start, *end))
            })
            .collect();
        // Of names within one another the longest counts: "american eagle outfitters", not "american eagle".
        names.sort_by_key(|(start, end, _)| (*start, std::cmp::Reverse(*end)));
        let mut reached = 0;
        for (start, end, spelling) in names {
            if start >= reached {
                let confidence = if spelling.ambiguous {
                    AMBIGUOUS_NAME
                } else {
                    PLAIN
                };
                self.see(spelling.brand, confidence);
                reached = end;
            }
        }
    }

    fn may_mean(&self, brand: usize) -> bool {
        !self.meant_otherwise.contains(&brand)
    }

    fn hashtag(&mut self, tag: &str) {
        let folded = keyword(tag);
        let tag = squeezed(&folded);
        match self.lexicon.tags.get(&tag).copied() {
            Some(Spelling {
                brand,
                ambiguous: false,
            }) => self.see(brand, PLAIN),
            Some(Spelling {
                brand,
                ambiguous: true,
            }) if self.may_mean(brand) => {
                let confidence = if self.context {
                    AMBIGUOUS_TAG_IN_CONTEXT
                } else {
                    AMBIGUOUS_TAG
                };
                self.see(brand, confidence);
            }
            Some(_) => {}
            None => self.part_of_tag(&tag),
        }
    }

    /// A brand and its product in one tag, or a Chinese name anywhere in it.
    fn part_of_tag(&mut self, tag: &str) {
        let cuts: Vec<usize> = tag.char_indices().map(|(index, _)| index).skip(1).collect();
        for cut in cuts {
            let (brand, product) = tag.split_at(cut);
            let spelling = self.lexicon.tags.get(brand).filter(|s| !s.ambiguous);
            if let Some(spelling) = spelling
                && self.lexicon.products.contains(product)
            {
                self.see(spelling.brand, TAG_WITH_PRODUCT);
            }
        }
        self.chinese_names(tag, TAG_WITH_PRODUCT);
    }

    fn chinese_names(&mut self, text: &str, confidence: f32) {
        let lexicon = self.lexicon;
        for (start, end, spelling) in lexicon.spellings.find(text) {
            if !spelling.ambiguous && text[start..end].chars().all(is_han) {
                self.see(spelling.brand, confidence);
            }
        }
    }

    fn mention(&mut self, handle: &str) {
        let handle = keyword(handle);
        if let Some(brand) = self.lexicon.handles.get(&squeezed(&handle)) {
            return self.see(*brand, PLAIN);
        }
        match base(&handle).and_then(|base| self.brand_of_handle(&base)) {
            Some(brand) => self.see(brand, HANDLE_VARIANT),
            None => self.chinese_names(&handle, HANDLE_VARIANT),
        }
    }

    fn brand_of_handle(&self, handle: &str) -> Option<usize> {
        let spelled = || {
            self.lexicon
                .tags
                .get(handle)
                .filter(|s| !s.ambiguous)
                .map(|s| s.brand)
        };
        self.lexicon.handles.get(handle).copied().or_else(spelled)
    }
}

/// A handle without what brands add for shops and countries; none if nothing remains.
fn base(handle: &str) -> Option<String> {
    let mut parts: Vec<&str> = handle
        .split(['_', '.', '-'])
        .filter(|p| !p.is_empty())
        .collect();
    while let Some(last) = parts.last() {
        let country =
            parts.len() > 1 && last.len() == 2 && last.bytes().all(|b| b.is_ascii_lowercase());
        if !country && !HANDLE_PARTS.contains(last) {
            break;
        }
        parts.pop();
    }
    let joined = parts.concat();
    let base = joined.strip_suffix("official").unwrap_or(&joined);
    (!base.is_empty()).then(|| base.to_owned())
}

/// The prose of a caption, folded for comparing, with the way back to how it was written.
struct Prose {
    folded: String,
    /// For each byte of `folded`, the character it comes from.
    written: Vec<char>,
    /// Whether most of it is in capitals, so that a capital tells nothing.
    shouted: bool,
}

impl Prose {
    fn of(spans: &[Span<'_>]) -> Self {
        let mut prose = Self {
            folded: String::new(),
            written: Vec::new(),
            shouted: false,
        };
        let (mut upper, mut lower) = (0_usize, 0_usize);
        for span in spans {
            if span.kind != Kind::Prose {
                // Whatever stood here ends the sentence.
                prose.push('\n', "\n");
                continue;
            }
            for c in span.text.chars() {
                upper += usize::from(c.is_uppercase());
                lower += usize::from(c.is_lowercase());
                match c {
                    '’' => prose.push(c, "'"),
                    '\n' => prose.push(c, "\n"),
                    _ if c.is_ascii() => {
                        prose.push(c, c.to_ascii_lowercase().encode_utf8(&mut [0; 4]))
                    }
                    _ if c.is_whitespace() => prose.push(c, " "),
                    _ => prose.push(c, &keyword(c.encode_utf8(&mut [0; 4]))),
                }
            }
        }
        prose.shouted = upper > lower;
        prose
    }

    fn push(&mut self, written: char, folded: &str) {
        if folded == " " && self.folded.ends_with(' ') {
            return;
        }
        self.folded.push_str(folded);
        self.written.extend(folded.bytes().map(|_| written));
    }

    /// Whether an ambiguous spelling is written like a name: with a capital where no sentence begins. Among Han, Latin letters with a
    /// capital are a name anywhere.
    fn is_name(&self, start: usize, end: usize) -> bool {
        let capital = self.written.get(start).is_some_and(|c| c.is_uppercase());
        if !capital || self.shouted {
            return false;
        }
        let before = self.folded[..start].trim_end_matches([' ', '"', '\'', '(']);
        let after = self.folded[end..].chars().next();
        let among_han = after.is_some_and(is_han) || before.chars().next_back().is_some_and(is_han);
        among_han
            || before
                .chars()
                .next_back()
                .is_some_and(|c| c.is_alphanumeric() || ",;&-:".contains(c))
    }
}
