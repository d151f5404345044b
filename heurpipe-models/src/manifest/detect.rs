//! What a detector gives.

use serde::{Deserialize, Serialize};

/// How a detector's outputs are read, and what is made of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DetectSpec {
    /// How boxes and scores come.
    #[serde(default)]
    pub heads: Heads,
    /// With `heads = "separate"`: the output of boxes, `[N, A, 4]`. With `heads = "joined"`: the only output, `[N, 4 + labels, A]`. None: the first
    /// that has this shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boxes: Option<String>,
    /// With `heads = "separate"`: the output of scores, `[N, A, labels]`, with one more in front where there is a `background`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<String>,
    /// Whether the first score is of there being nothing.
    #[serde(default)]
    pub background: bool,
    /// What a box's four numbers are.
    #[serde(default)]
    pub format: BoxFormat,
    /// Whether they are in pixels of the input, rather than fractions of it.
    #[serde(default)]
    pub in_pixels: bool,
    /// Of two boxes of one label that overlap by more than this (intersection over union), the surer stays.
    #[serde(default = "iou")]
    pub iou: f32,
    /// The most boxes of a picture, the surest.
    #[serde(default = "most")]
    pub most: usize,
    /// An attribute that says how many there are: a number, 0 included. None: nobody counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<String>,
    /// Whether the boxes themselves are kept. Without, only the count is: of faces one often must not keep more.
    #[serde(default = "yes")]
    pub regions: bool,
}

/// How boxes and scores come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Heads {
    /// In two outputs, as of SSD and its kin.
    #[default]
    Separate,
    /// In one, four numbers of the box and then a score a label, as of YOLOv8 and later.
    Joined,
}

/// What a box's four numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BoxFormat {
    /// Left, top, right, bottom.
    #[default]
    Corners,
    /// Centre x, centre y, width, height.
    Centre,
    /// Left, top, width, height.
    LeftTop,
}

fn iou() -> f32 {
    0.5
}

fn most() -> usize {
    100
}

fn yes() -> bool {
    true
}
