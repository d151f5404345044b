//! Records as bytes.

use heurpipe_core::{Error, ErrorKind, Record, Result, Target};

/// Refuses what no store can keep.
///
/// # Errors
/// `InvalidInput` for a number that JSON cannot hold: it could not be read back.
pub(crate) fn check(record: &Record) -> Result<()> {
    match not_finite(record) {
        None => Ok(()),
        Some(place) => Err(Error::new(ErrorKind::InvalidInput, "record.check")
            .message("a number is infinite or not a number")
            .with("post", record.id())
            .with("in", place)),
    }
}

/// A record as JSON.
///
/// # Errors
/// Those of [`check`].
#[cfg(any(
    feature = "sqlite",
    feature = "tantivy",
    feature = "elasticsearch",
    feature = "mongodb"
))]
pub(crate) fn encode(record: &Record) -> Result<Vec<u8>> {
    check(record)?;
    serde_json::to_vec(record).map_err(|error| {
        Error::new(ErrorKind::InvalidInput, "record.encode")
            .with("post", record.id())
            .cause(error)
    })
}

/// A record from JSON.
///
/// # Errors
/// `Corrupt` when it is not a record.
#[cfg(any(
    feature = "sqlite",
    feature = "tantivy",
    feature = "elasticsearch",
    feature = "mongodb"
))]
pub(crate) fn decode(bytes: &[u8]) -> Result<Record> {
    serde_json::from_slice(bytes).map_err(|error| {
        Error::new(ErrorKind::Corrupt, "record.decode")
            .message("a stored record cannot be read")
            .cause(error)
    })
}

fn not_finite(record: &Record) -> Option<&str> {
    let annotation = record.annotations.iter().find(|a| {
        let sure = a.confidence.is_none_or(f32::is_finite);
        !(sure && a.value.is_finite() && is_placed(&a.target))
    });
    let entry = record.ledger.iter().find(|e| !e.cpu_ms.is_finite());
    annotation
        .map(|a| a.attribute.as_str())
        .or(entry.map(|e| &*e.enricher))
}

fn is_placed(target: &Target) -> bool {
    match target {
        Target::Region { region, .. } => region.is_finite(),
        Target::Post | Target::Media(_) => true,
    }
}
