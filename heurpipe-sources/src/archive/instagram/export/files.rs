//! Where in an export the file of a medium lies.

use super::super::super::container::Entry;
use super::super::super::format::File;

/// What a file may be called when the export left its extension out.
const EXTENSIONS: [&str; 6] = ["jpg", "mp4", "webp", "png", "heic", "mov"];

/// The file of a `uri`. It counts from the top of the export, which may lie in any folder above the one that names it.
pub(super) fn find(file: &File<'_>, uri: &str) -> Option<Entry> {
    let folder = file.entry.folder();
    let tops = std::iter::once(folder).chain(
        folder
            .rmatch_indices('/')
            .skip(1)
            .map(|(at, _)| &folder[..=at]),
    );
    let tops: Vec<&str> = tops.chain([""]).collect();
    let find = |name: &str| {
        tops.iter()
            .find_map(|top| file.container.find(&format!("{top}{name}")))
    };
    let bare = match uri.rsplit_once('.') {
        Some((bare, extension)) if !extension.contains('/') => Some(bare),
        _ => None,
    };
    find(uri).or_else(|| match bare {
        Some(bare) => find(bare),
        None => EXTENSIONS
            .iter()
            .find_map(|extension| find(&format!("{uri}.{extension}"))),
    })
}
