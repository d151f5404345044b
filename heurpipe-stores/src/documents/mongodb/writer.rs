//! Writing records by compare-and-set, many to a command, and finding out what became of each.

use std::collections::{BTreeMap, HashMap};

use heurpipe_core::{Digest, Error, ErrorKind, ItemResult, PostId, Result};
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, Document, RawDocumentBuf, doc};

use super::database::{Database, Durability, by_key, integer, parcels, size};
use super::graveyard::Graveyard;
use super::reply::Refusal;
use super::server::RECORDS;
use crate::documents::{outdated, tombstoned};

/// How many of the writes that led to a record are remembered in it: enough for whoever wrote to find their own, whoever wrote after them.
pub(super) const REMEMBERED: i32 = 16;

/// What is to become of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    /// It is to be stored with the next revision.
    Store,
    /// It is to be gone; where it is gone already, that is fine.
    Remove,
}

/// One write of a record.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) id: PostId,
    pub(super) key: String,
    pub(super) aim: Aim,
    /// The revision that must be stored.
    pub(super) replaces: u64,
    /// What tells this write from all others; it leaves it in the document.
    pub(super) token: ObjectId,
    pub(super) update: RawDocumentBuf,
    /// Where the post would lie if it had been erased.
    pub(super) graves: Vec<Digest>,
}

/// What a stored document says of the writes that led to it.
#[derive(Debug, Default, PartialEq)]
struct Marker {
    revision: u64,
    is_live: bool,
    writes: Vec<ObjectId>,
}

impl Marker {
    fn of(document: &Document) -> Self {
        let writes = document.get_array("writes").map_or(&[][..], Vec::as_slice);
        Self {
            revision: integer(document, "revision").unwrap_or(0).unsigned_abs(),
            is_live: document.get_bool("live").unwrap_or(false),
            writes: writes.iter().filter_map(Bson::as_object_id).collect(),
        }
    }
}

/// What became of a write: whether its mark is there, else why not.
#[derive(Debug, PartialEq)]
enum Settled<'a> {
    Done,
    /// Another revision is there.
    Outdated(u64),
    Refused(&'a Refusal),
    /// The server has not carried it out, and says nothing of it.
    Open,
}

fn settle<'a>(
    aim: Aim,
    token: ObjectId,
    replaces: u64,
    refusal: Option<&'a Refusal>,
    stored: Option<&Marker>,
) -> Settled<'a> {
    if stored.is_some_and(|marker| marker.writes.contains(&token)) {
        return Settled::Done;
    }
    if aim == Aim::Remove && !stored.is_some_and(|marker| marker.is_live) {
        return Settled::Done;
    }
    let revision = stored.map_or(0, |marker| marker.revision);
    if revision != replaces {
        return Settled::Outdated(revision);
    }
    match refusal {
        Some(refusal) if !refusal.is_duplicate() => Settled::Refused(refusal),
        _ => Settled::Open,
    }
}

/// Carries out writes; one outcome each: the revision that is stored then, or was removed.
///
/// # Errors
/// Those of the server, where it is not known what became of some. To write all of them again is safe.
pub(super) async fn write(
    database: &Database,
    graveyard: &Graveyard,
    operation: &'static str,
    writes: Vec<Result<Write>>,
) -> Result<Vec<ItemResult<u64>>> {
    database.refuse_reader(operation)?;
    let mut outcomes: Vec<Option<ItemResult<u64>>> = Vec::with_capacity(writes.len());
    let mut open = Vec::new();
    for (place, write) in writes.into_iter().enumerate() {
        match write {
            Ok(write) => {
                outcomes.push(None);
                open.push((place, write));
            }
            Err(error) => outcomes.push(Some(Err(error))),
        }
    }
    let graves = open.iter().flat_map(|(_, write)| &write.graves);
    let graves = graves.copied().collect();
    let buried = graveyard.buried(database, operation, graves).await?;
    open.retain(|(place, write)| {
        let is_erased = buried.holds_one_of(&write.graves);
        if is_erased {
            outcomes[*place] = Some(Err(tombstoned(&write.id)));
        }
        !is_erased
    });
    for round in rounds(open) {
        for parcel in parcels(round.iter().map(|(_, write)| size(&write.update))) {
            let writer = Writer {
                database,
                graveyard,
                operation,
                outcomes: &mut outcomes,
            };
            writer.write(&round[parcel]).await?;
        }
    }
    let unanswered = || {
        Err(Error::new(ErrorKind::Internal, operation)
            .message("it is not known what became of the record"))
    };
    let outcomes = outcomes.into_iter();
    Ok(outcomes.map(|o| o.unwrap_or_else(unanswered)).collect())
}

/// Writes in rounds: a server may carry out those of one command in any order, so that two of one post do not go into one.
fn rounds(writes: Vec<(usize, Write)>) -> Vec<Vec<(usize, Write)>> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut rounds: Vec<Vec<(usize, Write)>> = Vec::new();
    for (place, write) in writes {
        let round = seen.entry(write.key.clone()).or_default();
        if *round == rounds.len() {
            rounds.push(Vec::new());
        }
        rounds[*round].push((place, write));
        *round += 1;
    }
    rounds
}

struct Writer<'a> {
    database: &'a Database,
    graveyard: &'a Graveyard,
    operation: &'static str,
    outcomes: &'a mut Vec<Option<ItemResult<u64>>>,
}

impl Writer<'_> {
    /// Writes one command, and again what a server that stops at a refusal has left.
    async fn write(self, writes: &[(usize, Write)]) -> Result<()> {
        let mut open: Vec<&(usize, Write)> = writes.iter().collect();
        while !open.is_empty() {
            let updates: Vec<&RawDocumentBuf> = open.iter().map(|(_, w)| &w.update).collect();
            let reply = self
                .database
                .update(self.operation, RECORDS, &updates, Durability::Full)
                .await?;
            let graves = open.iter().flat_map(|(_, write)| &write.graves);
            let graves = graves.copied().collect();
            // A post may have been erased since it was looked for. Whoever erases buries first and then removes, whoever stores stores first and then
            // looks: so nothing is left behind.
            let (stored, buried) = tokio::try_join!(
                self.markers(&open),
                self.graveyard.buried(self.database, self.operation, graves),
            )?;
            let mut left = Vec::new();
            let mut returned = Vec::new();
            for (sent, item) in open.iter().enumerate() {
                let (place, write) = item;
                let refusal = reply.refusal(sent);
                let marker = stored.get(&write.key);
                let outcome = match settle(write.aim, write.token, write.replaces, refusal, marker)
                {
                    Settled::Done if buried.holds_one_of(&write.graves) => {
                        returned.push(doc! {"_id": &write.key, "writes": write.token});
                        Err(tombstoned(&write.id))
                    }
                    Settled::Done if write.aim == Aim::Remove => Ok(write.replaces),
                    Settled::Done => Ok(write.replaces + 1),
                    Settled::Outdated(stored) => Err(outdated(&write.id, write.replaces, stored)),
                    Settled::Refused(refusal) => {
                        let refused = self.database.server().item(self.operation, refusal);
                        Err(refused.with("post", &write.id))
                    }
                    Settled::Open => {
                        left.push(*item);
                        continue;
                    }
                };
                self.outcomes[*place] = Some(outcome);
            }
            self.database
                .delete(self.operation, RECORDS, &returned, Durability::Full)
                .await?;
            if left.len() == open.len() {
                return Err(self.stuck());
            }
            open = left;
        }
        Ok(())
    }

    async fn markers(&self, writes: &[&(usize, Write)]) -> Result<BTreeMap<String, Marker>> {
        let keys: Vec<&String> = writes.iter().map(|(_, write)| &write.key).collect();
        let query = doc! {"_id": {"$in": keys}};
        let fields = doc! {"revision": 1, "live": 1, "writes": 1};
        let found = self
            .database
            .find_newest(self.operation, RECORDS, query, fields)
            .await?;
        let found = by_key(found).into_iter();
        Ok(found
            .map(|(key, stored)| (key, Marker::of(&stored)))
            .collect())
    }

    fn stuck(&self) -> Error {
        let error = Error::new(ErrorKind::Unavailable, self.operation)
            .message("the document server carries out none of the writes, and does not say why");
        self.database.server().about(error)
    }
}

#[cfg(test)]
mod tests {
    use heurpipe_core::Platform;

    use super::*;

    fn refusal(code: i32) -> Refusal {
        Refusal {
            code,
            message: "so".to_owned(),
        }
    }

    fn marker(revision: u64, writes: &[ObjectId]) -> Marker {
        Marker {
            revision,
            is_live: true,
            writes: writes.to_vec(),
        }
    }

    #[test]
    fn what_became_of_a_write_is_read_off_the_record() {
        let (ours, theirs) = (ObjectId::new(), ObjectId::new());
        let (duplicate, too_large) = (refusal(11000), refusal(17419));
        let settled =
            |refusal, stored: Option<Marker>| settle(Aim::Store, ours, 3, refusal, stored.as_ref());
        assert_eq!(
            settled(None, Some(marker(4, &[theirs, ours]))),
            Settled::Done
        );
        // Another has written since, and upon ours.
        assert_eq!(
            settled(None, Some(marker(5, &[ours, theirs]))),
            Settled::Done
        );
        // The first of two sendings was carried out, so the second is refused.
        assert_eq!(
            settled(Some(&duplicate), Some(marker(4, &[ours]))),
            Settled::Done
        );
        assert_eq!(
            settled(None, Some(marker(4, &[theirs]))),
            Settled::Outdated(4)
        );
        assert_eq!(settled(None, None), Settled::Outdated(0));
        assert_eq!(
            settled(Some(&too_large), Some(marker(3, &[theirs]))),
            Settled::Refused(&too_large)
        );
        // A server that stopped at another's refusal says nothing of this one.
        assert_eq!(settled(None, Some(marker(3, &[theirs]))), Settled::Open);
        let inserted = |refusal| settle(Aim::Store, ours, 0, refusal, None);
        assert_eq!(inserted(None), Settled::Open);
        // Erased in the moment between: it is to be inserted once more.
        assert_eq!(inserted(Some(&duplicate)), Settled::Open);
    }

    #[test]
    fn what_is_gone_need_not_be_removed() {
        let (ours, theirs) = (ObjectId::new(), ObjectId::new());
        let settled = |stored: Option<Marker>| settle(Aim::Remove, ours, 3, None, stored.as_ref());
        let gone = |writes: &[ObjectId]| Marker {
            is_live: false,
            ..marker(3, writes)
        };
        assert_eq!(settled(None), Settled::Done);
        assert_eq!(settled(Some(gone(&[theirs, ours]))), Settled::Done);
        assert_eq!(settled(Some(gone(&[theirs]))), Settled::Done, "by another");
        assert_eq!(settled(Some(marker(4, &[theirs]))), Settled::Outdated(4));
        assert_eq!(settled(Some(marker(3, &[theirs]))), Settled::Open);
        // It was removed by us, and stored again by another.
        assert_eq!(settled(Some(marker(4, &[ours, theirs]))), Settled::Done);
    }

    #[test]
    fn two_of_one_post_go_in_two_rounds() {
        let write = |native: &str| Write {
            id: PostId::new(Platform::instagram(), native),
            key: native.to_owned(),
            aim: Aim::Store,
            replaces: 0,
            token: ObjectId::new(),
            update: RawDocumentBuf::new(),
            graves: Vec::new(),
        };
        let writes = ["1", "2", "1", "1", "2"].map(write);
        let rounds = rounds(writes.into_iter().enumerate().collect());
        let places: Vec<Vec<usize>> = rounds
            .iter()
            .map(|round| round.iter().map(|(place, _)| *place).collect())
            .collect();
        assert_eq!(places, [vec![0, 1], vec![2, 4], vec![3]]);
    }
}
