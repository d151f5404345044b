//! Vectors on the server: a field for each attribute and length.
//!
//! Neither is known beforehand, and the server wants to know of each field how many numbers its vectors have. So it makes the fields itself, from a template for each of a
//! few sizes, and a vector is filled up with zeros to the next of these, which changes no angle. The field's name has the vector's own length, so that only
//! those of one length are ever compared. A field of its own for each attribute keeps their graphs apart: what is looked for in one is not hidden among the other.

use std::collections::BTreeMap;

use heurpipe_core::{Direction, Record};
use serde::Serialize;
use serde_json::{Value, json};

use super::mapping::shortened;

/// Lengths that models have, rising. The last is what the server allows.
const SIZES: [usize; 18] = [
    8, 16, 32, 64, 128, 192, 256, 384, 512, 640, 768, 1_024, 1_280, 1_536, 2_048, 2_560, 3_072,
    4_096,
];

/// Longer vectors are kept in the record only.
pub(super) const LONGEST: usize = SIZES[SIZES.len() - 1];

/// The server refuses a document with more. Those beyond are kept in the record only.
const MOST: usize = 10_000;

/// Longer names of attributes are made short.
const LONGEST_NAME: usize = 200;

/// The field of all vectors.
pub(super) const PATH: &str = "vectors";

/// Whether vectors are indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vectors {
    /// They are.
    Indexed,
    /// They are kept in the record only.
    LeftOut,
}

/// A vector as it is sent: by its field, so that each is a document of its own within the post's.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Sent(BTreeMap<String, Vec<f32>>);

/// What is sent of a record's vectors.
pub(super) fn sent(record: &Record) -> Vec<Sent> {
    let vectors = record.effective_vectors();
    let of_attributes = vectors
        .iter()
        .flat_map(|(attribute, vectors)| vectors.iter().map(move |vector| (attribute, vector)));
    of_attributes
        .filter_map(|(attribute, vector)| {
            let field = field(attribute, vector.len())?;
            let numbers = filled_up(&Direction::of(vector)?)?;
            Some(Sent(BTreeMap::from([(field, numbers)])))
        })
        .take(MOST)
        .collect()
}

/// The field of an attribute's vectors of a length, below [`PATH`]; none where they are longer than the server allows.
pub(super) fn field(attribute: &str, length: usize) -> Option<String> {
    let size = size(length)?;
    let name = shortened(&escaped(attribute), LONGEST_NAME);
    Some(format!("{size}_{length}_{name}"))
}

/// The numbers by which the server compares: of length 1 in space, since it reckons in single precision, and filled up to the field's size.
pub(super) fn filled_up(direction: &Direction) -> Option<Vec<f32>> {
    let mut numbers = direction.unit();
    numbers.resize(size(numbers.len())?, 0.0);
    Some(numbers)
}

fn size(length: usize) -> Option<usize> {
    SIZES.into_iter().find(|size| *size >= length)
}

/// A name without what means something in the name of a field.
fn escaped(attribute: &str) -> String {
    let mut name = String::with_capacity(attribute.len());
    for c in attribute.chars() {
        match c {
            '.' | '*' | '~' | ' ' => name.push_str(&format!("~{:02x}", u32::from(c))),
            _ => name.push(c),
        }
    }
    name
}

/// What the mapping of an index says of vectors.
pub(super) fn add_to_mapping(mapping: &mut Value) {
    let of_size = |size: usize| {
        let field = json!({
            "type": "dense_vector",
            "dims": size,
            "similarity": "cosine",
            "index": true,
            // A quarter of the memory. What that costs in exactness is made good by asking for more, and comparing with the record's own vectors.
            "index_options": {"type": "int8_hnsw"},
        });
        json!({format!("vectors_{size}"): {"path_match": format!("{PATH}.{size}_*"), "match_mapping_type": "*", "mapping": field}})
    };
    mapping["dynamic_templates"] = SIZES.into_iter().map(of_size).collect();
    mapping["properties"][PATH] = json!({"type": "nested", "dynamic": true});
    // They are in the record.
    mapping["_source"] = json!({"excludes": [PATH]});
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_field_is_of_one_attribute_and_one_length() {
        assert_eq!(field("look", 512).unwrap(), "512_512_look");
        assert_eq!(field("look", 513).unwrap(), "640_513_look");
        assert_eq!(field("look", 1).unwrap(), "8_1_look");
        assert_eq!(
            field("a.b*~ c", 4_096).unwrap(),
            "4096_4096_a~2eb~2a~7e~20c"
        );
        assert_eq!(field("look", 4_097), None);
        let (a, b) = ("x".repeat(300), "x".repeat(301));
        assert_ne!(field(&a, 2), field(&b, 2));
        assert!(field(&a, 2).unwrap().len() < 256);
    }

    #[test]
    fn zeros_change_no_angle() {
        let (a, b) = ([1.0, 2.0, 3.0], [-3.0, 0.5, 2.0]);
        let (a, b) = (Direction::of(&a).unwrap(), Direction::of(&b).unwrap());
        let cosine = a.cosine(&b.unit()).unwrap();
        let (long_a, long_b) = (filled_up(&a).unwrap(), filled_up(&b).unwrap());
        assert_eq!((long_a.len(), long_b.len()), (8, 8));
        let filled = Direction::of(&long_a).unwrap().cosine(&long_b).unwrap();
        assert!((filled - cosine).abs() < 1e-6);
    }
}
