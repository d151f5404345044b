//! From a detector's outputs to boxes in the picture: thresholds, non-maximum suppression, and the way back through the letterbox.

use heurpipe_core::{Error, ErrorKind, Fit, Region, Result};

use super::Detection;
use crate::manifest::{BoxFormat, DetectSpec, Heads, InputSpec, Manifest};
use crate::runtime::Tensor;

/// The confidence from which boxes count where the manifest says none.
const THRESHOLD: f32 = 0.5;

/// Reads a detector's outputs.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    model: String,
    labels: Vec<String>,
    threshold: Vec<f32>,
    detect: DetectSpec,
    /// Width and height of the input, in pixels.
    input: (u32, u32),
    letterboxed: bool,
}

/// A box in fractions of the input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Boxed {
    label: usize,
    confidence: f32,
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
}

impl Reader {
    pub(super) fn of(manifest: &Manifest, detect: &DetectSpec, input: &InputSpec) -> Self {
        let threshold = |label: &String| {
            let own = manifest.thresholds.get(label).copied();
            own.or(manifest.threshold).unwrap_or(THRESHOLD)
        };
        Self {
            model: manifest.name.clone(),
            threshold: manifest.labels.iter().map(threshold).collect(),
            labels: manifest.labels.clone(),
            detect: detect.clone(),
            input: (input.width, input.height),
            letterboxed: input.fit == Fit::Letterbox,
        }
    }

    /// The boxes of each picture of a batch, the surest first, in fractions of the input.
    ///
    /// # Errors
    /// `Config` where the outputs are not of the shape that the manifest says.
    pub(super) fn boxes(&self, outputs: &[Tensor], pictures: usize) -> Result<Vec<Vec<Boxed>>> {
        let candidates = match (self.detect.heads, outputs) {
            (Heads::Separate, [boxes, scores]) => self.separate(boxes, scores, pictures)?,
            (Heads::Joined, [joined]) => self.joined(joined, pictures)?,
            _ => return Err(self.odd(outputs)),
        };
        let kept = candidates.into_iter().map(|boxes| self.suppressed(boxes));
        Ok(kept.collect())
    }

    fn separate(
        &self,
        boxes: &Tensor,
        scores: &Tensor,
        pictures: usize,
    ) -> Result<Vec<Vec<Boxed>>> {
        let skipped = usize::from(self.detect.background);
        let columns = self.labels.len() + skipped;
        let fits = match (boxes.shape.as_slice(), scores.shape.as_slice()) {
            ([n, anchors, 4], [m, also, c]) => {
                *n == pictures && *m == pictures && anchors == also && *c == columns
            }
            _ => false,
        };
        if !fits {
            return Err(self.odd(&[boxes.clone(), scores.clone()]));
        }
        let pictures = boxes.rows().zip(scores.rows()).map(|(boxes, scores)| {
            let anchors = boxes.as_chunks::<4>().0.iter();
            let anchors = anchors.zip(scores.chunks_exact(columns));
            anchors
                .filter_map(|(corners, scores)| {
                    self.candidate(*corners, scores[skipped..].iter().copied())
                })
                .collect()
        });
        Ok(pictures.collect())
    }

    /// `[N, 4 + labels, A]`: all first numbers, then all second ones, ...
    fn joined(&self, output: &Tensor, pictures: usize) -> Result<Vec<Vec<Boxed>>> {
        let rows = 4 + self.labels.len();
        let &[n, channels, anchors] = output.shape.as_slice() else {
            return Err(self.odd(std::slice::from_ref(output)));
        };
        if n != pictures || channels != rows {
            return Err(self.odd(std::slice::from_ref(output)));
        }
        let pictures = output.rows().map(|row| {
            let at = |channel: usize, anchor: usize| row[channel * anchors + anchor];
            let candidates = (0..anchors).filter_map(|anchor| {
                let corners = [0, 1, 2, 3].map(|channel| at(channel, anchor));
                self.candidate(corners, (4..rows).map(|channel| at(channel, anchor)))
            });
            candidates.collect()
        });
        Ok(pictures.collect())
    }

    /// The box of an anchor where its best label is sure enough.
    fn candidate(&self, numbers: [f32; 4], scores: impl Iterator<Item = f32>) -> Option<Boxed> {
        let (label, confidence) = scores
            .enumerate()
            .max_by(|one, other| one.1.total_cmp(&other.1))?;
        if !confidence.is_finite() || confidence < self.threshold[label] {
            return None;
        }
        let [a, b, c, d] = match self.detect.in_pixels {
            true => {
                let (width, height) = (self.input.0 as f32, self.input.1 as f32);
                [
                    numbers[0] / width,
                    numbers[1] / height,
                    numbers[2] / width,
                    numbers[3] / height,
                ]
            }
            false => numbers,
        };
        let [left, top, right, bottom] = match self.detect.format {
            BoxFormat::Corners => [a, b, c, d],
            BoxFormat::Centre => [a - c / 2.0, b - d / 2.0, a + c / 2.0, b + d / 2.0],
            BoxFormat::LeftTop => [a, b, a + c, b + d],
        };
        let inside = [left, top, right, bottom].map(|x| x.clamp(0.0, 1.0));
        let [left, top, right, bottom] = inside;
        let is_box = inside.iter().all(|x| x.is_finite()) && right > left && bottom > top;
        is_box.then_some(Boxed {
            label,
            confidence: confidence.min(1.0),
            left,
            top,
            right,
            bottom,
        })
    }

    /// Greedy non-maximum suppression, label by label.
    fn suppressed(&self, mut boxes: Vec<Boxed>) -> Vec<Boxed> {
        boxes.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        let mut kept: Vec<Boxed> = Vec::new();
        for candidate in boxes {
            if kept.len() >= self.detect.most {
                break;
            }
            let covered = kept.iter().any(|surer| {
                surer.label == candidate.label && surer.overlap(&candidate) > self.detect.iou
            });
            if !covered {
                kept.push(candidate);
            }
        }
        kept
    }

    /// Boxes in fractions of a picture of this size, instead of the input's.
    pub(super) fn placed(&self, boxes: Vec<Boxed>, picture: (u32, u32)) -> Vec<Detection> {
        let shown = match self.letterboxed {
            true => shown(self.input, picture),
            false => Region {
                x: 0.0,
                y: 0.0,
                width: 1.0,
                height: 1.0,
            },
        };
        let across = |x: f32| ((x - shown.x) / shown.width).clamp(0.0, 1.0);
        let down = |y: f32| ((y - shown.y) / shown.height).clamp(0.0, 1.0);
        let placed = boxes.into_iter().map(|found| {
            let (left, top) = (across(found.left), down(found.top));
            Detection {
                label: self.labels[found.label].clone(),
                confidence: found.confidence,
                region: Region {
                    x: left,
                    y: top,
                    width: across(found.right) - left,
                    height: down(found.bottom) - top,
                },
            }
        });
        // What lies wholly in the filling shows nothing.
        placed
            .filter(|found| found.region.width > 0.0 && found.region.height > 0.0)
            .collect()
    }

    fn odd(&self, outputs: &[Tensor]) -> Error {
        let shapes: Vec<&[usize]> = outputs.iter().map(|o| o.shape.as_slice()).collect();
        Error::new(ErrorKind::Config, "model.run")
            .message("the outputs are not of the shape that [detect] says")
            .with("model", &self.model)
            .with("labels", self.labels.len())
            .with("background", self.detect.background)
            .with("shapes", format_args!("{shapes:?}"))
    }
}

/// The part of a letterbox that shows the picture, in fractions.
fn shown(input: (u32, u32), picture: (u32, u32)) -> Region {
    let (width, height) = (f64::from(input.0), f64::from(input.1));
    let (across, down) = (f64::from(picture.0.max(1)), f64::from(picture.1.max(1)));
    let scale = (width / across).min(height / down);
    let side = |length: f64, most: f64| (length * scale).round_ties_even().clamp(1.0, most);
    let (inner_width, inner_height) = (side(across, width), side(down, height));
    let (left, top) = (
        ((width - inner_width) / 2.0).round_ties_even(),
        ((height - inner_height) / 2.0).round_ties_even(),
    );
    Region {
        x: (left / width) as f32,
        y: (top / height) as f32,
        width: (inner_width / width) as f32,
        height: (inner_height / height) as f32,
    }
}

impl Boxed {
    fn area(&self) -> f32 {
        (self.right - self.left) * (self.bottom - self.top)
    }

    /// Intersection over union.
    fn overlap(&self, other: &Self) -> f32 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        if width <= 0.0 || height <= 0.0 {
            return 0.0;
        }
        let both = width * height;
        both / (self.area() + other.area() - both)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn reader(detect: &str) -> Reader {
        let text = format!(
            "name = 'd'\nversion = '1'\ntask = 'detect'\nattribute = 'thing'\nlabels = ['cup', 'hat']\nthreshold = 0.4\n\
             [input]\nwidth = 100\nheight = 50\nfit = 'letterbox'\n[detect]\n{detect}"
        );
        let manifest = Manifest::parse(&text).unwrap();
        let (detect, input) = (
            manifest.detect.clone().unwrap(),
            manifest.input.clone().unwrap(),
        );
        Reader::of(&manifest, &detect, &input)
    }

    fn tensor(shape: &[usize], values: &[f32]) -> Tensor {
        assert_eq!(shape.iter().product::<usize>(), values.len());
        Tensor {
            shape: shape.to_vec(),
            values: values.to_vec(),
        }
    }

    fn corners(found: &Boxed) -> [f32; 4] {
        [found.left, found.top, found.right, found.bottom].map(|x| (x * 100.0).round() / 100.0)
    }

    #[test]
    fn of_overlapping_boxes_of_a_label_the_surer_stays() {
        let boxes = tensor(
            &[1, 4, 4],
            &[
                0.1, 0.1, 0.5, 0.5, 0.12, 0.1, 0.52, 0.5, 0.1, 0.1, 0.5, 0.5, 0.6, 0.6, 0.9, 0.9,
            ],
        );
        let scores = tensor(
            &[1, 4, 3],
            &[0.1, 0.8, 0.0, 0.1, 0.9, 0.0, 0.1, 0.0, 0.7, 0.9, 0.3, 0.2],
        );
        let found = reader("background = true")
            .boxes(&[boxes, scores], 1)
            .unwrap();
        let labels: Vec<_> = found[0].iter().map(|b| (b.label, b.confidence)).collect();
        assert_eq!(
            labels,
            [(0, 0.9), (1, 0.7)],
            "the hat overlaps a cup, which is no matter"
        );
        assert_eq!(corners(&found[0][0]), [0.12, 0.1, 0.52, 0.5]);
    }

    #[test]
    fn joined_heads_are_read_by_channel_and_pixels_become_fractions() {
        // Two anchors: a cup in the middle, and nothing.
        let joined = tensor(
            &[1, 6, 2],
            &[
                50.0, 0.0, 25.0, 0.0, 20.0, 1.0, 10.0, 1.0, 0.9, 0.1, 0.2, 0.0,
            ],
        );
        let reader = reader("heads = 'joined'\nformat = 'centre'\nin_pixels = true");
        let found = reader.boxes(&[joined], 1).unwrap();
        assert_eq!(found[0].len(), 1);
        assert_eq!(corners(&found[0][0]), [0.4, 0.4, 0.6, 0.6]);
    }

    #[test]
    fn boxes_come_back_out_of_the_letterbox() {
        // A square picture within 100 x 50 stands between 25 and 75.
        let boxes = tensor(&[1, 2, 4], &[0.25, 0.0, 0.5, 1.0, 0.0, 0.0, 0.2, 1.0]);
        let scores = tensor(&[1, 2, 2], &[0.9, 0.0, 0.8, 0.0]);
        let reader = reader("");
        let found = reader.boxes(&[boxes, scores], 1).unwrap().remove(0);
        let placed = reader.placed(found, (640, 640));
        assert_eq!(placed.len(), 1, "what lies in the filling is nothing");
        let Region {
            x,
            y,
            width,
            height,
        } = placed[0].region;
        assert_eq!([x, y, width, height], [0.0, 0.0, 0.5, 1.0]);
    }

    #[test]
    fn numbers_that_are_none_and_boxes_inside_out_are_no_boxes() {
        let nan = f32::NAN;
        let boxes = tensor(
            &[1, 3, 4],
            &[0.5, 0.5, 0.1, 0.9, nan, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0],
        );
        let scores = tensor(&[1, 3, 2], &[0.9, 0.0, 0.9, 0.0, nan, nan]);
        assert!(reader("").boxes(&[boxes, scores], 1).unwrap()[0].is_empty());
    }

    #[test]
    fn other_shapes_are_an_error_that_names_them() {
        let boxes = tensor(&[1, 1, 4], &[0.0; 4]);
        let scores = tensor(&[1, 1, 5], &[0.0; 5]);
        let error = reader("").boxes(&[boxes, scores], 1).unwrap_err();
        assert!(error.to_string().contains("[1, 1, 5]"), "{error}");
    }
}
