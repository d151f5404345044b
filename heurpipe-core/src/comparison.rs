//! What an enricher and its shadow said of the same targets: where they differ, who was right, and what each cost.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::{Annotation, By, LedgerEntry, LedgerOutcome, Record, Target, shadow_name};

/// A comparison of an enricher with the shadow that ran beside it, gathered record by record.
///
/// ```
/// use heurpipe_core::Comparison;
///
/// let mut comparison = Comparison::of("garment", "garment");
/// # let records: Vec<heurpipe_core::Record> = Vec::new();
/// for record in &records {
///     comparison.add(record);
/// }
/// assert_eq!(comparison.targets, 0);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// The enricher's name.
    pub enricher: String,
    /// The attribute that is compared.
    pub attribute: String,
    /// Targets on which both have run.
    pub targets: u64,
    /// Of those, targets of which both said the same.
    pub same: u64,
    /// How often the promoted one said the first and the shadow the second; several labels are joined by a comma, and nothing is `-`. Both see their words as
    /// their thresholds let them count.
    #[serde(serialize_with = "as_list")]
    pub flips: BTreeMap<(String, String), u64>,
    /// The promoted one by itself.
    pub promoted: Side,
    /// The shadow by itself.
    pub shadow: Side,
    /// Targets of which a person has decided, out of those.
    pub decided: u64,
}

/// One side of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Side {
    /// Targets on which it agreed with what a person decided.
    pub right: u64,
    /// CPU-milliseconds that it cost on all targets.
    pub cpu_ms: f64,
}

impl Comparison {
    /// Of the enricher of this name, by an attribute that it gives.
    pub fn of(enricher: &str, attribute: &str) -> Self {
        Self {
            enricher: enricher.to_owned(),
            attribute: attribute.to_owned(),
            targets: 0,
            same: 0,
            flips: BTreeMap::new(),
            promoted: Side::default(),
            shadow: Side::default(),
            decided: 0,
        }
    }

    /// Adds what both said of a record's targets.
    pub fn add(&mut self, record: &Record) {
        let shadow = shadow_name(&self.enricher);
        let lines = record.ledger.iter();
        for of_shadow in lines.filter(|line| *line.enricher == *shadow && is_done(line)) {
            let target = &of_shadow.target;
            let Some(of_promoted) = record.ledger_entry(&self.enricher, target) else {
                continue;
            };
            if !is_done(of_promoted) {
                continue;
            }
            self.targets += 1;
            self.promoted.cpu_ms += of_promoted.cpu_ms;
            self.shadow.cpu_ms += of_shadow.cpu_ms;
            let promoted = self.said(record, target, of_promoted);
            let shadow = self.said(record, target, of_shadow);
            self.same += u64::from(promoted == shadow);
            if let Some(truth) = self.decided_of(record, target) {
                self.decided += 1;
                self.promoted.right += u64::from(promoted == truth);
                self.shadow.right += u64::from(shadow == truth);
            }
            *self.flips.entry((promoted, shadow)).or_insert(0) += 1;
        }
    }

    /// What the enricher of a line said of a target, as far as its threshold lets it count.
    fn said(&self, record: &Record, target: &Target, line: &LedgerEntry) -> String {
        let counts = |annotation: &&Annotation| match &annotation.by {
            By::Producer(producer) => {
                let sure = match (annotation.confidence, producer.threshold) {
                    (Some(confidence), Some(threshold)) => confidence >= threshold,
                    _ => true,
                };
                sure && *producer.name == *line.enricher
            }
            By::Person(_) => false,
        };
        labels(self.about(record, target).filter(counts)).unwrap_or_else(|| "-".to_owned())
    }

    fn decided_of(&self, record: &Record, target: &Target) -> Option<String> {
        let decided = |annotation: &&Annotation| matches!(annotation.by, By::Person(_));
        labels(self.about(record, target).filter(decided))
    }

    fn about<'a>(
        &'a self,
        record: &'a Record,
        target: &'a Target,
    ) -> impl Iterator<Item = &'a Annotation> {
        let annotations = record.annotations.iter();
        annotations.filter(move |a| a.attribute == self.attribute && a.target == *target)
    }
}

fn is_done(line: &LedgerEntry) -> bool {
    line.outcome == LedgerOutcome::Done
}

/// The labels in alphabetical order; none where there is none.
fn labels<'a>(annotations: impl Iterator<Item = &'a Annotation>) -> Option<String> {
    let mut labels: Vec<String> = annotations.flat_map(|a| a.value.labels()).collect();
    labels.sort();
    labels.dedup();
    (!labels.is_empty()).then(|| labels.join(", "))
}

/// Pairs are no keys in JSON.
fn as_list<S: serde::Serializer>(
    flips: &BTreeMap<(String, String), u64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Flip<'a> {
        promoted: &'a str,
        shadow: &'a str,
        targets: u64,
    }
    serializer.collect_seq(flips.iter().map(|((promoted, shadow), targets)| Flip {
        promoted,
        shadow,
        targets: *targets,
    }))
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = |sum: f64| sum / (self.targets.max(1) as f64);
        writeln!(
            f,
            "{} and its shadow on {} targets: {} alike",
            self.enricher, self.targets, self.same
        )?;
        writeln!(
            f,
            "cpu-ms a target: {:.2} promoted, {:.2} shadow",
            each(self.promoted.cpu_ms),
            each(self.shadow.cpu_ms)
        )?;
        if self.decided > 0 {
            writeln!(
                f,
                "of {} that people decided: promoted right on {}, shadow on {}",
                self.decided, self.promoted.right, self.shadow.right
            )?;
        }
        let flips = self.flips.iter().filter(|((a, b), _)| a != b);
        let mut flips: Vec<_> = flips.collect();
        flips.sort_by(|a, b| b.1.cmp(a.1));
        let width = flips.iter().map(|((a, _), _)| a.chars().count()).max();
        for ((promoted, shadow), targets) in flips {
            writeln!(
                f,
                "  {promoted:<width$} -> {shadow}  {targets}",
                width = width.unwrap_or_default()
            )?;
        }
        Ok(())
    }
}
