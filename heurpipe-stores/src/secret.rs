//! Secrets that a store's URL refers to.

use heurpipe_core::{Error, ErrorKind, Result};
use secrecy::SecretString;

/// What `env:NAME` or `file:PATH` refers to.
///
/// # Errors
/// `Config` when it refers to nothing, or is written otherwise.
pub(crate) fn secret(reference: &str, operation: &'static str) -> Result<SecretString> {
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
