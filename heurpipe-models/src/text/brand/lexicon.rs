//! The list of brands, as read from TOML.

use std::collections::{HashMap, HashSet};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use heurpipe_core::text::{is_han, keyword};
use heurpipe_core::{Digest, Error, ErrorKind, Result};
use serde::Deserialize;

use super::misspelt::Misspelt;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    context: Vec<String>,
    #[serde(default)]
    products: Vec<String>,
    #[serde(default)]
    products_first: Vec<String>,
    #[serde(default)]
    tag_ends: Vec<String>,
    #[serde(default)]
    qualities: Vec<String>,
    #[serde(default)]
    makers: Vec<String>,
    #[serde(default)]
    near_words: Vec<String>,
    brand: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    mostly: Vec<String>,
    #[serde(default)]
    ambiguous: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    words: Vec<String>,
    #[serde(default)]
    handles: Vec<String>,
    #[serde(default)]
    unless: Vec<String>,
}

/// What else a spelling may mean, from nothing to most things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// The brand, wherever it stands.
    Plain,
    /// The brand, where nothing says that something else is meant.
    Mostly,
    /// A word of its own: a capital tells the brand, in a text about clothes.
    Ambiguous,
    /// A person, an animal, a place, of which a capital tells nothing: only a product beside it does.
    Name,
    /// A word that stands before products as well: it takes a capital and a product.
    Word,
}

/// A spelling of a brand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spelling {
    /// Index of the brand.
    pub(super) brand: usize,
    /// What else it may mean.
    pub(super) sort: Sort,
}

/// Words to look for, in keyword form, and what each stands for.
#[derive(Debug)]
pub(super) struct Finder<T> {
    automaton: AhoCorasick,
    meanings: Vec<T>,
}

impl<T: Copy> Finder<T> {
    fn new(words: Vec<(String, T)>) -> Result<Self> {
        let (words, meanings): (Vec<String>, Vec<T>) = words.into_iter().unzip();
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            // Some megabytes for each text being looked through in one step per byte.
            .kind(Some(AhoCorasickKind::DFA))
            .build(words)
            .map_err(|error| Error::new(ErrorKind::TooLarge, "brands.parse").cause(error))?;
        Ok(Self {
            automaton,
            meanings,
        })
    }

    /// Whole words in a folded text, overlapping ones included: begin, end, meaning.
    pub(super) fn find<'a>(
        &'a self,
        text: &'a str,
    ) -> impl Iterator<Item = (usize, usize, T)> + 'a {
        self.automaton
            .find_overlapping_iter(text)
            .filter(|found| is_word(text, found.start(), found.end()))
            .map(|found| {
                let meaning = self.meanings[found.pattern().as_usize()];
                (found.start(), found.end(), meaning)
            })
    }
}

impl Finder<()> {
    /// For words that all mean the same.
    fn of(words: Vec<String>) -> Result<Self> {
        Self::new(words.into_iter().map(|word| (word, ())).collect())
    }
}

/// Whether a match does not begin or end inside a word. Han has no words to be inside of.
fn is_word(text: &str, start: usize, end: usize) -> bool {
    let joins = |inner: Option<char>, outer: Option<char>| match (inner, outer) {
        (Some(inner), Some(outer)) => in_word(inner) && in_word(outer),
        _ => false,
    };
    let found = &text[start..end];
    !joins(found.chars().next(), text[..start].chars().next_back())
        && !joins(found.chars().next_back(), text[end..].chars().next())
}

fn in_word(c: char) -> bool {
    (c.is_alphanumeric() || c == '_') && !is_han(c)
}

/// The brands with all that finding them needs.
#[derive(Debug)]
pub(super) struct Lexicon {
    /// Canonical names.
    pub(super) names: Vec<String>,
    /// All spellings that may stand in prose.
    pub(super) spellings: Finder<Spelling>,
    /// Spellings and handles without spaces and signs: hashtags and handles are compared in this form.
    pub(super) tags: HashMap<String, Spelling>,
    /// Handles in that form, with the brand.
    pub(super) handles: HashMap<String, usize>,
    /// Words that show that clothes are spoken of.
    pub(super) context: Finder<()>,
    /// What may follow a brand in a hashtag.
    pub(super) products: HashSet<String>,
    /// All products, to look for in texts.
    pub(super) clothes: Finder<()>,
    /// Those after which the brand stands without a preposition.
    pub(super) clothes_first: Finder<()>,
    /// Colours, materials and the like, which may stand between a brand and its product.
    pub(super) qualities: Finder<()>,
    /// Prepositions that lead from a product to its brand.
    pub(super) makers: Vec<String>,
    /// Long names, to find with a letter wrong.
    pub(super) misspelt: Misspelt,
    /// Words that show that a brand's ambiguous spellings mean something else.
    pub(super) unless: Finder<usize>,
    /// SHA-256 of the file.
    pub(super) digest: Digest,
}

impl Lexicon {
    pub(super) fn parse(toml: &str) -> Result<Self> {
        let file: File = toml::from_str(toml).map_err(|error| {
            Error::new(ErrorKind::Config, "brands.parse")
                .message("the list of brands is not what it must be")
                .cause(error)
        })?;
        let mut spellings: Vec<(String, Spelling)> = Vec::new();
        let mut unless = Vec::new();
        let mut tags: HashMap<String, Spelling> = HashMap::new();
        let mut handles = HashMap::new();
        for (brand, entry) in file.brand.iter().enumerate() {
            // Plain spellings last, so that they win where both are squeezed to one tag.
            for (texts, sort) in [
                (&entry.words, Sort::Word),
                (&entry.names, Sort::Name),
                (&entry.ambiguous, Sort::Ambiguous),
                (&entry.mostly, Sort::Mostly),
                (&entry.aliases, Sort::Plain),
            ] {
                for text in texts {
                    let text = spelled(text, &entry.name)?;
                    tags.insert(squeezed(&text), Spelling { brand, sort });
                    spellings.push((text, Spelling { brand, sort }));
                }
            }
            unless.extend(entry.unless.iter().map(|word| (keyword(word), brand)));
        }
        for (brand, entry) in file.brand.iter().enumerate() {
            for handle in &entry.handles {
                let handle = squeezed(&spelled(handle, &entry.name)?);
                if handle.chars().count() >= SHORTEST_TAG {
                    let spelling = Spelling {
                        brand,
                        sort: Sort::Plain,
                    };
                    tags.entry(handle.clone()).or_insert(spelling);
                }
                handles.insert(handle, brand);
            }
        }
        let words =
            |words: &[String]| -> Vec<String> { words.iter().map(|w| keyword(w)).collect() };
        let clothes = [&file.products[..], &file.products_first].concat();
        let context = [&file.context[..], &clothes].concat();
        Ok(Self {
            names: file
                .brand
                .iter()
                .map(|entry| entry.name.trim().to_lowercase())
                .collect(),
            misspelt: Misspelt::new(
                spellings.iter(),
                words(&file.near_words).into_iter().collect(),
            ),
            spellings: Finder::new(spellings)?,
            tags,
            handles,
            context: Finder::of(words(&context))?,
            products: words(&[&file.products[..], &file.tag_ends].concat())
                .into_iter()
                .collect(),
            clothes: Finder::of(words(&clothes))?,
            clothes_first: Finder::of(words(&file.products_first))?,
            qualities: Finder::of(words(&file.qualities))?,
            makers: words(&file.makers),
            unless: Finder::new(unless)?,
            digest: Digest::of(toml.as_bytes()),
        })
    }
}

/// A handle shorter than this is no hashtag of its brand unless it is a spelling too.
const SHORTEST_TAG: usize = 4;

/// A spelling in keyword form, which must hold something to look for.
fn spelled(text: &str, brand: &str) -> Result<String> {
    let folded = keyword(text).replace('’', "'");
    if squeezed(&folded).is_empty() {
        return Err(Error::new(ErrorKind::Config, "brands.parse")
            .message("a spelling holds neither letter nor digit")
            .with("brand", brand));
    }
    Ok(folded)
}

/// Letters and digits only.
pub(super) fn squeezed(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}
