//! What a file looks like: told from its beginning, never from its name.

mod keys;

use heurpipe_core::Result;

use super::container::{Container, Entry};
pub(super) use keys::Keys;

/// So much of a file is looked at.
const HEAD: usize = 256 * 1024;

/// What a file looks like.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Looks {
    /// JSON: one value, a list of values, or a value a line.
    Json(JsonForm, Keys),
    /// Comma-separated values with this header.
    Csv(Vec<String>),
    /// A database of SQLite.
    Sqlite,
    /// Text that is none of these: its beginning.
    Text(String),
    /// A picture, a video or whatever else holds no posts.
    Other,
}

/// How values stand in a JSON file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JsonForm {
    /// The file is one object.
    Object,
    /// The file is one list; the keys are those of its elements.
    List,
    /// Each line is an object; the keys are those of the first.
    Lines,
}

impl Looks {
    /// Looks at a file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn of(container: &Container, entry: &Entry) -> Result<Self> {
        // The many pictures of an archive are not worth opening.
        if matches!(
            entry.extension().as_str(),
            "jpg" | "jpeg" | "png" | "webp" | "gif" | "heic" | "mp4" | "mov" | "webm" | "srt"
        ) {
            return Ok(Self::Other);
        }
        Ok(Self::of_head(&container.head(entry, HEAD)?))
    }

    /// Looks at the beginning of a file.
    pub(super) fn of_head(head: &[u8]) -> Self {
        if head.starts_with(b"SQLite format 3\0") {
            return Self::Sqlite;
        }
        let Some(text) = text_of(head) else {
            return Self::Other;
        };
        match text.trim_start().as_bytes().first() {
            Some(b'{') => of_objects(text),
            Some(b'[') => Self::Json(JsonForm::List, Keys::of_elements(text)),
            Some(_) => of_plain(text),
            None => Self::Other,
        }
    }

    /// The keys of JSON.
    pub(super) fn keys(&self) -> Option<&Keys> {
        match self {
            Self::Json(_, keys) => Some(keys),
            _ => None,
        }
    }

    /// Whether it is CSV whose header has all of these columns.
    pub(super) fn has_columns(&self, columns: &[&str]) -> bool {
        match self {
            Self::Csv(header) => columns
                .iter()
                .all(|column| header.iter().any(|name| name == column)),
            _ => false,
        }
    }
}

/// The text of a beginning, which may end within a character; none when it is no UTF-8.
fn text_of(head: &[u8]) -> Option<&str> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    (!text.contains('\0')).then_some(text)
}

/// One object, or one a line: then a whole one ends with the first line, and another begins after it.
fn of_objects(text: &str) -> Looks {
    let keys = Keys::of(text);
    let text = text.trim_start();
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let is_whole = serde_json::from_str::<serde::de::IgnoredAny>(first).is_ok();
    let form = if is_whole && rest.trim_start().starts_with('{') {
        JsonForm::Lines
    } else {
        JsonForm::Object
    };
    Looks::Json(form, keys)
}

fn of_plain(text: &str) -> Looks {
    let mut rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut header = csv::StringRecord::new();
    match rows.read_record(&mut header) {
        Ok(true) if header.len() > 1 => {
            Looks::Csv(header.iter().map(|name| name.trim().to_owned()).collect())
        }
        _ => Looks::Text(text.to_owned()),
    }
}
