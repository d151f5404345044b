//! Where a server is, which database is ours, and who asks.

use std::time::Duration;

use heurpipe_core::{Error, ErrorKind, Result};
use mongodb::options::{Acknowledgment, ClientOptions, WriteConcern};
use secrecy::ExposeSecret;

use super::OPERATION;
use super::failure::Server;
use crate::address::secret;

/// What the database of a URL without a name is called.
const DEFAULT_DATABASE: &str = "heurpipe";

/// The server takes no longer names.
const LONGEST_NAME: usize = 63;

/// How long a server is looked for, where the URL does not say: the driver's half minute is long for whoever waits before a terminal.
const LOOKING: Duration = Duration::from_secs(10);

/// What a URL says.
#[derive(Debug)]
pub(super) struct Address {
    /// The URL as the driver reads it, without user and password.
    plain: String,
    /// `user:password`, to be put before the hosts.
    credentials: Option<secrecy::SecretString>,
    pub(super) database: String,
}

impl Address {
    /// Reads `mongodb(+srv)://HOST[:PORT][,HOST[:PORT]…][/DATABASE][?credentials=env:NAME|file:PATH][&OPTION=VALUE…]`.
    ///
    /// # Errors
    /// `Config` for a URL that is none, that holds a password itself, or whose name no database can have. No error holds a password.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let wrong = |message: &str| Error::new(ErrorKind::Config, OPERATION).message(message);
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(wrong(
                "the url of a document server begins with mongodb:// or mongodb+srv://",
            ));
        };
        let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        if place.contains('@') {
            return Err(wrong(
                "a password does not belong in a url; write ?credentials=env:NAME or ?credentials=file:PATH",
            ));
        }
        let said = |message: &str| wrong(message).with("url", text);
        let (hosts, database) = place.split_once('/').unwrap_or((place, ""));
        if hosts.is_empty() {
            return Err(said("the url names no host"));
        }
        let database = if database.is_empty() {
            DEFAULT_DATABASE
        } else {
            database
        };
        if !is_name(database) {
            return Err(said(
                "databases are called by letters, digits, hyphens and underscores",
            ));
        }
        let mut credentials = None;
        let mut options = Vec::new();
        for parameter in parameters.split('&').filter(|p| !p.is_empty()) {
            match parameter.split_once('=') {
                Some(("credentials", reference)) => {
                    credentials = Some(secret(reference, OPERATION)?);
                }
                _ => options.push(parameter),
            }
        }
        if let Some(secret) = &credentials
            && !secret.expose_secret().contains(':')
        {
            return Err(wrong("the credentials are not of the form user:password"));
        }
        Ok(Self {
            plain: format!("{scheme}://{hosts}/{database}?{}", options.join("&")),
            credentials,
            database: database.to_owned(),
        })
    }

    /// What the driver makes of it; for `mongodb+srv` it asks the name servers.
    ///
    /// # Errors
    /// `Config` for an option that the driver does not know, and for a write concern that acknowledges nothing; `Unavailable` when the name of a
    /// `mongodb+srv` URL cannot be resolved.
    pub(super) async fn options(&self) -> Result<ClientOptions> {
        let parsed = ClientOptions::parse(self.with_credentials()).await;
        let mut options =
            parsed.map_err(|error| Server::of_url(&self.plain).failure(OPERATION, error))?;
        options
            .app_name
            .get_or_insert_with(|| "heurpipe".to_owned());
        options.server_selection_timeout.get_or_insert(LOOKING);
        options.write_concern = Some(self.durable(options.write_concern)?);
        Ok(options)
    }

    /// What is acknowledged has reached the journals of a majority, unless the URL says otherwise.
    fn durable(&self, told: Option<WriteConcern>) -> Result<WriteConcern> {
        let mut concern = told.unwrap_or_default();
        if concern.w == Some(Acknowledgment::Nodes(0)) {
            return Err(Error::new(ErrorKind::Config, OPERATION)
                .message("with w=0 the server acknowledges nothing, and nothing would be durable")
                .with("url", &self.plain));
        }
        concern.w.get_or_insert(Acknowledgment::Majority);
        concern.journal.get_or_insert(true);
        Ok(concern)
    }

    fn with_credentials(&self) -> String {
        let Some(credentials) = &self.credentials else {
            return self.plain.clone();
        };
        let (user, password) = credentials
            .expose_secret()
            .split_once(':')
            .unwrap_or_default();
        let (scheme, rest) = self.plain.split_once("://").unwrap_or_default();
        format!("{scheme}://{}:{}@{rest}", escaped(user), escaped(password))
    }
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    name.len() <= LONGEST_NAME && name.chars().all(plain)
}

/// A text as it may stand before a host.
fn escaped(text: &str) -> String {
    let escape = |byte: u8| {
        if byte.is_ascii_alphanumeric() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use mongodb::options::ReadConcern;

    use super::*;

    #[test]
    fn the_path_is_the_database() {
        for (url, database) in [
            ("mongodb://localhost", DEFAULT_DATABASE),
            ("mongodb://localhost:27017/", DEFAULT_DATABASE),
            ("mongodb://a:1,b:2/looks-2?replicaSet=rs", "looks-2"),
            ("mongodb+srv://cluster.example/looks", "looks"),
        ] {
            assert_eq!(Address::parse(url).unwrap().database, database, "{url}");
        }
    }

    #[tokio::test]
    async fn what_is_wrong_is_said_without_the_password() {
        for (url, message) in [
            ("mongodb:localhost", "begins with mongodb://"),
            ("mongodb:///looks", "names no host"),
            (
                "mongodb://user:hunter2@localhost",
                "does not belong in a url",
            ),
            ("mongodb+srv://user:hunter2@localhost/a", "does not belong"),
            ("mongodb://localhost/a.b", "letters, digits"),
            ("mongodb://localhost/a/b", "letters, digits"),
            (
                "mongodb://localhost/?credentials=hunter2",
                "env:NAME or file:PATH",
            ),
            (
                "mongodb://localhost/?credentials=env:HEURPIPE_ABSENT",
                "the environment has no HEURPIPE_ABSENT",
            ),
            (
                "mongodb://localhost/?credentials=file:/absent",
                "/absent cannot be read",
            ),
        ] {
            let error = Address::parse(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(message), "{url}: {error}");
            assert!(!format!("{error:?}").contains("user:hunter2"), "{error:?}");
        }
        for (url, message) in [
            ("mongodb://localhost/?w=0", "acknowledges nothing"),
            ("mongodb://localhost/?colour=red", "colour"),
            ("mongodb://localhost:port/", "url of the document server"),
        ] {
            let error = Address::parse(url).unwrap().options().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            let said = error.chain().join(": ");
            assert!(said.contains(message), "{url}: {said}");
        }
    }

    #[tokio::test]
    async fn credentials_come_from_a_file_whatever_characters_they_have() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let url = format!(
            "mongodb://localhost/a?authSource=admin&credentials=file:{}",
            file.display()
        );
        std::fs::write(&file, "hunter2\n").unwrap();
        let error = Address::parse(&url).unwrap_err();
        assert!(error.to_string().contains("user:password"), "{error}");

        std::fs::write(&file, "us/er:p@ss:wörd?\n").unwrap();
        let address = Address::parse(&url).unwrap();
        assert!(!format!("{address:?}").contains("p@ss"), "{address:?}");
        let credential = address.options().await.unwrap().credential.unwrap();
        assert_eq!(credential.username.as_deref(), Some("us/er"));
        assert_eq!(credential.password.as_deref(), Some("p@ss:wörd?"));
        assert_eq!(credential.source.as_deref(), Some("admin"));
    }

    #[tokio::test]
    async fn what_the_url_says_of_durability_holds() {
        let options = async |url: &str| Address::parse(url).unwrap().options().await.unwrap();
        let silent = options("mongodb://localhost").await;
        let concern = silent.write_concern.unwrap();
        assert_eq!(concern.w, Some(Acknowledgment::Majority));
        assert_eq!(concern.journal, Some(true));

        let told = options(
            "mongodb://localhost/?w=2&journal=false&wtimeoutMS=500&readConcernLevel=majority",
        )
        .await;
        let concern = told.write_concern.unwrap();
        assert_eq!(concern.w, Some(Acknowledgment::Nodes(2)));
        assert_eq!(concern.journal, Some(false));
        assert_eq!(concern.w_timeout, Some(Duration::from_millis(500)));
        assert_eq!(told.read_concern, Some(ReadConcern::majority()));
    }
}
