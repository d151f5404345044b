//! Refusing and erasing posts and authors.

use std::collections::BTreeSet;

use heurpipe_core::{AuthorRef, Erased, PostId, Record, Subject};
use rusqlite::Transaction;

use super::failure::Failure;
use super::graveyard::Graveyard;
use super::records::{delete, find, names, revive};
use super::{archived, letters, progress};

/// Remembers that these must not be stored again, posts under whatever ids they are known here, and gives the posts that are here of them.
pub(super) fn refuse(tx: &Transaction<'_>, subjects: &[Subject]) -> Result<Vec<PostId>, Failure> {
    let graveyard = Graveyard::visit(tx)?;
    let mut found = BTreeSet::new();
    for subject in subjects {
        match subject {
            Subject::Post(id) => found.extend(refuse_post(tx, &graveyard, id)?),
            Subject::Author(author) => found.extend(refuse_author(tx, &graveyard, author)?),
        }
    }
    Ok(found.into_iter().collect())
}

/// The own id of the post, where it is here.
fn refuse_post(
    tx: &Transaction<'_>,
    graveyard: &Graveyard,
    id: &PostId,
) -> Result<Option<PostId>, Failure> {
    graveyard.bury_post(tx, id)?;
    let (own, known) = match find(tx, id)? {
        Some(seq) => {
            let known = names(tx, seq)?;
            (known.first().cloned(), known)
        }
        None => match archived::find(tx, id)? {
            Some((own, _)) => {
                let known = archived::names(tx, &own)?;
                (Some(own), known)
            }
            None => (None, Vec::new()),
        },
    };
    for name in &known {
        graveyard.bury_post(tx, name)?;
    }
    Ok(own)
}

/// The own ids of the author's records.
fn refuse_author(
    tx: &Transaction<'_>,
    graveyard: &Graveyard,
    author: &AuthorRef,
) -> Result<Vec<PostId>, Failure> {
    graveyard.bury_author(tx, author)?;
    let records = records_of(tx, author)?;
    Ok(records.into_iter().map(|record| record.post.id).collect())
}

/// Whether each of these must not be stored again.
pub(super) fn refused(tx: &Transaction<'_>, subjects: &[Subject]) -> Result<Vec<bool>, Failure> {
    let graveyard = Graveyard::visit(tx)?;
    subjects
        .iter()
        .map(|subject| match subject {
            Subject::Post(id) => graveyard.holds_post(tx, id),
            Subject::Author(author) => {
                let authors = std::slice::from_ref(author);
                graveyard.holds_one_of(tx, &mut std::iter::empty(), authors)
            }
        })
        .collect()
}

/// The index by value finds those whose author has a name like that; which of them are meant the record tells.
pub(super) const BY_AUTHOR: &str = "
SELECT r.revision, r.body FROM keywords k CROSS JOIN records r ON r.seq = k.record
WHERE k.field = 'author' AND k.value = ? AND r.platform = ?";

fn records_of(tx: &Transaction<'_>, author: &AuthorRef) -> Result<Vec<Record>, Failure> {
    let mut statement = tx.prepare_cached(BY_AUTHOR)?;
    let mut rows = statement.query((author.keyword(), author.platform().as_str()))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let body: String = row.get(1)?;
        let record = revive(row.get(0)?, &body)?;
        if record.post.author_names().contains(author) {
            found.push(record);
        }
    }
    Ok(found)
}

/// Removes all that is here of these posts and remembers that they must not come back.
pub(super) fn erase(tx: &Transaction<'_>, posts: &[PostId]) -> Result<Erased, Failure> {
    let mut erased = Erased::default();
    for post in posts {
        let subject = Subject::Post(post.clone());
        let own = refuse(tx, &[subject])?.pop();
        let own = own.as_ref().unwrap_or(post);
        // Letters and tasks may name the post by an id that it had before.
        let mut known = BTreeSet::from([post.clone(), own.clone()]);
        known.extend(archived::names(tx, own)?);
        if let Some(seq) = find(tx, own)? {
            known.extend(names(tx, seq)?);
            delete(tx, seq)?;
            erased.records += 1;
        }
        erased.archived += u64::from(archived::forget(tx, own)?);
        for name in &known {
            erased.dead_letters += letters::forget(tx, name)?;
            erased.tasks += progress::forget_tasks(tx, name)?;
        }
    }
    Ok(erased)
}
