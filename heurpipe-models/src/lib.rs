//! Image and text models for heurpipe pipelines.
//!
//! - [`PictureDecoder`]: from a picture's bytes to the pixels that models ask for.
//! - [`Classify`]: an enricher made of a model folder; [`shipped`] has two of the project's own.
//! - [`check()`]: how good a model is on pictures whose labels are known.
//! - [`PerceptualHash`]: which pictures look nearly the same.
//! - [`Runtime`]: ONNX Runtime's library where one is found, else tract, which is compiled in.
//!
//! ```
//! use heurpipe_core::{Decoder, Enricher, Input};
//! use heurpipe_models::{PictureDecoder, shipped};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! # let mut file = std::io::Cursor::new(Vec::new());
//! # image::RgbImage::from_pixel(300, 400, image::Rgb([30, 60, 160]))
//! #     .write_to(&mut file, image::ImageFormat::Jpeg).unwrap();
//! # let jpeg: bytes::Bytes = file.into_inner().into();
//! let pattern = shipped::pattern()?;
//! let Input::Pixels(request) = pattern.spec().input else { unreachable!() };
//! let decoded = PictureDecoder::default().decode(&jpeg, &[request]).await?;
//! let predictions = pattern.classify(&[decoded.pixels[0].clone().into()])?;
//! assert_eq!(predictions[0].label, "solid");
//! # Ok::<(), heurpipe_core::Error>(()) }).unwrap();
//! ```
//!
//! # A model of one's own
//! A folder with `model.onnx` and a `model.toml` that says what the model wants and gives; every key is in [`Manifest`]. Load it with
//! [`Classify::load`], and measure it with [`check()`].

mod check;
mod classify;
pub mod colour;
mod decode;
mod detect;
mod embed;
mod folder;
mod load;
mod manifest;
mod perceptual_hash;
mod picture;
mod pixels;
mod preprocess;
mod registry;
pub mod runtime;
pub mod shipped;
mod source;
mod spread;
mod swap;
pub mod text;
mod vector;
mod zero_shot;

pub use check::{
    Calibration, CalibrationBin, CheckOptions, CheckReport, ClassReport, HOLDOUT_SHARE, Labelled,
    Mistake, Unreadable, check, in_holdout, labelled_folder,
};
pub use classify::{Classifier, Classify, Prediction};
pub use decode::{DecodeLimits, PictureDecoder};
pub use detect::{Detect, Detection};
pub use embed::{EmbedImage, EmbedText};
pub use load::{Model, load};
pub use manifest::{
    BoxFormat, Channels, DetectSpec, Heads, InputSpec, Layout, Manifest, ModelFile, OutputKind,
    OutputSpec, Pad, Pool, Task, TextSpec,
};
pub use perceptual_hash::PerceptualHash;
pub use registry::{Registered, Registry, RegistryState, ShadowVersion};
pub use runtime::{Accelerator, Runtime, RuntimeChoice, RuntimeKind, RuntimeStatus, Tuned, Tuning};
pub use swap::HotSwap;
pub use zero_shot::ZeroShot;
