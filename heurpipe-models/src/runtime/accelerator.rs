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
    /// Tries what there is, once, on the smallest of models: a library takes its provider without looking for a device, and misses that when it loads a model.
    #[cfg(feature = "cuda")]
    pub(super) fn find(environment: &Environment) -> Self {
        match tried(environment) {
            Ok(()) => Self::Cuda,
            Err(error) => Self::Cpu {
                not_cuda: Some(short(&error.to_string())),
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

    /// The most sessions of one model that are of use: on a device one that computes, and one whose numbers are on their way.
    pub(super) fn most_sessions(&self) -> usize {
        match self {
            Self::Cpu { .. } => usize::MAX,
            Self::Cuda => 2,
        }
    }
}

/// `b = Relu(a)` of one number: an ONNX model of opset 13.
#[cfg(feature = "cuda")]
const SMALLEST: &[u8] = b"\x08\x08\x12\x00:3\n\x0c\n\x01a\x12\x01b\"\x04Relu\x12\x01gZ\x0f\n\x01a\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01b\x0f\n\x01b\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\r";

#[cfg(feature = "cuda")]
fn tried(environment: &Environment) -> ort::Result<()> {
    let mut builder = SessionBuilder::new(environment)?;
    provider().register(&mut builder)?;
    builder.commit_from_memory(SMALLEST)?;
    Ok(())
}

/// What CUDA says of itself in an error that names half of the library's source; else all of it.
#[cfg(feature = "cuda")]
fn short(error: &str) -> String {
    let Some((_, reason)) = error.split_once("CUDA failure") else {
        return error.to_owned();
    };
    let reason = reason.split(" ; ").next().unwrap_or(reason);
    format!("CUDA failure{reason}")
}

/// Convolutions by the library's rule of thumb: trying all ways to do each takes seconds a session.
#[cfg(feature = "cuda")]
fn provider() -> ort::ep::ExecutionProviderDispatch {
    ort::ep::CUDA::default()
        .with_conv_algorithm_search(ort::ep::cuda::ConvAlgorithmSearch::Heuristic)
        .build()
        .error_on_failure()
}

#[cfg(all(test, feature = "cuda"))]
mod tests {
    #[test]
    fn an_error_of_cuda_says_what_is_wrong_and_not_where() {
        let error = "onnxruntime/core/providers/cuda/cuda_call.cc:146 bool THRW = true CUDA failure 100: no CUDA-capable device is detected ; GPU=-1 ; hostname=vm";
        assert_eq!(
            super::short(error),
            "CUDA failure 100: no CUDA-capable device is detected"
        );
        assert_eq!(super::short("not in this build"), "not in this build");
    }
}
