//! Where a server is, what its indices are called, and who asks.

use heurpipe_core::{Error, ErrorKind, Result};
use reqwest::Url;
use secrecy::SecretString;

use super::OPERATION;
use crate::secret::secret;

/// What the indices of a URL without a name are called.
const DEFAULT_NAME: &str = "heurpipe-posts";

/// Names of indices may have 255 bytes; ours end in a version and a month.
const LONGEST_NAME: usize = 200;

/// What a URL says.
#[derive(Debug)]
pub(super) struct Address {
    /// Scheme, host, port and whatever path stands before the name; without a slash at its end.
    pub(super) server: String,
    /// The alias of all indices, and the beginning of their names.
    pub(super) name: String,
    /// `user:password`, or an API key.
    pub(super) credentials: Option<SecretString>,
}

impl Address {
    /// Reads `http(s)://HOST[:PORT][/PATH][/NAME][?credentials=env:NAME|file:PATH]`. The last part of the path is the name of the indices.
    ///
    /// # Errors
    /// `Config` for a URL that is none, that holds a password itself, or whose name no index can have. No error holds a password.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let wrong = |message: &str| Error::new(ErrorKind::Config, OPERATION).message(message);
        let url = Url::parse(text)
            .map_err(|error| wrong("the url of the search server cannot be read").cause(error))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong(
                "a password does not belong in a url; write ?credentials=env:NAME or ?credentials=file:PATH",
            ));
        }
        let said = |message: &str| wrong(message).with("url", text);
        if url.host_str().is_none_or(str::is_empty) {
            return Err(said("the url names no host"));
        }
        let mut credentials = None;
        for (key, value) in url.query_pairs() {
            match &*key {
                "credentials" => credentials = Some(secret(&value, OPERATION)?),
                _ => {
                    return Err(said("the url has a parameter other than credentials")
                        .with("parameter", key));
                }
            }
        }
        let path = url.path().trim_matches('/');
        let (before, name) = match path.rsplit_once('/') {
            Some((before, name)) => (format!("/{before}"), name),
            None => (String::new(), path),
        };
        let name = if name.is_empty() { DEFAULT_NAME } else { name };
        if !is_name(name) {
            return Err(said(
                "indices are called by lower-case letters, digits, hyphens and underscores",
            ));
        }
        Ok(Self {
            server: format!("{}{before}", url.origin().ascii_serialization()),
            name: name.to_owned(),
            credentials,
        })
    }
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    name.len() <= LONGEST_NAME
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn the_last_part_of_the_path_is_the_name() {
        for (url, server, name) in [
            (
                "http://localhost:9200",
                "http://localhost:9200",
                DEFAULT_NAME,
            ),
            (
                "http://localhost:9200/",
                "http://localhost:9200",
                DEFAULT_NAME,
            ),
            ("https://es.example/looks", "https://es.example", "looks"),
            (
                "https://es.example/behind/proxy/looks-2",
                "https://es.example/behind/proxy",
                "looks-2",
            ),
            ("http://[::1]:9200/a", "http://[::1]:9200", "a"),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!((&*address.server, &*address.name), (server, name), "{url}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for (url, message) in [
            ("http://", "cannot be read"),
            ("http://user:hunter2@es.example", "does not belong in a url"),
            ("http://es.example/Looks", "lower-case"),
            ("http://es.example/_all", "lower-case"),
            ("http://es.example/a,b", "lower-case"),
            ("http://es.example/?token=hunter2", "a parameter other than"),
            (
                "http://es.example/?credentials=hunter2",
                "env:NAME or file:PATH",
            ),
            (
                "http://es.example/?credentials=env:HEURPIPE_ABSENT",
                "the environment has no HEURPIPE_ABSENT",
            ),
            (
                "http://es.example/?credentials=file:/absent",
                "/absent cannot be read",
            ),
        ] {
            let error = Address::parse(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(message), "{url}: {error}");
        }
        let error = Address::parse("http://user:hunter2@es.example").unwrap_err();
        assert!(
            !format!("{error} {error:?}").contains("hunter2"),
            "{error:?}"
        );
    }

    #[test]
    fn credentials_come_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        std::fs::write(&file, "user:word\n").unwrap();
        let url = format!("http://es.example/a?credentials=file:{}", file.display());
        let address = Address::parse(&url).unwrap();
        assert_eq!(address.credentials.unwrap().expose_secret(), "user:word");
    }
}
