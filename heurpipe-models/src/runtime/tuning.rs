//! How many items a call and how many threads a session are fastest on this machine: measured once, and remembered in a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, PoisonError, RwLock};

use heurpipe_core::{Error, ErrorKind, Result, compute};
use serde::{Deserialize, Serialize};

use super::Runtime;

/// The environment variable that names the file; none: `heurpipe/tuning.json` in the user's folder of caches.
pub const VARIABLE: &str = "HEURPIPE_TUNING";

static REMEMBERED: LazyLock<RwLock<Memory>> =
    LazyLock::new(|| RwLock::new(Memory::of(place().as_deref())));

/// How a model is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tuned {
    /// Items a call.
    pub batch: usize,
    /// Threads a session; there are as many sessions as cores allow.
    pub threads: usize,
}

/// What a model did at one setting.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tuning {
    /// The setting.
    pub setting: Tuned,
    /// Items a second, all cores together.
    pub items_per_second: f64,
    /// CPU-milliseconds an item.
    pub cpu_ms: f64,
}

impl Tuning {
    pub(crate) fn new(setting: Tuned, items_per_second: f64, cpu_ms: f64) -> Self {
        Self {
            setting,
            items_per_second,
            cpu_ms,
        }
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Memory(BTreeMap<String, Tuned>);

impl Memory {
    /// What stands in the file; nothing where there is none. A file that cannot be read costs speed and no more.
    fn of(path: Option<&Path>) -> Self {
        let Some(text) = path.and_then(|path| std::fs::read_to_string(path).ok()) else {
            return Self::default();
        };
        serde_json::from_str(&text).unwrap_or_else(|error| {
            tracing::warn!(%error, "the remembered tuning cannot be read, and is made anew");
            Self::default()
        })
    }
}

/// What was found for a model on this machine with this runtime.
pub(crate) fn recall(model_digest: &str) -> Option<Tuned> {
    let key = key(model_digest).ok()?;
    let memory = REMEMBERED.read().unwrap_or_else(PoisonError::into_inner);
    memory.0.get(&key).copied()
}

/// Keeps what was found, for this process and the next.
///
/// # Errors
/// `Io` where the file cannot be written.
pub(crate) fn remember(model_digest: &str, tuned: Tuned) -> Result<()> {
    let key = key(model_digest)?;
    let mut memory = REMEMBERED.write().unwrap_or_else(PoisonError::into_inner);
    memory.0.insert(key, tuned);
    let Some(path) = place() else { return Ok(()) };
    write(&path, &memory).map_err(|error| {
        Error::new(ErrorKind::Io, "tuning.remember")
            .message("the tuning cannot be kept")
            .with("file", path.display())
            .cause(error)
    })
}

/// Written beside and renamed, so that nobody reads half of it.
fn write(path: &Path, memory: &Memory) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let beside = path.with_extension(format!("{}.tmp", std::process::id()));
    std::fs::write(&beside, serde_json::to_vec_pretty(memory)?)?;
    std::fs::rename(&beside, path)
}

/// A model on another machine or another runtime is another matter.
fn key(model_digest: &str) -> Result<String> {
    let runtime = Runtime::get()?.status();
    Ok(format!(
        "{} {} {:?} {} cores {}",
        &model_digest[..model_digest.len().min(16)],
        runtime.version,
        runtime.kind,
        compute::cores(),
        std::env::consts::ARCH,
    ))
}

fn place() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(VARIABLE) {
        return (!path.is_empty()).then(|| path.into());
    }
    let caches = match std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()) {
        Some(caches) => PathBuf::from(caches),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".cache"),
    };
    Some(caches.join("heurpipe").join("tuning.json"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nonsense_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join("tuning.json");
        let tuned = Tuned {
            batch: 4,
            threads: 1,
        };
        write(&path, &Memory(BTreeMap::from([("m".to_owned(), tuned)]))).unwrap();
        assert_eq!(Memory::of(Some(&path)).0["m"], tuned);
        std::fs::write(&path, "{").unwrap();
        assert!(Memory::of(Some(&path)).0.is_empty());
        assert!(Memory::of(None).0.is_empty());
    }
}
