//! How far an archive has been read, as a checkpoint keeps it.

use heurpipe_core::{Checkpoint, Cursor, Digest};
use serde::{Deserialize, Serialize};

use super::container::Container;

/// A place in an archive that looks like this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Of the files as they were.
    stamp: String,
    /// The file that is being read; empty: the first.
    file: String,
    /// So many of its items have been given.
    items: u64,
    /// Everything has been given.
    #[serde(default)]
    is_done: bool,
}

impl Place {
    /// The place of a checkpoint in an archive with this stamp: its beginning when the archive has changed since, none when there is
    /// nothing left to read.
    pub(super) fn of(checkpoint: &Checkpoint, stamp: &str) -> Option<Self> {
        let cursor = checkpoint.resume.as_ref();
        let kept = cursor.and_then(|cursor| serde_json::from_str::<Self>(&cursor.0).ok());
        match kept {
            Some(place) if place.stamp == stamp => (!place.is_done).then_some(place),
            _ => Some(Self {
                stamp: stamp.to_owned(),
                file: String::new(),
                items: 0,
                is_done: false,
            }),
        }
    }

    /// Whether all of a file lies before this place.
    pub(super) fn is_past(&self, file: &str) -> bool {
        file < self.file.as_str()
    }

    /// How many items of a file lie before this place.
    pub(super) fn items_of(&self, file: &str) -> u64 {
        if file == self.file { self.items } else { 0 }
    }

    /// So many items of this file have been given, and all of those before it.
    pub(super) fn reach(&mut self, file: &str, items: u64) {
        if self.file != file {
            file.clone_into(&mut self.file);
        }
        self.items = items;
    }

    /// The end of the archive.
    pub(super) fn done(mut self) -> Self {
        self.is_done = true;
        self
    }

    pub(super) fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            resume: serde_json::to_string(self).ok().map(Cursor),
            watermark: None,
        }
    }
}

/// What changes when a file of the archive is added, removed or written anew.
pub(super) fn stamp(container: &Container) -> String {
    let mut text = String::new();
    for entry in container.entries() {
        let modified = entry.modified.map(|at| at.as_nanosecond());
        text.push_str(&format!("{}\0{}\0{modified:?}\n", entry.name, entry.length));
    }
    Digest::of(text.as_bytes()).to_string()[..16].to_owned()
}
