//! What computes: the processor, or a CUDA device where the feature `cuda` is on and the loaded library can use one.

use std::fmt;

use ort::environment::Environment;
use ort::session::builder::SessionBuilder;
use serde::Serialize;

/// What computes a native session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "device")]
#[non_exhaustive]
pub enum Accelerator {
    /// The processor.
    Cpu {
        /// Why not a CUDA device; none where nobody asked for one: the feature `cuda` is off.
        #[serde(skip_serializing_if = "Option::is_none")]
        not_cuda: Option<String>,
    },
    /// A CUDA device.
    Cuda,
}

impl fmt::Display for Accelerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu { not_cuda: None } => f.write_str("cpu"),
            Self::Cpu {
                not_cuda: Some(why),
            } => write!(f, "cpu, since cuda is not to be had: {why}"),
            Self::Cuda => f.write_str("cuda"),
        }
    }
}

impl Accelerator {
    /// Tries what there is, once, on a session that is never built.
    #[cfg(feature = "cuda")]
    pub(super) fn find(environment: &Environment) -> Self {
        let tried = SessionBuilder::new(environment)
            .and_then(|mut builder| provider().register(&mut builder));
        match tried {
            Ok(()) => Self::Cuda,
            Err(error) => Self::Cpu {
                not_cuda: Some(error.to_string()),
            },
        }
    }

    /// Without the feature, the processor.
    #[cfg(not(feature = "cuda"))]
    pub(super) fn find(_environment: &Environment) -> Self {
        Self::Cpu { not_cuda: None }
    }

    /// Registers what was found with a session that is to be built.
    #[cfg(feature = "cuda")]
    pub(super) fn register(&self, builder: &mut SessionBuilder) -> ort::Result<()> {
        match self {
            Self::Cuda => provider().register(builder),
            Self::Cpu { .. } => Ok(()),
        }
    }

    /// Without the feature there is nothing to register.
    #[cfg(not(feature = "cuda"))]
    pub(super) fn register(&self, _builder: &mut SessionBuilder) -> ort::Result<()> {
        Ok(())
    }
}

#[cfg(feature = "cuda")]
fn provider() -> ort::ep::ExecutionProviderDispatch {
    ort::ep::CUDA::default().build().error_on_failure()
}
