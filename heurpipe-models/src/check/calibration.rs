//! How honest confidences are, and which temperature would make them so.

use serde::Serialize;

/// The number of bins of the expected calibration error.
const BINS: usize = 15;

/// How honest a model's confidences are.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Calibration {
    /// The expected calibration error: the mean distance of confidence and accuracy over 15 bins of confidence of equal width, weighted by their pictures
    /// (Guo et al., "On Calibration of Modern Neural Networks", 2017, eq. 3). 0 is honest.
    pub ece: f64,
    /// The temperature that is in force.
    pub temperature: f64,
    /// The temperature with the least negative log-likelihood on these pictures (section 4.2 there). Found on few pictures, or on those that the model learnt
    /// from, it flatters.
    pub best_temperature: f64,
    /// The expected calibration error that it would give.
    pub ece_at_best: f64,
    /// The bins that hold pictures, from unsure to sure.
    pub bins: Vec<CalibrationBin>,
}

/// Pictures of about the same confidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CalibrationBin {
    /// The least confidence that falls into it, 0 to 1.
    pub from: f64,
    /// Where the next bin begins.
    pub to: f64,
    /// Pictures.
    pub pictures: usize,
    /// Their mean confidence.
    pub confidence: f64,
    /// The share of them that was labelled rightly.
    pub accuracy: f64,
}

/// What was said of a picture: the probability of each label, and which one it has.
pub(super) struct Said<'a> {
    pub(super) probabilities: &'a [f32],
    pub(super) truth: usize,
}

/// Judges confidences that were made with this temperature.
pub(super) fn calibration(said: &[Said<'_>], temperature: f64) -> Calibration {
    let bins = bins(said, 1.0);
    let factor = best_factor(said);
    Calibration {
        ece: ece(&bins),
        temperature,
        best_temperature: temperature * factor,
        ece_at_best: ece(&self::bins(said, factor)),
        bins,
    }
}

/// Probabilities as they would be, were the temperature so many times what it is.
fn softened(probabilities: &[f32], factor: f64) -> Vec<f64> {
    let logits = probabilities
        .iter()
        .map(|p| f64::from(p.max(f32::MIN_POSITIVE)).ln() / factor);
    let logits: Vec<f64> = logits.collect();
    let most = logits.iter().copied().fold(f64::MIN, f64::max);
    let powers: Vec<f64> = logits.iter().map(|x| (x - most).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|x| x / sum).collect()
}

fn bins(said: &[Said<'_>], factor: f64) -> Vec<CalibrationBin> {
    let mut sums = [(0_usize, 0.0_f64, 0_usize); BINS];
    for said in said {
        let probabilities = softened(said.probabilities, factor);
        let best = probabilities
            .iter()
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(b.1));
        let Some((label, confidence)) = best else {
            continue;
        };
        let bin = ((confidence * BINS as f64) as usize).min(BINS - 1);
        let (pictures, sum, right) = &mut sums[bin];
        *pictures += 1;
        *sum += confidence;
        *right += usize::from(label == said.truth);
    }
    let edge = |number: usize| number as f64 / BINS as f64;
    let filled = sums.into_iter().enumerate();
    filled
        .filter(|(_, (pictures, _, _))| *pictures > 0)
        .map(|(number, (pictures, sum, right))| CalibrationBin {
            from: edge(number),
            to: edge(number + 1),
            pictures,
            confidence: sum / pictures as f64,
            accuracy: right as f64 / pictures as f64,
        })
        .collect()
}

fn ece(bins: &[CalibrationBin]) -> f64 {
    let all: usize = bins.iter().map(|bin| bin.pictures).sum();
    let weighed = bins
        .iter()
        .map(|bin| bin.pictures as f64 * (bin.accuracy - bin.confidence).abs());
    weighed.sum::<f64>() / all.max(1) as f64
}

/// By golden-section search over the logarithm of the factor; the likelihood has one minimum there.
fn best_factor(said: &[Said<'_>]) -> f64 {
    let loss = |log_factor: f64| -> f64 {
        let loss = said.iter().map(|said| {
            let probabilities = softened(said.probabilities, log_factor.exp());
            -probabilities[said.truth].max(f64::MIN_POSITIVE).ln()
        });
        loss.sum()
    };
    let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (0.05_f64.ln(), 20.0_f64.ln());
    for _ in 0..50 {
        let (one, other) = (high - golden * (high - low), low + golden * (high - low));
        match loss(one) < loss(other) {
            true => high = other,
            false => low = one,
        }
    }
    f64::midpoint(low, high).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hundred pictures on which a model of two labels is so sure, and right so often.
    fn said(confidence: f32, right: usize) -> Vec<([f32; 2], usize)> {
        let probabilities = [confidence, 1.0 - confidence];
        (0..100)
            .map(|n| (probabilities, usize::from(n >= right)))
            .collect()
    }

    fn judged(said: &[([f32; 2], usize)], temperature: f64) -> Calibration {
        let said: Vec<Said<'_>> = said
            .iter()
            .map(|(probabilities, truth)| Said {
                probabilities,
                truth: *truth,
            })
            .collect();
        calibration(&said, temperature)
    }

    #[test]
    fn an_honest_model_has_no_error_and_keeps_its_temperature() {
        let found = judged(&said(0.8, 80), 1.5);
        assert!(found.ece < 1e-6, "{found:?}");
        assert!((found.best_temperature - 1.5).abs() < 1e-3, "{found:?}");
    }

    #[test]
    fn a_boaster_is_told_to_be_warmer() {
        let found = judged(&said(0.95, 70), 1.0);
        assert!((found.ece - 0.25).abs() < 1e-6, "{found:?}");
        // ln(0.95 / 0.05) / T must be ln(0.7 / 0.3).
        let wanted = (0.95_f64 / 0.05).ln() / (0.7_f64 / 0.3).ln();
        assert!((found.best_temperature - wanted).abs() < 1e-2, "{found:?}");
        assert!(found.ece_at_best < 1e-3, "{found:?}");
    }
}
