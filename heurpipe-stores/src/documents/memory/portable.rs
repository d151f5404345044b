//! Giving out and taking in all that is kept.

use std::ops::Bound;

use async_trait::async_trait;
use heurpipe_core::{
    Analysed, Collection, DeadLetter, Digest, Entry, EntryPage, ErasureKey, Portable, PostId,
    Result,
};

use super::{MemoryDocuments, Shelves};
use crate::codec;
use crate::documents::{erased_under_another_key, no_such_place, unknown_entry};

/// Entries, each with the place after which the next one comes.
type Placed<'a> = Box<dyn Iterator<Item = (String, Entry)> + 'a>;

#[async_trait]
impl Portable for MemoryDocuments {
    async fn erasure_key(&self) -> Result<ErasureKey> {
        Ok(self.lock().graveyard.key().clone())
    }

    async fn adopt_erasure_key(&self, key: &ErasureKey) -> Result<()> {
        match self.lock().graveyard.adopt(key) {
            true => Ok(()),
            false => Err(erased_under_another_key()),
        }
    }

    async fn export(
        &self,
        collection: Collection,
        after: Option<&str>,
        limit: usize,
    ) -> Result<EntryPage> {
        let shelves = self.lock();
        let mut rest = shelves.entries(collection, after)?;
        let mut page = EntryPage::default();
        let mut last = None;
        for (place, entry) in rest.by_ref().take(limit) {
            page.entries.push(entry);
            last = Some(place);
        }
        page.next = last.filter(|_| rest.next().is_some());
        Ok(page)
    }

    async fn import(&self, entries: &[Entry]) -> Result<()> {
        let mut shelves = self.lock();
        for entry in entries {
            shelves.take_in(entry, self.most_analyses)?;
        }
        Ok(())
    }
}

impl Shelves {
    fn entries<'a>(&'a self, collection: Collection, after: Option<&'a str>) -> Result<Placed<'a>> {
        let text = after.map_or(Bound::Unbounded, Bound::Excluded);
        let names = (text, Bound::Unbounded);
        Ok(match collection {
            Collection::Erased => {
                let hashes = self.graveyard.hashes();
                let hashes = hashes.range((bound(digest(after)?), Bound::Unbounded));
                Box::new(hashes.map(|hash| (hash.to_string(), Entry::Erased(*hash))))
            }
            Collection::Records => {
                let records = self.records.range((bound(post(after)?), Bound::Unbounded));
                let entry = |kept: &super::Kept| Entry::Record(Box::new(kept.record.clone()));
                Box::new(records.map(move |(id, kept)| (id.to_string(), entry(kept))))
            }
            Collection::Archived => {
                let after = post(after)?;
                let marks: Vec<(PostId, u64)> = self
                    .archived
                    .after(after.as_ref())
                    .map(|(post, revision)| (post.clone(), revision))
                    .collect();
                Box::new(marks.into_iter().map(|(post, revision)| {
                    let mut aliases = self.archived.aliases(&post);
                    aliases.sort();
                    let place = post.to_string();
                    let entry = Entry::Archived {
                        post,
                        aliases,
                        revision,
                    };
                    (place, entry)
                }))
            }
            Collection::DeadLetters => {
                let entry = |letter: &DeadLetter| Entry::DeadLetter(Box::new(letter.clone()));
                let letters = self.letters.range::<str, _>(names);
                Box::new(letters.map(move |(key, letter)| (key.clone(), entry(letter))))
            }
            Collection::Tasks => {
                let tasks = self.tasks.range((bound(digest(after)?), Bound::Unbounded));
                Box::new(tasks.map(|(id, task)| (id.to_string(), Entry::Task(task.clone()))))
            }
            Collection::Findings => {
                let number = after.map(|after| after.parse::<usize>());
                let from = number
                    .transpose()
                    .map_err(|_| no_such_place(after.unwrap_or_default()))?
                    .map_or(0, |number| number + 1);
                let found = self.cache.from(from).enumerate();
                Box::new(found.map(move |(number, (key, findings, looks))| {
                    let entry = Entry::Findings {
                        key,
                        findings: findings.clone(),
                        picture: looks.map(|looks| (looks.picture, looks.likeness)),
                    };
                    ((from + number).to_string(), entry)
                }))
            }
            Collection::Checkpoints => {
                // Few, and their keys are no texts: they are counted through.
                let number = after.map(|after| after.parse::<usize>());
                let from = number
                    .transpose()
                    .map_err(|_| no_such_place(after.unwrap_or_default()))?
                    .map_or(0, |number| number + 1);
                let checkpoints = self.checkpoints.iter().enumerate().skip(from);
                Box::new(checkpoints.map(|(number, (key, checkpoint))| {
                    let entry = Entry::Checkpoint(key.clone(), checkpoint.clone());
                    (number.to_string(), entry)
                }))
            }
            Collection::Runs => {
                let runs = self.runs.range::<str, _>(names);
                Box::new(runs.map(|(id, run)| (id.clone(), Entry::Run(Box::new(run.clone())))))
            }
            Collection::Memos => {
                let memos = self.memos.range::<str, _>(names);
                Box::new(memos.map(|(name, value)| {
                    let (name, value) = (name.clone(), value.clone());
                    (name.clone(), Entry::Memo { name, value })
                }))
            }
            _ => Box::new(std::iter::empty()),
        })
    }

    fn take_in(&mut self, entry: &Entry, most_analyses: usize) -> Result<()> {
        match entry {
            Entry::Erased(hash) => self.graveyard.bury_hash(*hash),
            Entry::Record(record) => {
                if !self.refuses(record) && !self.records.contains_key(record.id()) {
                    codec::check(record)?;
                    self.put((**record).clone());
                }
            }
            Entry::Archived {
                post,
                aliases,
                revision,
            } => {
                let mut names = std::iter::once(post).chain(aliases);
                let refused = names.any(|name| self.graveyard.holds_post(name));
                let known =
                    self.archived.revision(post).is_some() || self.records.contains_key(post);
                if !refused && !known {
                    self.archived.remember(post, aliases, *revision);
                }
            }
            Entry::DeadLetter(letter) => {
                if !self.letters.contains_key(&letter.key) {
                    self.bury(letter);
                }
            }
            Entry::Task(task) => self.ask(task),
            Entry::Findings {
                key,
                findings,
                picture,
            } => {
                self.cache.remember(*key, findings, most_analyses);
                if let Some((picture, likeness)) = picture {
                    self.cache.remember_near(Analysed {
                        key: *key,
                        picture: *picture,
                        likeness: *likeness,
                    });
                }
            }
            Entry::Checkpoint(key, checkpoint) => {
                let kept = self.checkpoints.entry(key.clone());
                kept.or_insert_with(|| checkpoint.clone());
            }
            Entry::Run(run) => {
                let kept = self.runs.entry(run.report.run.clone());
                kept.or_insert_with(|| (**run).clone());
            }
            Entry::Memo { name, value } => {
                let kept = self.memos.entry(name.clone());
                kept.or_insert_with(|| value.clone());
            }
            _ => return Err(unknown_entry()),
        }
        Ok(())
    }
}

fn bound<T>(after: Option<T>) -> Bound<T> {
    after.map_or(Bound::Unbounded, Bound::Excluded)
}

fn digest(place: Option<&str>) -> Result<Option<Digest>> {
    let parsed = |place: &str| place.parse().map_err(|_| no_such_place(place));
    place.map(parsed).transpose()
}

fn post(place: Option<&str>) -> Result<Option<PostId>> {
    let parsed = |place: &str| place.parse().map_err(|_| no_such_place(place));
    place.map(parsed).transpose()
}
