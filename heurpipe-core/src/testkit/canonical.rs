//! Comparing records of two runs.

use jiff::Timestamp;

use crate::{Fetched, Record};

/// The canonical form of a record as JSON: two runs over the same world give equal ones, whenever they ran and however often they were
/// interrupted.
///
/// Volatile fields are left out: the revision, when things were collected, observed, said and done, what they cost, and the URLs of media, which
/// networks sign anew at each call. Of a raw payload the key is kept.
pub fn canonical(record: &Record) -> String {
    let epoch = Timestamp::UNIX_EPOCH;
    let mut record = record.clone();
    record.revision = 0;
    record.post.collected_at = epoch;
    for raw in record.post.raw.values_mut() {
        *raw = null();
    }
    for medium in &mut record.post.media {
        medium.url = None;
        medium.url_expires_at = None;
        if let Fetched::Gone { reason } = &mut medium.fetched {
            reason.clear();
        }
    }
    for observation in &mut record.observations {
        observation.at = epoch;
    }
    for annotation in &mut record.annotations {
        annotation.at = epoch;
    }
    for entry in &mut record.ledger {
        entry.at = epoch;
        entry.cpu_ms = 0.0;
    }
    serde_json::to_string(&record).unwrap_or_else(|error| format!("{}: {error}", record.id()))
}

fn null() -> crate::Raw {
    crate::Raw::new(serde_json::value::RawValue::NULL.to_owned())
}
