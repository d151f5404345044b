//! How two views of one post become one, whatever their order.

use super::annotation::{Annotation, By};
use super::ledger::LedgerEntry;
use super::post::{Author, Counts, Fetched, Media, Places, Post};
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
    merge_option(&mut old.published_at, new.published_at, newer);
    merge_option(&mut old.repost_of, new.repost_of, newer);
    merge_option(&mut old.language_hint, new.language_hint, newer);
    for alias in new.aliases {
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
    if new.len() > old.len() || (newer && new.len() == old.len()) {
        let known = std::mem::replace(old, new);
        for medium in known {
            match old.iter_mut().find(|m| m.id == medium.id) {
                Some(same) => keep_fetched(same, medium),
                None => old.push(medium),
            }
        }
    } else {
        for medium in new {
            match old.iter_mut().find(|m| m.id == medium.id) {
                Some(same) => keep_fetched(same, medium),
                None => old.push(medium),
            }
        }
    }
}

fn keep_fetched(medium: &mut Media, other: Media) {
    let better = match (&medium.fetched, &other.fetched) {
        (Fetched::Stored { .. }, _) | (_, Fetched::Not) => false,
        (Fetched::Not, _) => true,
        (Fetched::Gone { .. }, fetched) => matches!(fetched, Fetched::Stored { .. }),
    };
    if better {
        medium.fetched = other.fetched;
    }
    merge_option(&mut medium.url, other.url, false);
    merge_option(&mut medium.url_expires_at, other.url_expires_at, false);
    merge_option(&mut medium.width, other.width, false);
    merge_option(&mut medium.height, other.height, false);
    merge_option(&mut medium.alt_text, other.alt_text, false);
}

/// Adds an observation unless it tells nothing new. A count that a call leaves out is not a change.
pub(super) fn add_observation(observations: &mut Vec<Observation>, mut seen: Observation) {
    if let Some(last) = observations.last() {
        seen.counts = filled(seen.counts, last.counts);
        if last.counts == seen.counts && last.gone == seen.gone {
            return;
        }
        if filled(last.counts, seen.counts) == seen.counts && last.gone == seen.gone {
            // The earlier call merely left out what this one says.
            let index = observations.len() - 1;
            observations[index].counts = seen.counts;
            return;
        }
    }
    observations.push(seen);
    observations.sort_by_key(|o| o.at);
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
    merge_post(&mut ours.post, theirs.post);
    for seen in theirs.observations {
        if !ours.observations.contains(&seen) {
            add_observation(&mut ours.observations, seen);
        }
    }
    ours.post.counts = latest_counts(&ours.observations, ours.post.counts);

    for entry in theirs.ledger {
        let superseded = ours
            .ledger
            .iter()
            .any(|mine| mine.replaces(&entry) && mine.at >= entry.at);
        if !superseded {
            let annotations = annotations_of(&entry, &theirs.annotations);
            ours.enter(entry, annotations);
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
        ours.states.entry(use_case).or_insert(state);
    }
    ours.revision = ours.revision.max(theirs.revision);
}

fn annotations_of(entry: &LedgerEntry, annotations: &[Annotation]) -> Vec<Annotation> {
    annotations
        .iter()
        .filter(|a| match &a.by {
            By::Producer(producer) => {
                producer.name == entry.enricher
                    && (a.target == entry.target
                        || (entry.target.media().is_some()
                            && a.target.media() == entry.target.media()))
            }
            By::Person(_) => false,
        })
        .cloned()
        .collect()
}
