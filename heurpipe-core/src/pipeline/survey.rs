//! What would run on stored records, and why.

use std::collections::BTreeMap;

use super::Pipeline;
use super::need::{Decision, LazyFlat, Why, decide, targets};
use super::plan::{dependencies, invalid};
use crate::{Filter, Record, Result, Scan};

/// What a pipeline would do to the records that its documents hold.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Survey {
    /// Records looked at: those that the pipeline's use case knows and the filter matches.
    pub records: u64,
    /// Records on which at least one enricher would run.
    pub stale: u64,
    /// By enricher, in order of the plan.
    pub enrichers: Vec<EnricherSurvey>,
    /// The sum of the estimated costs, in CPU-milliseconds.
    pub estimated_cpu_ms: f64,
}

/// What one enricher would do.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct EnricherSurvey {
    /// Its name.
    pub name: String,
    /// Records on which it would run.
    pub records: u64,
    /// Targets on which it would run, by reason. Depending enrichers are counted as `input_changed`.
    pub targets: BTreeMap<Why, u64>,
    /// Targets on which there is nothing to do.
    pub satisfied: u64,
    /// Measured CPU-milliseconds a target, from the ledger; the spec's estimate where it never ran.
    pub cpu_ms: f64,
}

pub(super) async fn survey(pipeline: &Pipeline, filter: &Filter) -> Result<Survey> {
    let documents = pipeline
        .documents
        .as_ref()
        .ok_or_else(|| invalid("a survey needs documents").with("pipeline", &pipeline.name))?;
    let mut counter = Counter::new(pipeline);
    let mut scan = Scan::matching(filter.clone()).of_use_case(&pipeline.name);
    loop {
        let page = documents.scan(&scan).await?;
        for record in &page.records {
            counter.look_at(record);
        }
        match page.next {
            Some(id) => scan = scan.after(Some(id)),
            None => return Ok(counter.finish()),
        }
    }
}

/// Whether any enricher of the pipeline has something to do on a record.
pub(super) fn needs_work(pipeline: &Pipeline, record: &Record) -> bool {
    let flat = LazyFlat::new();
    pipeline.enrichers().any(|enricher| {
        let spec = enricher.spec();
        targets(spec, record)
            .iter()
            .any(|target| decide(spec, record, &flat, target) != Decision::Satisfied)
    })
}

struct Counter<'a> {
    pipeline: &'a Pipeline,
    survey: Survey,
    measured: BTreeMap<String, (f64, u64)>,
}

impl<'a> Counter<'a> {
    fn new(pipeline: &'a Pipeline) -> Self {
        let enrichers = pipeline
            .enrichers()
            .map(|e| EnricherSurvey {
                name: e.spec().name.clone(),
                ..EnricherSurvey::default()
            })
            .collect();
        Self {
            pipeline,
            survey: Survey {
                enrichers,
                ..Survey::default()
            },
            measured: BTreeMap::new(),
        }
    }

    fn look_at(&mut self, record: &Record) {
        let flat = LazyFlat::new();
        let mut changing: Vec<&str> = Vec::new();
        let mut stale = false;
        for (index, enricher) in self.pipeline.enrichers().enumerate() {
            let spec = enricher.spec();
            let depends = dependencies(spec)
                .iter()
                .any(|a| changing.contains(&a.as_str()));
            let entry = &mut self.survey.enrichers[index];
            let mut runs = false;
            for target in targets(spec, record) {
                let why = match decide(spec, record, &flat, &target) {
                    Decision::Run { why, .. } => why,
                    Decision::Satisfied | Decision::Skip { .. } if depends => Why::InputChanged,
                    Decision::Satisfied | Decision::Skip { .. } => {
                        entry.satisfied += 1;
                        continue;
                    }
                };
                *entry.targets.entry(why).or_default() += 1;
                runs = true;
            }
            if runs {
                entry.records += 1;
                stale = true;
                changing.extend(spec.gives.iter().map(String::as_str));
            }
        }
        self.survey.records += 1;
        self.survey.stale += u64::from(stale);
        for line in &record.ledger {
            if line.cpu_ms > 0.0 {
                let sum = self.measured.entry(line.enricher.to_string()).or_default();
                sum.0 += line.cpu_ms;
                sum.1 += 1;
            }
        }
    }

    fn finish(mut self) -> Survey {
        for (entry, enricher) in self
            .survey
            .enrichers
            .iter_mut()
            .zip(self.pipeline.enrichers())
        {
            entry.cpu_ms = match self.measured.get(&entry.name) {
                Some((sum, count)) => sum / *count as f64,
                None => enricher.spec().cost.cpu_ms(),
            };
            let targets: u64 = entry.targets.values().sum();
            self.survey.estimated_cpu_ms += entry.cpu_ms * targets as f64;
        }
        self.survey
    }
}

impl std::fmt::Display for Survey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{} of {} stored posts have something to do, ~{:.0} cpu-ms",
            self.stale, self.records, self.estimated_cpu_ms
        )?;
        for entry in &self.enrichers {
            let why: Vec<String> = entry
                .targets
                .iter()
                .map(|(why, count)| {
                    let why = match why {
                        Why::New => "new",
                        Why::Stale => "stale",
                        Why::InputChanged => "input changed",
                        Why::Unfinished => "unfinished",
                    };
                    format!("{count} {why}")
                })
                .collect();
            let why = if why.is_empty() {
                "nothing".to_owned()
            } else {
                why.join(", ")
            };
            writeln!(
                f,
                "  {:<16} {:>8} posts  {why}  ({} done, {:.2} cpu-ms each)",
                entry.name, entry.records, entry.satisfied, entry.cpu_ms
            )?;
        }
        Ok(())
    }
}
