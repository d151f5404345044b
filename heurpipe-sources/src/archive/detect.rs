//! Which formats an archive holds.

use std::collections::BTreeMap;

use super::container::{Container, Entry};
use super::cut::Layout;
use super::format::{Format, Formats};
use super::looks::Looks;
use super::{instagram, weibo};

/// Once a format is known, so many more files are looked at to find others.
const FURTHER: usize = 64;
/// When none is, so many are looked at before giving up.
const MOST: usize = 10_000;

/// All formats, those that are known by the most telling signs first.
pub(super) fn formats() -> Formats {
    let mut formats = instagram::formats();
    formats.extend(weibo::formats());
    formats
}

/// The format of a file, and how it is cut.
pub(super) fn format_of<'f>(
    formats: &'f Formats,
    looks: &Looks,
) -> Option<(&'f dyn Format, Layout)> {
    formats
        .iter()
        .find_map(|format| Some((format.as_ref(), format.layout(looks)?)))
}

/// The names of the formats found among the files, with how many of the files that were looked at have each.
pub(super) fn survey(container: &Container, formats: &Formats) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    let mut looked_at = 0;
    let mut looked_at_since = 0;
    for entry in container.entries() {
        if looked_at >= MOST || looked_at_since >= FURTHER {
            break;
        }
        let looks = match Looks::of(container, entry) {
            Ok(looks) => looks,
            // Told when it is read.
            Err(error) => {
                tracing::debug!(file = %container.shown(entry), %error, "cannot be looked at");
                continue;
            }
        };
        if looks == Looks::Other {
            continue;
        }
        looked_at += 1;
        looked_at_since += usize::from(!found.is_empty());
        if let Some((format, _)) = format_of(formats, &looks) {
            *found.entry(format.name().to_owned()).or_insert(0) += 1;
        }
    }
    found
}

/// Says that a file is passed over: exports hold much that is no post.
pub(super) fn passed_over(container: &Container, entry: &Entry) {
    tracing::info!(file = %container.shown(entry), "passed over: of no known format");
}
