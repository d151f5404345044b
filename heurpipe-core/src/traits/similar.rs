//! Finding posts by what they look like, or by whatever else an embedding tells.

use std::collections::BTreeSet;

use crate::filter::Filter;
use crate::model::{PostId, Record};
use crate::{Direction, Error, ErrorKind, Result};

/// How an index answers [`SearchIndex::similar`](crate::SearchIndex::similar).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Similarity {
    /// The nearest are given, all of them.
    Exact,
    /// Nearly always the nearest are given; scores and order of what is given are exact all the same.
    Approximate,
    /// It does not compare vectors.
    Unsupported,
}

/// Which records, near to what.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SimilarRequest {
    /// The attribute whose vectors are compared.
    pub attribute: String,
    /// What they are compared with.
    pub vector: Vec<f32>,
    /// Among records that match.
    pub filter: Filter,
    /// But not these posts. A filter could not say so: its keywords are folded, and two ids may differ in their case alone.
    pub without: BTreeSet<PostId>,
    /// At most so many, [`MOST`](Self::MOST) at the most.
    pub limit: usize,
}

impl SimilarRequest {
    /// The greatest limit.
    pub const MOST: usize = 500;

    /// The twelve records whose vectors of this attribute are nearest.
    pub fn new(attribute: impl Into<String>, vector: impl Into<Vec<f32>>) -> Self {
        Self {
            attribute: attribute.into(),
            vector: vector.into(),
            filter: Filter::All,
            without: BTreeSet::new(),
            limit: 12,
        }
    }

    /// Among records that match.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    /// Leaves these posts out.
    pub fn without(mut self, posts: impl IntoIterator<Item = PostId>) -> Self {
        self.without.extend(posts);
        self
    }

    /// At most so many.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Where the vector points. Every index asks this first, so that all refuse the same.
    ///
    /// # Errors
    /// `InvalidInput` for a vector without a direction (empty, all zero, or with a number that is not finite), an attribute without a name, and a limit of none or
    /// of more than [`MOST`](Self::MOST).
    pub fn direction(&self) -> Result<Direction> {
        let refused = |message: String| {
            Error::new(ErrorKind::InvalidInput, "search.similar")
                .message(message)
                .with("attribute", self.attribute.escape_debug())
        };
        if self.attribute.is_empty() {
            return Err(refused(
                "the attribute whose vectors are compared has no name".to_owned(),
            ));
        }
        if self.limit == 0 || self.limit > Self::MOST {
            let most = Self::MOST;
            return Err(refused(format!("the limit must lie between 1 and {most}"))
                .with("limit", self.limit));
        }
        Direction::of(&self.vector).ok_or_else(|| {
            refused(
                "the vector is empty, all zero, or holds a number that is not finite".to_owned(),
            )
            .with("dimensions", self.vector.len())
        })
    }
}

/// A record, and how near it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Similar {
    /// The record.
    pub record: Record,
    /// The greatest cosine over its vectors, -1 to 1.
    pub score: f32,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let good = SimilarRequest::new("look", [1.0, 0.0]);
        assert_eq!(good.direction().unwrap().dimensions(), 2);
        for (wrong, part) in [
            (SimilarRequest::new("", [1.0]), "no name"),
            (SimilarRequest::new("look", []), "empty"),
            (SimilarRequest::new("look", [0.0, 0.0]), "all zero"),
            (SimilarRequest::new("look", [f32::NAN]), "not finite"),
            (good.clone().limit(0), "between 1 and 500"),
            (good.clone().limit(501), "between 1 and 500"),
        ] {
            let error = wrong.direction().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(part), "{error}");
        }
        assert!(good.limit(500).direction().is_ok());
    }
}
