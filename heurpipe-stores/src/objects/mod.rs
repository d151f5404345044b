//! Objects by path, as blobs and the warehouse keep them.

mod failure;
#[cfg(any(feature = "gcs", feature = "s3"))]
mod place;

pub(crate) use failure::failure;
#[cfg(feature = "bigquery")]
pub(crate) use place::open_gcs_there;
#[cfg(any(feature = "gcs", feature = "s3"))]
pub(crate) use place::open_there;
