//! How far a pass has come, as a checkpoint keeps it.

use heurpipe_core::{Checkpoint, PostId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A place in the walk over stored posts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// Within a pass: everything up to this post was asked for.
    After {
        /// When the pass began.
        began: Timestamp,
        post: PostId,
    },
    /// At the end of a pass.
    End {
        /// When the pass began.
        began: Timestamp,
    },
}

impl Place {
    /// The place of a checkpoint; none: the beginning, also for a checkpoint of another source.
    pub(super) fn of(checkpoint: &Checkpoint) -> Option<Self> {
        let cursor = checkpoint.resume.as_ref()?;
        serde_json::from_str(&cursor.0).ok()
    }

    pub(super) fn checkpoint(&self) -> Checkpoint {
        match serde_json::to_string(self) {
            Ok(cursor) => Checkpoint::at(cursor),
            // Times and ids are always written; were they not, a pass would begin anew.
            Err(_) => Checkpoint::default(),
        }
    }
}
