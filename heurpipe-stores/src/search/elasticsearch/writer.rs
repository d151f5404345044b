//! Writing: bulks whose answers are read item by item, and one document for each post.
//!
//! The server compares revisions within an index only. A post whose time of publication is corrected moves to the index of another month and leaves its
//! former self behind; so a flush looks for all places of what was written, and leaves the newest. Whoever else writes the same post does so too, and
//! of two the one that flushes last sees both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures::{StreamExt, TryStreamExt, stream};
use heurpipe_core::{Error, ErrorKind, Flat, ItemResult, PostId, Record, Result, Retry};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{Body, Client, Hit};
use super::failure;
use super::limit::{self, Limit, Taken};
use super::mapping::{Document, Family, key};
use super::vectors::Vectors;

/// At most so many items a bulk, and about so many bytes.
const MOST_ITEMS: usize = 500;
const MOST_BYTES: usize = 4 << 20;

/// A call is sent as several bulks at once where the server takes them, but not as smaller ones.
const LEAST_ITEMS: usize = 64;

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
    /// Of bulks under way.
    limit: Limit,
    /// Keys of what was written or removed since the last flush.
    unflushed: Mutex<BTreeSet<String>>,
    /// Held while one flushes.
    flushing: tokio::sync::Mutex<()>,
}

/// What a flush has taken upon itself. Where it fails or is dropped, the next one has it to do.
struct Duty<'a> {
    writer: &'a Writer,
    keys: BTreeSet<String>,
}

impl Drop for Duty<'_> {
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
            limit: Limit::new(),
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
        let mut duty = Duty {
            writer: self,
            keys: std::mem::take(&mut *self.lock()),
        };
        if !duty.keys.is_empty() {
            self.settle(OPERATION, &duty.keys).await?;
        }
        duty.keys.clear();
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
            let doubled = self.doubled(operation, some).await?;
            if doubled.is_empty() {
                continue;
            }
            let mut places: BTreeMap<String, Vec<Hit>> = BTreeMap::new();
            for place in self.places(operation, &self.within, &doubled).await? {
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

    /// Which posts have several places, as far as that is visible: rarely any, and to count costs less than to name the place of each.
    async fn doubled(&self, operation: &'static str, keys: &[String]) -> Result<Vec<String>> {
        // Each shard tells of as many as are asked for, so that no count is missing. Numbers of all terms of a shard would have to be made anew after each refresh.
        let several = json!({"terms": {
            "field": "id",
            "size": keys.len(),
            "shard_size": keys.len(),
            "min_doc_count": 2,
            "execution_hint": "map",
        }});
        let body = json!({
            "size": 0,
            "track_total_hits": false,
            "query": {"bool": {"filter": [{"terms": {"id": keys}}]}},
            "aggs": {"several": several},
        });
        let found = self.client.search(operation, &self.within, body).await?;
        let buckets = found.aggregations["several"]["buckets"].as_array();
        let keys = buckets.into_iter().flatten().map(|b| b["key"].as_str());
        Ok(keys.flatten().map(str::to_owned).collect())
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

    /// Sends items until each has an outcome, as several bulks at once where the server takes them.
    async fn send(
        &self,
        operation: &'static str,
        items: Vec<Prepared>,
        outcomes: &mut [ItemResult<()>],
    ) -> Result<()> {
        let at_once = (items.len() / LEAST_ITEMS).clamp(1, self.limit.allowed());
        let most = items.len().div_ceil(at_once).min(MOST_ITEMS);
        let bulks = divided(items, most);
        let sent = bulks.into_iter().map(|bulk| self.insist(operation, bulk));
        let mut answers = stream::iter(sent).buffer_unordered(limit::MOST);
        while let Some(answered) = answers.try_next().await? {
            for (number, outcome) in answered {
                outcomes[number] = outcome;
            }
        }
        Ok(())
    }

    /// Sends a bulk until each item has an outcome. What the server has no time for is sent again, after a while and in smaller bulks.
    async fn insist(
        &self,
        operation: &'static str,
        mut waiting: Vec<Prepared>,
    ) -> Result<Vec<(usize, ItemResult<()>)>> {
        let mut outcomes = Vec::with_capacity(waiting.len());
        let mut most = waiting.len();
        let mut waits = waits();
        while !waiting.is_empty() {
            let rest = waiting.split_off(most.min(waiting.len()));
            let count = waiting.len();
            let mut rejected = Vec::new();
            match self.bulk(operation, &waiting).await {
                Ok(answers) => {
                    for (item, answer) in waiting.into_iter().zip(answers) {
                        match answer {
                            Err(error) if error.retry() == Retry::Temporary => {
                                rejected.push((item, error))
                            }
                            outcome => outcomes.push((item.number, outcome)),
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
                    let failed = rejected.into_iter();
                    outcomes.extend(failed.map(|(item, error)| (item.number, Err(error))));
                    waiting = rest;
                }
            }
        }
        Ok(outcomes)
    }

    /// One bulk, and what became of each item.
    async fn bulk(
        &self,
        operation: &'static str,
        items: &[Prepared],
    ) -> Result<Vec<ItemResult<()>>> {
        let lines: Vec<&[u8]> = items.iter().map(|item| &*item.lines).collect();
        let lines = Body::Lines(lines.concat().into());
        let path = "_bulk?filter_path=items.*.status,items.*.error";
        let permit = self.limit.permit().await;
        let answer = self.client.call(operation, Method::POST, path, lines).await;
        if let Some(taken) = taken(&answer) {
            permit.answered(items.len(), taken);
        }
        let answer = answer?;
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

/// Whether the server had time for all that it was sent; none where it did not look at it: how soon it says so tells nothing of its pace.
fn taken(answer: &Result<Answer>) -> Option<Taken> {
    let busy = match answer {
        Ok(answer) => {
            let mut items = answer.items.iter().flat_map(BTreeMap::values);
            items.any(|item| matches!(item.status, 429 | 503))
        }
        Err(error) if error.retry() == Retry::Temporary => true,
        Err(_) => return None,
    };
    Some(if busy { Taken::InPart } else { Taken::Whole })
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

/// Items as bulks of at most so many, of one at least.
fn divided(items: Vec<Prepared>, most: usize) -> Vec<Vec<Prepared>> {
    let mut bulks: Vec<Vec<Prepared>> = Vec::new();
    let mut bytes = 0;
    for item in items {
        bytes += item.lines.len();
        match bulks.last_mut() {
            Some(bulk) if bulk.len() < most && bytes <= MOST_BYTES => bulk.push(item),
            _ => {
                bytes = item.lines.len();
                bulks.push(vec![item]);
            }
        }
    }
    bulks
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

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(statuses: &[u16]) -> Result<Answer> {
        let item = |status: &u16| json!({"index": {"status": status}});
        let items: Vec<Value> = statuses.iter().map(item).collect();
        serde_json::from_value(json!({"items": items}))
            .map_err(|error| Error::new(ErrorKind::Internal, "elasticsearch.write").cause(error))
    }

    fn failure(kind: ErrorKind) -> Result<Answer> {
        Err(Error::new(kind, "elasticsearch.write"))
    }

    #[test]
    fn a_server_is_busy_when_it_refuses_a_bulk_or_items_of_it() {
        assert_eq!(taken(&answer(&[201, 409, 400])), Some(Taken::Whole));
        assert_eq!(taken(&answer(&[201, 429])), Some(Taken::InPart));
        assert_eq!(taken(&answer(&[503])), Some(Taken::InPart));
        let refused = failure(ErrorKind::RateLimited);
        assert_eq!(taken(&refused), Some(Taken::InPart));
    }

    #[test]
    fn a_bulk_that_was_not_looked_at_tells_nothing_of_the_pace() {
        for kind in [ErrorKind::TooLarge, ErrorKind::InvalidInput] {
            assert_eq!(taken(&failure(kind)), None);
        }
    }
}
