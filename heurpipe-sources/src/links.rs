//! What the address of a picture or video tells of it.

use url::Url;

/// The file's name: the same in every answer that shows the medium, while all of the query changes from one to the next. None when the
/// address ends in a slash.
pub(crate) fn file_name(url: &Url) -> Option<&str> {
    let name = url.path_segments()?.next_back()?;
    (!name.is_empty()).then_some(name)
}
