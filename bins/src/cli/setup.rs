//! `heurpipe setup`: fetches ONNX Runtime's library through pip, so that models run several times faster than on the compiled-in runtime.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;
use heurpipe_core::{Error, ErrorKind};
use heurpipe_models::runtime::{self, Runtime, RuntimeChoice};

use super::{Done, Exit, Stop};

/// The versions whose interface this program speaks.
const PACKAGE: &str = "onnxruntime>=1.24,<2";
#[cfg(target_os = "windows")]
const PYTHON: &str = "python";
#[cfg(not(target_os = "windows"))]
const PYTHON: &str = "python3";

/// Arguments of `heurpipe setup`.
#[derive(Debug, Args)]
pub struct Setup {
    /// Fetch it again even where a native library is found.
    #[arg(long)]
    again: bool,
}

impl Setup {
    /// Fetches the library where none is found, and says which runtime is then in use.
    pub(super) async fn run(self) -> Done {
        if !self.again && !runtime::candidates().is_empty() {
            let runtime = Runtime::choose(&RuntimeChoice::Auto)?;
            println!("a native library is there: {}", runtime.status());
            return Ok(Exit::Done);
        }
        let home = runtime::home().ok_or_else(|| {
            failed("there is no folder to put it: set HOME, or name a library by ORT_DYLIB_PATH")
        })?;
        let library = fetch(&home)?;
        let runtime = Runtime::choose(&RuntimeChoice::Library(library))?;
        println!("set up: {}", runtime.status());
        println!("`heurpipe models tune garment` finds its best settings on this machine");
        Ok(Exit::Done)
    }
}

fn failed(message: &str) -> Stop {
    Stop::Failed(Error::new(ErrorKind::Io, "setup").message(message.to_owned()))
}

/// Downloads the wheel, which is a ZIP file, and takes the library out of it. Nothing is installed into any Python.
fn fetch(home: &Path) -> Result<PathBuf, Stop> {
    std::fs::create_dir_all(home).map_err(|e| Stop::io("the folder cannot be made", e))?;
    let wheels = home.join("wheels");
    let pip = Command::new(PYTHON)
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
        ])
        .arg("--dest")
        .arg(&wheels)
        .arg(PACKAGE)
        .stdin(Stdio::null())
        .status()
        .map_err(|e| Stop::io("python 3 with pip is needed to fetch onnx runtime", e))?;
    if !pip.success() {
        return Err(failed(
            "pip could not fetch onnx runtime; what it says stands above",
        ));
    }
    let wheel = newest(&wheels, |name| name.ends_with(".whl"))
        .ok_or_else(|| failed("pip fetched no wheel"))?;
    let library = take_library(&wheel, home)?;
    std::fs::remove_dir_all(&wheels).map_err(|e| Stop::io("the wheel cannot be removed", e))?;
    Ok(library)
}

fn newest(folder: &Path, wanted: impl Fn(&str) -> bool) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let paths = entries.map(|entry| entry.path());
    paths
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| wanted(&name.to_string_lossy()))
        })
        .max()
}

fn take_library(wheel: &Path, home: &Path) -> Result<PathBuf, Stop> {
    let unreadable = |error: zip::result::ZipError| {
        Stop::io("the wheel cannot be read", std::io::Error::other(error))
    };
    let file = File::open(wheel).map_err(|e| Stop::io("the wheel cannot be read", e))?;
    let mut archive = zip::ZipArchive::new(file).map_err(unreadable)?;
    let name = archive
        .file_names()
        .flatten()
        .find(|name| {
            let file = name.rsplit('/').next().unwrap_or_default();
            runtime::is_library(Path::new(file))
        })
        .map(|name| name.into_owned())
        .ok_or_else(|| failed("the wheel holds no library of onnx runtime"))?;
    let mut packed = archive.by_name(&name).map_err(unreadable)?;
    let library = home.join(name.rsplit('/').next().unwrap_or_default());
    let beside = library.with_extension("part");
    let mut written =
        File::create(&beside).map_err(|e| Stop::io("the library cannot be written", e))?;
    std::io::copy(&mut packed, &mut written)
        .and_then(|_| std::fs::rename(&beside, &library))
        .map_err(|e| Stop::io("the library cannot be written", e))?;
    Ok(library)
}
