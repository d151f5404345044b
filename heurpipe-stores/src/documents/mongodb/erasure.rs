//! Refusing and erasing posts and authors.

use std::collections::BTreeSet;

use heurpipe_core::{AuthorRef, Digest, Erased, PostId, Result, Subject};
use mongodb::bson::{Document, doc};

use super::database::{Database, Durability};
use super::graveyard::Graveyard;
use super::records::{ASKED, Known, aliases, body, by_names, id_of, is_live, own_id, revive};
use super::server::{DEAD_LETTERS, RECORDS, TASKS};

/// Remembers that these must not be stored again, posts under whatever ids they are known here, and gives the posts that are here of them.
pub(super) async fn refuse(
    database: &Database,
    graveyard: &Graveyard,
    subjects: &[Subject],
) -> Result<Vec<PostId>> {
    let mut posts = Vec::new();
    let mut found = BTreeSet::new();
    for subject in subjects {
        match subject {
            Subject::Post(id) => posts.push(id.clone()),
            Subject::Author(author) => {
                found.extend(refuse_author(database, graveyard, author).await?);
            }
        }
    }
    for known in refuse_posts(database, graveyard, &posts).await? {
        found.insert(own_id(&known));
    }
    Ok(found.into_iter().collect())
}

/// The documents that are here of these posts.
async fn refuse_posts(
    database: &Database,
    graveyard: &Graveyard,
    posts: &[PostId],
) -> Result<Vec<Document>> {
    const OPERATION: &str = "mongodb.refuse";
    // What is not here is buried first: from then on nobody stores it, and what is looked for is all there will be.
    let graves = posts.iter().map(|id| graveyard.of_post(id)).collect();
    graveyard.bury(database, OPERATION, graves).await?;
    let mut here = Vec::new();
    let mut graves = BTreeSet::new();
    for posts in posts.chunks(ASKED) {
        let fields = doc! {"aliases": 1, "live": 1};
        let found = database
            .find_newest(OPERATION, RECORDS, by_names(posts), fields)
            .await?;
        let known = Known::of(found);
        for document in posts.iter().filter_map(|id| known.document(id)) {
            graves.extend(names(document).iter().map(|id| graveyard.of_post(id)));
            here.push(document.clone());
        }
    }
    graveyard.bury(database, OPERATION, graves).await?;
    Ok(here)
}

/// All ids of a document's post.
fn names(document: &Document) -> Vec<PostId> {
    let aliases = aliases(document).map(id_of);
    std::iter::once(own_id(document)).chain(aliases).collect()
}

/// The own ids of the author's records.
async fn refuse_author(
    database: &Database,
    graveyard: &Graveyard,
    author: &AuthorRef,
) -> Result<Vec<PostId>> {
    const OPERATION: &str = "mongodb.refuse";
    let grave = BTreeSet::from([graveyard.of_author(author)]);
    graveyard.bury(database, OPERATION, grave).await?;
    // The index by value finds those whose author has a name like that; which of them are meant the record tells.
    let name = doc! {"field": "author", "value": author.keyword()};
    let query = doc! {"live": true, "keywords": {"$elemMatch": name}};
    let rows = database
        .find_newest(OPERATION, RECORDS, query, body())
        .await?;
    let mut found = Vec::new();
    for record in rows.iter().map(revive) {
        let post = record?.post;
        if post.author_names().contains(author) {
            found.push(post.id);
        }
    }
    Ok(found)
}

/// Whether each of these must not be stored again.
pub(super) async fn refused(
    database: &Database,
    graveyard: &Graveyard,
    subjects: &[Subject],
) -> Result<Vec<bool>> {
    let hash = |subject: &Subject| match subject {
        Subject::Post(id) => graveyard.of_post(id),
        Subject::Author(author) => graveyard.of_author(author),
    };
    let hashes: Vec<Digest> = subjects.iter().map(hash).collect();
    let asked = hashes.iter().copied().collect();
    let buried = graveyard.buried(database, "mongodb.refused", asked).await?;
    let holds = |hash| buried.holds_one_of(std::slice::from_ref(hash));
    Ok(hashes.iter().map(holds).collect())
}

/// Removes all that is here of these posts and remembers that they must not come back.
pub(super) async fn erase(
    database: &Database,
    graveyard: &Graveyard,
    posts: &[PostId],
) -> Result<Erased> {
    const OPERATION: &str = "mongodb.erase";
    let here = refuse_posts(database, graveyard, posts).await?;
    // Letters and tasks may name a post by an id that it had before.
    let mut known: BTreeSet<PostId> = posts.iter().cloned().collect();
    known.extend(here.iter().flat_map(names));
    let mut erased = Erased::default();
    let mut keys = BTreeSet::new();
    for document in &here {
        if keys.insert(document.get_str("_id").unwrap_or_default()) {
            match is_live(document) {
                true => erased.records += 1,
                false => erased.archived += 1,
            }
        }
    }
    let records: Vec<Document> = keys.into_iter().map(|key| doc! {"_id": key}).collect();
    database
        .delete(OPERATION, RECORDS, &records, Durability::Full)
        .await?;
    let known: Vec<String> = known.iter().map(PostId::to_string).collect();
    erased.dead_letters = forget(database, DEAD_LETTERS, &known).await?;
    erased.tasks = forget(database, TASKS, &known).await?;
    Ok(erased)
}

/// Removes what is about some posts; how much there was.
async fn forget(database: &Database, collection: &str, posts: &[String]) -> Result<u64> {
    const OPERATION: &str = "mongodb.erase";
    let mut gone = 0;
    for posts in posts.chunks(ASKED) {
        let about = doc! {"post": {"$in": posts.to_vec()}};
        let found = database
            .find_newest(OPERATION, collection, about.clone(), doc! {"_id": 1})
            .await?;
        gone += found.len() as u64;
        database
            .delete(OPERATION, collection, &[about], Durability::Full)
            .await?;
    }
    Ok(gone)
}
