//! A post with all that is known of it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::annotation::{Annotation, By, Target, Value};
use super::id::{Fingerprint, InputDigest, PostId};
use super::ledger::{LedgerEntry, LedgerOutcome};
use super::post::{Counts, Post};
use super::states::States;
use crate::direction::has_direction;

/// What a use case has made of a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum State {
    /// Gathered or changed, not settled yet: the use case owes it an outcome.
    Pending {
        /// Whether sinks have an earlier version, which must be brought up to date whatever the outcome.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        delivered: bool,
    },
    /// Waits for a person's decision.
    Held {
        /// Why.
        reason: String,
    },
    /// All its sinks have it, or those that want it.
    Delivered,
    /// No sink wants it.
    Filtered {
        /// Why.
        reason: String,
    },
    /// The gate refused it.
    Rejected {
        /// Why.
        reason: String,
    },
    /// It failed for good; see the dead letters.
    Dead {
        /// The outermost error.
        reason: String,
    },
}

impl State {
    /// Whether sinks have some version of the record.
    pub fn is_in_sinks(&self) -> bool {
        matches!(self, Self::Delivered | Self::Pending { delivered: true })
    }

    /// Whether the use case owes nothing more: neither pending nor waiting for a person.
    pub fn is_settled(&self) -> bool {
        !matches!(self, Self::Pending { .. } | Self::Held { .. })
    }

    /// The stable name: `pending`, `held`, `delivered`, `filtered`, `rejected`, `dead`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pending { .. } => "pending",
            Self::Held { .. } => "held",
            Self::Delivered => "delivered",
            Self::Filtered { .. } => "filtered",
            Self::Rejected { .. } => "rejected",
            Self::Dead { .. } => "dead",
        }
    }
}

/// What was seen of a post at one time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Observation {
    /// When.
    pub at: Timestamp,
    /// The counts shown.
    pub counts: Counts,
    /// Whether the source said that the post is gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
}

/// A post, its annotations, its ledger, what was observed over time and what each use case made of it.
///
/// `revision` is raised by [`Documents::commit`](crate::Documents::commit) with compare-and-set; two writers that touch one post
/// merge with [`Record::merge`] and nothing is overwritten.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// The post. It stays where its source has put it: records are moved, posts are not.
    pub post: Box<Post>,
    /// What models and people said, in canonical order.
    #[serde(default)]
    pub annotations: Vec<Annotation>,
    /// What was done.
    #[serde(default)]
    pub ledger: Vec<LedgerEntry>,
    /// Counts over time; consecutive equal ones are kept once.
    #[serde(default)]
    pub observations: Vec<Observation>,
    /// What each use case made of it, by the pipeline's name.
    #[serde(default)]
    pub states: States,
    /// 0 before the first commit.
    #[serde(default)]
    pub revision: u64,
}

/// The labels of each attribute that filters, facets and trends see.
pub type Effective = BTreeMap<String, BTreeSet<String>>;

impl Record {
    /// A record of a post just gathered.
    pub fn new(post: impl Into<Box<Post>>) -> Self {
        let post = post.into();
        let first = Observation {
            at: post.collected_at,
            counts: post.counts,
            gone: false,
        };
        Self {
            post,
            annotations: Vec::new(),
            ledger: Vec::new(),
            observations: vec![first],
            states: States::new(),
            revision: 0,
        }
    }

    /// The post's identity.
    pub fn id(&self) -> &PostId {
        &self.post.id
    }

    /// The use cases that have delivered the post: those it is relevant to.
    pub fn relevant_to(&self) -> impl Iterator<Item = &str> {
        self.states
            .iter()
            .filter(|(_, state)| **state == State::Delivered)
            .map(|(name, _)| name.as_str())
    }

    /// The effective value of every attribute: per target what people decided, else what the newest promoted producer
    /// said above its threshold; over all targets, the union. Labels that the source itself brought count only where nobody else
    /// has spoken.
    pub fn effective(&self) -> Effective {
        let mut effective = Effective::new();
        for (attribute, annotation) in self.decisive() {
            let labels = effective.entry(attribute.to_owned()).or_default();
            labels.extend(annotation.value.labels());
        }
        for (attribute, labels) in &self.post.given {
            effective
                .entry(attribute.clone())
                .or_insert_with(|| labels.iter().cloned().collect());
        }
        effective.retain(|_, labels| !labels.is_empty());
        effective
    }

    /// The effective value of every attribute that is a number, chosen as by [`effective`](Self::effective); the greatest, where targets have
    /// several.
    pub fn effective_numbers(&self) -> BTreeMap<String, f64> {
        let mut numbers: BTreeMap<String, f64> = BTreeMap::new();
        for (attribute, annotation) in self.decisive() {
            if let Value::Number(number) = annotation.value {
                let greatest = numbers.entry(attribute.to_owned()).or_insert(number);
                *greatest = greatest.max(number);
            }
        }
        numbers
    }

    /// The vectors of every attribute that has any, chosen as by [`effective`](Self::effective): those of all targets, parts of pictures included. What
    /// has no direction is left out, since nothing can be near to it.
    pub fn effective_vectors(&self) -> BTreeMap<&str, Vec<&[f32]>> {
        let mut vectors: BTreeMap<&str, Vec<&[f32]>> = BTreeMap::new();
        for (attribute, annotation) in self.decisive() {
            if let Value::Vector(vector) = &annotation.value
                && has_direction(vector)
            {
                vectors.entry(attribute).or_default().push(vector);
            }
        }
        vectors
    }

    /// The annotations whose word counts, with their attributes.
    fn decisive(&self) -> Vec<(&str, &Annotation)> {
        let mut chosen: BTreeMap<(&str, String), Vec<&Annotation>> = BTreeMap::new();
        for annotation in self.annotations.iter().filter(|a| a.stands()) {
            let target = match &annotation.target {
                Target::Region { media, .. } => format!("media/{media}"),
                other => other.to_string(),
            };
            chosen
                .entry((&annotation.attribute, target))
                .or_default()
                .push(annotation);
        }
        let mut decisive = Vec::new();
        for ((attribute, _), candidates) in chosen {
            decisive.extend(strongest(&candidates).into_iter().map(|a| (attribute, a)));
        }
        decisive
    }

    /// A hash over the fingerprints of all enrichers that made this record, and over what else tells whether one of them has something to
    /// do here: records with one value are alike in that. What tells: whether there are pictures, or regions found in them; whether
    /// an enricher has not come to all pictures, has failed or was skipped for want of budget.
    pub fn analysis(&self) -> Fingerprint {
        let mut parts: BTreeSet<(&str, &str)> = BTreeSet::new();
        for entry in &self.ledger {
            match entry.outcome.satisfied() {
                true => parts.insert(("done", entry.fingerprint.as_str())),
                false => parts.insert(("unfinished", &entry.enricher)),
            };
            if entry.target != Target::Post && !self.covers_pictures(&entry.enricher) {
                parts.insert(("partial", &entry.enricher));
            }
        }
        if self.post.pictures().next().is_some() {
            parts.insert(("has", "pictures"));
        }
        if self.has_regions() {
            parts.insert(("has", "regions"));
        }
        Fingerprint::of(parts.into_iter().flat_map(|(what, which)| [what, which]))
    }

    /// Whether an enricher has a line for every picture.
    pub fn covers_pictures(&self, enricher: &str) -> bool {
        self.post.pictures().all(|picture| {
            self.ledger.iter().any(|entry| {
                *entry.enricher == *enricher && entry.target.media() == Some(&picture.id)
            })
        })
    }

    /// Whether a region of a picture is annotated.
    pub fn has_regions(&self) -> bool {
        let mut targets = self.annotations.iter().map(|a| &a.target);
        targets.any(|target| matches!(target, Target::Region { .. }))
    }

    /// The ledger's line for an enricher on a target.
    pub fn ledger_entry(&self, enricher: &str, target: &Target) -> Option<&LedgerEntry> {
        self.ledger
            .iter()
            .find(|entry| *entry.enricher == *enricher && entry.target == *target)
    }

    /// Whether the enricher with this fingerprint need not run on this input again.
    pub fn satisfied(
        &self,
        fingerprint: &Fingerprint,
        target: &Target,
        input: &InputDigest,
    ) -> bool {
        self.ledger.iter().any(|entry| {
            entry.fingerprint == *fingerprint
                && entry.target == *target
                && entry.input == *input
                && entry.outcome.satisfied()
        })
    }

    /// Enters what an enricher did on one target: its new annotations replace its earlier ones there, and so does its line in
    /// the ledger. People's annotations stay. A failure keeps the earlier annotations.
    pub fn enter(&mut self, entry: LedgerEntry, annotations: Vec<Annotation>) {
        let mut regions_changed = false;
        if !matches!(entry.outcome, LedgerOutcome::Failed(_)) {
            self.annotations.retain(|a| {
                let covered = entry.covers(a);
                regions_changed |= covered && a.target != entry.target;
                !covered
            });
            if !annotations.is_empty() {
                self.annotations.extend(annotations);
                sort_annotations(&mut self.annotations);
            }
        }
        match self.ledger.iter_mut().find(|old| entry.replaces(old)) {
            Some(old) => *old = entry,
            None => {
                let after = |old: &LedgerEntry| ledger_order(old, &entry).is_lt();
                let place = self.ledger.partition_point(after);
                self.ledger.insert(place, entry);
            }
        }
        if regions_changed {
            self.forget_lost_regions();
        }
    }

    /// What models said of parts of pictures that nobody finds there any more goes, with its lines in the ledger. A part is found by whoever
    /// looked at the picture as a whole, or by a person.
    fn forget_lost_regions(&mut self) {
        let finds = |annotation: &&Annotation| match (&annotation.by, annotation.target.media()) {
            (By::Producer(producer), Some(media)) => {
                let whole = Target::Media(media.to_owned());
                self.ledger_entry(&producer.name, &whole).is_some()
            }
            (By::Person(_), _) => true,
            (By::Producer(_), None) => false,
        };
        let found: Vec<Target> = self
            .annotations
            .iter()
            .filter(|a| matches!(a.target, Target::Region { .. }))
            .filter(finds)
            .map(|a| a.target.clone())
            .collect();
        let stands =
            |target: &Target| !matches!(target, Target::Region { .. }) || found.contains(target);
        self.annotations.retain(|a| stands(&a.target));
        self.ledger.retain(|line| stands(&line.target));
    }

    /// Adds what a source now says of the post. Returns whether anything of substance changed.
    ///
    /// Commutative but for fields on which two calls truly disagree: there the later collected wins. What one call leaves out, the
    /// other's word fills in.
    pub fn absorb(&mut self, post: Post) -> bool {
        let before = self.post.clone();
        let observations = self.observations.len();
        let seen = Observation {
            at: post.collected_at,
            counts: post.counts,
            gone: false,
        };
        super::merge::merge_post(&mut self.post, post);
        super::merge::add_observation(&mut self.observations, seen);
        self.post.counts = super::merge::latest_counts(&self.observations, self.post.counts);
        let mut now = self.post.clone();
        // Having been seen again is not a change of substance.
        now.collected_at = before.collected_at;
        for (new, old) in now.media.iter_mut().zip(&before.media) {
            if new.id == old.id {
                new.url.clone_from(&old.url);
                new.url_expires_at = old.url_expires_at;
            }
        }
        now.raw.clone_from(&before.raw);
        now != before || self.observations.len() != observations
    }

    /// Marks the post as gone at its source. Returns whether that is news.
    pub fn mark_gone(&mut self, at: Timestamp) -> bool {
        let counts = self.observations.last().map(|o| o.counts);
        if self.observations.last().is_some_and(|o| o.gone) {
            return false;
        }
        self.observations.push(Observation {
            at,
            counts: counts.unwrap_or_default(),
            gone: true,
        });
        true
    }

    /// Merges what another writer made of the same post since both read it: annotations and ledger lines of both, the later
    /// of two on one matter, and this record's states where both have one.
    pub fn merge(&mut self, other: Self) {
        super::merge::merge_records(self, other);
    }
}

/// Of the annotations on one attribute of one target: the people's, else those of the newest producer.
fn strongest<'a>(candidates: &[&'a Annotation]) -> Vec<&'a Annotation> {
    let people: Vec<_> = candidates
        .iter()
        .copied()
        .filter(|a| matches!(a.by, By::Person(_)))
        .collect();
    if let Some(latest) = people.iter().map(|a| a.at).max() {
        return people.into_iter().filter(|a| a.at == latest).collect();
    }
    let newest = candidates
        .iter()
        .filter_map(|a| producer_name(a).map(|name| (a.at, name)))
        .max();
    candidates
        .iter()
        .copied()
        .filter(|a| newest.is_some_and(|(_, name)| producer_name(a) == Some(name)))
        .collect()
}

fn producer_name(annotation: &Annotation) -> Option<&str> {
    match &annotation.by {
        By::Producer(producer) => Some(&producer.name),
        By::Person(_) => None,
    }
}

fn person(annotation: &Annotation) -> Option<&str> {
    match &annotation.by {
        By::Producer(_) => None,
        By::Person(name) => Some(name),
    }
}

/// Puts annotations in canonical order. Values are compared as JSON, which is made only where all else is equal.
pub(super) fn sort_annotations(annotations: &mut [Annotation]) {
    let json = |a: &Annotation| serde_json::to_string(&a.value).unwrap_or_default();
    annotations.sort_by(|a, b| {
        a.target
            .place()
            .cmp(&b.target.place())
            .then_with(|| a.attribute.cmp(&b.attribute))
            .then_with(|| producer_name(a).cmp(&producer_name(b)))
            .then_with(|| json(a).cmp(&json(b)))
            .then_with(|| person(a).cmp(&person(b)))
            .then_with(|| a.at.cmp(&b.at))
    });
}

/// Puts a ledger's lines in canonical order.
pub(super) fn sort_ledger(ledger: &mut [LedgerEntry]) {
    ledger.sort_by(ledger_order);
}

/// By enricher and target, of which there is one line each.
fn ledger_order(a: &LedgerEntry, b: &LedgerEntry) -> Ordering {
    a.enricher
        .cmp(&b.enricher)
        .then_with(|| a.target.place().cmp(&b.target.place()))
}
