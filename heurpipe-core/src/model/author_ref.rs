//! Names by which an account is known.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::id::Platform;
use super::post::{Author, Post};
use crate::text;
use crate::{Error, ErrorKind, Result};

/// One name of an account: its id, written `platform:id`, or its handle, written `platform:@handle`.
///
/// The two are told apart, since a handle may consist of digits as somebody else's id does.
///
/// ```
/// use heurpipe_core::AuthorRef;
/// let handle: AuthorRef = "instagram:@Zoé".parse()?;
/// assert_eq!(handle.to_string(), "instagram:@zoe");
/// assert_ne!(handle, "instagram:zoe".parse()?);
/// # Ok::<(), heurpipe_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AuthorRef {
    platform: Platform,
    name: Name,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Name {
    Id(Arc<str>),
    Handle(Arc<str>),
}

impl AuthorRef {
    /// The account with this id.
    pub fn id(platform: Platform, id: &str) -> Self {
        let name = Name::Id(id.into());
        Self { platform, name }
    }

    /// The account with this handle, which is given without `@`; letters are folded as those of keywords are.
    pub fn handle(platform: Platform, handle: &str) -> Self {
        let name = Name::Handle(text::keyword(handle).into());
        Self { platform, name }
    }

    /// The network.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// Whether it is an id, and not a handle.
    pub fn is_id(&self) -> bool {
        matches!(self.name, Name::Id(_))
    }

    /// The value of the keyword field `author` among whose posts those of the account are.
    pub fn keyword(&self) -> String {
        match &self.name {
            Name::Id(name) | Name::Handle(name) => text::keyword(name),
        }
    }
}

impl Author {
    /// The names of the author, as an account of this network.
    pub fn names(&self, platform: &Platform) -> Vec<AuthorRef> {
        let id = self.id.as_deref();
        let handle = self.handle.as_deref();
        let id = id.map(|id| AuthorRef::id(platform.clone(), id));
        let handle = handle.map(|handle| AuthorRef::handle(platform.clone(), handle));
        id.into_iter().chain(handle).collect()
    }
}

impl Post {
    /// The names of the post's author; none where no call said who it is.
    pub fn author_names(&self) -> Vec<AuthorRef> {
        let author = self.author.as_ref();
        author.map_or_else(Vec::new, |author| author.names(&self.id.platform))
    }
}

impl fmt::Display for AuthorRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Name::Id(id) => write!(f, "{}:{id}", self.platform),
            Name::Handle(handle) => write!(f, "{}:@{handle}", self.platform),
        }
    }
}

impl FromStr for AuthorRef {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts = text.split_once(':').filter(|(platform, name)| {
            !platform.is_empty() && !name.is_empty() && !text::keyword(name).is_empty()
        });
        let Some((platform, name)) = parts else {
            return Err(Error::new(ErrorKind::InvalidInput, "author_ref.parse")
                .message("an author is written platform:id or platform:@handle")
                .with("text", text));
        };
        let platform = Platform::new(platform);
        Ok(match name.strip_prefix('@') {
            Some(handle) => Self::handle(platform, handle),
            None => Self::id(platform, name),
        })
    }
}

impl Serialize for AuthorRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AuthorRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_handle_of_digits_is_not_an_id() {
        let mut author = Author::unknown();
        author.handle = Some("7".to_owned());
        let names = author.names(&Platform::weibo());
        assert_eq!(names, ["weibo:@7".parse().unwrap()]);
        assert_ne!(names, ["weibo:7".parse().unwrap()]);
        assert_eq!(names[0].keyword(), "7");
    }

    #[test]
    fn what_names_nobody_is_refused() {
        for text in ["", "weibo", "weibo:", ":7", "weibo: "] {
            let error = text.parse::<AuthorRef>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text:?}");
        }
    }
}
