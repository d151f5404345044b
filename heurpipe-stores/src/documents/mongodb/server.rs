//! What is on the server: its product, our collections, their indexes.

use heurpipe_core::{Error, ErrorKind, Result};
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, Document, Uuid, doc};
use mongodb::{IndexModel, options::IndexOptions};

use super::OPERATION;
use super::database::{Database, Durability, integer};

/// What the collections hold, and how.
pub(super) const FORMAT: i64 = 1;

/// The collection in which a database says that it is ours, and of which format.
pub(super) const ABOUT: &str = "heurpipe";

pub(super) const RECORDS: &str = "records";
pub(super) const TOMBSTONES: &str = "tombstones";
pub(super) const CHECKPOINTS: &str = "checkpoints";
pub(super) const RUNS: &str = "runs";
pub(super) const TASKS: &str = "tasks";
pub(super) const MEMOS: &str = "memos";
pub(super) const DEAD_LETTERS: &str = "dead_letters";
pub(super) const FINDINGS: &str = "findings";
pub(super) const LIKENESSES: &str = "likenesses";

const COLLECTIONS: &[&str] = &[
    RECORDS,
    TOMBSTONES,
    CHECKPOINTS,
    RUNS,
    TASKS,
    MEMOS,
    DEAD_LETTERS,
    FINDINGS,
    LIKENESSES,
];

/// An index: its collection, its name, its fields.
type Index = (&'static str, &'static str, &'static [(&'static str, i32)]);

/// Those of records end in the id, so that what they find comes in its order.
const INDEXES: &[Index] = &[
    (RECORDS, "by_id", &[("live", 1), ("_id", 1)]),
    (RECORDS, "by_alias", &[("aliases", 1)]),
    (
        RECORDS,
        "by_keyword",
        &[("keywords.field", 1), ("keywords.value", 1)],
    ),
    (RECORDS, "by_word", &[("words", 1)]),
    (
        RECORDS,
        "by_state",
        &[("states.use_case", 1), ("states.state", 1), ("_id", 1)],
    ),
    (
        RECORDS,
        "by_use_case",
        &[("states.use_case", 1), ("analysis", 1), ("_id", 1)],
    ),
    (RECORDS, "by_analysis", &[("analysis", 1), ("_id", 1)]),
    (RECORDS, "by_time", &[("published", 1), ("_id", 1)]),
    (RUNS, "by_time", &[("started", -1), ("_id", -1)]),
    (TASKS, "by_time", &[("asked", 1), ("_id", 1)]),
    (TASKS, "by_post", &[("post", 1)]),
    (
        DEAD_LETTERS,
        "by_time",
        &[
            ("at", 1),
            ("_id", 1),
            ("use_case", 1),
            ("stage", 1),
            ("cause", 1),
        ],
    ),
    (
        DEAD_LETTERS,
        "by_cause",
        &[("use_case", 1), ("stage", 1), ("cause", 1)],
    ),
    (DEAD_LETTERS, "by_post", &[("post", 1)]),
    (FINDINGS, "by_age", &[("seq", 1)]),
    (LIKENESSES, "by_age", &[("seq", 1)]),
    (LIKENESSES, "by_place", &[("places", 1)]),
    (LIKENESSES, "by_picture", &[("picture", 1)]),
];

/// What a database says of itself.
#[derive(Debug)]
pub(super) struct About {
    /// The key under which the ids of erased posts are hashed.
    pub(super) tombstone_key: Vec<u8>,
}

/// Which product answers, and its version.
///
/// # Errors
/// Those of a server that does not answer, refuses the credentials, or is of another kind.
pub(super) async fn identify(database: &Database) -> Result<String> {
    let about = database.ask(OPERATION, doc! {"buildInfo": 1}).await?;
    let Ok(version) = about.get_str("version") else {
        let error = Error::new(ErrorKind::Config, OPERATION)
            .message("the server speaks MongoDB's protocol and does not say which version it is");
        return Err(database.server().about(error));
    };
    let product = match about.contains_key("ferretdb") {
        true => "FerretDB",
        false => "MongoDB",
    };
    Ok(format!("{product} {version}"))
}

/// Looks whether a database is ours, makes it ours where it is empty and may be written to, and sees to its indexes.
///
/// # Errors
/// `NotFound` when it is to be read and is not there; `Corrupt` when somebody else's collections lie in it; `Config` when a newer program made it, or an
/// index of ours has another definition.
pub(super) async fn prepare(database: &Database) -> Result<About> {
    let found = match about(database).await? {
        Some(found) => found,
        None if database.is_read_only() => return Err(absent(database)),
        None => make(database).await?,
    };
    for collection in COLLECTIONS {
        see_to_indexes(database, collection).await?;
    }
    Ok(found)
}

async fn about(database: &Database) -> Result<Option<About>> {
    let found = database
        .find_newest(OPERATION, ABOUT, doc! {"_id": "format"}, Document::new())
        .await?
        .pop();
    let Some(found) = found else {
        return Ok(None);
    };
    let version = integer(&found, "version");
    let key = found.get_binary_generic("tombstone_key");
    let (Some(version), Ok(key)) = (version, key) else {
        return Err(foreign(database, ABOUT));
    };
    if version != FORMAT {
        let error = Error::new(ErrorKind::Config, OPERATION)
            .message(format!(
                "the database has collections of version {version}, this program knows version {FORMAT}"
            ))
            .with("found", version)
            .with("known", FORMAT);
        return Err(of(database, error));
    }
    Ok(Some(About {
        tombstone_key: key.clone(),
    }))
}

/// Says that a database is ours, before there is anything in it.
async fn make(database: &Database) -> Result<About> {
    let names = database.collections(OPERATION).await?;
    let theirs = names
        .iter()
        .find(|name| COLLECTIONS.contains(&name.as_str()));
    if let Some(name) = theirs {
        // Or another process has made it ours in this moment.
        return match about(database).await? {
            Some(found) => Ok(found),
            None => Err(foreign(database, name)),
        };
    }
    // Two random numbers of 122 bits each.
    let key = [Uuid::new().bytes(), Uuid::new().bytes()].concat();
    let fields = doc! {
        "version": FORMAT,
        "tombstone_key": Binary { subtype: BinarySubtype::Generic, bytes: key },
    };
    let update = doc! {"q": {"_id": "format"}, "u": {"$setOnInsert": fields}, "upsert": true};
    database
        .put(OPERATION, ABOUT, &[update], Durability::Full)
        .await?;
    about(database).await?.ok_or_else(|| absent(database))
}

/// Compares the indexes of a collection with what they should be, and makes those that are not there.
async fn see_to_indexes(database: &Database, collection: &str) -> Result<()> {
    let found = database.indexes(OPERATION, collection).await?;
    let mut missing = Vec::new();
    for (_, name, fields) in INDEXES.iter().filter(|(of, ..)| *of == collection) {
        let same_name = |index: &&IndexModel| {
            let options = index.options.as_ref();
            options.and_then(|options| options.name.as_deref()) == Some(name)
        };
        match found.iter().find(same_name) {
            Some(index) if is(index, fields) => {}
            Some(_) => return Err(different(database, collection, name)),
            None => missing.push(model(name, fields)),
        }
    }
    if missing.is_empty() || database.is_read_only() {
        return Ok(());
    }
    database.make_indexes(OPERATION, collection, missing).await
}

fn model(name: &str, fields: &[(&str, i32)]) -> IndexModel {
    let fields = fields
        .iter()
        .map(|(field, way)| ((*field).to_owned(), Bson::Int32(*way)));
    IndexModel::builder()
        .keys(fields.collect::<Document>())
        .options(IndexOptions::builder().name(name.to_owned()).build())
        .build()
}

/// Whether an index has these fields and nothing special about it.
fn is(index: &IndexModel, fields: &[(&str, i32)]) -> bool {
    let way = |value: &Bson| super::reply::number(Some(value));
    let same_fields = index.keys.len() == fields.len()
        && index
            .keys
            .iter()
            .zip(fields)
            .all(|((field, value), wanted)| {
                (field.as_str(), way(value)) == (wanted.0, Some(wanted.1))
            });
    let is_plain = index.options.as_ref().is_none_or(|options| {
        options.unique != Some(true)
            && options.sparse != Some(true)
            && options.partial_filter_expression.is_none()
            && options.expire_after.is_none()
            && options.collation.is_none()
    });
    same_fields && is_plain
}

/// The error of a database that is to be read and is not there.
fn absent(database: &Database) -> Error {
    of(
        database,
        Error::new(ErrorKind::NotFound, OPERATION).message("there is no database of this name"),
    )
}

fn foreign(database: &Database, collection: &str) -> Error {
    let error = Error::new(ErrorKind::Corrupt, OPERATION)
        .message(
            "the database holds a collection of another program where one of this program is to be",
        )
        .with("collection", collection);
    of(database, error)
}

fn different(database: &Database, collection: &str, index: &str) -> Error {
    let error = Error::new(ErrorKind::Config, OPERATION)
        .message("an index has another definition than this program gives it; drop it, and the next run makes it")
        .with("index", index)
        .with("collection", collection);
    of(database, error)
}

fn of(database: &Database, error: Error) -> Error {
    let error = error.with("database", database.name());
    database.server().about(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_known_by_its_fields_and_by_what_is_special_about_it() {
        let fields = [("at", 1), ("_id", -1)];
        let plain = model("by_time", &fields);
        assert!(is(&plain, &fields));
        assert!(!is(&plain, &[("_id", -1), ("at", 1)]), "the order counts");
        assert!(!is(&plain, &[("at", 1)]));
        let mut numbers = plain.clone();
        numbers.keys = doc! {"at": 1.0, "_id": -1_i64};
        assert!(is(&numbers, &fields), "as some servers tell them");
        let mut unique = plain;
        if let Some(options) = &mut unique.options {
            options.unique = Some(true);
        }
        assert!(!is(&unique, &fields));
    }
}
