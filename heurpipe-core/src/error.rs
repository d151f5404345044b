//! One error type for every trait: what happened, whether to try again, where, and why.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// What happened, independent of who reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// Data from outside does not have the form it must have.
    InvalidInput,
    /// A setting or a combination of settings is wrong.
    Config,
    /// The thing asked for does not exist (any more).
    NotFound,
    /// Somebody else changed the thing in between, or it exists already.
    Conflict,
    /// Credentials are missing, wrong or expired.
    Unauthenticated,
    /// Credentials are good, but do not permit this.
    PermissionDenied,
    /// The other side asks for a slower pace.
    RateLimited,
    /// It took longer than allowed.
    Timeout,
    /// The other side cannot be reached or is not able to answer now.
    Unavailable,
    /// A limit on size, memory or pixels was exceeded.
    TooLarge,
    /// Bytes or stored data are damaged.
    Corrupt,
    /// The operation is not supported by this implementation.
    Unsupported,
    /// The operating system refused a file or socket operation.
    Io,
    /// The work was stopped on request.
    Cancelled,
    /// A defect: an invariant of the program does not hold.
    Internal,
}

impl ErrorKind {
    /// The stable snake-case name, as used in logs, metrics and dead letters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid_input",
            Self::Config => "config",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Unauthenticated => "unauthenticated",
            Self::PermissionDenied => "permission_denied",
            Self::RateLimited => "rate_limited",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::TooLarge => "too_large",
            Self::Corrupt => "corrupt",
            Self::Unsupported => "unsupported",
            Self::Io => "io",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }

    fn default_retry(self) -> Retry {
        match self {
            Self::RateLimited | Self::Timeout | Self::Unavailable | Self::Conflict => {
                Retry::Temporary
            }
            Self::Unauthenticated | Self::PermissionDenied | Self::Config => Retry::NeedsOperator,
            _ => Retry::Permanent,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether trying the same thing again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// The same call may succeed later.
    Temporary,
    /// The same call fails again, whenever it is made.
    Permanent,
    /// It succeeds only after a person has changed something (a token, a permission, a disk).
    NeedsOperator,
}

/// The error of every trait in this crate: kind × retry, the operation that failed, context and cause.
///
/// ```
/// use heurpipe_core::{Error, ErrorKind, Retry};
///
/// let error = Error::new(ErrorKind::RateLimited, "graph.media")
///     .message("the app call limit is reached")
///     .with("hashtag", "streetwear");
/// assert_eq!(error.retry(), Retry::Temporary);
/// assert_eq!(
///     error.to_string(),
///     "graph.media: the app call limit is reached (rate_limited, hashtag=streetwear)"
/// );
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    retry: Retry,
    retry_after: Option<Duration>,
    operation: Cow<'static, str>,
    message: Option<String>,
    context: Vec<(Cow<'static, str>, String)>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A new error of this kind, with the retry class that usually goes with it.
    ///
    /// `operation` names what was being done, as `component.verb`.
    pub fn new(kind: ErrorKind, operation: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            retry: kind.default_retry(),
            retry_after: None,
            operation: operation.into(),
            message: None,
            context: Vec::new(),
            source: None,
        }))
    }

    /// Says in a sentence what was wrong (lower case, without full stop).
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.0.message = Some(message.into());
        self
    }

    /// Adds a pair that tells where it happened: a file, a post, a line.
    pub fn with(mut self, key: impl Into<Cow<'static, str>>, value: impl fmt::Display) -> Self {
        self.0.context.push((key.into(), value.to_string()));
        self
    }

    /// Keeps the error that caused this one.
    pub fn cause(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync + 'static>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Overrides the retry class.
    pub fn retryable(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Says how long the other side asked to wait; makes the error temporary.
    pub fn after(mut self, wait: Duration) -> Self {
        self.0.retry = Retry::Temporary;
        self.0.retry_after = Some(wait);
        self
    }

    /// The same error once more, for another item that it concerns; of the causes the sentences are kept.
    pub fn replica(&self) -> Self {
        let inner = &self.0;
        let causes = self.chain().split_off(1);
        Self(Box::new(Inner {
            kind: inner.kind,
            retry: inner.retry,
            retry_after: inner.retry_after,
            operation: inner.operation.clone(),
            message: inner.message.clone(),
            context: inner.context.clone(),
            source: (!causes.is_empty()).then(|| causes.join(": ").into()),
        }))
    }

    /// What happened.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether trying again can help.
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// How long the other side asked to wait, if it said so.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What was being done, as `component.verb`.
    pub fn operation(&self) -> &str {
        &self.0.operation
    }

    /// The context pairs, in the order in which they were added.
    pub fn context(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.context.iter().map(|(k, v)| (k.as_ref(), v.as_str()))
    }

    /// The error and its causes, outermost first, one sentence each.
    pub fn chain(&self) -> Vec<String> {
        let mut sentences = vec![self.to_string()];
        let mut next = std::error::Error::source(self);
        while let Some(error) = next {
            sentences.push(error.to_string());
            next = error.source();
        }
        sentences
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.0.operation)?;
        match &self.0.message {
            Some(message) => write!(f, "{message} ({}", self.0.kind)?,
            None => write!(f, "failed ({}", self.0.kind)?,
        }
        for (key, value) in &self.0.context {
            write!(f, ", {key}={value}")?;
        }
        f.write_str(")")
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("retry", &self.0.retry)
            .field("chain", &self.chain())
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|e| e as _)
    }
}
