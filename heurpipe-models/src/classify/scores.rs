//! From a model's numbers to a label and how sure it is.

use heurpipe_core::{Error, ErrorKind, Result};

use crate::manifest::{Manifest, OutputKind};

/// What a classifier says of a picture.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Prediction {
    /// The likeliest label.
    pub label: String,
    /// How likely, 0 to 1, calibrated by the manifest's temperature.
    pub confidence: f32,
    /// The likelihood of every label, in the manifest's order.
    pub probabilities: Vec<f32>,
}

pub(super) fn prediction(row: &[f32], manifest: &Manifest) -> Result<Prediction> {
    if row.iter().any(|value| !value.is_finite()) {
        return Err(Error::new(ErrorKind::Internal, "model.run")
            .message("the model gave a number that is none")
            .with("model", &manifest.name));
    }
    let probabilities = calibrated(row, manifest.output.kind, manifest.temperature);
    let best = probabilities
        .iter()
        .enumerate()
        .fold(
            (0, f32::MIN),
            |best, (index, &p)| if p > best.1 { (index, p) } else { best },
        );
    Ok(Prediction {
        label: manifest.labels[best.0].clone(),
        confidence: best.1,
        probabilities,
    })
}

fn calibrated(row: &[f32], kind: OutputKind, temperature: f32) -> Vec<f32> {
    // The logarithm of probabilities is as good as the logits they came from.
    let logits: Vec<f32> = match kind {
        OutputKind::Logits => row.iter().map(|x| x / temperature).collect(),
        OutputKind::Probabilities if temperature == 1.0 => return row.to_vec(),
        OutputKind::Probabilities => row
            .iter()
            .map(|p| p.max(f32::MIN_POSITIVE).ln() / temperature)
            .collect(),
    };
    let most = logits.iter().copied().fold(f32::MIN, f32::max);
    let exponentials: Vec<f32> = logits.iter().map(|x| (x - most).exp()).collect();
    let sum: f32 = exponentials.iter().sum();
    exponentials.into_iter().map(|e| e / sum).collect()
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
        let plain = calibrated(&logits, OutputKind::Logits, 1.0);
        near(&plain, &[0.111_166, 0.821_409, 0.067_425]);
        let warm = calibrated(&logits, OutputKind::Logits, 2.0);
        near(&calibrated(&plain, OutputKind::Probabilities, 2.0), &warm);
        assert!(warm[1] < plain[1]);
    }

    #[test]
    fn a_probability_of_zero_stays_a_number() {
        let row = calibrated(&[1.0, 0.0], OutputKind::Probabilities, 0.5);
        assert!(row.iter().all(|p| p.is_finite()));
        near(&row, &[1.0, 0.0]);
    }
}
