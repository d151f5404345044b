//! Secrets by reference: `env:NAME` or `file:PATH`, never in the configuration itself.

use std::path::Path;

use heurpipe_core::{Error, ErrorKind, Result};

/// The secret that a setting refers to.
///
/// # Errors
/// `Config` when the setting is no reference, or what it refers to is not there. The secret itself is in no error.
pub fn resolve(setting: &str, reference: &str, base: &Path) -> Result<String> {
    let wrong = |message: String| {
        Error::new(ErrorKind::Config, "config.secret")
            .message(message)
            .with("setting", setting)
    };
    match reference.split_once(':') {
        Some(("env", name)) => {
            std::env::var(name).map_err(|_| wrong(format!("the environment has no {name}")))
        }
        Some(("file", path)) => {
            let path = base.join(path);
            let text = std::fs::read_to_string(&path).map_err(|error| {
                wrong(format!("{} cannot be read", path.display())).cause(error)
            })?;
            Ok(text.trim().to_owned())
        }
        _ => Err(wrong(
            "a secret is written env:NAME or file:PATH".to_owned(),
        )),
    }
}
