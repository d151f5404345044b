//! What all sides are given to do: a network and what to show it. Peers read it from a file, as JSON.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::AnyResult;

/// Threads that work at a time, on every side: this is about two cores.
pub const THREADS: usize = 2;

/// A network and what to show it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Job {
    /// ONNX Runtime's library.
    pub library: PathBuf,
    /// The network's file.
    pub network: PathBuf,
    /// Items a call.
    pub batch: usize,
    /// What it is shown.
    pub input: Input,
}

/// What a network is shown.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// JPEG files.
    Pictures {
        /// Their paths.
        files: Vec<PathBuf>,
        /// The width that the network wants.
        width: u32,
        /// The height that it wants.
        height: u32,
        /// Of each channel.
        mean: f32,
        /// Of each channel.
        std: f32,
    },
    /// Texts.
    Texts {
        /// The file of the tokenizer.
        tokenizer: PathBuf,
        /// Where texts are cut off.
        max_tokens: usize,
        /// The texts.
        texts: Vec<String>,
    },
}

impl Job {
    /// Writes it for a peer.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> AnyResult<()> {
        Ok(std::fs::write(path, serde_json::to_vec(self)?)?)
    }

    /// Reads it, as a peer.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(path: &Path) -> AnyResult<Self> {
        Ok(serde_json::from_slice(&std::fs::read(path)?)?)
    }
}
