//! What a pipeline will do, for people: its stages in order, and after a run the same picture with what was measured.

use std::fmt;

use super::condition::Condition;
use super::near::NearDuplicates;
use super::stage::EnricherStage;
use crate::{Granularity, Input, RunReport, StageReport};

/// What a pipeline will do: printed by `heurpipe plan`.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// The pipeline's name.
    pub pipeline: String,
    /// The stages in order.
    pub stages: Vec<PlannedStage>,
    /// The enricher that is expected to take most CPU time, by what the specs say.
    pub bottleneck: Option<String>,
}

/// One stage of a plan.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct PlannedStage {
    /// `source`, `media`, `enrich`, `gate`, `sink` or `tee`.
    pub kind: &'static str,
    /// Its name, as in reports.
    pub name: String,
    /// Enrichers of one wave run side by side.
    pub wave: Option<usize>,
    /// For which posts it is, if not for all.
    pub condition: Option<String>,
    /// From how near a picture it may take over what it found there, if at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near_duplicates: Option<String>,
    /// Attributes that must be there before it.
    pub needs: Vec<String>,
    /// Attributes that it gives.
    pub gives: Vec<String>,
    /// What it does, in a line.
    pub detail: String,
    /// Estimated CPU-milliseconds an item.
    pub cpu_ms: Option<f64>,
}

impl PlannedStage {
    pub(crate) fn new(kind: &'static str, name: &str, detail: String) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            wave: None,
            condition: None,
            near_duplicates: None,
            needs: Vec::new(),
            gives: Vec::new(),
            detail,
            cpu_ms: None,
        }
    }

    pub(crate) fn enricher(
        stage: &EnricherStage,
        wave: usize,
        near: Option<&NearDuplicates>,
    ) -> Self {
        let spec = stage.spec();
        let item = match (spec.granularity, &spec.input) {
            (Granularity::Post, _) => "post".to_owned(),
            (Granularity::Media, Input::Pixels(p)) => {
                format!("picture at {}x{}", p.width, p.height)
            }
            (Granularity::Media, _) => "picture".to_owned(),
            (Granularity::Region, _) => "region".to_owned(),
        };
        let mut detail = format!("each {item} -> {}", spec.gives.join(", "));
        if !spec.needs.is_empty() {
            detail.push_str(&format!(", needs {}", spec.needs.join(", ")));
        }
        detail.push_str(&format!(" [{} {}]", spec.version, spec.fingerprint));
        Self {
            wave: Some(wave),
            near_duplicates: near.map(ToString::to_string),
            needs: spec.needs.clone(),
            gives: spec.gives.clone(),
            cpu_ms: Some(spec.cost.cpu_ms()),
            ..Self::new("enrich", &spec.name, detail)
        }
        .under(&stage.condition)
    }

    pub(crate) fn under(mut self, condition: &Condition) -> Self {
        self.condition = (!condition.is_always()).then(|| condition.to_string());
        self
    }

    fn kind_and_wave(&self) -> String {
        let wave = self.wave.map(|w| format!(" {w}")).unwrap_or_default();
        format!("{}{wave}", self.kind)
    }
}

impl Plan {
    /// The plan of these stages.
    pub(crate) fn new(pipeline: &str, stages: Vec<PlannedStage>) -> Self {
        let cost = |stage: &&PlannedStage| stage.cpu_ms.unwrap_or_default();
        let dearest = stages
            .iter()
            .filter(|stage| stage.kind == "enrich")
            .max_by(|a, b| cost(a).total_cmp(&cost(b)));
        Self {
            pipeline: pipeline.to_owned(),
            bottleneck: dearest.map(|stage| stage.name.clone()),
            stages,
        }
    }

    /// The plan beside what a run of it measured.
    ///
    /// ```
    /// # use heurpipe_core::testkit::{Collect, Posts};
    /// # use heurpipe_core::{Pipeline, RunOptions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> heurpipe_core::Result<()> {
    /// let pipeline = Pipeline::builder("copy")
    ///     .source(Posts::texts(["a red dress"]))
    ///     .sink(Collect::new("out"))
    ///     .build()?;
    /// let report = pipeline.run(RunOptions::default()).await?;
    /// println!("{}", pipeline.plan().explain(&report));
    /// # assert!(pipeline.plan().explain(&report).to_string().contains("out"));
    /// # Ok(()) }
    /// ```
    pub fn explain<'a>(&'a self, report: &'a RunReport) -> Explained<'a> {
        Explained { plan: self, report }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "pipeline {}", self.pipeline)?;
        for stage in &self.stages {
            let cost = stage
                .cpu_ms
                .map(|ms| format!("  ~{} cpu-ms", (ms * 100.0).round() / 100.0))
                .unwrap_or_default();
            let kind = stage.kind_and_wave();
            writeln!(f, "  {kind:<9} {:<16} {}{cost}", stage.name, stage.detail)?;
            if let Some(condition) = &stage.condition {
                writeln!(f, "  {:<9} {:<16} only {condition}", "", "")?;
            }
            if let Some(near) = &stage.near_duplicates {
                writeln!(f, "  {:<9} {:<16} or as found before at {near}", "", "")?;
            }
        }
        match &self.bottleneck {
            Some(name) => writeln!(f, "  dearest   {name}"),
            None => Ok(()),
        }
    }
}

/// A plan beside what a run of it measured; prints as a table.
#[derive(Debug, Clone, Copy)]
pub struct Explained<'a> {
    plan: &'a Plan,
    report: &'a RunReport,
}

impl Explained<'_> {
    fn line(&self, f: &mut fmt::Formatter<'_>, kind: &str, stage: &StageReport) -> fmt::Result {
        let done = stage.left + stage.failed;
        let each = stage.cpu_ms / done.max(1) as f64;
        let rate = done as f64 / self.report.seconds.max(1e-9);
        let most = self.report.bottleneck.as_deref() == Some(stage.name.as_str());
        writeln!(
            f,
            "  {kind:<9} {:<16} {:>9} {:>9} {:>8} {:>7} {each:>8.3} {rate:>10.0} {:>5.0} %{}",
            stage.name,
            stage.entered,
            stage.left,
            stage.skipped,
            stage.failed,
            stage.busy * 100.0,
            if most { "  <- busiest" } else { "" }
        )
    }
}

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "pipeline {}, run {}: {:.1} posts/s",
            self.plan.pipeline, self.report.run, self.report.posts_per_second
        )?;
        writeln!(
            f,
            "  {:<9} {:<16} {:>9} {:>9} {:>8} {:>7} {:>8} {:>10} {:>7}",
            "", "", "in", "out", "skipped", "failed", "cpu-ms", "items/s", "busy"
        )?;
        for stage in &self.report.stages {
            let planned = self.plan.stages.iter().find(|p| p.name == stage.name);
            let kind = planned.map(PlannedStage::kind_and_wave).unwrap_or_default();
            self.line(f, &kind, stage)?;
        }
        Ok(())
    }
}
