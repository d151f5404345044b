//! What is remembered of records that something else keeps now.

use std::collections::{BTreeMap, BTreeSet};

use heurpipe_core::{PostId, Record, Stored};

/// Records by their own ids and under whatever else they were known.
#[derive(Debug, Default)]
pub(super) struct Archived {
    posts: BTreeMap<PostId, Mark>,
    aliases: BTreeMap<PostId, BTreeSet<PostId>>,
}

#[derive(Debug)]
struct Mark {
    revision: u64,
    aliases: Vec<PostId>,
}

impl Archived {
    pub(super) fn mark(&mut self, record: &Record) {
        let id = record.id();
        for alias in &record.post.aliases {
            let posts = self.aliases.entry(alias.clone()).or_default();
            posts.insert(id.clone());
        }
        let mark = Mark {
            revision: record.revision,
            aliases: record.post.aliases.clone(),
        };
        self.posts.insert(id.clone(), mark);
    }

    /// The own id of the post that was known under this one.
    pub(super) fn known_as(&self, id: &PostId) -> Option<PostId> {
        if self.posts.contains_key(id) {
            return Some(id.clone());
        }
        self.aliases.get(id)?.first().cloned()
    }

    pub(super) fn find(&self, id: &PostId) -> Stored {
        let post = self.known_as(id);
        let known = post.and_then(|post| Some((self.revision(&post)?, post)));
        known.map_or(Stored::Unknown, |(revision, post)| Stored::Archived {
            post,
            revision,
        })
    }

    /// The revision of the post with this own id.
    pub(super) fn revision(&self, post: &PostId) -> Option<u64> {
        self.posts.get(post).map(|mark| mark.revision)
    }

    /// The ids under which a post was known beside its own.
    pub(super) fn aliases(&self, post: &PostId) -> Vec<PostId> {
        let mark = self.posts.get(post);
        mark.map_or_else(Vec::new, |mark| mark.aliases.clone())
    }

    /// Forgets a post. Whether it was remembered.
    pub(super) fn forget(&mut self, post: &PostId) -> bool {
        let Some(mark) = self.posts.remove(post) else {
            return false;
        };
        for alias in mark.aliases {
            if let Some(posts) = self.aliases.get_mut(&alias) {
                posts.remove(post);
                if posts.is_empty() {
                    self.aliases.remove(&alias);
                }
            }
        }
        true
    }
}
