//! What is erased, and what was.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::model::{AuthorRef, PostId};

/// What an erasure is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A post, under any id by which it is known.
    Post(PostId),
    /// An account: all its posts, those to come too.
    Author(AuthorRef),
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Post(post) => write!(f, "post {post}"),
            Self::Author(author) => write!(f, "author {author}"),
        }
    }
}

/// What documents held of erased posts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Erased {
    /// Records.
    pub records: u64,
    /// Posts of which only that they were archived was remembered.
    pub archived: u64,
    /// Dead letters.
    pub dead_letters: u64,
    /// Review tasks.
    pub tasks: u64,
}

impl AddAssign for Erased {
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.archived += other.archived;
        self.dead_letters += other.dead_letters;
        self.tasks += other.tasks;
    }
}
