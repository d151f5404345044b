//! Blobs that nothing refers to any more.

use std::sync::Arc;

use futures::TryStreamExt;
use heurpipe_core::{
    Blobs, Collection, DeadLetterScan, Digest, Error, ErrorKind, Filter, Record, Result, Retry,
    Scan,
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::traces::pictures_of;
use crate::documents::DocumentStore;
use crate::warehouse::Warehouse;

/// Deletes pictures to which no record of either tier and no dead letter refers, and that were not put of late.
///
/// A picture is put before the record that refers to it is committed, and may have been there all along; so what was put within the grace is left alone, whether or not
/// something refers to it, and whether it is old is looked at once more when all records have been read. Deleting is all that is done, so that after an
/// interruption the next call does the rest.
///
/// The digests of all blobs beyond the grace are in memory meanwhile: 33 bytes each, 330 MB for ten million.
pub struct Collect {
    documents: Arc<dyn DocumentStore>,
    warehouse: Arc<dyn Warehouse>,
    blobs: Arc<dyn Blobs>,
    grace: SignedDuration,
}

/// What was deleted, or would be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Collected {
    /// Blobs that there were.
    pub blobs: u64,
    /// Of these, such as were put within the grace.
    pub recent: u64,
    /// Such as nothing refers to.
    pub unreferenced: u64,
    /// Bytes of the latter.
    pub bytes: u64,
}

impl Collect {
    /// Of these stores, what was put longer ago than `grace`. It has to be longer than any run takes from fetching a picture to storing its post, where runs may be
    /// under way, and longer than the day within which a store need not notice that bytes were put again.
    pub fn from(
        documents: Arc<dyn DocumentStore>,
        warehouse: Arc<dyn Warehouse>,
        blobs: Arc<dyn Blobs>,
        grace: SignedDuration,
    ) -> Self {
        Self {
            documents,
            warehouse,
            blobs,
            grace,
        }
    }

    /// What there is to delete; deletes nothing.
    ///
    /// # Errors
    /// `Conflict` when documents and warehouse do not seem to be those that the pictures were fetched for: there is no post at all, or documents remember archived posts
    /// and the warehouse has none. Else those of the stores.
    pub async fn survey(&self) -> Result<Collected> {
        self.go_through(false).await
    }

    /// Deletes it.
    ///
    /// # Errors
    /// Those of [`survey`](Self::survey). What was deleted before stays deleted.
    pub async fn run(&self) -> Result<Collected> {
        self.go_through(true).await
    }

    async fn go_through(&self, delete: bool) -> Result<Collected> {
        let before = Timestamp::now().checked_sub(self.grace);
        let before = before.unwrap_or(Timestamp::MIN);
        let mut old = Old::default();
        let mut collected = Collected::default();
        let mut listed = self.blobs.list();
        while let Some(blob) = listed.try_next().await? {
            collected.blobs += 1;
            match blob.put_at < before {
                true => old.digests.push(blob.digest),
                false => collected.recent += 1,
            }
        }
        old.sort();
        self.look_through(&mut old).await?;
        let mut listed = self.blobs.list();
        while let Some(blob) = listed.try_next().await? {
            // Somebody may have put it again while the records were read.
            if blob.put_at >= before || !old.is_unreferenced(&blob.digest) {
                continue;
            }
            if delete {
                self.blobs.delete(&blob.digest).await?;
            }
            collected.unreferenced += 1;
            collected.bytes += blob.bytes;
        }
        Ok(collected)
    }

    /// Marks what is referred to. Documents come first: what goes from them to the warehouse meanwhile is seen there.
    async fn look_through(&self, old: &mut Old) -> Result<()> {
        if old.digests.is_empty() {
            return Ok(());
        }
        self.check_warehouse().await?;
        let mut next = Some(DeadLetterScan::all());
        while let Some(scan) = next.take() {
            let letters = self.documents.dead_letters(&scan).await?;
            let records = letters.iter().filter_map(|letter| letter.record.as_deref());
            records.for_each(|record| old.see(record));
            next = letters.last().map(|last| scan.after(last));
        }
        let mut next = Some(Scan::matching(Filter::All));
        while let Some(scan) = next.take() {
            let page = self.documents.scan(&scan).await?;
            page.records.iter().for_each(|record| old.see(record));
            next = page.next.map(|id| scan.after(Some(id)));
        }
        let mut pages = self.warehouse.scan(&Filter::All).await?;
        while let Some(page) = pages.try_next().await? {
            page.iter().for_each(|record| old.see(record));
        }
        match old.records {
            0 => Err(other_stores(
                "there are pictures and no post at all: are these the documents and the warehouse that the pictures were fetched for?",
            )),
            _ => Ok(()),
        }
    }

    /// A warehouse that is missing must not be taken for one that refers to nothing.
    async fn check_warehouse(&self) -> Result<()> {
        let archived = self.documents.export(Collection::Archived, None, 1).await?;
        let is_empty = self.warehouse.coverage().await?.posts == 0;
        match is_empty && !archived.entries.is_empty() {
            true => Err(other_stores(
                "documents remember archived posts, and the warehouse has none: is it the one to which they went?",
            )),
            false => Ok(()),
        }
    }
}

fn other_stores(message: &'static str) -> Error {
    Error::new(ErrorKind::Conflict, "collect")
        .message(message)
        .retryable(Retry::NeedsOperator)
}

/// Blobs that are old enough, and whether something refers to them.
#[derive(Debug, Default)]
struct Old {
    /// In order.
    digests: Vec<Digest>,
    referenced: Vec<bool>,
    /// How many records were looked at.
    records: u64,
}

impl Old {
    fn sort(&mut self) {
        self.digests.sort_unstable();
        self.referenced = vec![false; self.digests.len()];
    }

    fn see(&mut self, record: &Record) {
        self.records += 1;
        for picture in pictures_of(record) {
            if let Ok(place) = self.digests.binary_search(&picture) {
                self.referenced[place] = true;
            }
        }
    }

    fn is_unreferenced(&self, digest: &Digest) -> bool {
        let place = self.digests.binary_search(digest);
        place.is_ok_and(|place| !self.referenced[place])
    }
}
