//! Writing: bulks whose answers are read item by item, and one document for each post.
//!
//! The server compares revisions within an index only. A post whose time of publication is corrected moves to the index of another month and leaves its
//! former self behind; so a flush looks for all places of what was written, and leaves the newest. Whoever else writes the same post does so too, and
//! of two the one that flushes last sees both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use heurpipe_core::{Error, ErrorKind, Flat, ItemResult, PostId, Record, Result, Retry};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{Body, Client, Hit};
use super::failure;
use super::mapping::{Document, Family, key};
use super::vectors::Vectors;

/// At most so many items a bulk, and about so many bytes.
const MOST_ITEMS: usize = 500;
const MOST_BYTES: usize = 4 << 20;

/// So many ids are looked up at once. A post lies in few places, and the server gives at most 10,000 of them.
const LOOK_UP: usize = 500;

/// How often a bulk is sent of which the server takes nothing.
const PATIENCE: usize = 8;

/// A document or a removal made ready to be sent.
struct Prepared {
    /// Which of the outcomes is its own.
    number: usize,
    lines: Vec<u8>,
}

/// Writes to the indices of one family.
#[derive(Debug)]
pub(super) struct Writer {
    client: Arc<Client>,
    /// Of which a post has one place: an alias or a pattern.
    within: String,
    /// What a removal looks through: an index that is being built may have the post, too.
    everywhere: String,
    family: Family,
    vectors: Vectors,
    /// Keys of what was written or removed since the last flush.
    unflushed: Mutex<BTreeSet<String>>,
    /// Held while one flushes.
    flushing: tokio::sync::Mutex<()>,
}

/// What a flush has taken upon itself. Where it fails or is dropped, the next one has it to do.
struct Taken<'a> {
    writer: &'a Writer,
    keys: BTreeSet<String>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.writer.lock().append(&mut self.keys);
    }
}

/// The answer to a bulk.
#[derive(Deserialize)]
struct Answer {
    /// By the name of the action.
    items: Vec<BTreeMap<String, ItemAnswer>>,
}

#[derive(Deserialize)]
struct ItemAnswer {
    status: u16,
    #[serde(default)]
    error: Value,
}

impl Writer {
    /// Writes to a family's indices, which are those of an alias or a pattern.
    pub(super) fn new(client: Arc<Client>, family: Family, within: &str, vectors: Vectors) -> Self {
        Self {
            client,
            within: within.to_owned(),
            everywhere: format!("{within},{}", family.all_rebuilt()),
            family,
            vectors,
            unflushed: Mutex::default(),
            flushing: tokio::sync::Mutex::default(),
        }
    }

    /// Writes what is not older than what the index of its month has.
    ///
    /// # Errors
    /// Of a record: `InvalidInput` where it cannot be kept, `RateLimited` and `Unavailable` where the server took it in no try. Of the call: when
    /// the server does not answer.
    pub(super) async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        const OPERATION: &str = "elasticsearch.write";
        let records = records.to_vec();
        let (family, vectors) = (self.family.clone(), self.vectors);
        let prepare = move || {
            Ok(records
                .iter()
                .enumerate()
                .map(|(number, record)| prepare(&family, vectors, number, record))
                .collect::<Vec<_>>())
        };
        let mut outcomes: Vec<ItemResult<()>> = Vec::new();
        let mut ready = Vec::new();
        let mut keys = Vec::new();
        for prepared in crate::task::blocking(OPERATION, prepare).await? {
            outcomes.push(prepared.map(|(key, item)| {
                keys.push(key);
                ready.push(item);
            }));
        }
        // Before they are sent, since a call that breaks off may have written them; and after, since a flush meanwhile has seen none of them.
        self.lock().extend(keys.iter().cloned());
        let sent = self.send(OPERATION, ready, &mut outcomes).await;
        self.lock().extend(keys);
        sent?;
        Ok(outcomes)
    }

    /// Makes visible what was written, each post once.
    pub(super) async fn flush(&self) -> Result<()> {
        const OPERATION: &str = "elasticsearch.flush";
        // Whoever finds nothing left to flush must not return before the flush that took it does.
        let _alone = self.flushing.lock().await;
        let mut taken = Taken {
            writer: self,
            keys: std::mem::take(&mut *self.lock()),
        };
        if !taken.keys.is_empty() {
            self.settle(OPERATION, &taken.keys).await?;
        }
        taken.keys.clear();
        Ok(())
    }

    /// Removes posts, wherever they lie.
    pub(super) async fn remove(&self, ids: &[PostId]) -> Result<()> {
        const OPERATION: &str = "elasticsearch.remove";
        let keys: Vec<String> = ids.iter().map(|id| key(&id.to_string())).collect();
        self.lock().extend(keys.iter().cloned());
        for some in keys.chunks(LOOK_UP) {
            // What somebody writes in between is newer than what was seen, and is looked for again.
            let mut left = PATIENCE;
            loop {
                self.refresh(OPERATION, &self.everywhere).await?;
                let places = self.places(OPERATION, &self.everywhere, some).await?;
                if places.is_empty() {
                    break;
                }
                if left == 0 {
                    return Err(Error::new(ErrorKind::Conflict, OPERATION)
                        .message("the post is written again as often as it is removed"));
                }
                left -= 1;
                self.delete(OPERATION, &places).await?;
            }
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.unflushed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn settle(&self, operation: &'static str, keys: &BTreeSet<String>) -> Result<()> {
        self.refresh(operation, &self.within).await?;
        let keys: Vec<String> = keys.iter().cloned().collect();
        let mut outdated = Vec::new();
        for some in keys.chunks(LOOK_UP) {
            let mut places: BTreeMap<String, Vec<Hit>> = BTreeMap::new();
            for place in self.places(operation, &self.within, some).await? {
                places.entry(place.id.clone()).or_default().push(place);
            }
            for mut places in places.into_values() {
                // Of equals the same one is kept, whoever looks.
                places.sort_by(|a, b| (a.version, &a.index).cmp(&(b.version, &b.index)));
                places.pop();
                outdated.append(&mut places);
            }
        }
        if outdated.is_empty() {
            return Ok(());
        }
        self.delete(operation, &outdated).await?;
        self.refresh(operation, &self.within).await
    }

    async fn refresh(&self, operation: &'static str, within: &str) -> Result<()> {
        let path = format!("{within}/_refresh?ignore_unavailable=true");
        let answer: Value = self
            .client
            .call(operation, Method::POST, &path, Body::Nothing)
            .await?;
        if answer["_shards"]["failed"].as_u64().unwrap_or(0) > 0 {
            return Err(Error::new(ErrorKind::Unavailable, operation)
                .message("the search server could not make everything visible")
                .with("server", self.client.server()));
        }
        Ok(())
    }

    /// Where posts lie, as far as that is visible.
    async fn places(
        &self,
        operation: &'static str,
        within: &str,
        keys: &[String],
    ) -> Result<Vec<Hit>> {
        let body = json!({
            "size": 10_000,
            "_source": false,
            "version": true,
            "query": {"bool": {"filter": [{"terms": {"id": keys}}]}},
        });
        let found = self.client.search(operation, within, body).await?;
        Ok(found.hits.hits)
    }

    /// Deletes documents, unless they are newer than was seen.
    async fn delete(&self, operation: &'static str, places: &[Hit]) -> Result<()> {
        let mut outcomes = Vec::new();
        let mut items = Vec::new();
        for (number, place) in places.iter().enumerate() {
            // By the revision that it has, so that the same revision may come back.
            let action = json!({"delete": {"_index": place.index, "_id": place.id, "version": place.version, "version_type": "external_gte"}});
            outcomes.push(Ok(()));
            items.push(Prepared {
                number,
                lines: line(&action, operation)?,
            });
        }
        self.send(operation, items, &mut outcomes).await?;
        outcomes.into_iter().collect()
    }

    /// Sends items until each has an outcome. What the server has no time for is sent again, after a while and in smaller bulks.
    async fn send(
        &self,
        operation: &'static str,
        mut waiting: Vec<Prepared>,
        outcomes: &mut [ItemResult<()>],
    ) -> Result<()> {
        let mut most = MOST_ITEMS;
        let mut waits = waits();
        while !waiting.is_empty() {
            let rest = waiting.split_off(fitting(&waiting, most));
            let count = waiting.len();
            let mut rejected = Vec::new();
            match self.bulk(operation, &waiting).await {
                Ok(answers) => {
                    for (item, answer) in waiting.into_iter().zip(answers) {
                        match answer {
                            Err(error) if error.retry() == Retry::Temporary => {
                                rejected.push((item, error))
                            }
                            outcome => outcomes[item.number] = outcome,
                        }
                    }
                }
                Err(error) if error.kind() == ErrorKind::TooLarge && count > 1 => {
                    most = count / 2;
                    waiting.extend(rest);
                    continue;
                }
                Err(error)
                    if matches!(error.kind(), ErrorKind::TooLarge | ErrorKind::RateLimited) =>
                {
                    rejected.extend(waiting.into_iter().map(|item| (item, error.replica())));
                }
                Err(error) => return Err(error),
            }
            if rejected.is_empty() {
                (most, waits) = (MOST_ITEMS.min(most * 2), self::waits());
                waiting = rest;
                continue;
            }
            if rejected.len() < count {
                waits = self::waits();
            }
            most = (count / 2).max(1);
            match waits.next().filter(|_| {
                rejected
                    .iter()
                    .any(|(_, error)| error.retry() == Retry::Temporary)
            }) {
                Some(wait) => {
                    tracing::debug!(
                        operation,
                        rejected = rejected.len(),
                        ?wait,
                        "the search server has no time, trying again"
                    );
                    tokio::time::sleep(wait).await;
                    waiting = rejected
                        .into_iter()
                        .map(|(item, _)| item)
                        .chain(rest)
                        .collect();
                }
                None => {
                    for (item, error) in rejected {
                        outcomes[item.number] = Err(error);
                    }
                    waiting = rest;
                }
            }
        }
        Ok(())
    }

    /// One bulk, and what became of each item.
    async fn bulk(
        &self,
        operation: &'static str,
        items: &[Prepared],
    ) -> Result<Vec<ItemResult<()>>> {
        let lines: Vec<&[u8]> = items.iter().map(|item| &*item.lines).collect();
        let path = "_bulk?filter_path=items.*.status,items.*.error";
        let answer: Answer = self
            .client
            .call(
                operation,
                Method::POST,
                path,
                Body::Lines(lines.concat().into()),
            )
            .await?;
        if answer.items.len() != items.len() {
            return Err(Error::new(ErrorKind::Corrupt, operation)
                .message("the search server answers for other items than it was sent")
                .with("sent", items.len())
                .with("answered", answer.items.len()));
        }
        let outcomes = answer
            .items
            .into_iter()
            .flat_map(BTreeMap::into_values)
            .map(|item| outcome(operation, &item));
        Ok(outcomes.collect())
    }
}

fn outcome(operation: &'static str, item: &ItemAnswer) -> ItemResult<()> {
    match item.status {
        200..=299 => Ok(()),
        // What is there is newer, or is gone already.
        409 => Ok(()),
        404 if item.error.is_null() => Ok(()),
        status => Err(failure::item(operation, status, &item.error)),
    }
}

fn waits() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(std::time::Duration::from_millis(20))
        .with_max_delay(std::time::Duration::from_secs(2))
        .with_max_times(PATIENCE)
        .with_jitter()
        .build()
}

/// How many of the first items make a bulk; one at least.
fn fitting(items: &[Prepared], most: usize) -> usize {
    let mut bytes = 0;
    let within = |item: &&Prepared| {
        bytes += item.lines.len();
        bytes <= MOST_BYTES
    };
    items
        .iter()
        .take(most)
        .take_while(within)
        .count()
        .max(1)
        .min(items.len())
}

/// A record's key, and what is sent of it.
fn prepare(
    family: &Family,
    vectors: Vectors,
    number: usize,
    record: &Record,
) -> Result<(String, Prepared)> {
    const OPERATION: &str = "elasticsearch.write";
    if i64::try_from(record.revision).is_err() {
        return Err(Error::new(ErrorKind::InvalidInput, OPERATION)
            .message("the revision is greater than the search server can compare")
            .with("post", record.id()));
    }
    let flat = Flat::of(record);
    let document = Document::of(&flat, record, vectors)?;
    let id = key(&flat.id);
    let index = family.index_of(flat.published);
    let action = json!({"index": {"_index": index, "_id": id, "version": record.revision, "version_type": "external_gte"}});
    let mut lines = line(&action, OPERATION)?;
    lines.append(&mut line(&document, OPERATION)?);
    Ok((id, Prepared { number, lines }))
}

fn line(value: &impl serde::Serialize, operation: &'static str) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)
        .map_err(|error| Error::new(ErrorKind::Internal, operation).cause(error))?;
    line.push(b'\n');
    Ok(line)
}
