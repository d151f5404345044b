//! What the driver and the server say, in core's words.

use heurpipe_core::{Error, ErrorKind, Retry};
use mongodb::error::{ErrorKind as Driver, RETRYABLE_WRITE_ERROR, WriteFailure};
use mongodb::options::ClientOptions;

use super::reply::Refusal;

/// Longer reasons are cut: some describe the whole cluster.
const LONGEST_REASON: usize = 400;

/// Whom an error is about.
#[derive(Debug, Clone)]
pub(super) struct Server {
    hosts: String,
    has_credentials: bool,
}

impl Server {
    pub(super) fn of(options: &ClientOptions) -> Self {
        let hosts: Vec<String> = options.hosts.iter().map(ToString::to_string).collect();
        Self {
            hosts: hosts.join(","),
            has_credentials: options.credential.is_some(),
        }
    }

    /// The server of a URL that the driver has not understood yet.
    pub(super) fn of_url(plain: &str) -> Self {
        let after = plain.split_once("://").map_or(plain, |(_, rest)| rest);
        let hosts = after.split(['/', '?']).next().unwrap_or_default();
        Self {
            hosts: hosts.to_owned(),
            has_credentials: false,
        }
    }

    /// The error of a call that failed as a whole.
    pub(super) fn failure(&self, operation: &'static str, error: mongodb::error::Error) -> Error {
        let new = |kind, message: &str| Error::new(kind, operation).message(message);
        let found = match &*error.kind {
            Driver::Command(command) => self.refused(operation, command.code, &command.message),
            Driver::Write(WriteFailure::WriteError(write)) => {
                self.refused(operation, write.code, &write.message)
            }
            Driver::Write(WriteFailure::WriteConcernError(concern)) => {
                self.refused(operation, concern.code, &concern.message)
            }
            Driver::Authentication { message, .. } => new(
                ErrorKind::Unauthenticated,
                "the document server refuses the credentials",
            )
            .with("reason", clipped(message)),
            // The topology as the driver sees it says of each host why it is of no use.
            Driver::ServerSelection { message, .. } => new(
                ErrorKind::Unavailable,
                "no document server can be reached, or none that is fit for this",
            )
            .with("reason", clipped(message)),
            Driver::IncompatibleServer { message, .. } => new(
                ErrorKind::Config,
                "the document server is of a version that this program cannot use",
            )
            .with("reason", clipped(message)),
            Driver::Io(io) if io.kind() == std::io::ErrorKind::TimedOut => self.late(operation),
            Driver::Io(_) | Driver::ConnectionPoolCleared { .. } => {
                new(ErrorKind::Unavailable, "the document server breaks off")
            }
            Driver::DnsResolve { message, .. } => new(
                ErrorKind::Unavailable,
                "the name of the document server cannot be resolved",
            )
            .with("reason", clipped(message)),
            Driver::InvalidTlsConfig { message, .. } => {
                new(ErrorKind::Config, "the settings of encryption are wrong")
                    .with("reason", clipped(message))
            }
            Driver::InvalidArgument { message, .. } => new(
                ErrorKind::Config,
                "the url of the document server cannot be used",
            )
            .with("reason", clipped(message)),
            Driver::InvalidResponse { .. } | Driver::Bson(_) => new(
                ErrorKind::Corrupt,
                "what the server answers is not what a MongoDB server answers",
            ),
            _ => new(
                ErrorKind::Internal,
                "the driver of the document server fails",
            ),
        };
        let found = match error.contains_label(RETRYABLE_WRITE_ERROR) {
            true => found.retryable(Retry::Temporary),
            false => found,
        };
        // What the server said stands in the sentence already, and the driver's own text repeats all of it.
        match *error.kind {
            Driver::Io(io) => found.cause(io),
            Driver::Bson(bson) => found.cause(bson),
            _ => found,
        }
        .with("server", &self.hosts)
    }

    /// The error of one write of several.
    pub(super) fn item(&self, operation: &'static str, refusal: &Refusal) -> Error {
        self.about(self.refused(operation, refusal.code, &refusal.message))
    }

    /// An error, with the server that it is about.
    pub(super) fn about(&self, error: Error) -> Error {
        error.with("server", &self.hosts)
    }

    /// The error of a server that is asked and does not answer.
    pub(super) fn silent(&self, operation: &'static str) -> Error {
        self.about(self.late(operation))
    }

    fn late(&self, operation: &'static str) -> Error {
        Error::new(ErrorKind::Timeout, operation)
            .message("the document server does not answer in time")
    }

    /// The error for a code of the server.
    fn refused(&self, operation: &'static str, code: i32, message: &str) -> Error {
        let new = |kind, message: &str| Error::new(kind, operation).message(message);
        let error = match code {
            // Without credentials it is the first thing that a server with passwords says.
            13 if !self.has_credentials => new(
                ErrorKind::Unauthenticated,
                "the document server asks for credentials, and the url refers to none",
            ),
            13 | 8000 => new(
                ErrorKind::PermissionDenied,
                "the credentials do not permit this on the document server",
            ),
            11 | 18 => new(
                ErrorKind::Unauthenticated,
                "the document server refuses the credentials",
            ),
            50 | 64 | 262 => new(
                ErrorKind::Timeout,
                "the document server does not manage this in time",
            ),
            6 | 7 | 43 | 89 | 91 | 112 | 189 | 9001 | 10107 | 11600 | 11602 | 13388 | 13435
            | 13436 => new(
                ErrorKind::Unavailable,
                "the document server is not able to answer now",
            ),
            100 => new(
                ErrorKind::Config,
                "the document server has fewer members than the write concern asks for",
            ),
            14031 => new(
                ErrorKind::Unavailable,
                "the disk of the document server is full",
            )
            .retryable(Retry::NeedsOperator),
            16500 => new(
                ErrorKind::RateLimited,
                "the document server has too much to do",
            ),
            10334 | 17419 | 17420 => new(
                ErrorKind::TooLarge,
                "the document is larger than the document server takes",
            ),
            121 => new(
                ErrorKind::InvalidInput,
                "a validator on the document server refuses the document",
            ),
            85 | 86 => new(
                ErrorKind::Config,
                "an index with the same fields stands in the way of one of this program",
            ),
            59 | 115 => new(
                ErrorKind::Unsupported,
                "the document server does not know what this program needs",
            ),
            // Text of a query is a value or a number here, never syntax: what remains is how many and how deep they are.
            15 | 2 | 9 => new(
                ErrorKind::InvalidInput,
                "the filter is more than the document server takes",
            ),
            _ => new(ErrorKind::Internal, "the document server refuses this"),
        };
        error.with("code", code).with("reason", clipped(message))
    }
}

/// The beginning of a reason.
pub(super) fn clipped(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(LONGEST_REASON)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(has_credentials: bool) -> Server {
        Server {
            hosts: "mongo.example:27017".to_owned(),
            has_credentials,
        }
    }

    #[test]
    fn calls_are_tried_again_only_where_that_can_help() {
        for (code, kind, retry) in [
            (13, ErrorKind::PermissionDenied, Retry::NeedsOperator),
            (18, ErrorKind::Unauthenticated, Retry::NeedsOperator),
            (50, ErrorKind::Timeout, Retry::Temporary),
            (64, ErrorKind::Timeout, Retry::Temporary),
            (189, ErrorKind::Unavailable, Retry::Temporary),
            (10107, ErrorKind::Unavailable, Retry::Temporary),
            (14031, ErrorKind::Unavailable, Retry::NeedsOperator),
            (10334, ErrorKind::TooLarge, Retry::Permanent),
            (121, ErrorKind::InvalidInput, Retry::Permanent),
        ] {
            let error = server(true).refused("test.write", code, "so");
            assert_eq!((error.kind(), error.retry()), (kind, retry), "{error}");
            assert!(error.to_string().contains("reason=so"), "{error}");
        }
    }

    #[test]
    fn who_gave_no_credentials_is_told_so() {
        let error = server(false).refused("test.read", 13, "requires authentication");
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        assert!(error.to_string().contains("refers to none"), "{error}");
    }

    #[test]
    fn what_breaks_off_says_where_and_why() {
        let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let error =
            server(false).failure("test.read", mongodb::error::ErrorKind::from(broken).into());
        assert_eq!(
            (error.kind(), error.retry()),
            (ErrorKind::Unavailable, Retry::Temporary)
        );
        let said = error.chain().join(": ");
        assert!(said.contains("mongo.example:27017"), "{said}");
        assert!(said.contains("reset"), "{said}");
    }
}
