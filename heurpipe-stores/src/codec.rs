//! Records as bytes.

use heurpipe_core::{Error, ErrorKind, Finding, Record, Region, Result, Target, Value};

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
#[cfg(any(feature = "sqlite", feature = "tantivy"))]
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
#[cfg(any(feature = "sqlite", feature = "tantivy"))]
pub(crate) fn decode(bytes: &[u8]) -> Result<Record> {
    serde_json::from_slice(bytes).map_err(|error| {
        Error::new(ErrorKind::Corrupt, "record.decode")
            .message("a stored record cannot be read")
            .cause(error)
    })
}

/// Whether JSON can hold a finding: all its numbers are finite.
#[cfg(feature = "sqlite")]
pub(crate) fn is_storable(finding: &Finding) -> bool {
    finding.confidence.is_none_or(f32::is_finite)
        && finding.region.as_ref().is_none_or(is_bounded)
        && is_finite(&finding.value)
}

fn not_finite(record: &Record) -> Option<&str> {
    let annotation = record.annotations.iter().find(|a| {
        let sure = a.confidence.is_none_or(f32::is_finite);
        !(sure && is_finite(&a.value) && is_placed(&a.target))
    });
    let entry = record.ledger.iter().find(|e| !e.cpu_ms.is_finite());
    annotation
        .map(|a| a.attribute.as_str())
        .or(entry.map(|e| &*e.enricher))
}

fn is_finite(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_finite(),
        Value::Vector(numbers) => numbers.iter().all(|n| n.is_finite()),
        Value::Colours(colours) => colours.iter().all(|c| c.share.is_finite()),
        _ => true,
    }
}

fn is_placed(target: &Target) -> bool {
    match target {
        Target::Region { region, .. } => is_bounded(region),
        _ => true,
    }
}

fn is_bounded(region: &Region) -> bool {
    [region.x, region.y, region.width, region.height]
        .iter()
        .all(|n| n.is_finite())
}
