//! Giving out and taking in all that is kept.

use std::collections::BTreeSet;

use heurpipe_core::{
    Analysed, CheckpointKey, Collection, Digest, Entry, EntryPage, ErasureKey, Partition, PostId,
    Result,
};
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, Document, doc};

use super::database::{Database, Durability, integer};
use super::graveyard::Graveyard;
use super::progress::{first, place, put_unless_erased, read, unreadable, written};
use super::records::{aliases, binary, digest, id_of, key, own_id, revive};
use super::server::{
    ABOUT, CHECKPOINTS, DEAD_LETTERS, FINDINGS, MEMOS, RECORDS, RUNS, TASKS, TOMBSTONES,
};
use super::{findings, letters, likenesses, records};
use crate::documents::{erased_under_another_key, no_such_place, unknown_entry};
use crate::instant::nanoseconds;
use crate::task;

const EXPORT: &str = "mongodb.export";
const IMPORT: &str = "mongodb.import";

/// Takes another store's key, where nobody was erased under this one's own.
pub(super) async fn adopt(
    database: &Database,
    graveyard: &Graveyard,
    key: &ErasureKey,
) -> Result<Graveyard> {
    const OPERATION: &str = "mongodb.adopt_erasure_key";
    let adopted = Graveyard::under(key);
    if graveyard.key() == key {
        return Ok(adopted);
    }
    database.refuse_reader(OPERATION)?;
    let order = doc! {"_id": 1};
    let buried = first(database, OPERATION, TOMBSTONES, Document::new(), order, 1).await?;
    if !buried.is_empty() {
        return Err(erased_under_another_key());
    }
    let bytes = Binary {
        subtype: BinarySubtype::Generic,
        bytes: key.as_bytes().to_vec(),
    };
    let update = doc! {"q": {"_id": "format"}, "u": {"$set": {"tombstone_key": bytes}}};
    database
        .put(OPERATION, ABOUT, &[update], Durability::Full)
        .await?;
    Ok(adopted)
}

/// Entries of a collection after a place.
pub(super) async fn export(
    database: &Database,
    collection: Collection,
    after: Option<&str>,
    limit: usize,
) -> Result<EntryPage> {
    let text = |after: &str| Ok(Bson::from(after));
    let hash = |place: &str| {
        let digest: Digest = place.parse().map_err(|_| no_such_place(place))?;
        Ok(binary(&digest))
    };
    let of = |name, after: Option<Bson>| Query {
        collection: name,
        wanted: Document::new(),
        field: "_id",
        after,
    };
    let query = match collection {
        Collection::Erased => of(TOMBSTONES, after.map(hash).transpose()?),
        Collection::Records | Collection::Archived => {
            let id = |place: &str| {
                let id: PostId = place.parse().map_err(|_| no_such_place(place))?;
                Ok(Bson::from(key(&id)?))
            };
            let wanted = match collection {
                Collection::Records => doc! {"live": true},
                _ => doc! {"live": {"$exists": false}},
            };
            Query {
                wanted,
                ..of(RECORDS, after.map(id).transpose()?)
            }
        }
        Collection::DeadLetters => of(DEAD_LETTERS, after.map(text).transpose()?),
        Collection::Tasks => of(TASKS, after.map(hash).transpose()?),
        Collection::Findings => {
            let number = |place: &str| place.parse::<i64>().map_err(|_| no_such_place(place));
            Query {
                field: "seq",
                ..of(FINDINGS, after.map(number).transpose()?.map(Bson::from))
            }
        }
        Collection::Checkpoints => {
            let key = |after: &str| {
                let [pipeline, source, partition]: [String; 3] =
                    serde_json::from_str(after).map_err(|_| no_such_place(after))?;
                Ok(Bson::from(place(&CheckpointKey {
                    pipeline,
                    source,
                    partition: Partition(partition),
                })))
            };
            of(CHECKPOINTS, after.map(key).transpose()?)
        }
        Collection::Runs => of(RUNS, after.map(text).transpose()?),
        Collection::Memos => of(MEMOS, after.map(text).transpose()?),
        _ => return Ok(EntryPage::default()),
    };
    let mut found = query.first(database, limit.saturating_add(1)).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more);
    let next = last.map(|last| place_of(collection, last)).transpose()?;
    let entries = match collection {
        Collection::Findings => found_in_pictures(database, &found).await?,
        _ => {
            let entry = move || found.iter().map(|one| entry(collection, one)).collect();
            task::blocking(EXPORT, entry).await?
        }
    };
    Ok(EntryPage { entries, next })
}

/// What is asked of a collection, in the order of a field that no two documents have alike.
struct Query {
    collection: &'static str,
    wanted: Document,
    field: &'static str,
    after: Option<Bson>,
}

impl Query {
    async fn first(self, database: &Database, most: usize) -> Result<Vec<Document>> {
        let mut wanted = self.wanted;
        if let Some(after) = self.after {
            wanted.insert(self.field, doc! {"$gt": after});
        }
        let order = doc! {self.field: 1};
        first(database, EXPORT, self.collection, wanted, order, most).await
    }
}

/// After which place the entries come that follow a document.
fn place_of(collection: Collection, document: &Document) -> Result<String> {
    let damaged = || {
        unreadable(std::io::Error::other(
            "the key of a document is none of this program",
        ))
    };
    match collection {
        Collection::Erased | Collection::Tasks => digest(document, "_id")
            .map(|digest| digest.to_string())
            .ok_or_else(damaged),
        Collection::Records | Collection::Archived => Ok(own_id(document).to_string()),
        Collection::Findings => integer(document, "seq")
            .map(|seq| seq.to_string())
            .ok_or_else(damaged),
        Collection::Checkpoints => {
            let key = checkpoint_key(document)?;
            written(&[key.pipeline, key.source, key.partition.0])
        }
        _ => document
            .get_str("_id")
            .map(str::to_owned)
            .map_err(unreadable),
    }
}

fn checkpoint_key(document: &Document) -> Result<CheckpointKey> {
    let key = document.get_document("_id").map_err(unreadable)?;
    let text = |field: &str| key.get_str(field).map(str::to_owned).map_err(unreadable);
    Ok(CheckpointKey {
        pipeline: text("pipeline")?,
        source: text("source")?,
        partition: Partition(text("partition")?),
    })
}

fn entry(collection: Collection, document: &Document) -> Result<Entry> {
    Ok(match collection {
        Collection::Erased => {
            let hash = digest(document, "_id");
            Entry::Erased(
                hash.ok_or_else(|| {
                    unreadable(std::io::Error::other("a stone's key is no digest"))
                })?,
            )
        }
        Collection::Records => Entry::Record(Box::new(revive(document)?)),
        Collection::Archived => {
            let mut aliases: Vec<PostId> = aliases(document).map(id_of).collect();
            aliases.sort();
            Entry::Archived {
                post: own_id(document),
                aliases,
                revision: integer(document, "revision").unwrap_or(0).unsigned_abs(),
            }
        }
        Collection::DeadLetters => Entry::DeadLetter(read(document, "letter")?),
        Collection::Tasks => Entry::Task(read(document, "task")?),
        Collection::Checkpoints => {
            Entry::Checkpoint(checkpoint_key(document)?, read(document, "checkpoint")?)
        }
        Collection::Runs => Entry::Run(read(document, "run")?),
        _ => {
            let text = |field: &str| document.get_str(field).map(str::to_owned);
            Entry::Memo {
                name: text("_id").map_err(unreadable)?,
                value: text("value").map_err(unreadable)?,
            }
        }
    })
}

/// Findings with what their pictures look like. What cannot be read is left out: it is not known here either.
async fn found_in_pictures(database: &Database, found: &[Document]) -> Result<Vec<Entry>> {
    let keys: Vec<Bson> = found.iter().filter_map(|f| f.get("_id").cloned()).collect();
    let pictures = likenesses::of(database, EXPORT, &keys).await?;
    let entry = |document: &Document| {
        let key = digest(document, "_id")?;
        Some(Entry::Findings {
            key,
            findings: read(document, "findings").ok()?,
            picture: pictures.get(&key).copied(),
        })
    };
    Ok(found.iter().filter_map(entry).collect())
}

/// Takes in entries, those that are not there.
pub(super) async fn import(
    database: &Database,
    graveyard: &Graveyard,
    entries: &[Entry],
    most: usize,
) -> Result<()> {
    let mut erased = BTreeSet::new();
    let mut found = Vec::new();
    let mut pictures = Vec::new();
    let mut updates = Updates::default();
    for entry in entries {
        match entry {
            Entry::Erased(hash) => drop(erased.insert(*hash)),
            Entry::Findings {
                key,
                findings,
                picture,
            } => {
                found.push((*key, findings.clone()));
                pictures.extend(picture.map(|(picture, likeness)| Analysed {
                    key: *key,
                    picture,
                    likeness,
                }));
            }
            other => updates.add(graveyard, other)?,
        }
    }
    graveyard.bury(database, IMPORT, erased).await?;
    updates.carry_out(database, graveyard).await?;
    findings::remember(database, findings::encode(&found), most).await?;
    likenesses::remember(database, &pictures).await
}

/// Updates by collection, each with where the post that it is about would lie if it had been erased.
#[derive(Default)]
struct Updates(std::collections::BTreeMap<&'static str, Vec<(Document, Vec<Digest>)>>);

impl Updates {
    fn add(&mut self, graveyard: &Graveyard, entry: &Entry) -> Result<()> {
        let inserting = |id: Bson, fields: Document| doc! {"q": {"_id": id}, "u": {"$setOnInsert": fields}, "upsert": true};
        let (collection, update) = match entry {
            Entry::Record(record) => (RECORDS, records::taking_in(graveyard, record)?),
            Entry::Archived {
                post,
                aliases,
                revision,
            } => (
                RECORDS,
                records::remembering(graveyard, post, aliases, *revision)?,
            ),
            Entry::DeadLetter(letter) => (DEAD_LETTERS, letters::taking_in(graveyard, letter)?),
            Entry::Task(task) => (TASKS, super::progress::asking(graveyard, task)?),
            Entry::Checkpoint(key, checkpoint) => {
                let fields = doc! {"checkpoint": written(checkpoint)?};
                let update = inserting(place(key).into(), fields);
                (CHECKPOINTS, (update, Vec::new()))
            }
            Entry::Run(run) => {
                let fields = doc! {"started": nanoseconds(run.started_at), "run": written(run)?};
                let update = inserting(Bson::from(&run.report.run), fields);
                (RUNS, (update, Vec::new()))
            }
            Entry::Memo { name, value } => {
                let update = inserting(Bson::from(name), doc! {"value": value});
                (MEMOS, (update, Vec::new()))
            }
            _ => return Err(unknown_entry()),
        };
        self.0.entry(collection).or_default().push(update);
        Ok(())
    }

    async fn carry_out(self, database: &Database, graveyard: &Graveyard) -> Result<()> {
        for (collection, updates) in self.0 {
            put_unless_erased(database, graveyard, IMPORT, collection, updates).await?;
        }
        Ok(())
    }
}
