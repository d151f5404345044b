//! The indices, their fields and the terms in them.
//!
//! Attributes are not known beforehand, so that keywords of all fields share one, as in the embedded index: a keyword's term is its field, a separator and its
//! value. Numbers are kept likewise, as sixteen hexadecimal digits that sort as the numbers do. Nothing is ever added to the mapping by a document, but for
//! the fields of [vectors](super::vectors).

use heurpipe_core::text::ANALYSER_VERSION;
use heurpipe_core::{Error, ErrorKind, Flat, Record, Result};
use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::cursor::order_preserving;
use super::vectors::{self, Sent, Vectors};
use crate::codec;
use crate::instant::nanoseconds;

/// The version of the fields, part of every index's name: 2 has vectors.
pub(super) const FORMAT: u32 = 2;

/// Between field and value. No field name may hold it.
const SEPARATOR: char = '\u{1f}';

/// Longer keywords are cut, in records and in filters alike: a term has at most 32,766 bytes.
const LONGEST_KEYWORD: usize = 16_000;

/// The whitespace analyser cuts words at 255 characters.
const LONGEST_WORD: usize = 255;

/// What the server allows as the id of a document, in bytes.
const LONGEST_ID: usize = 512;

/// Months outside of these years share an index: no post was published then, but a source may claim it, and indices are dear.
const YEARS: std::ops::RangeInclusive<i16> = 2004..=2099;

/// What stands in place of the month.
const UNDATED: &str = "undated";
const EARLIER: &str = "earlier";
const LATER: &str = "later";

/// Indices that were built together: those of one alias, but for when it is rebuilt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Family {
    name: String,
    /// 0 are those that were not built anew.
    generation: u32,
}

impl Family {
    pub(super) fn new(name: &str, generation: u32) -> Self {
        Self {
            name: name.to_owned(),
            generation,
        }
    }

    /// The generation of an index of this name and version, by what it is called; none for any other index.
    pub(super) fn generation_of(name: &str, index: &str) -> Option<u32> {
        let rest = index.strip_prefix(name)?.strip_prefix("-v")?;
        let (version, month) = rest.split_once('-')?;
        let (format, generation) = match version.split_once('r') {
            Some((format, generation)) => (format, generation.parse().ok()?),
            None => (version, 0),
        };
        format.parse::<u32>().ok()?;
        is_month(month).then_some(generation)
    }

    /// What the names of its indices begin with.
    pub(super) fn prefix(&self) -> String {
        let Self { name, generation } = self;
        match generation {
            0 => format!("{name}-v{FORMAT}-"),
            generation => format!("{name}-v{FORMAT}r{generation}-"),
        }
    }

    /// The index in which a record lies: that of the month in which it was published.
    pub(super) fn index_of(&self, published: Option<Timestamp>) -> String {
        let prefix = self.prefix();
        let Some(published) = published else {
            return format!("{prefix}{UNDATED}");
        };
        let date = Offset::UTC.to_datetime(published).date();
        match date.year() {
            year if year < *YEARS.start() => format!("{prefix}{EARLIER}"),
            year if year > *YEARS.end() => format!("{prefix}{LATER}"),
            year => format!("{prefix}{year:04}-{:02}", date.month()),
        }
    }

    /// The template by which its indices are made while they are being built: behind no alias, and above the template of all.
    pub(super) fn staging_template(&self, vectors: Vectors) -> Value {
        let mut template = template(&self.name, vectors);
        template["index_patterns"] = json!([format!("{}*", self.prefix())]);
        template["priority"] = json!(501);
        template["template"]["aliases"] = json!({});
        template
    }

    /// A pattern of the indices of all generations but the first.
    pub(super) fn all_rebuilt(&self) -> String {
        format!("{}-v{FORMAT}r*", self.name)
    }

    /// What that template is called.
    pub(super) fn staging_name(&self) -> String {
        format!("{}-r{}", self.name, self.generation)
    }
}

fn is_month(text: &str) -> bool {
    let of_digits =
        |part: &str, count| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    [UNDATED, EARLIER, LATER].contains(&text)
        || text
            .split_once('-')
            .is_some_and(|(year, month)| of_digits(year, 4) && of_digits(month, 2))
}

/// What made an index; an index that another version made has other terms and must be rebuilt.
pub(super) fn made() -> Value {
    json!({"heurpipe": {"format": FORMAT, "analyser": ANALYSER_VERSION}})
}

/// What every index of a name is made from.
pub(super) fn template(name: &str, vectors: Vectors) -> Value {
    let mut template = json!({
        "settings": {
            "number_of_shards": 1,
            "auto_expand_replicas": "0-1",
            // A flush says when what was written is to be seen.
            "refresh_interval": "-1",
        },
        "aliases": {name: {}},
        "mappings": mapping(),
    });
    if vectors == Vectors::Indexed {
        vectors::add_to_mapping(&mut template["mappings"]);
        // A vector of one attribute too many is not found, instead of its post being refused.
        template["settings"]["index.mapping.total_fields.ignore_dynamic_beyond_limit"] =
            json!(true);
    }
    json!({
        // Of every generation, so that an index of one that was replaced, made by whoever still writes to it, is as it must be.
        "index_patterns": [format!("{name}-v{FORMAT}-*"), format!("{name}-v{FORMAT}r*")],
        // Above templates that people keep for all of their indices.
        "priority": 500,
        "_meta": made(),
        "template": template,
    })
}

/// The fields.
fn mapping() -> Value {
    let exact = json!({"type": "keyword"});
    let unsorted = json!({"type": "keyword", "doc_values": false});
    json!({
        "dynamic": "strict",
        "_meta": made(),
        "properties": {
            "id": exact,
            "keywords": exact,
            "present": unsorted,
            "numbers": unsorted,
            "text": {"type": "text", "analyzer": "whitespace", "norms": false},
            "published": {"type": "date"},
            "published_ns": {"type": "long"},
            "collected_ns": {"type": "long"},
            "likes_order": {"type": "long"},
            // The whole record as a text of JSON: kept and given back byte for byte, and not looked into.
            "record": {"type": "object", "enabled": false},
        },
    })
}

/// A document as it is sent.
#[derive(Debug, Serialize)]
pub(super) struct Document {
    /// The key of the post.
    id: String,
    /// Terms of [`keyword`].
    keywords: Vec<String>,
    /// Names of the keyword fields that have a value.
    present: Vec<String>,
    /// Terms of [`number`].
    numbers: Vec<String>,
    /// The analysed text.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// For intervals, and for whoever looks at the index by other means.
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    published_ns: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    collected_ns: Option<i64>,
    /// For sorting: a number that sorts as the likes do.
    #[serde(skip_serializing_if = "Option::is_none")]
    likes_order: Option<i64>,
    /// The vectors, where the server compares them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    vectors: Vec<Sent>,
    /// The whole record as JSON.
    record: String,
}

impl Document {
    /// What is sent of a record.
    ///
    /// # Errors
    /// `InvalidInput` for what no store can keep, and when a field's name holds a control character.
    pub(super) fn of(flat: &Flat, record: &Record, vectors: Vectors) -> Result<Self> {
        for name in flat.keywords.keys().chain(flat.numbers.keys()) {
            check_name(name)?;
        }
        let pairs = flat
            .keywords
            .iter()
            .flat_map(|(field, values)| values.iter().map(move |value| (field, value)));
        let body = codec::encode(record)?;
        Ok(Self {
            id: key(&flat.id),
            keywords: pairs.map(|(field, value)| keyword(field, value)).collect(),
            present: flat
                .keywords
                .keys()
                .map(|field| clipped(field).to_owned())
                .collect(),
            numbers: flat
                .numbers
                .iter()
                .map(|(field, value)| number(field, *value))
                .collect(),
            text: (!flat.terms.is_empty()).then(|| text(&flat.terms)),
            published: flat.published.map(date),
            published_ns: flat.published.map(long),
            collected_ns: flat.collected.map(long),
            likes_order: flat
                .numbers
                .get("likes")
                .map(|likes| (order_preserving(*likes) ^ (1 << 63)).cast_signed()),
            vectors: match vectors {
                Vectors::Indexed => vectors::sent(record),
                Vectors::LeftOut => Vec::new(),
            },
            record: String::from_utf8(body).map_err(|error| {
                Error::new(ErrorKind::Internal, "elasticsearch.write").cause(error)
            })?,
        })
    }
}

fn check_name(field: &str) -> Result<()> {
    if is_field(field) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidInput, "elasticsearch.write")
        .message("the name of an attribute holds a control character")
        .with("attribute", field.escape_debug()))
}

/// Whether a field may have values at all.
pub(super) fn is_field(field: &str) -> bool {
    !field.contains(char::is_control)
}

/// The key of a post: its id, unless that is too long for the server.
pub(super) fn key(id: &str) -> String {
    shortened(id, LONGEST_ID)
}

/// The term of a keyword, or of the beginning of one.
pub(super) fn keyword(field: &str, value: &str) -> String {
    let mut term = format!("{field}{SEPARATOR}{value}");
    term.truncate(clipped(&term).len());
    term
}

/// What the terms of a field begin with.
pub(super) fn beginning(field: &str) -> String {
    format!("{field}{SEPARATOR}")
}

/// What comes right after all terms of a field.
pub(super) fn after(field: &str) -> String {
    format!("{field} ")
}

/// The term of a number.
pub(super) fn number(field: &str, value: f64) -> String {
    let key = order_preserving(value);
    format!("{field}{SEPARATOR}{key:016x}")
}

/// Terms as the text whose words they are.
pub(super) fn text(terms: &[String]) -> String {
    let words: Vec<String> = terms
        .iter()
        .map(|term| shortened(term, LONGEST_WORD))
        .collect();
    words.join(" ")
}

/// A time as a number. The least and the greatest number are left to the server, which sorts records without a time by them.
pub(super) fn long(time: Timestamp) -> i64 {
    nanoseconds(time).clamp(i64::MIN + 1, i64::MAX - 1)
}

/// A time as a date of the server: to the millisecond.
fn date(time: Timestamp) -> String {
    let milliseconds = long(time).div_euclid(1_000_000);
    Timestamp::from_millisecond(milliseconds)
        .unwrap_or_default()
        .to_string()
}

/// A keyword without what is too long.
pub(super) fn clipped(term: &str) -> &str {
    &term[..term.floor_char_boundary(LONGEST_KEYWORD)]
}

/// A text that is too long, made short by what tells it apart from all others. No word and no id holds the sign in its middle.
pub(super) fn shortened(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    let digest = hex::encode(Sha256::digest(text));
    let head = &text[..text.floor_char_boundary(longest - digest.len() - '…'.len_utf8())];
    format!("{head}…{digest}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn index(published: &str) -> String {
        Family::new("looks", 0).index_of(Some(published.parse().unwrap()))
    }

    #[test]
    fn the_index_is_that_of_the_month() {
        assert_eq!(index("2026-01-31T23:59:59.999999999Z"), "looks-v2-2026-01");
        assert_eq!(index("2026-02-01T00:00:00+01:00"), "looks-v2-2026-01");
        assert_eq!(index("1969-12-31T00:00:00Z"), "looks-v2-earlier");
        assert_eq!(index("9999-12-30T00:00:00Z"), "looks-v2-later");
        let rebuilt = Family::new("looks", 3);
        assert_eq!(rebuilt.index_of(None), "looks-v2r3-undated");
    }

    #[test]
    fn indices_of_other_names_are_none_of_ours() {
        let of = |index| Family::generation_of("looks", index);
        assert_eq!(of("looks-v1-2026-01"), Some(0));
        assert_eq!(of("looks-v2r12-undated"), Some(12));
        for other in [
            "looks",
            "looks-v1-",
            "looks-vr1-undated",
            "looks-vintage-v1-2026-01",
            "looks-v1-v1-2026-01",
            "looks-v1r-2026-01",
            "looks-v1-2026-1",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_too_long_stays_apart() {
        let (a, b) = ("x".repeat(300), "x".repeat(301));
        let (short_a, short_b) = (text(&[a]), text(&[b]));
        assert!(short_a.len() <= LONGEST_WORD && short_b.len() <= LONGEST_WORD);
        assert_ne!(short_a, short_b);
        let long = "连".repeat(400);
        assert!(key(&long).len() <= LONGEST_ID);
        assert_eq!(key("weibo:1"), "weibo:1");
    }

    #[test]
    fn far_times_leave_room_for_the_missing() {
        assert_eq!(long(Timestamp::MAX), i64::MAX - 1);
        assert_eq!(long(Timestamp::MIN), i64::MIN + 1);
        assert_eq!(
            date("1969-12-31T23:59:59.9999Z".parse().unwrap()),
            "1969-12-31T23:59:59.999Z"
        );
    }
}
