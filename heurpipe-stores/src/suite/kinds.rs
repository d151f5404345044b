//! What a corpus has been made of: a comparison proves nothing of what it never asked.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;

use heurpipe_core::filter::{Keyword, Predicate};
use heurpipe_core::{Filter, Record};

/// How many records and filters there are of each kind. Every kind is named, also one of which there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kinds(BTreeMap<&'static str, u64>);

/// Kinds of records, and of filters by what they ask or how they turn out.
const NAMES: &[&str] = &[
    "record: chinese text",
    "record: quotes",
    "record: wildcards",
    "record: no text",
    "record: no time",
    "record: no likes",
    "record: no author",
    "record: no label",
    "filter: everything",
    "filter: and",
    "filter: or",
    "filter: negation",
    "filter: negation within negation",
    "filter: negation of a field that is missing",
    "filter: whole keyword",
    "filter: prefix",
    "filter: any value",
    "filter: several alternatives",
    "filter: quotes",
    "filter: wildcards as letters",
    "filter: chinese keyword",
    "filter: chinese text",
    "filter: phrase",
    "filter: word",
    "filter: no word",
    "filter: range open below",
    "filter: range open above",
    "filter: range open on both sides",
    "filter: range of numbers",
    "filter: range of times",
    "filter: exclusive bound",
    "filter: field that nothing has",
    "filter: finds some",
    "filter: finds all",
    "filter: finds none",
];

impl Default for Kinds {
    fn default() -> Self {
        Self(NAMES.iter().map(|name| (*name, 0)).collect())
    }
}

impl Kinds {
    /// The kinds of which there is none.
    pub fn missing(&self) -> Vec<&'static str> {
        let none = self.0.iter().filter(|(_, count)| **count == 0);
        none.map(|(name, _)| *name).collect()
    }

    /// Adds what another corpus is made of.
    pub fn add(&mut self, other: &Self) {
        for (name, count) in &other.0 {
            *self.0.entry(name).or_default() += count;
        }
    }

    fn count(&mut self, name: &'static str, is_one: bool) {
        *self.0.entry(name).or_default() += u64::from(is_one);
    }

    pub(super) fn add_record(&mut self, record: &Record) {
        let post = &record.post;
        let labels = record
            .annotations
            .iter()
            .flat_map(|found| found.value.labels());
        let words: Vec<String> = post
            .hashtags
            .iter()
            .chain(&post.mentions)
            .cloned()
            .chain(labels)
            .collect();
        let any = |letters: &[char]| words.iter().any(|word| word.contains(letters));
        self.count("record: chinese text", is_han(&post.text));
        self.count("record: quotes", any(&['\'', '"']));
        self.count("record: wildcards", any(&['*', '%', '_']));
        self.count("record: no text", post.text.is_empty());
        self.count("record: no time", post.published_at.is_none());
        self.count("record: no likes", post.counts.likes.is_none());
        self.count("record: no author", post.author.is_none());
        self.count("record: no label", record.annotations.is_empty());
    }

    /// Adds a filter, and how many of how many records it finds.
    pub(super) fn add_filter(&mut self, filter: &Filter, found: usize, of: usize) {
        self.count("filter: finds none", found == 0);
        self.count("filter: finds all", found == of);
        self.count("filter: finds some", found > 0 && found < of);
        self.add_part(filter, 0);
    }

    fn add_part(&mut self, filter: &Filter, negations: usize) {
        match filter {
            Filter::All => self.count("filter: everything", true),
            Filter::Test(predicate) => self.add_predicate(predicate, negations % 2 == 1),
            Filter::Not(inner) => {
                self.count("filter: negation", true);
                self.count("filter: negation within negation", negations > 0);
                self.add_part(inner, negations + 1);
            }
            Filter::And(parts) => {
                self.count("filter: and", true);
                parts.iter().for_each(|part| self.add_part(part, negations));
            }
            Filter::Or(parts) => {
                self.count("filter: or", true);
                parts.iter().for_each(|part| self.add_part(part, negations));
            }
        }
    }

    fn add_predicate(&mut self, predicate: &Predicate, is_negated: bool) {
        match predicate {
            Predicate::Keyword { field, any_of } => {
                self.add_field(field, is_negated);
                self.count("filter: several alternatives", any_of.len() > 1);
                any_of.iter().for_each(|keyword| self.add_keyword(keyword));
            }
            Predicate::Number {
                field,
                lower,
                upper,
            } => {
                self.add_field(field, is_negated);
                self.count("filter: range of numbers", true);
                self.add_range(lower, upper);
            }
            Predicate::Time { lower, upper, .. } => {
                self.count("filter: range of times", true);
                self.add_range(lower, upper);
            }
            Predicate::Text { terms } => {
                self.count("filter: no word", terms.is_empty());
                self.count("filter: word", terms.len() == 1);
                self.count("filter: phrase", terms.len() > 1);
                self.count(
                    "filter: chinese text",
                    terms.iter().any(|term| is_han(term)),
                );
            }
        }
    }

    /// A field that no record has, and one that some have not.
    fn add_field(&mut self, field: &str, is_negated: bool) {
        self.count("filter: field that nothing has", field == "absent");
        let name = "filter: negation of a field that is missing";
        self.count(name, is_negated && field != "platform");
    }

    fn add_keyword(&mut self, keyword: &Keyword) {
        let (Keyword::Exact(text) | Keyword::Prefix(text)) = keyword;
        let is_prefix = matches!(keyword, Keyword::Prefix(_));
        self.count("filter: whole keyword", !is_prefix);
        self.count("filter: prefix", is_prefix && !text.is_empty());
        self.count("filter: any value", is_prefix && text.is_empty());
        self.count("filter: quotes", text.contains(['\'', '"']));
        self.count(
            "filter: wildcards as letters",
            text.contains(['*', '%', '_']),
        );
        self.count("filter: chinese keyword", is_han(text));
    }

    fn add_range<T>(&mut self, lower: &Bound<T>, upper: &Bound<T>) {
        let open = |bound: &Bound<T>| matches!(bound, Bound::Unbounded);
        let excludes = |bound: &Bound<T>| matches!(bound, Bound::Excluded(_));
        self.count("filter: range open below", open(lower) && !open(upper));
        self.count("filter: range open above", !open(lower) && open(upper));
        self.count(
            "filter: range open on both sides",
            open(lower) && open(upper),
        );
        self.count(
            "filter: exclusive bound",
            excludes(lower) || excludes(upper),
        );
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, count) in &self.0 {
            writeln!(out, "{name:<50} {count:>8}")?;
        }
        Ok(())
    }
}

fn is_han(text: &str) -> bool {
    text.chars()
        .any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter))
}
