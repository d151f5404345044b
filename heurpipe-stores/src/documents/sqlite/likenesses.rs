//! What analysed pictures look like.

use heurpipe_core::{Analysed, Digest, Likeness, NearFindings, PictureHash};
use rusqlite::{Row, Transaction};

use super::failure::Failure;
use crate::documents::near::{BANDS, Nearest, Search, places};

/// What is kept at a place of a band.
const AT: [&str; BANDS] = [
    "SELECT finding, picture, kind, hash FROM likenesses WHERE band0 = ?",
    "SELECT finding, picture, kind, hash FROM likenesses WHERE band1 = ?",
    "SELECT finding, picture, kind, hash FROM likenesses WHERE band2 = ?",
    "SELECT finding, picture, kind, hash FROM likenesses WHERE band3 = ?",
];

/// A row: the findings' number, the picture, what it looks like.
struct Kept {
    finding: i64,
    picture: Digest,
    likeness: Likeness,
}

impl Kept {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let hash: i64 = row.get(3)?;
        Ok(Self {
            finding: row.get(0)?,
            picture: Digest::from_bytes(row.get(1)?),
            likeness: Likeness {
                group: Digest::from_bytes(row.get(2)?),
                hash: PictureHash(hash.cast_unsigned()),
            },
        })
    }
}

/// What was found in the picture nearest to each. What cannot be read is not known.
pub(super) fn recall(
    tx: &Transaction<'_>,
    likenesses: &[Likeness],
    within: u32,
) -> Result<Vec<Option<NearFindings>>, Failure> {
    let search = Search::within(within);
    let mut findings = tx.prepare_cached("SELECT body FROM findings WHERE seq = ?")?;
    let mut known = Vec::with_capacity(likenesses.len());
    for likeness in likenesses {
        let Some((picture, finding)) = nearest(tx, likeness, &search)? else {
            known.push(None);
            continue;
        };
        let body: String = findings.query_row([finding], |row| row.get(0))?;
        let findings = serde_json::from_str(&body).ok();
        known.push(findings.map(|findings| NearFindings { picture, findings }));
    }
    Ok(known)
}

fn nearest(
    tx: &Transaction<'_>,
    wanted: &Likeness,
    search: &Search,
) -> Result<Option<(Digest, i64)>, Failure> {
    let mut nearest = Nearest::none();
    for (band, place) in search.places(wanted) {
        let mut at = tx.prepare_cached(AT[band])?;
        for kept in at.query_map([place], Kept::of)? {
            let kept = kept?;
            if let Some(distance) = search.distance(wanted, &kept.likeness) {
                nearest.add(distance, kept.picture, kept.finding);
            }
        }
    }
    Ok(nearest.into_inner())
}

/// Keeps what pictures look like whose findings are known.
pub(super) fn remember(tx: &Transaction<'_>, analysed: &[Analysed]) -> Result<(), Failure> {
    let mut insert = tx.prepare_cached(
        "INSERT OR IGNORE INTO likenesses (finding, picture, kind, hash, band0, band1, band2, band3)
         SELECT seq, ?, ?, ?, ?, ?, ?, ? FROM findings WHERE key = ?",
    )?;
    for one in analysed {
        let [band0, band1, band2, band3] = places(&one.likeness);
        insert.execute((
            one.picture.as_bytes(),
            one.likeness.group.as_bytes(),
            one.likeness.hash.0.cast_signed(),
            band0,
            band1,
            band2,
            band3,
            one.key.as_bytes(),
        ))?;
    }
    Ok(())
}
