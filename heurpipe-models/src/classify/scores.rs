//! From a model's numbers to a label and how sure it is.

use heurpipe_core::{Error, ErrorKind, Result};

use crate::manifest::{Manifest, OutputKind, Task};

/// What a classifier says of a picture.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Prediction {
    /// The likeliest label.
    pub label: String,
    /// How likely, 0 to 1, calibrated by the manifest's temperature.
    pub confidence: f32,
    /// The likelihood of every label, in the manifest's order. They add up to one, except where each label is there or not by itself.
    pub probabilities: Vec<f32>,
}

/// How a classifier's numbers are read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scores {
    model: String,
    labels: Vec<String>,
    kind: OutputKind,
    temperature: f32,
    /// Whether each label is there or not by itself.
    apart: bool,
}

impl Scores {
    /// As the manifest says.
    pub(crate) fn of(manifest: &Manifest) -> Self {
        Self {
            model: manifest.name.clone(),
            labels: manifest.labels.clone(),
            kind: manifest.output.kind,
            temperature: manifest.temperature,
            apart: manifest.task == Task::MultiLabel,
        }
    }

    /// Predictions of a batch of so many pictures, of one number a label for each.
    ///
    /// # Errors
    /// `Config` where there are not as many numbers, `Internal` where one is none.
    pub(crate) fn predictions(&self, numbers: &[f32], pictures: usize) -> Result<Vec<Prediction>> {
        if numbers.len() != pictures * self.labels.len() {
            return Err(Error::new(ErrorKind::Config, "model.run")
                .message("the output does not have one number a label")
                .with("model", &self.model)
                .with("pictures", pictures)
                .with("labels", self.labels.len())
                .with("numbers", numbers.len()));
        }
        numbers
            .chunks_exact(self.labels.len())
            .map(|row| self.prediction(row))
            .collect()
    }

    fn prediction(&self, row: &[f32]) -> Result<Prediction> {
        if row.iter().any(|value| !value.is_finite()) {
            return Err(Error::new(ErrorKind::Internal, "model.run")
                .message("the model gave a number that is none")
                .with("model", &self.model));
        }
        let probabilities = match self.apart {
            true => each_by_itself(row, self.kind, self.temperature),
            false => one_of_all(row, self.kind, self.temperature),
        };
        let (best, confidence) = most(&probabilities);
        Ok(Prediction {
            label: self.labels[best].clone(),
            confidence,
            probabilities,
        })
    }
}

fn most(probabilities: &[f32]) -> (usize, f32) {
    probabilities.iter().enumerate().fold(
        (0, f32::MIN),
        |best, (index, &p)| if p > best.1 { (index, p) } else { best },
    )
}

fn one_of_all(row: &[f32], kind: OutputKind, temperature: f32) -> Vec<f32> {
    // The logarithm of probabilities is as good as the logits they came from.
    match kind {
        OutputKind::Logits => softmax(row.iter().map(|x| x / temperature)),
        OutputKind::Probabilities if temperature == 1.0 => row.to_vec(),
        OutputKind::Probabilities => softmax(
            row.iter()
                .map(|p| p.max(f32::MIN_POSITIVE).ln() / temperature),
        ),
    }
}

/// `exp(x) / Σ exp(x)`, from the greatest, so that nothing overflows.
fn softmax(logits: impl Iterator<Item = f32>) -> Vec<f32> {
    let logits: Vec<f32> = logits.collect();
    let most = logits.iter().copied().fold(f32::MIN, f32::max);
    let exponentials: Vec<f32> = logits.iter().map(|x| (x - most).exp()).collect();
    let sum: f32 = exponentials.iter().sum();
    exponentials.into_iter().map(|e| e / sum).collect()
}

fn each_by_itself(row: &[f32], kind: OutputKind, temperature: f32) -> Vec<f32> {
    let sigmoid = |logit: f32| 1.0 / (1.0 + (-logit / temperature).exp());
    let logit = |p: f32| {
        let p = p.clamp(f32::EPSILON, 1.0 - f32::EPSILON);
        (p / (1.0 - p)).ln()
    };
    match kind {
        OutputKind::Logits => row.iter().map(|x| sigmoid(*x)).collect(),
        OutputKind::Probabilities if temperature == 1.0 => row.to_vec(),
        OutputKind::Probabilities => row.iter().map(|p| sigmoid(logit(*p))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: &[f32], wanted: &[f32]) {
        assert_eq!(found.len(), wanted.len());
        for (a, b) in found.iter().zip(wanted) {
            assert!((a - b).abs() < 1e-5, "{found:?} is not {wanted:?}");
        }
    }

    #[test]
    fn logits_and_the_probabilities_made_of_them_come_to_the_same() {
        let logits = [1.0, 3.0, 0.5];
        let plain = one_of_all(&logits, OutputKind::Logits, 1.0);
        near(&plain, &[0.111_166, 0.821_409, 0.067_425]);
        let warm = one_of_all(&logits, OutputKind::Logits, 2.0);
        near(&one_of_all(&plain, OutputKind::Probabilities, 2.0), &warm);
        assert!(warm[1] < plain[1]);
    }

    #[test]
    fn labels_by_themselves_need_not_add_up() {
        let logits = [0.0, 2.0, -2.0];
        let plain = each_by_itself(&logits, OutputKind::Logits, 1.0);
        near(&plain, &[0.5, 0.880_797, 0.119_203]);
        let warm = each_by_itself(&logits, OutputKind::Logits, 2.0);
        near(&warm, &[0.5, 0.731_059, 0.268_941]);
        near(
            &each_by_itself(&plain, OutputKind::Probabilities, 2.0),
            &warm,
        );
    }

    #[test]
    fn a_probability_of_zero_stays_a_number() {
        let row = one_of_all(&[1.0, 0.0], OutputKind::Probabilities, 0.5);
        assert!(row.iter().all(|p| p.is_finite()));
        near(&row, &[1.0, 0.0]);
    }
}
