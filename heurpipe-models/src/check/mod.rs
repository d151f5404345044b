//! How good a model is on pictures whose labels are known.

mod calibration;
mod labelled;
mod report;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt, TryStreamExt};
use heurpipe_core::{Error, ErrorKind, Result, compute};
use sha2::{Digest, Sha256};

use crate::classify::{Classifier, Prediction};
use crate::decode::PictureDecoder;

pub use calibration::{Calibration, CalibrationBin};
pub use labelled::{Labelled, labelled_folder};
pub use report::{CheckReport, ClassReport, Mistake, Unreadable};

/// The share of pictures that the shipped models' recipes hold out.
pub const HOLDOUT_SHARE: f64 = 0.15;

/// What to check on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CheckOptions {
    /// Only pictures that training held out; see [`in_holdout`].
    pub holdout_only: bool,
    /// At most so many pictures, the first by name; none: all.
    pub limit: Option<usize>,
    /// The column of labels.csv to take; none: the model's attribute where there is such a column, else `label`.
    pub column: Option<String>,
}

impl CheckOptions {
    /// Only pictures that training held out.
    pub fn holdout_only(mut self, yes: bool) -> Self {
        self.holdout_only = yes;
        self
    }

    /// At most so many pictures.
    pub fn limit(mut self, limit: Option<usize>) -> Self {
        self.limit = limit;
        self
    }

    /// The column of labels.csv to take.
    pub fn column(mut self, column: Option<String>) -> Self {
        self.column = column;
        self
    }
}

/// Whether the recipes under `training/` hold a picture out, told from its file's bytes: the first eight hexadecimal digits of their
/// SHA-256, as a fraction of 2^32, are below [`HOLDOUT_SHARE`].
pub fn in_holdout(bytes: &[u8]) -> bool {
    let digest = Sha256::digest(bytes);
    let first = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    f64::from(first) / 4_294_967_296.0 < HOLDOUT_SHARE
}

/// Runs a model on a labelled folder: one with a labels.csv (columns image and label, or one named after the model's attribute; pictures there or in
/// `images/`), or one with a folder per label. Labels that the model does not know are left out and counted, and so are pictures
/// that do not decode.
///
/// # Errors
/// `NotFound` or `InvalidInput` when the folder is not labelled, or holds no picture with a label that the model knows.
pub async fn check<M: Classifier + Clone + 'static>(
    model: &M,
    folder: impl AsRef<Path>,
    options: &CheckOptions,
) -> Result<CheckReport> {
    let folder = folder.as_ref();
    let column = options.column.as_deref();
    let all = labelled_folder(folder, column, &model.manifest().attribute)?;
    let mut unknown_labels = BTreeMap::new();
    let mut pictures = Vec::with_capacity(all.len());
    for picture in all {
        match index_of(&model.manifest().labels, &picture.label) {
            Some(truth) => pictures.push((picture, truth)),
            None => *unknown_labels.entry(picture.label).or_insert(0) += 1,
        }
    }
    if !options.holdout_only {
        pictures.truncate(options.limit.unwrap_or(usize::MAX));
    }
    let started = Instant::now();
    let mut outcomes: Vec<_> = stream::iter(pictures)
        .map(|(picture, truth)| judge(model, picture, truth, options.holdout_only))
        .buffered(compute::cores() * 2)
        .try_filter_map(|outcome| async move { Ok(outcome) })
        .take(options.limit.unwrap_or(usize::MAX))
        .try_collect()
        .await?;
    let wall = started.elapsed();
    if outcomes.is_empty() {
        return Err(Error::new(ErrorKind::InvalidInput, "model.check")
            .message("the folder has no picture to check this model on")
            .with("folder", folder.display())
            .with("model", &model.manifest().name)
            .with("labels_unknown_to_it", unknown_labels.len()));
    }
    outcomes.sort_by(|a, b| a.picture.path.cmp(&b.picture.path));
    Ok(report::build(
        model,
        folder,
        options.holdout_only,
        outcomes,
        unknown_labels,
        wall,
    ))
}

/// What came of one picture.
struct Outcome {
    picture: Labelled,
    truth: usize,
    result: Result<Prediction>,
    decode_cpu: Duration,
    model_cpu: Duration,
}

/// None for a picture that is not held out while only those are wanted.
async fn judge<M: Classifier + Clone + 'static>(
    model: &M,
    picture: Labelled,
    truth: usize,
    holdout_only: bool,
) -> Result<Option<Outcome>> {
    let model = model.clone();
    let (outcome, _) = compute::run(move || {
        let bytes = match std::fs::read(&picture.path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let error = crate::source::unreadable(&picture.path, error);
                return Some(Outcome {
                    picture,
                    truth,
                    result: Err(error),
                    decode_cpu: Duration::ZERO,
                    model_cpu: Duration::ZERO,
                });
            }
        };
        if holdout_only && !in_holdout(&bytes) {
            return None;
        }
        let start = cpu_time::ThreadTime::now();
        let pixels = model
            .manifest()
            .picture_input()
            .and_then(|input| PictureDecoder::default().decode_now(&bytes, &[input.pixels()]));
        let decode_cpu = start.elapsed();
        let result = pixels.and_then(|pixels| {
            let pixels: Vec<_> = pixels.into_iter().map(Into::into).collect();
            model.classify(&pixels)?.pop().ok_or_else(|| {
                Error::new(ErrorKind::Internal, "model.check").message("no prediction came")
            })
        });
        Some(Outcome {
            picture,
            truth,
            result,
            decode_cpu,
            model_cpu: start.elapsed().saturating_sub(decode_cpu),
        })
    })
    .await?;
    Ok(outcome)
}

/// `T-Shirt` is `t-shirt`, and `zig zag` is `zigzag`.
fn index_of(labels: &[String], label: &str) -> Option<usize> {
    let wanted = plain(label);
    labels.iter().position(|known| plain(known) == wanted)
}

fn plain(label: &str) -> String {
    label
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests;
