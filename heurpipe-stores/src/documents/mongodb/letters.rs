//! Dead letters.

use heurpipe_core::{DeadLetter, DeadLetterCount, DeadLetterScan, Digest, Result};
use mongodb::bson::{Document, doc};
use mongodb::options::FindOptions;

use super::database::{Database, Durability, LARGEST, integer};
use super::filter::joined;
use super::graveyard::Graveyard;
use super::progress::{put_unless_erased, read, written};
use super::scan::limit;
use super::server::DEAD_LETTERS;
use crate::instant::nanoseconds;

/// What is kept of a record that is too large to lie in its letter.
const EXCERPT: usize = 2_000;

/// Stores letters, apart from those about what was erased.
pub(super) async fn bury(
    database: &Database,
    graveyard: &Graveyard,
    letters: &[DeadLetter],
) -> Result<()> {
    let updates = letters
        .iter()
        .map(|letter| Ok((update(letter, "$set")?, graves(graveyard, letter))));
    let updates = updates.collect::<Result<_>>()?;
    put_unless_erased(database, graveyard, "mongodb.bury", DEAD_LETTERS, updates).await
}

/// Where the post of a letter would lie if it had been erased.
fn graves(graveyard: &Graveyard, letter: &DeadLetter) -> Vec<Digest> {
    let post = letter.record.as_ref().map(|record| &record.post);
    let aliases = post.into_iter().flat_map(|post| &post.aliases);
    let authors = post.map_or_else(Vec::new, |post| post.author_names());
    let posts = std::iter::once(&letter.post).chain(aliases);
    graveyard.of_all(posts, &authors)
}

/// The update that stores a letter where there is none of its key; with where its post would lie.
pub(super) fn taking_in(
    graveyard: &Graveyard,
    letter: &DeadLetter,
) -> Result<(Document, Vec<Digest>)> {
    Ok((update(letter, "$setOnInsert")?, graves(graveyard, letter)))
}

/// The update that stores a letter, by the operator that says over what.
fn update(letter: &DeadLetter, operator: &str) -> Result<Document> {
    let mut body = written(letter)?;
    if body.len() > LARGEST {
        body = written(&without_record(letter, &body))?;
    }
    let fields = doc! {
        "use_case": &letter.use_case,
        "post": letter.post.to_string(),
        "stage": &letter.stage,
        "cause": &letter.cause,
        "at": nanoseconds(letter.at),
        "letter": body,
    };
    Ok(doc! {"q": {"_id": &letter.key}, "u": {operator: fields}, "upsert": true})
}

/// A letter whose record no document can hold. That the post failed, and where, is not to be lost with it.
fn without_record(letter: &DeadLetter, body: &str) -> DeadLetter {
    let mut letter = letter.clone();
    letter.record = None;
    letter.chain.push(format!(
        "the letter has {} bytes and is kept without its record, since no document on the server may be as large",
        body.len()
    ));
    let excerpt = letter.excerpt.as_deref().unwrap_or(body);
    letter.excerpt = Some(excerpt[..excerpt.floor_char_boundary(EXCERPT)].to_owned());
    letter
}

/// The letters that a scan asks for, oldest first.
pub(super) async fn page(database: &Database, scan: &DeadLetterScan) -> Result<Vec<DeadLetter>> {
    if scan.limit == 0 {
        return Ok(Vec::new());
    }
    let mut wanted = Vec::new();
    for (field, value) in [
        ("use_case", &scan.use_case),
        ("stage", &scan.stage),
        ("cause", &scan.cause),
    ] {
        if let Some(value) = value {
            wanted.push(doc! {field: value});
        }
    }
    if let Some((at, key)) = &scan.after {
        let at = nanoseconds(*at);
        // The first condition bounds what is read of the index.
        wanted.push(doc! {"at": {"$gte": at}});
        wanted.push(doc! {"$or": [{"at": {"$gt": at}}, {"_id": {"$gt": key}}]});
    }
    let options = FindOptions::builder()
        .sort(doc! {"at": 1, "_id": 1})
        .projection(doc! {"letter": 1})
        .limit(limit(scan.limit))
        .build();
    let found = database
        .find(
            "mongodb.dead_letters",
            DEAD_LETTERS,
            joined(wanted),
            options,
        )
        .await?;
    found.iter().map(|letter| read(letter, "letter")).collect()
}

/// How many letters there are by use case, stage and cause.
pub(super) async fn counts(
    database: &Database,
    use_case: Option<&str>,
) -> Result<Vec<DeadLetterCount>> {
    let wanted = use_case.map_or_else(Document::new, |name| doc! {"use_case": name});
    let cause = doc! {"use_case": "$use_case", "stage": "$stage", "cause": "$cause"};
    let pipeline = vec![
        doc! {"$match": wanted},
        doc! {"$group": {"_id": cause, "letters": {"$sum": 1}}},
    ];
    let found = database
        .aggregate("mongodb.dead_letter_counts", DEAD_LETTERS, pipeline)
        .await?;
    let mut counts: Vec<DeadLetterCount> = found.iter().map(count).collect();
    counts.sort();
    Ok(counts)
}

fn count(found: &Document) -> DeadLetterCount {
    let text = |field: &str| {
        let cause = found.get_document("_id").ok();
        let text = cause.and_then(|cause| cause.get_str(field).ok());
        text.unwrap_or_default().to_owned()
    };
    DeadLetterCount {
        use_case: text("use_case"),
        stage: text("stage"),
        cause: text("cause"),
        letters: integer(found, "letters").unwrap_or(0).unsigned_abs(),
    }
}

pub(super) async fn exhume(database: &Database, keys: &[String]) -> Result<()> {
    let queries: Vec<Document> = keys.iter().map(|key| doc! {"_id": key}).collect();
    database
        .delete("mongodb.exhume", DEAD_LETTERS, &queries, Durability::Full)
        .await
}
