//! A record as a line of JSON, and back.

use heurpipe_core::{
    Annotation, Effective, Error, ErrorKind, Incoming, LedgerEntry, Observation, Post, Record,
    Result, States,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The line of a record, without its end: `{"post":…,"annotations":…,"effective":…,"ledger":…,"observations":…,"states":…,"revision":…}`.
///
/// `effective` is for readers that are not us; [`from_line`] works it out anew.
///
/// # Errors
/// `Internal` when a part of the record has no form in JSON.
pub fn to_line(record: &Record) -> Result<String> {
    let line = Line {
        post: &record.post,
        annotations: &record.annotations,
        effective: record.effective(),
        ledger: &record.ledger,
        observations: &record.observations,
        states: &record.states,
        revision: record.revision,
    };
    serde_json::to_string(&line).map_err(|error| {
        Error::new(ErrorKind::Internal, "ndjson.to_line")
            .with("post", record.id())
            .cause(error)
    })
}

#[derive(Serialize)]
struct Line<'a> {
    post: &'a Post,
    annotations: &'a [Annotation],
    effective: Effective,
    ledger: &'a [LedgerEntry],
    observations: &'a [Observation],
    states: &'a States,
    revision: u64,
}

/// Reads a line: a record, or a post alone.
///
/// # Errors
/// `InvalidInput` when it is neither.
pub fn from_line(line: &str) -> Result<Incoming> {
    let wrong = |error: serde_json::Error| {
        Error::new(ErrorKind::InvalidInput, "ndjson.from_line")
            .message("neither a record nor a post")
            .cause(error)
    };
    let probe: Probe<'_> = serde_json::from_str(line).map_err(wrong)?;
    if probe.post.is_none() {
        let post: Post = serde_json::from_str(line).map_err(wrong)?;
        return Ok(Incoming::Post(Box::new(post)));
    }
    let mut record: Record = serde_json::from_str(line).map_err(wrong)?;
    if record.observations.is_empty() {
        record.observations = Record::new(record.post.clone()).observations;
    }
    Ok(Incoming::Record(Box::new(record)))
}

/// Tells a record from a post.
#[derive(Deserialize)]
struct Probe<'a> {
    #[serde(borrow, default)]
    post: Option<&'a RawValue>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use heurpipe_core::{Counts, PostId};

    use super::*;

    fn record() -> Record {
        let id: PostId = "weibo:1".parse().unwrap();
        let mut post = Post::new(id, "2026-05-02T00:00:00Z".parse().unwrap());
        post.text = "两行\nlook".to_owned();
        post.counts = Counts::new(Some(1), None, None);
        post.given
            .insert("garment".to_owned(), vec!["dress".to_owned()]);
        let mut record = Record::new(post);
        record.states.insert("catalog".to_owned(), heurpipe_core::State::Delivered);
        record.revision = 7;
        record
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        let record = record();
        let line = to_line(&record).unwrap();
        assert!(!line.contains('\n'));
        match from_line(&line).unwrap() {
            Incoming::Record(read) => assert_eq!(*read, record),
            other => panic!("no record: {other:?}"),
        }
    }

    #[test]
    fn the_line_has_the_keys_that_people_script_against() {
        let line = to_line(&record()).unwrap();
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        for key in ["post", "annotations", "ledger", "observations", "states"] {
            assert!(value.get(key).is_some(), "{key}");
        }
        assert_eq!(value["effective"]["garment"][0], "dress");
        assert_eq!(value["revision"], 7);
    }

    #[test]
    fn a_post_alone_is_read_too() {
        let line = serde_json::to_string(&record().post).unwrap();
        match from_line(&line).unwrap() {
            Incoming::Post(post) => assert_eq!(post, record().post),
            other => panic!("no post: {other:?}"),
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        for line in ["{}", "[]", "nonsense", r#"{"post":{}}"#, r#"{"id":"x"}"#] {
            let error = from_line(line).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{line}");
        }
    }
}
