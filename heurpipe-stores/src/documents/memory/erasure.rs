//! Refusing and erasing posts and authors.

use std::collections::BTreeSet;

use heurpipe_core::{AuthorRef, Erased, PostId, Record, Subject};

use super::Shelves;

impl Shelves {
    /// Whether the record's post or author was erased.
    pub(super) fn refuses(&self, record: &Record) -> bool {
        let mut ids = std::iter::once(record.id()).chain(&record.post.aliases);
        if ids.any(|id| self.graveyard.holds_post(id)) {
            return true;
        }
        let names = record.post.author_names();
        names.iter().any(|name| self.graveyard.holds_author(name))
    }

    pub(super) fn refuse(&mut self, subjects: &[Subject]) -> Vec<PostId> {
        let mut found = BTreeSet::new();
        for subject in subjects {
            match subject {
                Subject::Post(id) => {
                    let names = self.names(id);
                    found.extend(names.first().cloned());
                    names.iter().for_each(|name| self.graveyard.bury_post(name));
                    self.graveyard.bury_post(id);
                }
                Subject::Author(author) => found.extend(self.refuse_author(author)),
            }
        }
        found.into_iter().collect()
    }

    fn refuse_author(&mut self, author: &AuthorRef) -> Vec<PostId> {
        self.graveyard.bury_author(author);
        let records = self.records.values().map(|kept| &kept.record);
        let theirs = records.filter(|record| record.post.author_names().contains(author));
        theirs.map(|record| record.id().clone()).collect()
    }

    /// The own id of a post that is here, then all others by which it is known.
    fn names(&self, id: &PostId) -> Vec<PostId> {
        let known = self.known_as(id).and_then(|id| self.records.get(&id));
        let (own, aliases) = match known {
            Some(kept) => {
                let post = &kept.record.post;
                (post.id.clone(), post.aliases.clone())
            }
            None => match self.archived.known_as(id) {
                Some(own) => {
                    let aliases = self.archived.aliases(&own);
                    (own, aliases)
                }
                None => return Vec::new(),
            },
        };
        std::iter::once(own).chain(aliases).collect()
    }

    pub(super) fn erase(&mut self, posts: &[PostId]) -> Erased {
        let mut erased = Erased::default();
        for post in posts {
            let mut names = self.names(post);
            self.refuse(&[Subject::Post(post.clone())]);
            if let Some(own) = names.first().cloned() {
                erased.records += u64::from(self.take(&own).is_some());
                erased.archived += u64::from(self.archived.forget(&own));
            }
            names.push(post.clone());
            let before = (self.letters.len(), self.tasks.len());
            self.letters
                .retain(|_, letter| !names.contains(&letter.post));
            self.tasks.retain(|_, task| !names.contains(&task.post));
            erased.dead_letters += (before.0 - self.letters.len()) as u64;
            erased.tasks += (before.1 - self.tasks.len()) as u64;
        }
        erased
    }
}
