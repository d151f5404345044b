//! How stores are named and opened.

use heurpipe_core::{Error, ErrorKind, Result};

/// What a store is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Reading and writing. Embedded stores are created when they are not there, and admit one writing process at a time.
    ReadWrite,
    /// Reading only, at any time; the store must be there.
    ReadOnly,
}

impl Mode {
    /// Nothing where writing is allowed.
    ///
    /// # Errors
    /// `PermissionDenied` for what was opened for reading.
    pub(crate) fn check_writable(self, operation: &'static str) -> Result<()> {
        match self {
            Self::ReadWrite => Ok(()),
            Self::ReadOnly => Err(Self::refuse(operation)),
        }
    }

    /// The error for a write to what was opened for reading.
    pub(crate) fn refuse(operation: &'static str) -> Error {
        Error::new(ErrorKind::PermissionDenied, operation)
            .message("the store was opened for reading only")
    }
}

/// Scheme and path of a store's URL: `sqlite:PATH`, `sqlite:///PATH`.
///
/// # Errors
/// `Config` when there is no scheme.
pub(crate) fn split<'a>(
    url: &'a str,
    operation: &'static str,
    supported: &[&str],
) -> Result<(&'a str, &'a str)> {
    match url.split_once(':') {
        Some((scheme, path)) => Ok((scheme, path.strip_prefix("//").unwrap_or(path))),
        None => Err(unknown(url, operation, supported)),
    }
}

/// The error for a URL that no backend of a role understands.
pub(crate) fn unknown(url: &str, operation: &'static str, supported: &[&str]) -> Error {
    Error::new(ErrorKind::Config, operation)
        .message(format!(
            "no such kind of store; supported are {}",
            supported.join(", ")
        ))
        .with("url", url)
}

/// The path of a store's URL.
///
/// # Errors
/// `Config` when it is empty.
pub(crate) fn path<'a>(
    path: &'a str,
    url: &str,
    operation: &'static str,
) -> Result<&'a std::path::Path> {
    if path.is_empty() {
        return Err(Error::new(ErrorKind::Config, operation)
            .message("the url names no path")
            .with("url", url));
    }
    Ok(std::path::Path::new(path))
}

/// What a reference to a secret refers to: `env:NAME`, or `file:PATH`.
///
/// # Errors
/// `Config` when it is written otherwise, or when there is no such thing.
#[cfg(any(
    feature = "elasticsearch",
    feature = "gcs",
    feature = "mongodb",
    feature = "s3"
))]
pub(crate) fn secret(reference: &str, operation: &'static str) -> Result<secrecy::SecretString> {
    let wrong = |message: String| Error::new(ErrorKind::Config, operation).message(message);
    let text = match reference.split_once(':') {
        Some(("env", name)) => {
            std::env::var(name).map_err(|_| wrong(format!("the environment has no {name}")))?
        }
        Some(("file", path)) => std::fs::read_to_string(path)
            .map_err(|error| wrong(format!("{path} cannot be read")).cause(error))?,
        _ => {
            return Err(wrong(
                "credentials are written env:NAME or file:PATH".to_owned(),
            ));
        }
    };
    Ok(text.trim().into())
}
