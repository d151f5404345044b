//! Whether an enricher has anything to do on a target, and why.

use std::cell::OnceCell;

use xxhash_rust::xxh3::Xxh3Default;

use super::stage::EnricherStage;
use crate::flat::Flat;
use crate::{
    Annotation, By, EnricherSpec, Fetched, Granularity, InputDigest, LedgerEntry, LedgerOutcome,
    Post, Record, SkipReason, Target,
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
    /// It is to run whatever the ledger says.
    Forced,
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

/// Calls `each` with every target of an enricher on a record.
pub(crate) fn for_targets(spec: &EnricherSpec, record: &Record, mut each: impl FnMut(Target)) {
    match spec.granularity {
        Granularity::Post => each(Target::Post),
        Granularity::Media => {
            for picture in record.post.pictures() {
                each(Target::Media(picture.id.clone()));
            }
        }
        Granularity::Region => {
            let mut regions: Vec<&Target> = Vec::new();
            for annotation in &record.annotations {
                let wanted = spec.needs.contains(&annotation.attribute)
                    && !annotation.is_shadow()
                    && matches!(annotation.target, Target::Region { .. })
                    && !regions.contains(&&annotation.target);
                if wanted {
                    regions.push(&annotation.target);
                }
            }
            regions.into_iter().cloned().for_each(each);
        }
    }
}

/// What conditions and digests want to know of a record, worked out when the first of them asks. Belongs to the record as it is: it is made
/// anew when annotations have been added.
#[derive(Default)]
pub(crate) struct Look {
    flat: OnceCell<Box<Flat>>,
    post: OnceCell<InputDigest>,
}

impl Look {
    /// The record's flat view.
    pub(crate) fn flat(&self, record: &Record) -> &Flat {
        self.flat.get_or_init(|| Box::new(Flat::of(record)))
    }

    /// The digest of what enrichers may read of the post itself.
    fn post(&self, post: &Post) -> InputDigest {
        *self.post.get_or_init(|| post_digest(post))
    }

    /// Annotations were added: what depends on them is to be looked at again. The post is the same.
    pub(crate) fn annotated(&mut self) {
        self.flat.take();
    }
}

/// What is to be done about an enricher on a target. `look` belongs to the record.
pub(crate) fn decide(
    stage: &EnricherStage,
    record: &Record,
    look: &Look,
    target: &Target,
    forced: bool,
) -> Decision {
    let spec = stage.spec();
    let input = input_digest(spec, record, look, target);
    let earlier = record.ledger_entry(&spec.name, target);
    let skip = if !stage.condition.holds(record, look) {
        Some(SkipReason::Condition)
    } else if is_gone(record, target) {
        Some(SkipReason::MediaGone)
    } else {
        None
    };
    if let Some(entry) = earlier
        && entry.input == input
        && is_settled(stage, entry, skip)
        && !(forced && skip.is_none())
    {
        return Decision::Satisfied;
    }
    if let Some(reason) = skip {
        return Decision::Skip { input, reason };
    }
    Decision::Run {
        input,
        why: why(stage, earlier, input, forced),
    }
}

/// Whether a line says what running the enricher now would say.
fn is_settled(stage: &EnricherStage, entry: &LedgerEntry, skip: Option<SkipReason>) -> bool {
    match (&entry.outcome, skip) {
        (LedgerOutcome::Done, None) => entry.fingerprint == stage.spec().fingerprint,
        (LedgerOutcome::Skipped(before), Some(now)) => {
            *before == now && entry.fingerprint == *stage.fingerprint_of_skip(now)
        }
        _ => false,
    }
}

fn why(
    stage: &EnricherStage,
    earlier: Option<&LedgerEntry>,
    input: InputDigest,
    forced: bool,
) -> Why {
    match earlier {
        _ if forced => Why::Forced,
        None => Why::New,
        Some(entry) if entry.outcome != LedgerOutcome::Done => Why::Unfinished,
        Some(entry) if entry.fingerprint != stage.spec().fingerprint => Why::Stale,
        Some(entry) if entry.input != input => Why::InputChanged,
        Some(_) => Why::Unfinished,
    }
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
pub(crate) fn input_digest(
    spec: &EnricherSpec,
    record: &Record,
    look: &Look,
    target: &Target,
) -> InputDigest {
    let content = content(record, look, target);
    let needed = |attribute: &String| said_of(record, attribute, target).next().is_some();
    if !spec.needs.iter().any(needed) {
        return content;
    }
    let mut parts = Parts::new();
    parts.add(content.as_bytes());
    // A part of a picture is the same in whatever post: the name that its own target has there is no matter.
    let own_named = !matches!(target, Target::Region { .. });
    add_needs(&mut parts, spec, record, target, own_named);
    parts.digest()
}

/// The digest of what an enricher of pictures sees beside the picture itself: who said what of the attributes that it needs. The same for another
/// picture, by whatever name, of which the same was said.
pub(crate) fn digest_beside_picture(
    spec: &EnricherSpec,
    record: &Record,
    target: &Target,
) -> InputDigest {
    let mut parts = Parts::new();
    add_needs(&mut parts, spec, record, target, false);
    parts.digest()
}

/// Adds who said what of the attributes that an enricher needs, and of which target; that its own is meant may go without saying.
fn add_needs(
    parts: &mut Parts,
    spec: &EnricherSpec,
    record: &Record,
    target: &Target,
    own_named: bool,
) {
    for attribute in &spec.needs {
        for annotation in said_of(record, attribute, target) {
            if own_named || annotation.target != *target {
                parts.add(annotation.target.to_string().as_bytes());
            }
            parts.add(match &annotation.by {
                By::Producer(producer) => producer.fingerprint.as_str().as_bytes(),
                By::Person(person) => person.as_bytes(),
            });
            // Values are plain data, which is always written.
            parts.add(&serde_json::to_vec(&annotation.value).unwrap_or_default());
        }
    }
}

/// What people and promoted enrichers said of an attribute. Of a part of a picture only what was said of that part, of its picture or of the post counts:
/// another part that comes or goes changes nothing about this one.
fn said_of<'a>(
    record: &'a Record,
    attribute: &'a str,
    target: &'a Target,
) -> impl Iterator<Item = &'a Annotation> {
    let concerns = move |other: &Target| match (target, other) {
        (Target::Region { media, .. }, Target::Media(whole)) => media == whole,
        (Target::Region { .. }, Target::Region { .. }) => target == other,
        _ => true,
    };
    record
        .annotations
        .iter()
        .filter(move |a| a.attribute == attribute && !a.is_shadow() && concerns(&a.target))
}

fn content(record: &Record, look: &Look, target: &Target) -> InputDigest {
    if *target == Target::Post {
        return look.post(&record.post);
    }
    let mut parts = Parts::new();
    let medium = target.media().and_then(|id| record.post.medium(id));
    match medium.and_then(|m| m.digest()) {
        Some(digest) => parts.add(digest.as_bytes()),
        None => parts.add(target.to_string().as_bytes()),
    }
    if let Target::Region { region, .. } = target {
        parts.add(region.to_string().as_bytes());
    }
    parts.digest()
}

/// What post-level enrichers may read: text, tags, mentions, author's names, language hint.
fn post_digest(post: &Post) -> InputDigest {
    let mut parts = Parts::new();
    parts.add(post.text.as_bytes());
    parts.list(&post.hashtags);
    parts.list(&post.mentions);
    let author = post.author.as_ref();
    parts.option(author.and_then(|a| a.handle.as_deref()));
    parts.option(author.and_then(|a| a.name.as_deref()));
    parts.option(post.language_hint.as_deref());
    parts.digest()
}

/// Hashes parts, each preceded by its length, so that no two lists of parts are taken for one another.
struct Parts(Xxh3Default);

impl Parts {
    fn new() -> Self {
        Self(Xxh3Default::new())
    }

    fn add(&mut self, part: &[u8]) {
        self.0.update(&(part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    fn list(&mut self, parts: &[String]) {
        self.0.update(&(parts.len() as u64).to_le_bytes());
        for part in parts {
            self.add(part.as_bytes());
        }
    }

    fn option(&mut self, part: Option<&str>) {
        match part {
            Some(part) => self.add(part.as_bytes()),
            None => self.0.update(&u64::MAX.to_le_bytes()),
        }
    }

    fn digest(&self) -> InputDigest {
        InputDigest::from_hash(self.0.digest128())
    }
}
