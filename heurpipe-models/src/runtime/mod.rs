//! Which ONNX runtime runs the models: the native library where one is found, else tract, which is compiled in.
//!
//! The choice is made once per process, because the runtime's table of functions is process-wide.

mod accelerator;
mod diagnose;
mod locate;
mod session;
pub(crate) mod tuning;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Mutex, OnceLock};

use heurpipe_core::{Error, ErrorKind, Result};
use ort::environment::Environment;
use serde::Serialize;

pub use accelerator::Accelerator;
pub use locate::{Candidate, candidates, home, is_library};
pub(crate) use session::{Feed, SessionPool, Tensor, Values};
pub use tuning::{Tuned, Tuning};

/// The environment variable that forces a runtime: `auto`, `tract` or the path of a library.
pub const VARIABLE: &str = "HEURPIPE_ONNX_RUNTIME";

/// What to do where the native library is wanted and cannot be had.
const ADVICE: &str =
    "models run several times slower than on ONNX Runtime, which `heurpipe setup` fetches";

static RUNTIME: OnceLock<Runtime> = OnceLock::new();
/// Why there is no runtime. A library that could not be loaded leaves `ort` in a state in which no second may be tried in the same process.
static FAILED: OnceLock<Error> = OnceLock::new();
static CHOOSING: Mutex<()> = Mutex::new(());

/// Which runtime is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RuntimeChoice {
    /// The native library where one is found, else tract.
    #[default]
    Auto,
    /// The pure-Rust runtime that is compiled in.
    Tract,
    /// This library; an error where it cannot be loaded.
    Library(PathBuf),
}

impl FromStr for RuntimeChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.trim() {
            "" | "auto" => Ok(Self::Auto),
            "tract" => Ok(Self::Tract),
            path if path.contains(['/', '\\', '.']) => Ok(Self::Library(path.into())),
            other => Err(Error::new(ErrorKind::Config, "runtime.choose")
                .message("a runtime is auto, tract or the path of a library")
                .with("runtime", other)),
        }
    }
}

/// The kind of runtime in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuntimeKind {
    /// ONNX Runtime's own library.
    Native,
    /// The pure-Rust fallback: same answers, several times slower.
    Tract,
}

/// Which runtime is in use, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RuntimeStatus {
    /// The kind.
    pub kind: RuntimeKind,
    /// Its version.
    pub version: String,
    /// What computes.
    pub accelerator: Accelerator,
    /// The library's file; none for tract.
    pub path: Option<PathBuf>,
    /// Where the library was found, or why tract was taken.
    pub because: String,
    /// Libraries that were tried and not taken, with why not.
    pub passed_over: Vec<String>,
    /// What would make models faster; none on the native library, and where tract was asked for.
    pub advice: Option<&'static str>,
}

impl fmt::Display for RuntimeStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "onnx runtime {} ({}", self.version, path.display())?,
            None => write!(f, "tract {} (compiled in", self.version)?,
        }
        write!(f, "; {}; on {})", self.because, self.accelerator)
    }
}

/// The runtime of this process.
pub struct Runtime {
    environment: Environment,
    status: RuntimeStatus,
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl Runtime {
    /// The runtime, chosen at the first call: as [`VARIABLE`] says, else automatically.
    ///
    /// # Errors
    /// `Config` when the variable names a library that cannot be loaded.
    pub fn get() -> Result<&'static Self> {
        match RUNTIME.get() {
            Some(runtime) => Ok(runtime),
            None => Self::choose(&RuntimeChoice::Auto),
        }
    }

    /// Chooses the runtime; to be called before any model is loaded. [`VARIABLE`], where set, overrides the choice.
    ///
    /// # Errors
    /// `Config` when the library named cannot be loaded, or when another runtime is in use already.
    pub fn choose(choice: &RuntimeChoice) -> Result<&'static Self> {
        let choice = match std::env::var(VARIABLE) {
            Ok(forced) if !forced.trim().is_empty() => forced.parse()?,
            _ => choice.clone(),
        };
        let _one_at_a_time = CHOOSING
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(runtime) = RUNTIME.get() {
            return runtime.suits(&choice).then_some(runtime).ok_or_else(|| {
                Error::new(ErrorKind::Config, "runtime.choose")
                    .message("another runtime is in use already, and a process has one")
                    .with("in_use", &runtime.status)
            });
        }
        if let Some(error) = FAILED.get() {
            return Err(error.replica());
        }
        let runtime = Self::start(&choice).inspect_err(|error| {
            FAILED.get_or_init(|| error.replica());
        })?;
        tracing::info!(runtime = %runtime.status, "onnx runtime chosen");
        Ok(RUNTIME.get_or_init(|| runtime))
    }

    /// Which runtime is in use, and why.
    pub fn status(&self) -> &RuntimeStatus {
        &self.status
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Has a session that is to be built compute on what was found.
    fn accelerate(&self, builder: &mut ort::session::builder::SessionBuilder) -> ort::Result<()> {
        self.status.accelerator.register(builder)
    }

    fn most_sessions(&self) -> usize {
        self.status.accelerator.most_sessions()
    }

    fn suits(&self, choice: &RuntimeChoice) -> bool {
        match choice {
            RuntimeChoice::Auto => true,
            RuntimeChoice::Tract => self.status.kind == RuntimeKind::Tract,
            RuntimeChoice::Library(path) => self.status.path.as_deref() == Some(path),
        }
    }

    fn start(choice: &RuntimeChoice) -> Result<Self> {
        match choice {
            RuntimeChoice::Tract => Self::tract("asked for".to_owned(), Vec::new()),
            RuntimeChoice::Library(path) => {
                Self::native(path, "asked for".to_owned()).map_err(|reason| {
                    Error::new(ErrorKind::Config, "runtime.load")
                        .message(reason)
                        .with("library", path.display())
                })
            }
            RuntimeChoice::Auto => {
                let Some(candidate) = candidates().into_iter().next() else {
                    return Self::fallback("no native library found", Vec::new());
                };
                Self::native(&candidate.path, candidate.origin).or_else(|reason| {
                    let passed_over = vec![format!("{}: {reason}", candidate.path.display())];
                    Self::fallback("the native library could not be loaded", passed_over)
                })
            }
        }
    }

    /// The error is a sentence: whether it is fatal is for the caller to say.
    fn native(path: &Path, because: String) -> std::result::Result<Self, String> {
        let environment = ort::init_from(path)
            .map_err(|error| error.to_string())?
            .with_telemetry(false)
            .build()
            .map_err(|error| error.to_string())?;
        let accelerator = Accelerator::find(&environment);
        Ok(Self {
            environment,
            status: RuntimeStatus {
                kind: RuntimeKind::Native,
                version: version_of(path),
                accelerator,
                path: Some(path.to_owned()),
                because,
                passed_over: Vec::new(),
                advice: None,
            },
        })
    }

    /// What is compiled in, where the native library is wanted and cannot be had.
    fn fallback(because: &str, passed_over: Vec<String>) -> Result<Self> {
        let mut runtime = Self::tract(because.to_owned(), passed_over)?;
        runtime.status.advice = Some(ADVICE);
        Ok(runtime)
    }

    fn tract(because: String, passed_over: Vec<String>) -> Result<Self> {
        let failed = |reason: &str| {
            Error::new(ErrorKind::Internal, "runtime.load").message(reason.to_owned())
        };
        if !ort::set_api(ort_tract::api()) {
            return Err(failed("another onnx runtime was set up behind our back"));
        }
        let environment = ort::init()
            .build()
            .map_err(|error| failed("tract did not start").cause(error))?;
        Ok(Self {
            environment,
            status: RuntimeStatus {
                kind: RuntimeKind::Tract,
                version: "0.23".to_owned(),
                accelerator: Accelerator::Cpu { not_cuda: None },
                path: None,
                because,
                passed_over,
                advice: None,
            },
        })
    }
}

/// The version in the library's file name, else in what the library says of its build.
fn version_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let in_name = name
        .split_once(".so.")
        .map(|(_, version)| version.to_owned());
    in_name
        .or_else(|| {
            let (_, rest) = ort::info().split_once("git-branch=rel-")?;
            rest.split([',', ' ']).next().map(str::to_owned)
        })
        .unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_choice_is_read_from_text() {
        assert_eq!(
            "auto".parse::<RuntimeChoice>().unwrap(),
            RuntimeChoice::Auto
        );
        assert_eq!(
            "tract".parse::<RuntimeChoice>().unwrap(),
            RuntimeChoice::Tract
        );
        assert_eq!(
            "/opt/libonnxruntime.so".parse::<RuntimeChoice>().unwrap(),
            RuntimeChoice::Library("/opt/libonnxruntime.so".into())
        );
        let error = "fast".parse::<RuntimeChoice>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }

    #[test]
    fn the_version_is_in_the_file_name() {
        assert_eq!(
            version_of(Path::new("/x/libonnxruntime.so.1.32.0")),
            "1.32.0"
        );
    }
}
