//! The stages of a run: how each is called, and what it has done so far.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::super::stage::{EnricherStage, StageOptions};
use super::super::{Origin, Pipeline};
use super::meter::{Meter, rounded};
use super::options::RunOptions;
use super::shared::Shared;
use super::sizing::Sizing;
use crate::{Record, RetryPolicy, RunReport, RunStatus};

/// An enricher in a run.
pub(super) struct EnricherRun {
    pub(super) stage: Arc<EnricherStage>,
    pub(super) meter: Arc<Meter>,
    pub(super) sizing: Sizing,
    /// Calls at a time, of one parcel and over the whole run.
    pub(super) concurrency: Option<usize>,
    pub(super) slots: Option<Semaphore>,
    pub(super) timeout: Duration,
    pub(super) retry: RetryPolicy,
    /// Runs whatever the ledger says.
    pub(super) forced: bool,
}

/// A gate or a sink in a run.
pub(super) struct EndRun {
    pub(super) meter: Arc<Meter>,
    pub(super) sizing: Sizing,
    /// Calls at a time. There is one delivery at a time, so this holds over the whole run.
    pub(super) concurrency: usize,
    pub(super) timeout: Duration,
    pub(super) retry: RetryPolicy,
}

/// All stages of a run, with their meters in order of the plan.
pub(super) struct Stages {
    pub(super) sources: HashMap<String, Arc<Meter>>,
    pub(super) intake: Arc<Meter>,
    pub(super) media: Arc<Meter>,
    pub(super) decode: Arc<Meter>,
    /// What enriching costs beside the enrichers: looking at ledgers and writing them.
    pub(super) ledger: Arc<Meter>,
    pub(super) waves: Vec<Vec<EnricherRun>>,
    pub(super) gates: Vec<EndRun>,
    pub(super) sinks: Vec<EndRun>,
    pub(super) settle: Arc<Meter>,
    in_order: Vec<Arc<Meter>>,
}

impl Stages {
    pub(super) fn of(pipeline: &Pipeline, options: &RunOptions) -> Self {
        let mut meters = Meters::default();
        let parts = &pipeline.parts;
        let mut sources = HashMap::new();
        if parts.documents.is_some() {
            sources.insert("pending".to_owned(), meters.add("pending", 1));
        }
        for name in parts.origins.iter().map(Origin::name) {
            sources.insert(name.to_owned(), meters.add(name, options.readers));
        }
        let intake = meters.add("intake", 1);
        let media = meters.add("media", options.fetches);
        let decode = meters.add("decode", options.workers);
        let waves = pipeline.waves.iter().map(|wave| {
            let runs = wave.iter().map(|stage| {
                let meter = meters.add(&stage.spec().name, options.workers);
                EnricherRun::new(Arc::clone(stage), meter, options)
            });
            runs.collect()
        });
        let waves = waves.collect();
        let ledger = meters.add("ledger", options.workers);
        let mut end = |name: &str, stage: &StageOptions| EndRun {
            meter: meters.add(name, 1),
            sizing: Sizing::new(stage.batch),
            concurrency: stage.concurrency.unwrap_or(1),
            timeout: stage.timeout.unwrap_or(options.timeout),
            retry: stage.retry.unwrap_or(options.retry),
        };
        let gates = parts.gates.iter().map(|s| end(s.gate.name(), &s.options));
        let gates = gates.collect();
        let sinks = parts.sinks.iter().map(|s| end(s.name(), &s.options));
        let sinks = sinks.collect();
        let settle = meters.add("settle", 1);
        Self {
            sources,
            intake,
            media,
            decode,
            ledger,
            waves,
            gates,
            sinks,
            settle,
            in_order: meters.0,
        }
    }

    /// What the run has done so far.
    pub(super) fn report(
        &self,
        shared: &Shared,
        begun: &RunReport,
        elapsed: Duration,
    ) -> RunReport {
        let (posts, media, errors) = shared.totals.snapshot();
        let seconds = elapsed.as_secs_f64();
        let mut report = begun.clone();
        report.waiting = shared.waiting();
        if !report.waiting.is_empty() {
            report.status = RunStatus::Paused;
        }
        report.posts = posts;
        report.media = media;
        report.errors = errors;
        report.stages = self.in_order.iter().map(|m| m.report(elapsed)).collect();
        report.bottleneck = report
            .stages
            .iter()
            .max_by(|a, b| a.busy.total_cmp(&b.busy))
            .filter(|stage| stage.busy > 0.0)
            .map(|stage| stage.name.clone());
        report.budget = shared.controller.as_ref().map(|c| c.report());
        report.seconds = rounded(seconds, 3);
        report.posts_per_second = rounded(posts.read as f64 / seconds.max(1e-9), 1);
        report
    }
}

/// Meters in the order in which they were made.
#[derive(Default)]
struct Meters(Vec<Arc<Meter>>);

impl Meters {
    fn add(&mut self, name: &str, lanes: usize) -> Arc<Meter> {
        let meter = Arc::new(Meter::new(name, lanes));
        self.0.push(Arc::clone(&meter));
        meter
    }
}

impl EndRun {
    /// Divides records into calls of the size that the stage wants.
    pub(super) fn calls<'a>(&self, records: &'a [Arc<Record>]) -> Vec<&'a [Arc<Record>]> {
        let mut calls = Vec::new();
        let mut left = records;
        while !left.is_empty() {
            let (call, rest) = left.split_at(self.sizing.next(left.len()));
            calls.push(call);
            left = rest;
        }
        calls
    }
}

impl EnricherRun {
    fn new(stage: Arc<EnricherStage>, meter: Arc<Meter>, options: &RunOptions) -> Self {
        let own = &stage.options;
        Self {
            sizing: Sizing::new(own.batch),
            concurrency: own.concurrency,
            slots: own.concurrency.map(Semaphore::new),
            timeout: own.timeout.unwrap_or(options.timeout),
            retry: own.retry.unwrap_or(options.retry),
            forced: options.force.includes(&stage.spec().name),
            stage,
            meter,
        }
    }
}
