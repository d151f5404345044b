//! What is remembered of records that something else keeps now.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

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
        self.remember(record.id(), &record.post.aliases, record.revision);
    }

    /// Remembers a post by its own id and its others.
    pub(super) fn remember(&mut self, id: &PostId, aliases: &[PostId], revision: u64) {
        for alias in aliases {
            let posts = self.aliases.entry(alias.clone()).or_default();
            posts.insert(id.clone());
        }
        let aliases = aliases.to_vec();
        self.posts.insert(id.clone(), Mark { revision, aliases });
    }

    /// The own ids of the posts that come after one.
    pub(super) fn after<'a>(
        &'a self,
        after: Option<&'a PostId>,
    ) -> impl Iterator<Item = (&'a PostId, u64)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let posts = self.posts.range::<PostId, _>((from, Bound::Unbounded));
        posts.map(|(post, mark)| (post, mark.revision))
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
