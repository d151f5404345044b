//! How two views of one post become one, whatever their order.

use jiff::Timestamp;

use super::annotation::{Annotation, By};
use super::ledger::{LedgerEntry, LedgerOutcome};
use super::post::{Author, Counts, Fetched, Media, Places, Post, Precision};
use super::record::{Observation, Record, sort_annotations, sort_ledger};

/// Merges `new` into `old`, which have one identity.
pub(super) fn merge_post(old: &mut Post, new: Post) {
    let newer = new.collected_at >= old.collected_at;
    merge_text(&mut old.text, new.text, newer);
    merge_list(&mut old.hashtags, new.hashtags, newer);
    merge_list(&mut old.mentions, new.mentions, newer);
    merge_media(&mut old.media, new.media, newer);
    merge_author(&mut old.author, new.author, newer);
    merge_places(&mut old.places, new.places, newer);
    merge_option(&mut old.permalink, new.permalink, newer);
    merge_published(old, new.published_at, new.published_within, newer);
    merge_option(&mut old.repost_of, new.repost_of, newer);
    merge_option(&mut old.language_hint, new.language_hint, newer);
    for alias in new.aliases.into_iter().chain([new.id]) {
        if alias != old.id && !old.aliases.contains(&alias) {
            old.aliases.push(alias);
        }
    }
    old.aliases.sort();
    for (attribute, labels) in new.given {
        if newer || !old.given.contains_key(&attribute) {
            old.given.insert(attribute, labels);
        }
    }
    for (call, raw) in new.raw {
        if newer || !old.raw.contains_key(&call) {
            old.raw.insert(call, raw);
        }
    }
    old.collected_at = old.collected_at.max(new.collected_at);
}

fn merge_option<T>(old: &mut Option<T>, new: Option<T>, newer: bool) {
    if new.is_some() && (newer || old.is_none()) {
        *old = new;
    }
}

/// The time that is known more exactly; of two equally exact ones the later seen.
fn merge_published(old: &mut Post, at: Option<Timestamp>, within: Option<Precision>, newer: bool) {
    let better = match (old.published_at, at) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(_), Some(_)) if within == old.published_within => newer,
        // None stands for exact and is the least.
        (Some(_), Some(_)) => within < old.published_within,
    };
    if better {
        old.published_at = at;
        old.published_within = within;
    }
}

fn merge_list<T>(old: &mut Vec<T>, new: Vec<T>, newer: bool) {
    if !new.is_empty() && (newer || old.is_empty()) {
        *old = new;
    }
}

fn merge_text(old: &mut String, new: String, newer: bool) {
    if !new.is_empty() && (newer || old.is_empty()) {
        *old = new;
    }
}

fn merge_author(old: &mut Option<Author>, new: Option<Author>, newer: bool) {
    let Some(new) = new else { return };
    let old = old.get_or_insert_with(Author::unknown);
    merge_option(&mut old.id, new.id, newer);
    merge_option(&mut old.handle, new.handle, newer);
    merge_option(&mut old.name, new.name, newer);
    merge_option(&mut old.followers, new.followers, newer);
    merge_option(&mut old.verified, new.verified, newer);
}

fn merge_places(old: &mut Places, new: Places, newer: bool) {
    merge_option(&mut old.declared, new.declared, newer);
    merge_option(&mut old.ip_region, new.ip_region, newer);
    merge_option(&mut old.tagged, new.tagged, newer);
}

/// Media are matched by id; a fetched one never becomes unfetched; the longer list's order is kept.
fn merge_media(old: &mut Vec<Media>, new: Vec<Media>, newer: bool) {
    let new_leads = new.len() > old.len() || (newer && new.len() == old.len());
    let (others, others_newer) = if new_leads {
        (std::mem::replace(old, new), !newer)
    } else {
        (new, newer)
    };
    for medium in others {
        match old.iter_mut().find(|m| m.id == medium.id) {
            Some(same) => merge_medium(same, medium, others_newer),
            None => old.push(medium),
        }
    }
}

fn merge_medium(medium: &mut Media, other: Media, newer: bool) {
    let better = match (&medium.fetched, &other.fetched) {
        (Fetched::Stored { .. }, _) | (_, Fetched::Not) => false,
        (Fetched::Not, _) => true,
        (Fetched::Gone { .. }, fetched) => matches!(fetched, Fetched::Stored { .. }),
    };
    if better {
        medium.fetched = other.fetched;
    }
    // A URL and its expiry belong together.
    if other.url.is_some() && (newer || medium.url.is_none()) {
        medium.url = other.url;
        medium.url_expires_at = other.url_expires_at;
    }
    merge_option(&mut medium.width, other.width, newer);
    merge_option(&mut medium.height, other.height, newer);
    merge_option(&mut medium.alt_text, other.alt_text, newer);
}

/// Adds an observation where it belongs in time, unless it tells nothing new beside its neighbours. A count that a call leaves out is not
/// a change; of neighbours that agree one is kept, with the earlier time and the counts of both.
pub(super) fn add_observation(observations: &mut Vec<Observation>, mut seen: Observation) {
    let index = observations.partition_point(|o| o.at <= seen.at);
    let (before, after) = observations.split_at_mut(index);
    let earlier = before.last_mut().filter(|earlier| agree(earlier, &seen));
    if let Some(earlier) = earlier {
        earlier.counts = filled(earlier.counts, seen.counts);
    } else if let Some(later) = after.first_mut().filter(|later| agree(later, &seen)) {
        later.at = seen.at;
        later.counts = filled(later.counts, seen.counts);
    } else {
        if let Some(earlier) = before.last() {
            seen.counts = filled(seen.counts, earlier.counts);
        }
        observations.insert(index, seen);
    }
    for i in index.max(1)..observations.len() {
        observations[i].counts = filled(observations[i].counts, observations[i - 1].counts);
    }
}

/// Whether both tell the same, as far as both tell anything.
fn agree(one: &Observation, other: &Observation) -> bool {
    one.gone == other.gone && filled(one.counts, other.counts) == filled(other.counts, one.counts)
}

fn filled(counts: Counts, from: Counts) -> Counts {
    let mut filled = counts;
    filled.likes = counts.likes.or(from.likes);
    filled.comments = counts.comments.or(from.comments);
    filled.reposts = counts.reposts.or(from.reposts);
    filled.views = counts.views.or(from.views);
    filled
}

/// The counts of the latest observation.
pub(super) fn latest_counts(observations: &[Observation], otherwise: Counts) -> Counts {
    observations.last().map_or(otherwise, |o| o.counts)
}

pub(super) fn merge_records(ours: &mut Record, theirs: Record) {
    let unentered = unentered(&theirs);
    merge_post(&mut ours.post, *theirs.post);
    for seen in theirs.observations {
        add_observation(&mut ours.observations, seen);
    }
    ours.post.counts = latest_counts(&ours.observations, ours.post.counts);

    for entry in theirs.ledger {
        let found = annotations_of(&entry, &theirs.annotations);
        let kept = annotations_of(&entry, &ours.annotations);
        let mine = ours.ledger_entry(&entry.enricher, &entry.target);
        let stands = mine.is_some_and(|mine| mine.at >= entry.at);
        let standing = mine.filter(|_| stands).unwrap_or(&entry);
        // A failure leaves what was found before it, by whichever of the two writers.
        if failed(standing) && newest(&found) > newest(&kept) {
            ours.annotations.retain(|a| !entry.covers(a));
            ours.annotations.extend(found.iter().cloned());
        }
        if !stands {
            ours.enter(entry, found);
        }
    }
    for annotation in unentered {
        let entered = ours.ledger.iter().any(|entry| entry.covers(&annotation));
        if !entered && !ours.annotations.contains(&annotation) {
            ours.annotations.push(annotation);
        }
    }
    for annotation in theirs.annotations {
        if matches!(annotation.by, By::Person(_)) && !ours.annotations.contains(&annotation) {
            ours.annotations.push(annotation);
        }
    }
    sort_annotations(&mut ours.annotations);
    sort_ledger(&mut ours.ledger);

    for (use_case, state) in theirs.states {
        if !ours.states.contains_key(&use_case) {
            ours.states.insert(use_case, state);
        }
    }
    ours.revision = ours.revision.max(theirs.revision);
}

fn failed(entry: &LedgerEntry) -> bool {
    matches!(entry.outcome, LedgerOutcome::Failed(_))
}

fn newest(annotations: &[Annotation]) -> Option<Timestamp> {
    annotations.iter().map(|a| a.at).max()
}

fn annotations_of(entry: &LedgerEntry, annotations: &[Annotation]) -> Vec<Annotation> {
    let covered = annotations.iter().filter(|a| entry.covers(a));
    covered.cloned().collect()
}

/// What models said without a line in the ledger: records that were not made here.
fn unentered(record: &Record) -> Vec<Annotation> {
    let produced = |a: &&Annotation| matches!(a.by, By::Producer(_));
    let known = |a: &&Annotation| !record.ledger.iter().any(|entry| entry.covers(a));
    let annotations = record.annotations.iter();
    annotations
        .filter(produced)
        .filter(known)
        .cloned()
        .collect()
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
