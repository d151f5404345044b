//! Documents: everything that they keep.

use std::sync::Arc;

use heurpipe_core::{Collection, Digest, Entry, Error, ErrorKind, PostId, Record, Result, Subject};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Doing, Part, Progress, Report, Sum, Watch, different, occupied};
use crate::documents::DocumentStore;

/// Entries in memory at a time, unless told otherwise.
const AT_A_TIME: usize = 500;

/// Under which name the target keeps how far the copy has come. It stays there, and is not copied on.
const MEMO: &str = "copy";

/// Copies all documents from one store into another.
///
/// First the target takes over who was erased, under the source's key; then records with their revisions, what is remembered of archived posts, dead
/// letters, questions, findings, checkpoints, runs and memos. What is refused in the source and not yet gone from it stays behind.
///
/// After each page the target keeps how far the copy has come.
pub struct Documents {
    source: Arc<dyn DocumentStore>,
    target: Arc<dyn DocumentStore>,
    at_a_time: usize,
}

/// How far a copy has come, as its target keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Journal {
    /// Of which store it is a copy.
    source: Digest,
    began_at: Timestamp,
    /// What is being copied; none: all of it was.
    at: Option<Place>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    collection: Collection,
    after: Option<String>,
}

impl Place {
    /// The beginning of a collection.
    fn first_of(collection: Collection) -> Self {
        Self {
            collection,
            after: None,
        }
    }

    /// The beginning of the collection after this one.
    fn next_collection(&self) -> Option<Self> {
        let mut rest = Collection::ALL
            .iter()
            .skip_while(|other| **other != self.collection);
        rest.next();
        rest.next().map(|next| Self::first_of(*next))
    }
}

impl Documents {
    /// From one store, which nobody should be writing to, into another, which is written to by nobody else.
    pub fn between(source: Arc<dyn DocumentStore>, target: Arc<dyn DocumentStore>) -> Self {
        Self {
            source,
            target,
            at_a_time: AT_A_TIME,
        }
    }

    /// Takes over so many entries at a time, 500 unless told: as many are in memory.
    pub fn at_a_time(mut self, entries: usize) -> Self {
        self.at_a_time = entries.max(1);
        self
    }

    /// What there is to copy; changes nothing.
    ///
    /// # Errors
    /// Those of the stores; `Conflict` when the target holds something else than a part of this copy.
    pub async fn survey(&self, watch: &Watch) -> Result<Vec<Part>> {
        self.begun().await?;
        let mut parts = Vec::new();
        for collection in Collection::ALL {
            let sum = self.sum(&*self.source, collection, watch).await?;
            parts.push(part(collection, sum));
        }
        Ok(parts)
    }

    /// Copies, from where an earlier run was stopped, and compares both sides. Of a copy that was completed only the latter is done.
    ///
    /// # Errors
    /// `Conflict` when the target holds something else than a part of this copy, and when the two sides are not the same in the end; else those of the
    /// stores. What was copied before stays copied.
    pub async fn run(&self, watch: &Watch) -> Result<Report> {
        let (mut copied, mut of_part) = (0, 0);
        let begun = self.begun().await?;
        let mut journal = match begun {
            Some(journal) => journal,
            None => self.begin().await?,
        };
        while let Some(place) = journal.at.take() {
            if place == Place::first_of(Collection::Erased) {
                let key = self.source.erasure_key().await?;
                self.target.adopt_erasure_key(&key).await?;
            }
            let page = self
                .source
                .export(place.collection, place.after.as_deref(), self.at_a_time)
                .await?;
            let entries = kept(&*self.source, page.entries).await?;
            self.target.import(&entries).await?;
            copied += entries.len() as u64;
            of_part += entries.len() as u64;
            watch(&Progress {
                doing: Doing::Copying,
                part: place.collection.as_str(),
                entries: of_part,
            });
            journal.at = match page.next {
                Some(after) => Some(Place {
                    collection: place.collection,
                    after: Some(after),
                }),
                None => {
                    of_part = 0;
                    place.next_collection()
                }
            };
            self.save(&journal).await?;
        }
        let mut parts = Vec::new();
        for collection in Collection::ALL {
            let ours = self.sum(&*self.source, collection, watch).await?;
            let theirs = self.sum(&*self.target, collection, watch).await?;
            if ours != theirs {
                return Err(different(collection.as_str(), &ours, &theirs));
            }
            parts.push(part(collection, ours));
        }
        Ok(Report { copied, parts })
    }

    /// How far a copy of this source has come in the target.
    async fn begun(&self) -> Result<Option<Journal>> {
        let Some(memo) = self.target.memo(MEMO).await? else {
            return self.check_empty().await.map(|()| None);
        };
        let journal: Journal = serde_json::from_str(&memo).map_err(|error| {
            Error::new(ErrorKind::Corrupt, "copy")
                .message("what the target remembers of a copy cannot be read")
                .cause(error)
        })?;
        match journal.source == self.identity().await? {
            true => Ok(Some(journal)),
            false => Err(occupied("the target holds a copy of another store")),
        }
    }

    async fn check_empty(&self) -> Result<()> {
        for collection in Collection::ALL {
            let page = self.target.export(collection, None, 1).await?;
            if !page.entries.is_empty() {
                return Err(occupied("the target is not empty; copy into a new store")
                    .with("holds", collection));
            }
        }
        Ok(())
    }

    async fn begin(&self) -> Result<Journal> {
        let journal = Journal {
            source: self.identity().await?,
            began_at: Timestamp::now(),
            at: Some(Place::first_of(Collection::Erased)),
        };
        self.save(&journal).await?;
        Ok(journal)
    }

    /// What tells the source from all other stores, and does not tell its key.
    async fn identity(&self) -> Result<Digest> {
        let key = self.source.erasure_key().await?;
        Ok(Digest::of_parts([b"copy".as_slice(), key.as_bytes()]))
    }

    /// What a store keeps of a collection.
    async fn sum(
        &self,
        store: &dyn DocumentStore,
        collection: Collection,
        watch: &Watch,
    ) -> Result<Sum> {
        let mut sum = Sum::default();
        let mut after = None;
        loop {
            let page = store
                .export(collection, after.as_deref(), self.at_a_time)
                .await?;
            for entry in kept(store, page.entries).await? {
                sum.add_value(&entry)?;
            }
            watch(&Progress {
                doing: Doing::Comparing,
                part: collection.as_str(),
                entries: sum.entries,
            });
            after = page.next;
            if after.is_none() {
                return Ok(sum);
            }
        }
    }

    async fn save(&self, journal: &Journal) -> Result<()> {
        let memo = serde_json::to_string(journal)
            .map_err(|error| Error::new(ErrorKind::Internal, "copy.save").cause(error))?;
        self.target.save_memo(MEMO, &memo).await
    }
}

fn part(collection: Collection, sum: Sum) -> Part {
    Part {
        part: collection.as_str(),
        sum,
    }
}

/// Entries without those of posts and authors that the store itself refuses, and without what it remembers of being a copy.
async fn kept(store: &dyn DocumentStore, entries: Vec<Entry>) -> Result<Vec<Entry>> {
    let subjects: Vec<Vec<Subject>> = entries.iter().map(subjects).collect();
    let asked: Vec<Subject> = subjects.iter().flatten().cloned().collect();
    let refused = match asked.is_empty() {
        true => Vec::new(),
        false => store.refused(&asked).await?,
    };
    let mut refused = refused.into_iter();
    let mut kept = Vec::with_capacity(entries.len());
    for (entry, subjects) in entries.into_iter().zip(subjects) {
        let is_refused = refused.by_ref().take(subjects.len()).filter(|r| *r).count() > 0;
        let is_ours = matches!(&entry, Entry::Memo { name, .. } if name == MEMO);
        if !is_refused && !is_ours {
            kept.push(entry);
        }
    }
    Ok(kept)
}

/// Whose an entry is.
fn subjects(entry: &Entry) -> Vec<Subject> {
    match entry {
        Entry::Record(record) => of_record(record),
        Entry::Archived { post, aliases, .. } => {
            let names = std::iter::once(post).chain(aliases);
            names.cloned().map(Subject::Post).collect()
        }
        Entry::DeadLetter(letter) => {
            let mut all = of_post(&letter.post);
            all.extend(letter.record.iter().flat_map(|record| of_record(record)));
            all
        }
        Entry::Task(task) => of_post(&task.post),
        _ => Vec::new(),
    }
}

fn of_post(post: &PostId) -> Vec<Subject> {
    vec![Subject::Post(post.clone())]
}

fn of_record(record: &Record) -> Vec<Subject> {
    let mut all = of_post(record.id());
    all.extend(record.post.aliases.iter().cloned().map(Subject::Post));
    all.extend(record.post.author_names().into_iter().map(Subject::Author));
    all
}
