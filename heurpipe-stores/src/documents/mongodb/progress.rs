//! What is kept beside records: checkpoints, runs, tasks, memos.

use std::collections::BTreeSet;

use heurpipe_core::{
    Checkpoint, CheckpointKey, Digest, Error, ErrorKind, Result, ReviewTask, RunRecord,
};
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::FindOptions;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::database::{Database, Durability};
use super::graveyard::Graveyard;
use super::records::binary;
use super::scan::limit;
use super::server::{CHECKPOINTS, MEMOS, RUNS, TASKS};
use crate::instant::nanoseconds;

pub(super) async fn checkpoint(
    database: &Database,
    key: &CheckpointKey,
) -> Result<Option<Checkpoint>> {
    let found = one(database, "mongodb.checkpoint", CHECKPOINTS, place(key)).await?;
    found.map(|found| read(&found, "checkpoint")).transpose()
}

pub(super) async fn save_checkpoint(
    database: &Database,
    key: &CheckpointKey,
    checkpoint: &Checkpoint,
) -> Result<()> {
    let fields = doc! {"checkpoint": written(checkpoint)?};
    put(
        database,
        "mongodb.save_checkpoint",
        CHECKPOINTS,
        place(key),
        fields,
    )
    .await
}

pub(super) fn place(key: &CheckpointKey) -> Document {
    doc! {"pipeline": &key.pipeline, "source": &key.source, "partition": &key.partition.0}
}

pub(super) async fn save_run(database: &Database, run: &RunRecord) -> Result<()> {
    let fields = doc! {"started": nanoseconds(run.started_at), "run": written(run)?};
    put(database, "mongodb.save_run", RUNS, &run.report.run, fields).await
}

pub(super) async fn runs(database: &Database, most: usize) -> Result<Vec<RunRecord>> {
    let order = doc! {"started": -1, "_id": -1};
    let found = first(database, "mongodb.runs", RUNS, Document::new(), order, most).await?;
    found.iter().map(|run| read(run, "run")).collect()
}

/// Stores tasks, apart from those about what was erased.
pub(super) async fn ask(
    database: &Database,
    graveyard: &Graveyard,
    tasks: &[ReviewTask],
) -> Result<()> {
    let updates = tasks.iter().map(|task| asking(graveyard, task));
    let updates = updates.collect::<Result<_>>()?;
    put_unless_erased(database, graveyard, "mongodb.ask", TASKS, updates).await
}

/// The update that stores a task that is not there; with where its post would lie if it had been erased.
pub(super) fn asking(graveyard: &Graveyard, task: &ReviewTask) -> Result<(Document, Vec<Digest>)> {
    let fields = doc! {
        "use_case": &task.use_case,
        "post": task.post.to_string(),
        "asked": nanoseconds(task.asked_at),
        "task": written(task)?,
    };
    let update =
        doc! {"q": {"_id": binary(&task.id)}, "u": {"$setOnInsert": fields}, "upsert": true};
    Ok((update, vec![graveyard.of_post(&task.post)]))
}

/// Carries out updates, apart from those that are about what was erased; of each it is told where that would lie.
///
/// It is looked for before, and again afterwards: whoever erases meanwhile either finds what was stored here or is found.
pub(super) async fn put_unless_erased(
    database: &Database,
    graveyard: &Graveyard,
    operation: &'static str,
    collection: &str,
    mut updates: Vec<(Document, Vec<Digest>)>,
) -> Result<()> {
    let buried = graveyard
        .buried(database, operation, graves(&updates))
        .await?;
    updates.retain(|(_, graves)| !buried.holds_one_of(graves));
    let wanted: Vec<Document> = updates.iter().map(|(update, _)| update.clone()).collect();
    database
        .put(operation, collection, &wanted, Durability::Full)
        .await?;
    let buried = graveyard
        .buried(database, operation, graves(&updates))
        .await?;
    updates.retain(|(_, graves)| buried.holds_one_of(graves));
    let erased = updates
        .iter()
        .filter_map(|(update, _)| update.get_document("q").ok());
    let erased: Vec<Document> = erased.cloned().collect();
    database
        .delete(operation, collection, &erased, Durability::Full)
        .await
}

fn graves(updates: &[(Document, Vec<Digest>)]) -> BTreeSet<Digest> {
    updates
        .iter()
        .flat_map(|(_, graves)| graves)
        .copied()
        .collect()
}

pub(super) async fn open_tasks(
    database: &Database,
    use_case: Option<&str>,
    most: usize,
) -> Result<Vec<ReviewTask>> {
    let wanted = use_case.map_or_else(Document::new, |name| doc! {"use_case": name});
    let order = doc! {"asked": 1, "_id": 1};
    let found = first(database, "mongodb.open_tasks", TASKS, wanted, order, most).await?;
    found.iter().map(|task| read(task, "task")).collect()
}

pub(super) async fn memo(database: &Database, name: &str) -> Result<Option<String>> {
    let found = one(database, "mongodb.memo", MEMOS, name).await?;
    let value = |found: Document| found.get_str("value").map(str::to_owned);
    found.map(value).transpose().map_err(unreadable)
}

pub(super) async fn save_memo(database: &Database, name: &str, value: &str) -> Result<()> {
    let fields = doc! {"value": value};
    put(database, "mongodb.save_memo", MEMOS, name, fields).await
}

async fn one(
    database: &Database,
    operation: &'static str,
    collection: &str,
    id: impl Into<Bson>,
) -> Result<Option<Document>> {
    let query = doc! {"_id": id.into()};
    let options = FindOptions::builder().limit(1).build();
    let mut found = database.find(operation, collection, query, options).await?;
    Ok(found.pop())
}

async fn put(
    database: &Database,
    operation: &'static str,
    collection: &str,
    id: impl Into<Bson>,
    fields: Document,
) -> Result<()> {
    let update = doc! {"q": {"_id": id.into()}, "u": {"$set": fields}, "upsert": true};
    database
        .put(operation, collection, &[update], Durability::Full)
        .await
}

/// The first so many in an order.
pub(super) async fn first(
    database: &Database,
    operation: &'static str,
    collection: &str,
    wanted: Document,
    order: Document,
    most: usize,
) -> Result<Vec<Document>> {
    // To the server a limit of nothing is none.
    if most == 0 {
        return Ok(Vec::new());
    }
    let options = FindOptions::builder()
        .sort(order)
        .limit(limit(most))
        .build();
    database.find(operation, collection, wanted, options).await
}

pub(super) fn written(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::new(ErrorKind::InvalidInput, "mongodb.write").cause(error))
}

/// What a field holds as text.
pub(super) fn read<T: DeserializeOwned>(document: &Document, field: &str) -> Result<T> {
    let body = document.get_str(field).map_err(unreadable)?;
    serde_json::from_str(body).map_err(unreadable)
}

pub(super) fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Corrupt, "mongodb.read")
        .message("a stored value cannot be read")
        .cause(error)
}
