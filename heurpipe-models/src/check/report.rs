//! What a check found, as data and as a table.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::Outcome;
use super::calibration::{Calibration, Said, calibration};
use crate::classify::Classifier;
use crate::runtime::Runtime;

/// How many mistakes are kept.
const MISTAKES: usize = 60;

/// What a check found. Prints as a plain-text table.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CheckReport {
    /// The model's name.
    pub model: String,
    /// Its version.
    pub version: String,
    /// The runtime that ran it.
    pub runtime: String,
    /// The folder.
    pub folder: PathBuf,
    /// Whether only held-out pictures were taken.
    pub holdout_only: bool,
    /// Pictures judged.
    pub pictures: usize,
    /// Of those, labelled rightly.
    pub right: usize,
    /// Share of pictures labelled rightly.
    pub accuracy: f64,
    /// The confidence from which the model's word counts.
    pub threshold: Option<f32>,
    /// Share of pictures on which its word counts.
    pub coverage: f64,
    /// Share labelled rightly among those on which its word counts.
    pub accuracy_above_threshold: f64,
    /// How honest its confidences are.
    pub calibration: Calibration,
    /// Per label.
    pub classes: Vec<ClassReport>,
    /// `confusion[is][said]`, in the order of `classes`.
    pub confusion: Vec<Vec<usize>>,
    /// Labels of the folder that the model does not know, with their pictures; these were left out.
    pub unknown_labels: BTreeMap<String, usize>,
    /// Pictures that could not be read or decoded.
    pub unreadable: Vec<Unreadable>,
    /// Wall time, in seconds.
    pub seconds: f64,
    /// Pictures judged a second, on all cores.
    pub pictures_per_second: f64,
    /// CPU-milliseconds a picture of reading pixels from bytes.
    pub decode_cpu_ms: f64,
    /// CPU-milliseconds a picture of the model.
    pub model_cpu_ms: f64,
    /// The most memory that the process has had so far, in bytes: the model on all cores, the pictures on their way, and whatever else it did. None where
    /// the system does not tell.
    pub peak_memory: Option<u64>,
    /// The pictures labelled wrongly of which the model was surest, at most 60 of them, the surest first: these are often wrong in the folder.
    pub mistakes: Vec<Mistake>,
}

/// A picture labelled wrongly.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Mistake {
    /// The file.
    pub path: PathBuf,
    /// The label that it has in the folder.
    pub is: String,
    /// The label that the model gave it.
    pub said: String,
    /// How sure the model was, 0 to 1.
    pub confidence: f32,
}

/// How good the model is on one label.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClassReport {
    /// The label.
    pub label: String,
    /// Pictures that have it.
    pub pictures: usize,
    /// Share rightly labelled among those that the model gave this label; none where it gave it to none.
    pub precision: Option<f64>,
    /// Share rightly labelled among those that have it; none where none has.
    pub recall: Option<f64>,
}

/// A picture that could not be read or decoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Unreadable {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

pub(super) fn build(
    model: &impl Classifier,
    folder: &Path,
    holdout_only: bool,
    outcomes: Vec<Outcome>,
    unknown_labels: BTreeMap<String, usize>,
    wall: Duration,
) -> CheckReport {
    let manifest = model.manifest();
    let labels = &manifest.labels;
    let threshold = heurpipe_core::Enricher::spec(model).threshold;
    let said: Vec<Said<'_>> = outcomes
        .iter()
        .filter_map(|outcome| {
            let prediction = outcome.result.as_ref().ok()?;
            Some(Said {
                probabilities: &prediction.probabilities,
                truth: outcome.truth,
            })
        })
        .collect();
    let calibration = calibration(&said, manifest.temperature.into());
    let mut confusion = vec![vec![0; labels.len()]; labels.len()];
    let mut unreadable = Vec::new();
    let mut mistakes = Vec::new();
    let (mut sure, mut sure_and_right) = (0, 0);
    let (mut decode_cpu, mut model_cpu) = (Duration::ZERO, Duration::ZERO);
    for outcome in outcomes {
        match outcome.result {
            Ok(prediction) => {
                let said = labels
                    .iter()
                    .position(|l| *l == prediction.label)
                    .unwrap_or_default();
                confusion[outcome.truth][said] += 1;
                if threshold.is_none_or(|threshold| prediction.confidence >= threshold) {
                    sure += 1;
                    sure_and_right += usize::from(said == outcome.truth);
                }
                decode_cpu += outcome.decode_cpu;
                model_cpu += outcome.model_cpu;
                if said != outcome.truth {
                    mistakes.push(Mistake {
                        path: outcome.picture.path,
                        is: labels[outcome.truth].clone(),
                        said: prediction.label,
                        confidence: prediction.confidence,
                    });
                }
            }
            Err(error) => unreadable.push(Unreadable {
                path: outcome.picture.path,
                reason: error.to_string(),
            }),
        }
    }
    mistakes.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    mistakes.truncate(MISTAKES);
    let pictures: usize = confusion.iter().flatten().sum();
    let right: usize = (0..labels.len()).map(|i| confusion[i][i]).sum();
    let per_picture = |cpu: Duration| cpu.as_secs_f64() * 1000.0 / (pictures.max(1) as f64);
    CheckReport {
        model: manifest.name.clone(),
        version: manifest.version.clone(),
        runtime: Runtime::get().map_or_else(|e| e.to_string(), |r| r.status().to_string()),
        folder: folder.to_owned(),
        holdout_only,
        pictures,
        right,
        accuracy: share(right, pictures).unwrap_or(0.0),
        threshold,
        coverage: share(sure, pictures).unwrap_or(0.0),
        accuracy_above_threshold: share(sure_and_right, sure).unwrap_or(0.0),
        calibration,
        classes: classes(labels, &confusion),
        confusion,
        unknown_labels,
        unreadable,
        seconds: wall.as_secs_f64(),
        pictures_per_second: pictures as f64 / wall.as_secs_f64().max(1e-9),
        decode_cpu_ms: per_picture(decode_cpu),
        model_cpu_ms: per_picture(model_cpu),
        peak_memory: peak_memory(),
        mistakes,
    }
}

/// The greatest resident set of this process so far, in bytes, as Linux tells it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = peak.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn classes(labels: &[String], confusion: &[Vec<usize>]) -> Vec<ClassReport> {
    let report = |(i, label): (usize, &String)| {
        let pictures = confusion[i].iter().sum();
        let said = confusion.iter().map(|row| row[i]).sum();
        ClassReport {
            label: label.clone(),
            pictures,
            precision: share(confusion[i][i], said),
            recall: share(confusion[i][i], pictures),
        }
    };
    labels.iter().enumerate().map(report).collect()
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.summary(f)?;
        self.class_table(f)?;
        self.confusion_table(f)?;
        self.left_out(f)
    }
}

impl CheckReport {
    fn summary(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let which = if self.holdout_only {
            "held-out pictures"
        } else {
            "pictures"
        };
        writeln!(
            f,
            "{} {} on {}",
            self.model,
            self.version,
            self.folder.display()
        )?;
        writeln!(f, "{}\n", self.runtime)?;
        writeln!(
            f,
            "accuracy {:.3}: {} of {} {which}",
            self.accuracy, self.right, self.pictures
        )?;
        if let Some(threshold) = self.threshold {
            writeln!(
                f,
                "from confidence {threshold:.2}: accuracy {:.3} on {:.0} % of them",
                self.accuracy_above_threshold,
                self.coverage * 100.0
            )?;
        }
        let calibration = &self.calibration;
        writeln!(
            f,
            "calibration error {:.3} at temperature {:.3}; {:.3} at {:.3}, the best on these pictures",
            calibration.ece,
            calibration.temperature,
            calibration.ece_at_best,
            calibration.best_temperature
        )?;
        writeln!(
            f,
            "{:.0} pictures/s; cpu per picture: decode {:.1} ms, model {:.1} ms",
            self.pictures_per_second, self.decode_cpu_ms, self.model_cpu_ms
        )?;
        match self.peak_memory {
            Some(bytes) => writeln!(f, "memory at most {:.0} MB\n", bytes as f64 / 1e6),
            None => writeln!(f),
        }
    }

    fn class_table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.label_width();
        writeln!(f, "{:<width$}  pictures  precision  recall", "label")?;
        let shown = |share: Option<f64>| share.map_or("-".to_owned(), |s| format!("{s:.3}"));
        for class in &self.classes {
            writeln!(
                f,
                "{:<width$}  {:>8}  {:>9}  {:>6}",
                class.label,
                class.pictures,
                shown(class.precision),
                shown(class.recall)
            )?;
        }
        Ok(())
    }

    fn confusion_table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.label_width();
        write!(f, "\n{:<width$}", "is \\ said")?;
        for class in &self.classes {
            write!(f, "  {:>8.8}", class.label)?;
        }
        writeln!(f)?;
        for (class, row) in self.classes.iter().zip(&self.confusion) {
            write!(f, "{:<width$}", class.label)?;
            for count in row {
                write!(f, "  {count:>8}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }

    fn left_out(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.unknown_labels.is_empty() {
            let total: usize = self.unknown_labels.values().sum();
            let names: Vec<_> = self
                .unknown_labels
                .iter()
                .map(|(label, n)| format!("{label} {n}"))
                .collect();
            writeln!(
                f,
                "\nleft out, since the model does not know their labels: {total} pictures ({})",
                names.join(", ")
            )?;
        }
        if !self.unreadable.is_empty() {
            writeln!(f, "\nunreadable: {} pictures", self.unreadable.len())?;
            for picture in &self.unreadable {
                writeln!(f, "  {}: {}", picture.path.display(), picture.reason)?;
            }
        }
        Ok(())
    }

    fn label_width(&self) -> usize {
        self.classes
            .iter()
            .map(|class| class.label.chars().count())
            .fold(9, usize::max)
    }
}
