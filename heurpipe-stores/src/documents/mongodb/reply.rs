//! What a server answers to a command that holds several writes.
//!
//! Of the numbers in a reply none is believed: some servers count what they refused, some stop at the first refusal though they were told not to. What is
//! taken from it is which writes were refused and why, and whether what was written is as safe as was asked. What became of the others
//! is read back.

use mongodb::bson::{Bson, Document};

/// The codes of an index that holds this value already.
const DUPLICATE: [i32; 3] = [11000, 11001, 12582];

/// Why a server refused something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: i32,
    pub(super) message: String,
}

impl Refusal {
    fn of(error: &Document) -> Self {
        Self {
            code: number(error.get("code")).unwrap_or_default(),
            message: error.get_str("errmsg").unwrap_or_default().to_owned(),
        }
    }

    /// Whether somebody else has stored such a document.
    pub(super) fn is_duplicate(&self) -> bool {
        // Not every server gives the code.
        DUPLICATE.contains(&self.code) || self.message.starts_with("E11000")
    }
}

/// What is taken from a reply.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reply {
    /// The writes that were refused, by their place in the command, in order.
    refused: Vec<(usize, Refusal)>,
    /// Why what was written is not as safe as was asked.
    pub(super) unsafe_because: Option<Refusal>,
}

impl Reply {
    pub(super) fn of(reply: &Document) -> Self {
        let errors = reply
            .get_array("writeErrors")
            .map_or(&[][..], Vec::as_slice);
        let mut refused: Vec<(usize, Refusal)> = errors
            .iter()
            .filter_map(Bson::as_document)
            .filter_map(|error| {
                let place = number(error.get("index"))?;
                Some((usize::try_from(place).ok()?, Refusal::of(error)))
            })
            .collect();
        refused.sort_by_key(|(place, _)| *place);
        let concern = reply.get_document("writeConcernError");
        Self {
            refused,
            unsafe_because: concern.ok().map(Refusal::of),
        }
    }

    /// Why the write at a place was refused.
    pub(super) fn refusal(&self, place: usize) -> Option<&Refusal> {
        let found = self
            .refused
            .binary_search_by_key(&place, |(place, _)| *place);
        found.ok().map(|at| &self.refused[at].1)
    }

    /// The first write that was refused.
    pub(super) fn first(&self) -> Option<(usize, &Refusal)> {
        let (place, refusal) = self.refused.first()?;
        Some((*place, refusal))
    }
}

/// A number, of whichever type a server gives it.
pub(super) fn number(value: Option<&Bson>) -> Option<i32> {
    match value? {
        Bson::Int32(number) => Some(*number),
        Bson::Int64(number) => i32::try_from(*number).ok(),
        // Whole numbers below 2^31 are what is wanted.
        Bson::Double(number) => Some(*number as i32),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use mongodb::bson::doc;

    use super::*;

    #[test]
    fn a_reply_tells_what_was_refused_and_no_more() {
        let reply = Reply::of(&doc! {
            "ok": 1.0, "n": 3, "nModified": 3,
            "writeErrors": [
                {"index": 4_i64, "code": 17419, "errmsg": "Resulting document after update is larger than 16777216"},
                {"index": 1, "code": 11000, "errmsg": "E11000 duplicate key error"},
            ],
        });
        assert_eq!(reply.refusal(0), None);
        assert!(reply.refusal(1).is_some_and(Refusal::is_duplicate));
        assert_eq!(
            reply.refusal(4).map(|r| (r.code, r.is_duplicate())),
            Some((17419, false))
        );
        assert_eq!(reply.first().map(|(place, _)| place), Some(1));
        assert_eq!(reply.unsafe_because, None);
    }

    #[test]
    fn a_duplicate_without_a_code_is_one() {
        let reply = Reply::of(
            &doc! {"ok": 1, "writeErrors": [{"index": 0.0, "errmsg": "E11000 duplicate key error collection: a.b"}]},
        );
        assert!(reply.refusal(0).is_some_and(Refusal::is_duplicate));
    }

    #[test]
    fn what_is_not_safe_yet_is_told() {
        let reply = Reply::of(
            &doc! {"ok": 1, "n": 2, "writeConcernError": {"code": 64, "codeName": "WriteConcernTimeout", "errmsg": "waiting for replication timed out"}},
        );
        assert_eq!(reply.unsafe_because.map(|r| r.code), Some(64));
        assert_eq!(Reply::of(&doc! {"ok": 1, "n": 2}), Reply::default());
    }
}
