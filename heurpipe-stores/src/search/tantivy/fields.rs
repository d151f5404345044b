//! The fields of the index and the terms in them.
//!
//! Attributes are not known beforehand, so that keywords of all fields share one: a keyword's term is its field, a separator and its value, and the
//! values of a field are a range of terms. Numbers are kept likewise, as sixteen hexadecimal digits that sort as the numbers do, and vectors, so that those of
//! one attribute and one length are a range.

use heurpipe_core::{Error, ErrorKind, Flat, Record, Result};
use tantivy::schema::{
    BytesOptions, Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::{TantivyDocument, Term};

use crate::instant::nanoseconds;
use crate::search::cursor::order_preserving;

/// Between field and value. No field name may hold it.
const SEPARATOR: char = '\u{1f}';

/// Comes right after [`SEPARATOR`]: ends the range of a field's terms.
const AFTER_SEPARATOR: char = '\u{20}';

/// Longer terms are cut, in records and in filters alike: tantivy drops what is longer than 64 KiB.
const LONGEST_TERM: usize = 16_000;

/// Longer vectors are kept in the record only: tantivy's columns hold values of less than 64 KiB, the name of the attribute included.
pub(super) const LONGEST_VECTOR: usize = 8_192;

/// How many bytes a number of a vector takes.
const NUMBER: usize = size_of::<f32>();

/// Names of the fields that are read column by column.
pub(super) mod name {
    pub(in super::super) const ID: &str = "id";
    pub(in super::super) const KEYWORDS: &str = "keywords";
    pub(in super::super) const PUBLISHED: &str = "published";
    pub(in super::super) const LIKES: &str = "likes";
    pub(in super::super) const REVISION: &str = "revision";
    pub(in super::super) const VECTORS: &str = "vectors";
}

/// The fields of the index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    /// `platform:native`; the key.
    pub(super) id: Field,
    /// Terms of [`keyword`].
    pub(super) keywords: Field,
    /// Names of the keyword fields that have a value.
    pub(super) present: Field,
    /// Terms of [`number`].
    pub(super) numbers: Field,
    /// The analysed text, with positions.
    pub(super) text: Field,
    /// Nanoseconds.
    pub(super) published: Field,
    /// Nanoseconds.
    pub(super) collected: Field,
    /// For sorting.
    pub(super) likes: Field,
    /// So that the older never replaces the newer.
    pub(super) revision: Field,
    /// Terms of [`vector`], as a column only.
    pub(super) vectors: Field,
    /// The whole record as JSON.
    pub(super) record: Field,
}

impl Fields {
    /// The schema of an index, and its fields.
    pub(super) fn schema() -> (Schema, Self) {
        let raw = |option| {
            TextFieldIndexing::default()
                .set_tokenizer("raw")
                .set_fieldnorms(false)
                .set_index_option(option)
        };
        let exact = TextOptions::default().set_indexing_options(raw(IndexRecordOption::Basic));
        let words = TextOptions::default().set_indexing_options(
            raw(IndexRecordOption::WithFreqsAndPositions).set_tokenizer("whitespace"),
        );
        let number = NumericOptions::default().set_fast();
        let mut schema = Schema::builder();
        let fields = Self {
            id: schema.add_text_field(name::ID, exact.clone().set_fast("raw")),
            keywords: schema.add_text_field(name::KEYWORDS, exact.clone().set_fast("raw")),
            present: schema.add_text_field("present", exact),
            numbers: schema.add_text_field("numbers", TextOptions::default().set_fast("raw")),
            text: schema.add_text_field("text", words),
            published: schema.add_i64_field(name::PUBLISHED, number.clone()),
            collected: schema.add_i64_field("collected", number.clone()),
            likes: schema.add_f64_field(name::LIKES, number.clone()),
            revision: schema.add_u64_field(name::REVISION, number),
            vectors: schema.add_bytes_field(name::VECTORS, BytesOptions::default().set_fast()),
            record: schema.add_bytes_field("record", BytesOptions::default().set_stored()),
        };
        (schema.build(), fields)
    }

    /// What is indexed of a record.
    ///
    /// # Errors
    /// `InvalidInput` when a field's name holds a control character.
    pub(super) fn document(
        &self,
        flat: &Flat,
        record: &Record,
        body: &[u8],
    ) -> Result<TantivyDocument> {
        let mut document = TantivyDocument::default();
        document.add_text(self.id, &flat.id);
        for (field, values) in &flat.keywords {
            check_name(field)?;
            document.add_text(self.present, clipped(field));
            for value in values {
                document.add_text(self.keywords, keyword(field, value));
            }
        }
        for (field, value) in &flat.numbers {
            check_name(field)?;
            document.add_text(self.numbers, number(field, *value));
        }
        if !flat.terms.is_empty() {
            let terms: Vec<&str> = flat.terms.iter().map(|t| clipped(t)).collect();
            document.add_text(self.text, terms.join(" "));
        }
        if let Some(time) = flat.published {
            document.add_i64(self.published, nanoseconds(time));
        }
        if let Some(time) = flat.collected {
            document.add_i64(self.collected, nanoseconds(time));
        }
        if let Some(likes) = flat.numbers.get("likes") {
            document.add_f64(self.likes, *likes);
        }
        document.add_u64(self.revision, record.revision);
        for (attribute, vectors) in record.effective_vectors() {
            check_name(attribute)?;
            let short = |v: &&&[f32]| v.len() <= LONGEST_VECTOR;
            for numbers in vectors.iter().filter(short) {
                document.add_bytes(self.vectors, &vector(attribute, numbers));
            }
        }
        document.add_bytes(self.record, body);
        Ok(document)
    }

    /// The key of a post.
    pub(super) fn key(&self, id: &str) -> Term {
        Term::from_field_text(self.id, id)
    }
}

fn check_name(field: &str) -> Result<()> {
    if field.contains(char::is_control) {
        return Err(Error::new(ErrorKind::InvalidInput, "tantivy.write")
            .message("the name of an attribute holds a control character")
            .with("attribute", field.escape_debug()));
    }
    Ok(())
}

/// The term of a keyword, or of the beginning of one.
pub(super) fn keyword(field: &str, value: &str) -> String {
    let mut term = format!("{field}{SEPARATOR}{value}");
    term.truncate(clipped(&term).len());
    term
}

/// The term of a number.
pub(super) fn number(field: &str, value: f64) -> String {
    let key = order_preserving(value);
    format!("{field}{SEPARATOR}{key:016x}")
}

/// The term of a vector: its numbers, after what vectors that may be compared with it have in common.
fn vector(attribute: &str, numbers: &[f32]) -> Vec<u8> {
    let mut term = comparable(attribute, numbers.len()).into_bytes();
    let numbers = numbers.iter().enumerate();
    term.extend(numbers.flat_map(|(place, number)| mixed(place, number.to_bits()).to_le_bytes()));
    term
}

/// The numbers of a vector's term, in the place of those that were there.
pub(super) fn read_vector(term: &[u8], length: usize, numbers: &mut Vec<f32>) {
    let from = term.len().saturating_sub(length * NUMBER);
    let (bytes, _) = term[from..].as_chunks::<NUMBER>();
    numbers.clear();
    let bits = bytes.iter().map(|bytes| u32::from_le_bytes(*bytes));
    numbers.extend(
        bits.enumerate()
            .map(|(place, bits)| f32::from_bits(mixed(place, bits))),
    );
}

/// The bits of a vector's number, changed by its place so that no byte is more frequent than others; twice, they are what they were.
///
/// tantivy compresses each block of a column which that makes smaller, if only by what the exponents of a vector's numbers have in common, and makes a decompressor anew for
/// each of them that it reads: three quarters of the time of a search went there. Blocks of such bits do not get smaller, and are kept as they are.
fn mixed(place: usize, bits: u32) -> u32 {
    // Multiples of the golden ratio are spread evenly (Knuth, The Art of Computer Programming, volume 3, section 6.4).
    const GOLDEN: u32 = 0x9E37_79B9;
    bits ^ (place as u32).wrapping_add(1).wrapping_mul(GOLDEN)
}

/// The first term of an attribute's vectors of a length, and the first after all of them.
pub(super) fn vectors(attribute: &str, length: usize) -> (Vec<u8>, Vec<u8>) {
    let first = comparable(attribute, length).into_bytes();
    let mut after = first.clone();
    // A digit, which has a successor.
    if let Some(last) = after.last_mut() {
        *last += 1;
    }
    (first, after)
}

fn comparable(attribute: &str, length: usize) -> String {
    let attribute = clipped(attribute);
    format!("{attribute}{SEPARATOR}{length:08x}")
}

/// The first term of a field, and the first after all of its terms.
pub(super) fn range(field: &str) -> (String, String) {
    (
        format!("{field}{SEPARATOR}"),
        format!("{field}{AFTER_SEPARATOR}"),
    )
}

/// A term without what is too long.
pub(super) fn clipped(term: &str) -> &str {
    &term[..term.floor_char_boundary(LONGEST_TERM)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_is_read_as_it_was_and_its_term_has_no_frequent_bytes() {
        let numbers: Vec<f32> = (0..512).map(|n| (n as f32 * 0.37).sin()).collect();
        let term = vector("look", &numbers);
        let mut read = vec![7.0];
        read_vector(&term, numbers.len(), &mut read);
        assert_eq!(read, numbers);

        let mut times = [0; 256];
        let bytes = &term[term.len() - numbers.len() * NUMBER..];
        bytes.iter().for_each(|byte| times[usize::from(*byte)] += 1);
        // Evenly spread each would come eight times; of such numbers as they are the most frequent comes 184 times.
        assert!(times.iter().all(|times| *times < 32), "{times:?}");
    }
}
