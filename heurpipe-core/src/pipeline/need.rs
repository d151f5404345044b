//! Whether an enricher has anything to do on a target, and why.

use std::cell::OnceCell;

use crate::flat::Flat;
use crate::{
    By, EnricherSpec, Fetched, Granularity, InputDigest, LedgerOutcome, MediaKind, Record,
    SkipReason, Target,
};

/// Why an enricher would run on a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It never ran there.
    New,
    /// It ran there with another fingerprint.
    Stale,
    /// What it sees has changed.
    InputChanged,
    /// It failed there, or was skipped for a reason that no longer holds.
    Unfinished,
}

/// What is to be done about an enricher on a target.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Decision {
    /// Nothing: the ledger has it.
    Satisfied,
    /// Run it on this input.
    Run { input: InputDigest, why: Why },
    /// Do not run it, and say so in the ledger.
    Skip {
        input: InputDigest,
        reason: SkipReason,
    },
}

/// The targets of an enricher on a record.
pub(crate) fn targets(spec: &EnricherSpec, record: &Record) -> Vec<Target> {
    match spec.granularity {
        Granularity::Post => vec![Target::Post],
        Granularity::Media => record
            .post
            .media
            .iter()
            .filter(|m| m.kind != MediaKind::Video && m.fetched != Fetched::Not)
            .map(|m| Target::Media(m.id.clone()))
            .collect(),
        Granularity::Region => {
            let mut regions: Vec<Target> = Vec::new();
            for annotation in &record.annotations {
                let wanted = spec.needs.contains(&annotation.attribute)
                    && matches!(annotation.target, Target::Region { .. })
                    && !regions.contains(&annotation.target);
                if wanted {
                    regions.push(annotation.target.clone());
                }
            }
            regions
        }
    }
}

/// A record's flat view, made when the first condition asks for it.
pub(crate) type LazyFlat = OnceCell<Flat>;

/// What is to be done about an enricher on a target. `flat` belongs to the record.
pub(crate) fn decide(
    spec: &EnricherSpec,
    record: &Record,
    flat: &LazyFlat,
    target: &Target,
) -> Decision {
    let input = input_digest(spec, record, target);
    let earlier = record.ledger_entry(&spec.name, target);
    let holds = match &spec.when {
        Some(filter) => filter.matches(flat.get_or_init(|| Flat::of(record))),
        None => true,
    };
    let skip = if !holds {
        Some(SkipReason::Condition)
    } else if is_gone(record, target) {
        Some(SkipReason::MediaGone)
    } else {
        None
    };
    if let Some(entry) = earlier
        && entry.fingerprint == spec.fingerprint
        && entry.input == input
    {
        let same = match (&entry.outcome, skip) {
            (LedgerOutcome::Done, None) => true,
            (LedgerOutcome::Skipped(before), Some(now)) => *before == now,
            _ => false,
        };
        if same {
            return Decision::Satisfied;
        }
    }
    if let Some(reason) = skip {
        return Decision::Skip { input, reason };
    }
    let why = match earlier {
        None => Why::New,
        Some(entry) if entry.fingerprint != spec.fingerprint => Why::Stale,
        Some(entry) if entry.input != input => Why::InputChanged,
        Some(_) => Why::Unfinished,
    };
    Decision::Run { input, why }
}

fn is_gone(record: &Record, target: &Target) -> bool {
    target
        .media()
        .and_then(|id| record.post.medium(id))
        .is_some_and(|m| matches!(m.fetched, Fetched::Gone { .. }))
}

/// The digest of all that an enricher can see of a target: its content, and who said what of the attributes that it needs.
///
/// The fingerprints of those producers are part of it, so that whatever depends on a changed model runs again.
pub(crate) fn input_digest(spec: &EnricherSpec, record: &Record, target: &Target) -> InputDigest {
    let mut parts: Vec<Vec<u8>> = vec![content(record, target)];
    for attribute in &spec.needs {
        for annotation in record
            .annotations
            .iter()
            .filter(|a| a.attribute == *attribute)
        {
            let by = match &annotation.by {
                By::Producer(producer) => producer.fingerprint.to_string(),
                By::Person(person) => person.clone(),
            };
            let value = serde_json::to_vec(&annotation.value).unwrap_or_default();
            parts.push(annotation.target.to_string().into_bytes());
            parts.push(by.into_bytes());
            parts.push(value);
        }
    }
    let mut all = Vec::new();
    for part in parts {
        all.extend((part.len() as u64).to_le_bytes());
        all.extend(part);
    }
    InputDigest::of(&all)
}

fn content(record: &Record, target: &Target) -> Vec<u8> {
    let medium = target.media().and_then(|id| record.post.medium(id));
    match (target, medium.and_then(|m| m.digest())) {
        (Target::Region { region, .. }, Some(digest)) => {
            [digest.as_bytes().as_slice(), region.to_string().as_bytes()].concat()
        }
        (_, Some(digest)) => digest.as_bytes().to_vec(),
        (Target::Post, None) => post_content(record),
        (target, None) => target.to_string().into_bytes(),
    }
}

/// What post-level enrichers may read: text, tags, mentions, author's names, language hint.
fn post_content(record: &Record) -> Vec<u8> {
    let post = &record.post;
    let names = post.author.as_ref().map(|a| (&a.handle, &a.name));
    let seen = (
        &post.text,
        &post.hashtags,
        &post.mentions,
        names,
        &post.language_hint,
    );
    serde_json::to_vec(&seen).unwrap_or_default()
}
