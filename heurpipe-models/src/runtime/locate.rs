//! Where ONNX Runtime's library may lie.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A library that may be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The file.
    pub path: PathBuf,
    /// How it was found.
    pub origin: String,
}

/// Where `heurpipe setup` puts the library: `heurpipe/onnxruntime` in the user's folder of data.
pub fn home() -> Option<PathBuf> {
    let data = match std::env::var_os("XDG_DATA_HOME").filter(|path| !path.is_empty()) {
        Some(data) => PathBuf::from(data),
        None => PathBuf::from(std::env::var_os("HOME")?)
            .join(".local")
            .join("share"),
    };
    Some(data.join("heurpipe").join("onnxruntime"))
}

/// Libraries in order of preference; the first is taken: `ORT_DYLIB_PATH`, beside the executable, where [`home`] is, site-packages of the current Python.
pub fn candidates() -> Vec<Candidate> {
    let mut found = Vec::new();
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()) {
        found.push(Candidate {
            path: path.into(),
            origin: "named by ORT_DYLIB_PATH".to_owned(),
        });
    }
    if let Some(folder) = std::env::current_exe()
        .ok()
        .as_deref()
        .and_then(Path::parent)
    {
        found.extend(in_folder(folder, "found beside the executable"));
    }
    if let Some(folder) = home() {
        found.extend(in_folder(&folder, "fetched by heurpipe setup"));
    }
    if let Some(folder) = python_package() {
        found.extend(in_folder(
            &folder,
            "found in the current python's site-packages",
        ));
    }
    found
}

/// Newest first, judged by name; provider plug-ins, whose names continue with an underscore, are no runtimes.
fn in_folder(folder: &Path, origin: &str) -> Vec<Candidate> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| is_library(path))
        .collect();
    paths.sort_unstable_by(|a, b| b.cmp(a));
    paths
        .into_iter()
        .map(|path| Candidate {
            path,
            origin: origin.to_owned(),
        })
        .collect()
}

/// Whether a file's name is that of ONNX Runtime's library on this system.
pub fn is_library(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if cfg!(target_os = "windows") {
        name == "onnxruntime.dll"
    } else if cfg!(target_os = "macos") {
        name.ends_with(".dylib")
            && (name.starts_with("libonnxruntime.") && !name.contains("providers"))
    } else {
        name.starts_with("libonnxruntime.so") && !name.ends_with(".part")
    }
}

/// Asks Python where the package lies, without importing it (which takes a second).
fn python_package() -> Option<PathBuf> {
    const QUESTION: &str = "import importlib.util as u\n\
        s = u.find_spec('onnxruntime')\n\
        print(s.submodule_search_locations[0] if s else '')";
    let python = if cfg!(target_os = "windows") {
        "python"
    } else {
        "python3"
    };
    let answer = Command::new(python)
        .args(["-c", QUESTION])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let package = String::from_utf8(answer.stdout).ok()?;
    let package = package.trim();
    (!package.is_empty()).then(|| Path::new(package).join("capi"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn only_the_runtime_itself_is_a_candidate() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "libonnxruntime.so.1.31.0",
            "libonnxruntime.so.1.32.0",
            "libonnxruntime_providers_shared.so",
            "libother.so",
        ] {
            std::fs::write(folder.path().join(name), b"").unwrap();
        }
        let names: Vec<_> = in_folder(folder.path(), "test")
            .into_iter()
            .map(|c| c.path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(
            names,
            ["libonnxruntime.so.1.32.0", "libonnxruntime.so.1.31.0"]
        );
    }

    #[test]
    fn a_folder_that_is_not_there_has_none() {
        assert!(in_folder(Path::new("/no/such/folder"), "test").is_empty());
    }
}
