//! What would run on stored records, and why.

use std::collections::BTreeMap;
use std::fmt;

use super::Pipeline;
use super::executor::Force;
use super::need::{Decision, Look, Why, decide, for_targets};
use super::order::invalid;
use super::stage::EnricherStage;
use super::stale::Groups;
use crate::{Documents, Filter, Fingerprint, LedgerOutcome, Record, Result, Scan};

/// What a pipeline would do to the records that its documents hold.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Survey {
    /// Records that the pipeline's use case knows and the filter matches.
    pub records: u64,
    /// Records on which at least one enricher would run.
    pub stale: u64,
    /// By enricher, in order of the plan.
    pub enrichers: Vec<EnricherSurvey>,
    /// The sum of the estimated costs, in CPU-milliseconds.
    pub estimated_cpu_ms: f64,
    /// The enricher that would take most CPU time.
    pub bottleneck: Option<String>,
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
    /// Of the stale targets, how many were made by which other fingerprint.
    pub changes: Vec<Change>,
    /// Records on which there is nothing to do.
    pub done: u64,
    /// Measured CPU-milliseconds a target, from the ledgers looked at; the spec's estimate where it never ran.
    pub cpu_ms: f64,
    /// Whether the cost was measured.
    pub measured: bool,
}

/// A fingerprint that is no longer that of its enricher.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Change {
    /// What the ledgers say.
    pub from: Fingerprint,
    /// What the enricher is now.
    pub to: Fingerprint,
    /// On how many targets.
    pub targets: u64,
}

/// Records of an up-to-date group that are looked at for what things cost.
const SAMPLED: usize = 64;

pub(super) async fn survey(pipeline: &Pipeline, filter: &Filter, force: &Force) -> Result<Survey> {
    let documents = pipeline.parts.documents.as_ref();
    let documents = documents
        .ok_or_else(|| invalid("a survey needs documents").with("pipeline", pipeline.name()))?
        .as_ref();
    let mut counter = Counter::new(pipeline, force);
    let scan = Scan::matching(filter.clone()).of_use_case(pipeline.name());
    if *force == Force::Nothing {
        let groups = Groups::of(pipeline, documents).await?;
        let done = scan.clone().with_analyses(groups.done_analyses());
        counter.done(documents.count(&done).await?);
        for record in &documents.scan(&done.limit(SAMPLED)).await?.records {
            counter.measure(record);
        }
        let stale = scan.with_analyses(groups.stale_analyses());
        look_at_all(documents, stale, &mut counter).await?;
    } else {
        look_at_all(documents, scan, &mut counter).await?;
    }
    Ok(counter.finish())
}

async fn look_at_all(
    documents: &dyn Documents,
    scan: Scan,
    counter: &mut Counter<'_>,
) -> Result<()> {
    let mut next = Some(scan);
    while let Some(scan) = next {
        let page = documents.scan(&scan).await?;
        for record in &page.records {
            counter.measure(record);
            counter.look_at(record);
        }
        next = page.next.map(|id| scan.after(Some(id)));
    }
    Ok(())
}

/// Whether any enricher of the pipeline has something to do on a record.
pub(super) fn needs_work(pipeline: &Pipeline, force: &Force, record: &Record) -> bool {
    let look = Look::default();
    pipeline.enrichers().any(|stage| {
        let forced = force.includes(&stage.spec().name);
        let mut needed = false;
        for_targets(stage.spec(), record, |target| {
            needed |= decide(stage, record, &look, &target, forced) != Decision::Satisfied;
        });
        needed
    })
}

struct Counter<'a> {
    stages: Vec<(&'a EnricherStage, bool)>,
    survey: Survey,
    /// CPU-milliseconds and targets, by enricher.
    measured: BTreeMap<String, (f64, u64)>,
}

impl<'a> Counter<'a> {
    fn new(pipeline: &'a Pipeline, force: &Force) -> Self {
        let stages: Vec<(&EnricherStage, bool)> = pipeline
            .enrichers()
            .map(|stage| (stage.as_ref(), force.includes(&stage.spec().name)))
            .collect();
        let entry = |(stage, _): &(&EnricherStage, bool)| EnricherSurvey {
            name: stage.spec().name.clone(),
            ..EnricherSurvey::default()
        };
        Self {
            survey: Survey {
                enrichers: stages.iter().map(entry).collect(),
                ..Survey::default()
            },
            stages,
            measured: BTreeMap::new(),
        }
    }

    /// So many records have nothing to do.
    fn done(&mut self, records: u64) {
        self.survey.records += records;
        for entry in &mut self.survey.enrichers {
            entry.done += records;
        }
    }

    fn look_at(&mut self, record: &Record) {
        let look = Look::default();
        let mut changing: Vec<&str> = Vec::new();
        let mut stale = false;
        for ((stage, forced), entry) in self.stages.iter().zip(&mut self.survey.enrichers) {
            let depends = stage
                .dependencies()
                .iter()
                .any(|attribute| changing.contains(&attribute.as_str()));
            let mut runs = false;
            for_targets(stage.spec(), record, |target| {
                let why = match decide(stage, record, &look, &target, *forced) {
                    Decision::Run { why, .. } => why,
                    Decision::Satisfied | Decision::Skip { .. } if depends => Why::InputChanged,
                    Decision::Satisfied | Decision::Skip { .. } => return,
                };
                if why == Why::Stale
                    && let Some(line) = record.ledger_entry(&stage.spec().name, &target)
                {
                    entry.changed(&line.fingerprint, &stage.spec().fingerprint);
                }
                *entry.targets.entry(why).or_default() += 1;
                runs = true;
            });
            if runs {
                entry.records += 1;
                stale = true;
                changing.extend(stage.spec().gives.iter().map(String::as_str));
            } else {
                entry.done += 1;
            }
        }
        self.survey.records += 1;
        self.survey.stale += u64::from(stale);
    }

    /// Takes note of what things cost.
    fn measure(&mut self, record: &Record) {
        for line in &record.ledger {
            if line.outcome == LedgerOutcome::Done && line.cpu_ms > 0.0 {
                let sum = self.measured.entry(line.enricher.to_string()).or_default();
                sum.0 += line.cpu_ms;
                sum.1 += 1;
            }
        }
    }

    fn finish(mut self) -> Survey {
        let mut most = 0.0;
        for (entry, (stage, _)) in self.survey.enrichers.iter_mut().zip(&self.stages) {
            let measured = self.measured.get(&entry.name);
            entry.measured = measured.is_some();
            entry.cpu_ms = match measured {
                Some((sum, count)) => sum / *count as f64,
                None => stage.spec().cost.cpu_ms(),
            };
            let targets: u64 = entry.targets.values().sum();
            let cost = entry.cpu_ms * targets as f64;
            self.survey.estimated_cpu_ms += cost;
            if cost > most {
                most = cost;
                self.survey.bottleneck = Some(entry.name.clone());
            }
        }
        self.survey
    }
}

impl EnricherSurvey {
    fn changed(&mut self, from: &Fingerprint, to: &Fingerprint) {
        match self.changes.iter_mut().find(|change| change.from == *from) {
            Some(change) => change.targets += 1,
            None => self.changes.push(Change {
                from: from.clone(),
                to: to.clone(),
                targets: 1,
            }),
        }
    }
}

impl Why {
    fn in_words(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Stale => "stale",
            Self::InputChanged => "input changed",
            Self::Unfinished => "unfinished",
            Self::Forced => "forced",
        }
    }
}

impl fmt::Display for Survey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stale, records, .. } = self;
        let cost = self.estimated_cpu_ms;
        writeln!(
            f,
            "{stale} of {records} stored posts have something to do, ~{cost:.0} cpu-ms"
        )?;
        self.enrichers.iter().try_for_each(|entry| entry.fmt(f))?;
        match &self.bottleneck {
            Some(name) => writeln!(f, "  expected bottleneck: {name}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for EnricherSurvey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = self.targets.iter();
        let why: Vec<String> = why
            .map(|(why, n)| format!("{n} {}", why.in_words()))
            .collect();
        let why = match why.is_empty() {
            true => "nothing".to_owned(),
            false => why.join(", "),
        };
        let how = if self.measured {
            "measured"
        } else {
            "by its spec"
        };
        writeln!(
            f,
            "  {:<16} {:>8} posts  {why}  ({} done, {:.3} cpu-ms each {how})",
            self.name, self.records, self.done, self.cpu_ms
        )?;
        self.changes.iter().try_for_each(|change| {
            let Change { from, to, targets } = change;
            writeln!(f, "  {:<16} {targets:>8} made by {from}, now {to}", "")
        })
    }
}
