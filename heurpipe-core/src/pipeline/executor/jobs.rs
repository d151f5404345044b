//! What an enricher has to do on a parcel: on which targets it runs, what it is shown, and what comes of it.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::budget::Candidate;
use super::super::near::Appearance;
use super::super::need::{Decision, Look, decide, for_targets};
use super::call::Answers;
use super::pictures::Found;
use super::shared::{Envelope, Failure, Shared};
use super::stages::EnricherRun;
use crate::{
    Annotation, Digest, EnricherSpec, Error, ErrorKind, Finding, Fingerprint, Input, InputDigest,
    Item, ItemResult, LedgerEntry, LedgerOutcome, Producer, Record, SkipReason, Target,
};

/// One target on which an enricher is to run.
pub(super) struct Job {
    /// Index of the envelope.
    pub(super) envelope: usize,
    pub(super) target: Target,
    pub(super) input: InputDigest,
    /// What its picture looks like, where that may stand for another picture.
    pub(super) appearance: Option<Appearance>,
    pub(super) given: Given,
}

/// Where a job's answer comes from.
pub(super) enum Given {
    /// The enricher is shown the item with this index.
    Item(usize),
    /// It was found before, in the same picture or in this other one.
    Recalled(Vec<Finding>, Option<Digest>),
    /// There is nothing to show: the picture cannot be had or decoded.
    Nothing(Error),
}

/// The jobs of an enricher on a parcel, and what it is shown. What it skips is entered into the ledger at once.
pub(super) fn plan(
    shared: &Shared,
    run: &EnricherRun,
    envelopes: &mut [Envelope],
    looks: &mut [Look],
) -> Vec<Job> {
    let mut jobs = Vec::with_capacity(envelopes.len());
    let mut skips = Skips::new(run, shared.now());
    let mut satisfied = 0;
    for (index, (envelope, look)) in envelopes.iter_mut().zip(looks.iter_mut()).enumerate() {
        if envelope.failure.is_some() {
            continue;
        }
        let mut skipped = Vec::new();
        let record = &envelope.record;
        for_targets(run.stage.spec(), record, |target| {
            match decide(&run.stage, record, look, &target, run.forced) {
                Decision::Satisfied => satisfied += 1,
                Decision::Skip { input, reason } => skipped.push((target, input, reason)),
                Decision::Run { input, .. } => jobs.push(Job {
                    envelope: index,
                    target,
                    input,
                    appearance: None,
                    given: Given::Item(usize::MAX),
                }),
            }
        });
        for (target, input, reason) in skipped {
            skips.enter(&mut envelope.record, look, target, input, reason);
        }
    }
    let jobs = within_budget(shared, run, envelopes, looks, jobs, &mut skips);
    run.meter.skipped(satisfied + skips.entered);
    jobs
}

/// Of a dear enricher's jobs, those that the budget allows. The others are entered as skipped.
fn within_budget(
    shared: &Shared,
    run: &EnricherRun,
    envelopes: &mut [Envelope],
    looks: &mut [Look],
    jobs: Vec<Job>,
    skips: &mut Skips<'_>,
) -> Vec<Job> {
    let spec = run.stage.spec();
    let Some(controller) = &shared.controller else {
        return jobs;
    };
    // What a candidate is worth takes looking at its record, which a cheap enricher is spared.
    if !controller.governs(&spec.name, spec.cost.cpu_ms()) {
        return jobs;
    }
    let candidates: Vec<Candidate> = jobs
        .iter()
        .map(|job| candidate(spec, &envelopes[job.envelope].record, &job.target))
        .collect();
    let chosen = controller.choose(&spec.name, spec.cost.cpu_ms(), &candidates);
    let mut kept = Vec::with_capacity(jobs.len());
    for (job, chosen) in jobs.into_iter().zip(chosen) {
        if chosen {
            kept.push(job);
        } else {
            let record = &mut envelopes[job.envelope].record;
            let look = &mut looks[job.envelope];
            skips.enter(record, look, job.target, job.input, SkipReason::Budget);
        }
    }
    kept
}

/// What running an enricher on a target is worth: the greatest confidence of what it builds upon, on this target or on the post. Where it
/// builds upon nothing that has a degree, all targets are worth the same, and the hash of the post's id decides.
fn candidate(spec: &EnricherSpec, record: &Record, target: &Target) -> Candidate {
    let near = |annotation: &&Annotation| {
        let same = annotation.target.media() == target.media();
        (same || annotation.target == Target::Post)
            && !annotation.is_shadow()
            && spec.builds_upon(&annotation.attribute)
    };
    let confidences = record.annotations.iter().filter(near);
    let score = confidences.filter_map(|a| a.confidence).reduce(f32::max);
    let id = record.id().to_string();
    Candidate {
        score: score.unwrap_or(1.0),
        tie: Digest::of(id.as_bytes()).unit_interval(),
    }
}

/// Enters into ledgers that an enricher was skipped.
struct Skips<'a> {
    run: &'a EnricherRun,
    name: Arc<str>,
    now: Timestamp,
    entered: usize,
}

impl<'a> Skips<'a> {
    fn new(run: &'a EnricherRun, now: Timestamp) -> Self {
        Self {
            run,
            name: run.stage.spec().name.as_str().into(),
            now,
            entered: 0,
        }
    }

    /// What the enricher found there before goes, and whoever depends on it is to see that: `look` belongs to the record.
    fn enter(
        &mut self,
        record: &mut Arc<Record>,
        look: &mut Look,
        target: Target,
        input: InputDigest,
        reason: SkipReason,
    ) {
        let entry = LedgerEntry::new(
            Arc::clone(&self.name),
            self.run.stage.fingerprint_of_skip(reason).clone(),
            target,
            input,
            LedgerOutcome::Skipped(reason),
            self.now,
        );
        let before = record.annotations.len();
        let record = Arc::make_mut(record);
        record.enter(entry, Vec::new());
        if record.annotations.len() != before {
            look.annotated();
        }
        self.entered += 1;
    }
}

/// Gives each job the item that shows its target, one item a job.
pub(super) fn show_records(envelopes: &[Envelope], jobs: &mut [Job]) -> Vec<Item> {
    let items = jobs.iter_mut().enumerate().map(|(index, job)| {
        job.given = Given::Item(index);
        item(envelopes, job)
    });
    items.collect()
}

/// The item that shows a job's target, without bytes or pixels.
pub(super) fn item(envelopes: &[Envelope], job: &Job) -> Item {
    let record = Arc::clone(&envelopes[job.envelope].record);
    Item::new(record, job.target.clone())
}

/// What came of an enricher's calls on a parcel.
pub(super) struct Results {
    answers: Vec<Answers>,
    /// CPU-milliseconds an item that was shown.
    cpu_ms: f64,
}

impl Results {
    /// The answers to so many items, which took so much CPU time in all.
    pub(super) fn new(answers: Vec<Answers>, items: usize, cpu_ms: f64) -> Self {
        Self {
            answers,
            cpu_ms: cpu_ms / items.max(1) as f64,
        }
    }

    /// Enters what came of the jobs into their records. Gives what was found in pictures just now.
    pub(super) fn enter(
        self,
        run: &EnricherRun,
        envelopes: &mut [Envelope],
        looks: &mut [Look],
        jobs: Vec<Job>,
        now: Timestamp,
    ) -> Found {
        let of_pictures = run.stage.spec().input != Input::Record;
        let mut found = Found::default();
        let mut outcomes = Outcomes::of(self.answers, &jobs, &run.stage.spec().fingerprint);
        let mut entering = Entering::new(run, now);
        for job in jobs {
            let mut fresh = false;
            let answer = match job.given {
                Given::Item(index) => {
                    let (findings, fingerprint, first) = outcomes.take(index);
                    fresh = first && of_pictures;
                    let cpu_ms = if first { self.cpu_ms } else { 0.0 };
                    Answer::new(findings, fingerprint).cost(cpu_ms)
                }
                Given::Recalled(findings, origin) => {
                    entering.recalled += 1;
                    Answer::new(Ok(findings), outcomes.planned.clone()).found_in(origin)
                }
                Given::Nothing(error) => Answer::new(Err(error), outcomes.planned.clone()),
            };
            let envelope = &mut envelopes[job.envelope];
            let place = (job.target, job.input);
            if fresh && let Ok(findings) = &answer.findings {
                let answered = (&answer.fingerprint, findings.as_slice());
                found.add(envelope, (&place.0, place.1), job.appearance, answered);
            }
            if entering.enter(envelope, place, answer) {
                looks[job.envelope].annotated();
            }
        }
        run.meter.left(entering.done);
        run.meter.failed(entering.failed);
        run.meter.reused(entering.recalled);
        found
    }
}

/// The answer to one job.
struct Answer {
    findings: ItemResult<Vec<Finding>>,
    fingerprint: Fingerprint,
    cpu_ms: f64,
    /// The other picture in which it was found.
    origin: Option<Digest>,
}

impl Answer {
    fn new(findings: ItemResult<Vec<Finding>>, fingerprint: Fingerprint) -> Self {
        Self {
            findings,
            fingerprint,
            cpu_ms: 0.0,
            origin: None,
        }
    }

    fn cost(mut self, cpu_ms: f64) -> Self {
        self.cpu_ms = cpu_ms;
        self
    }

    fn found_in(mut self, origin: Option<Digest>) -> Self {
        self.origin = origin;
        self
    }
}

/// Outcomes by item. Several jobs may share that of a picture: the last takes it, the others take a copy.
struct Outcomes {
    findings: Vec<Option<ItemResult<Vec<Finding>>>>,
    /// How many jobs want each outcome, and how many did at first; empty where each is wanted once.
    wanted: Vec<(u32, u32)>,
    /// With which fingerprint the items before an index were answered, in order.
    fingerprints: Vec<(usize, Fingerprint)>,
    /// What the enricher was planned to run with.
    planned: Fingerprint,
}

impl Outcomes {
    fn of(answers: Vec<Answers>, jobs: &[Job], planned: &Fingerprint) -> Self {
        let items = answers.iter().map(|answer| answer.outcomes.len()).sum();
        let mut findings = Vec::with_capacity(items);
        let mut fingerprints = Vec::with_capacity(answers.len());
        for answer in answers {
            findings.extend(answer.outcomes.into_iter().map(Some));
            fingerprints.push((findings.len(), answer.fingerprint.apart()));
        }
        Self {
            wanted: if items < jobs.len() {
                wanted(items, jobs)
            } else {
                Vec::new()
            },
            findings,
            fingerprints,
            planned: planned.apart(),
        }
    }

    /// An item's outcome, its fingerprint, and whether this is its first use.
    fn take(&mut self, index: usize) -> (ItemResult<Vec<Finding>>, Fingerprint, bool) {
        let mut ends = self.fingerprints.iter();
        let fingerprint = ends.find(|(end, _)| index < *end).map(|(_, f)| f.clone());
        let fingerprint = fingerprint.unwrap_or_else(|| self.planned.clone());
        let (left, first) = match self.wanted.get_mut(index) {
            Some((left, all)) => {
                let first = left == all;
                *left = left.saturating_sub(1);
                (*left, first)
            }
            None => (0, true),
        };
        let findings = match self.findings.get_mut(index) {
            Some(Some(shared)) if left > 0 => match shared {
                Ok(findings) => Ok(findings.clone()),
                Err(error) => Err(error.replica()),
            },
            Some(slot) => slot.take().unwrap_or_else(|| Err(missing())),
            None => Err(missing()),
        };
        (findings, fingerprint, first)
    }
}

/// How many jobs want the outcome of each of so many items, twice.
fn wanted(items: usize, jobs: &[Job]) -> Vec<(u32, u32)> {
    let mut wanted = vec![(0, 0); items];
    for job in jobs {
        if let Given::Item(index) = job.given
            && let Some((left, all)) = wanted.get_mut(index)
        {
            *left += 1;
            *all += 1;
        }
    }
    wanted
}

/// Each call is checked to answer every item, and each job to take its answer once.
fn missing() -> Error {
    Error::new(ErrorKind::Internal, "pipeline.enrich").message("an item has no outcome")
}

/// Enters outcomes into records.
struct Entering<'a> {
    spec: &'a EnricherSpec,
    /// A copy of its own for this parcel: cores that work on different parcels would fight over one counter.
    name: Arc<str>,
    now: Timestamp,
    done: usize,
    failed: usize,
    recalled: usize,
}

impl<'a> Entering<'a> {
    fn new(run: &'a EnricherRun, now: Timestamp) -> Self {
        let spec = run.stage.spec();
        Self {
            spec,
            name: spec.name.as_str().into(),
            now,
            done: 0,
            failed: 0,
            recalled: 0,
        }
    }

    /// Enters one answer; a failure is that of the whole post. Whether annotations came or went.
    fn enter(
        &mut self,
        envelope: &mut Envelope,
        (target, input): (Target, InputDigest),
        answer: Answer,
    ) -> bool {
        let record = Arc::make_mut(&mut envelope.record);
        let before = record.annotations.len();
        let fingerprint = answer.fingerprint;
        let (outcome, annotations) = match answer.findings {
            Ok(findings) => {
                self.done += 1;
                let annotations = self.annotations(&target, findings, &fingerprint);
                (LedgerOutcome::Done, annotations)
            }
            Err(error) => {
                self.failed += 1;
                let failed = LedgerOutcome::Failed(error.to_string());
                envelope.failure.get_or_insert_with(|| {
                    let error = error.with("target", &target);
                    Failure::at(&self.spec.name, error)
                });
                (failed, Vec::new())
            }
        };
        let changes = before > 0 || !annotations.is_empty();
        let name = Arc::clone(&self.name);
        let entry = LedgerEntry::new(name, fingerprint, target, input, outcome, self.now);
        let entry = entry.cost(answer.cpu_ms).found_in(answer.origin);
        record.enter(entry, annotations);
        changes
    }

    fn annotations(
        &self,
        target: &Target,
        findings: Vec<Finding>,
        fingerprint: &Fingerprint,
    ) -> Vec<Annotation> {
        let annotation = |finding| {
            let producer = Producer {
                name: self.spec.name.clone(),
                version: self.spec.version.clone(),
                fingerprint: fingerprint.clone(),
                threshold: self.spec.threshold,
                shadow: self.spec.shadow,
            };
            Annotation::produced(target.clone(), finding, producer, self.now)
        };
        findings.into_iter().map(annotation).collect()
    }
}
