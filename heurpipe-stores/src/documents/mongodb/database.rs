//! Calls to one database on a server.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use futures::TryStreamExt;
use heurpipe_core::{Error, ErrorKind, Result, Retry};
use mongodb::bson::{Document, RawArrayBuf, RawDocumentBuf, doc, rawdoc};
use mongodb::options::{
    CollectionOptions, FindOptions, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern,
};
use mongodb::{Client, Collection, Cursor, IndexModel};

use super::address::Address;
use super::failure::Server;
use super::reply::Reply;
use super::{OPERATION, server};
use crate::Mode;

/// A document of the server, with what an update of it needs around it, has room in one command.
pub(super) const LARGEST: usize = 16 * 1024 * 1024 - 64 * 1024;

/// A command is no larger, unless one write alone is.
const PARCEL: usize = 8 * 1024 * 1024;

/// Writes in one command.
const WRITES: usize = 1_000;

/// How long a call may take. The driver itself would wait forever for a server that is connected and silent.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often a command that writes is sent, where it is not known what became of it.
const ATTEMPTS: u32 = 5;

/// How long is waited before the second attempt; each time twice as long.
const PAUSE: Duration = Duration::from_millis(50);

/// Rows that the server sends at a time.
const BATCH: u32 = 1_000;

/// A database and how to call it.
#[derive(Debug)]
pub(super) struct Database {
    database: mongodb::Database,
    server: Server,
    /// What a write that must last waits for.
    durable: RawDocumentBuf,
    mode: Mode,
}

/// What a write waits for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Durability {
    /// What the URL says; without it the journals of a majority.
    Full,
    /// Nothing but the server that is written to. For what may be forgotten.
    Lazy,
}

impl Database {
    /// The database of an address. Nothing is asked of the server yet.
    pub(super) async fn at(address: &Address, mode: Mode) -> Result<Self> {
        let options = address.options().await?;
        let server = Server::of(&options);
        let durable = concern(options.write_concern.clone().unwrap_or_default())?;
        let client =
            Client::with_options(options).map_err(|error| server.failure(OPERATION, error))?;
        Ok(Self {
            database: client.database(&address.database),
            server,
            durable,
            mode,
        })
    }

    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    pub(super) fn name(&self) -> &str {
        self.database.name()
    }

    pub(super) fn is_read_only(&self) -> bool {
        self.mode == Mode::ReadOnly
    }

    /// What a call gives, within the time that it may take.
    async fn call<T>(
        &self,
        operation: &'static str,
        call: impl IntoFuture<Output = mongodb::error::Result<T>>,
    ) -> Result<T> {
        match tokio::time::timeout(PATIENCE, call.into_future()).await {
            Ok(answer) => answer.map_err(|error| self.server.failure(operation, error)),
            Err(_) => Err(self.server.silent(operation)),
        }
    }

    /// What the server answers to a command.
    pub(super) async fn ask(&self, operation: &'static str, command: Document) -> Result<Document> {
        self.call(operation, self.database.run_command(command))
            .await
    }

    /// The names of the collections that there are.
    pub(super) async fn collections(&self, operation: &'static str) -> Result<Vec<String>> {
        self.call(operation, self.database.list_collection_names())
            .await
    }

    /// The indexes of a collection; none where there is no such collection.
    pub(super) async fn indexes(
        &self,
        operation: &'static str,
        collection: &str,
    ) -> Result<Vec<IndexModel>> {
        let collection = self.newest(collection);
        match collection.list_indexes().await {
            Ok(rows) => self.call(operation, rows.try_collect()).await,
            Err(error) if is_absent(&error) => Ok(Vec::new()),
            Err(error) => Err(self.server.failure(operation, error)),
        }
    }

    pub(super) async fn make_indexes(
        &self,
        operation: &'static str,
        collection: &str,
        indexes: Vec<IndexModel>,
    ) -> Result<()> {
        let collection = self.newest(collection);
        // The first time this reads all that is there, however long that takes.
        let made = collection.create_indexes(indexes).await;
        made.map_err(|error| self.server.failure(operation, error))?;
        Ok(())
    }

    /// A collection, read as the URL says.
    pub(super) fn collection(&self, name: &str) -> Collection<Document> {
        self.database.collection(name)
    }

    /// A collection, read where it is written, so that what was acknowledged is seen.
    fn newest(&self, name: &str) -> Collection<Document> {
        let options = CollectionOptions::builder()
            .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
            .read_concern(ReadConcern::local())
            .build();
        self.database.collection_with_options(name, options)
    }

    /// The documents that a query finds, as they come.
    pub(super) async fn rows(
        &self,
        operation: &'static str,
        collection: &str,
        filter: Document,
        options: FindOptions,
    ) -> Result<Cursor<Document>> {
        let mut options = options;
        options.batch_size.get_or_insert(BATCH);
        let collection = self.collection(collection);
        self.call(operation, collection.find(filter).with_options(options))
            .await
    }

    /// The next document.
    pub(super) async fn next(
        &self,
        operation: &'static str,
        rows: &mut Cursor<Document>,
    ) -> Result<Option<Document>> {
        self.call(operation, rows.try_next()).await
    }

    /// All documents that a query finds.
    pub(super) async fn find(
        &self,
        operation: &'static str,
        collection: &str,
        filter: Document,
        options: FindOptions,
    ) -> Result<Vec<Document>> {
        let rows = self.rows(operation, collection, filter, options).await?;
        self.call(operation, rows.try_collect()).await
    }

    /// Some fields of all documents that a query finds, as they are on the server that is written to.
    pub(super) async fn find_newest(
        &self,
        operation: &'static str,
        collection: &str,
        filter: Document,
        fields: Document,
    ) -> Result<Vec<Document>> {
        let options = FindOptions::builder()
            .projection(fields)
            .batch_size(BATCH)
            .build();
        let collection = self.newest(collection);
        let rows = self
            .call(operation, collection.find(filter).with_options(options))
            .await?;
        self.call(operation, rows.try_collect()).await
    }

    pub(super) async fn count(
        &self,
        operation: &'static str,
        collection: &str,
        filter: Document,
    ) -> Result<u64> {
        let collection = self.collection(collection);
        self.call(operation, collection.count_documents(filter))
            .await
    }

    pub(super) async fn aggregate(
        &self,
        operation: &'static str,
        collection: &str,
        pipeline: Vec<Document>,
    ) -> Result<Vec<Document>> {
        let collection = self.collection(collection);
        let rows = self.call(operation, collection.aggregate(pipeline)).await?;
        self.call(operation, rows.try_collect()).await
    }

    /// Takes the next of a counter's numbers: so many, of which the last is given.
    pub(super) async fn take_numbers(
        &self,
        operation: &'static str,
        counter: &str,
        count: i64,
    ) -> Result<i64> {
        self.refuse_reader(operation)?;
        let collection = self.collection(server::ABOUT);
        let raise = collection
            .find_one_and_update(doc! {"_id": counter}, doc! {"$inc": {"last": count}})
            .upsert(true)
            .return_document(mongodb::options::ReturnDocument::After);
        let found = self.call(operation, raise).await?;
        let last = found.as_ref().and_then(|found| integer(found, "last"));
        last.ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, operation)
                .message("a counter of the database is no number")
                .with("counter", counter)
        })
    }

    /// Sends updates, again and again until it is known that the server has dealt with them, or that it cannot.
    ///
    /// The same command may so be carried out twice: each update must change nothing when it has been carried out before.
    pub(super) async fn update(
        &self,
        operation: &'static str,
        collection: &str,
        updates: &[&RawDocumentBuf],
        durability: Durability,
    ) -> Result<Reply> {
        self.write(
            operation, "update", collection, "updates", updates, durability,
        )
        .await
    }

    /// Updates that need no word of what became of each: all of them, or an error.
    pub(super) async fn put(
        &self,
        operation: &'static str,
        collection: &str,
        updates: &[Document],
        durability: Durability,
    ) -> Result<()> {
        let updates: Vec<RawDocumentBuf> = updates
            .iter()
            .map(|update| raw(operation, update))
            .collect::<Result<_>>()?;
        for parcel in parcels(updates.iter().map(size)) {
            let mut open: Vec<&RawDocumentBuf> = updates[parcel].iter().collect();
            let mut stuck = 0;
            while !open.is_empty() {
                let reply = self
                    .update(operation, collection, &open, durability)
                    .await?;
                let Some((place, refusal)) = reply.first() else {
                    break;
                };
                // Somebody else stored it at the same moment: what was to be inserted is now to be changed. And a server may have stopped there.
                stuck = if place == 0 { stuck + 1 } else { 0 };
                if !refusal.is_duplicate() || stuck == ATTEMPTS {
                    return Err(self.server.item(operation, refusal));
                }
                open.drain(..place);
            }
        }
        Ok(())
    }

    /// Removes what some queries find.
    pub(super) async fn delete(
        &self,
        operation: &'static str,
        collection: &str,
        queries: &[Document],
        durability: Durability,
    ) -> Result<()> {
        let deletes: Vec<RawDocumentBuf> = queries
            .iter()
            .map(|query| raw(operation, &doc! {"q": query.clone(), "limit": 0}))
            .collect::<Result<_>>()?;
        for parcel in parcels(deletes.iter().map(size)) {
            let deletes: Vec<&RawDocumentBuf> = deletes[parcel].iter().collect();
            let reply = self
                .write(
                    operation, "delete", collection, "deletes", &deletes, durability,
                )
                .await?;
            if let Some((_, refusal)) = reply.first() {
                return Err(self.server.item(operation, refusal));
            }
        }
        Ok(())
    }

    async fn write(
        &self,
        operation: &'static str,
        command: &'static str,
        collection: &str,
        list: &'static str,
        writes: &[&RawDocumentBuf],
        durability: Durability,
    ) -> Result<Reply> {
        self.refuse_reader(operation)?;
        let mut pause = PAUSE;
        for attempt in 1.. {
            let sent = self
                .write_once(operation, command, collection, list, writes, durability)
                .await;
            match sent {
                Err(error) if error.retry() == Retry::Temporary && attempt < ATTEMPTS => {
                    tracing::debug!(%error, attempt, "a write is sent again");
                }
                settled => return settled,
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Ok(Reply::default())
    }

    async fn write_once(
        &self,
        operation: &'static str,
        command: &str,
        collection: &str,
        list: &str,
        writes: &[&RawDocumentBuf],
        durability: Durability,
    ) -> Result<Reply> {
        let mut written = RawArrayBuf::new();
        for write in writes {
            written.push((*write).clone());
        }
        let mut sent = RawDocumentBuf::new();
        for (key, value) in [
            (command, mongodb::bson::RawBson::from(collection)),
            (list, written.into()),
            ("ordered", false.into()),
            (
                "writeConcern",
                match durability {
                    Durability::Full => self.durable.clone().into(),
                    Durability::Lazy => rawdoc! {"w": 1}.into(),
                },
            ),
        ] {
            let key = mongodb::bson::raw::CString::try_from(key.to_owned())
                .map_err(|error| Error::new(ErrorKind::Internal, operation).cause(error))?;
            sent.append(key, value);
        }
        let answer = self
            .call(operation, self.database.run_raw_command(sent))
            .await?;
        let reply = Reply::of(&answer);
        match &reply.unsafe_because {
            Some(refusal) => Err(self.server.item(operation, refusal)),
            None => Ok(reply),
        }
    }

    pub(super) fn refuse_reader(&self, operation: &'static str) -> Result<()> {
        self.mode.check_writable(operation)
    }
}

/// A document as it is sent.
///
/// # Errors
/// `InvalidInput` for what cannot be sent.
pub(super) fn raw(operation: &'static str, document: &Document) -> Result<RawDocumentBuf> {
    RawDocumentBuf::try_from(document).map_err(|error| {
        Error::new(ErrorKind::InvalidInput, operation)
            .message("a document cannot be written as one")
            .cause(error)
    })
}

pub(super) fn size(document: &RawDocumentBuf) -> usize {
    document.as_bytes().len()
}

/// Whether an error says that there is no such collection.
fn is_absent(error: &mongodb::error::Error) -> bool {
    matches!(&*error.kind, mongodb::error::ErrorKind::Command(command) if command.code == 26)
}

fn concern(concern: WriteConcern) -> Result<RawDocumentBuf> {
    mongodb::bson::serialize_to_raw_document_buf(&concern).map_err(|error| {
        Error::new(ErrorKind::Config, OPERATION)
            .message("the write concern of the url cannot be used")
            .cause(error)
    })
}

/// Which writes go together into one command.
pub(super) fn parcels(sizes: impl Iterator<Item = usize>) -> Vec<Range<usize>> {
    let mut parcels: Vec<Range<usize>> = Vec::new();
    let mut filled = 0;
    for (place, size) in sizes.enumerate() {
        match parcels.last_mut() {
            Some(last) if filled + size <= PARCEL && last.len() < WRITES => {
                last.end = place + 1;
                filled += size;
            }
            _ => {
                parcels.push(place..place + 1);
                filled = size;
            }
        }
    }
    parcels
}

/// A whole number of a document, of whichever type it is.
pub(super) fn integer(document: &Document, field: &str) -> Option<i64> {
    use mongodb::bson::Bson;
    match document.get(field)? {
        Bson::Int32(number) => Some(i64::from(*number)),
        Bson::Int64(number) => Some(*number),
        _ => None,
    }
}

/// Documents by their keys.
pub(super) fn by_key(documents: Vec<Document>) -> BTreeMap<String, Document> {
    let keyed = |document: Document| {
        let key = document.get_str("_id").ok()?.to_owned();
        Some((key, document))
    };
    documents.into_iter().filter_map(keyed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parcels_are_closed_by_size_and_by_number() {
        assert!(parcels(std::iter::empty()).is_empty());
        let small = parcels(std::iter::repeat_n(10, 2 * WRITES + 1));
        let lengths: Vec<usize> = small.iter().map(Range::len).collect();
        assert_eq!(lengths, [WRITES, WRITES, 1]);
        let sizes = [PARCEL / 2, PARCEL / 2, 1, LARGEST, 1];
        assert_eq!(parcels(sizes.into_iter()), [0..2, 2..3, 3..4, 4..5]);
    }
}
