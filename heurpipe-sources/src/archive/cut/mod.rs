//! Cuts files into items, one in memory at a time.

mod json;
mod lines;
mod sqlite;
mod table;

use std::io::Read;
use std::ops::ControlFlow;

use heurpipe_core::{Error, ErrorKind, Result};
use serde_json::value::RawValue;

use super::looks::JsonForm;
pub(super) use sqlite::rows as sqlite_rows;

/// A longer item is refused. Real ones have some kilobytes; a page of a capture has some hundred.
pub(super) const ITEM_LIMIT: u64 = 16 * 1024 * 1024;

/// One item of a file.
#[derive(Debug)]
pub(super) struct Item<'a> {
    /// Where it stands in the file: `3` for a line or row, `weibo[3]` for an element of a list, empty for a file that is one item.
    pub place: String,
    /// What it is.
    pub role: Role<'a>,
    /// Its JSON; a row of a table is an object of texts by column.
    pub json: &'a RawValue,
}

/// What an item is within its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role<'a> {
    /// A value of its own: a file, a line, a row, an element of the list that the file is.
    Whole,
    /// An element of the list under this key.
    Element(&'a str),
    /// What stands under this key beside such lists.
    Member(&'a str),
}

/// What is cut off, or why it cannot be.
pub(super) enum Cut<'a> {
    /// An item.
    Item(Item<'a>),
    /// Something that is none.
    Unreadable {
        /// Where.
        place: String,
        /// Why.
        reason: String,
        /// Its beginning.
        payload: &'a str,
    },
}

/// Takes what is cut off; says whether to go on.
pub(super) type Take<'t> = dyn FnMut(Cut<'_>) -> ControlFlow<()> + 't;

/// How a file is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// JSON in which values stand in this way. Of an object, the lists under `lists` are cut into their elements, what stands
    /// under `members` is given whole, and the rest is passed over; with no lists an object is one item.
    Json {
        form: JsonForm,
        lists: &'static [&'static str],
        members: &'static [&'static str],
    },
    /// Comma-separated values with a header.
    Table,
    /// The whole text, as a JSON string.
    Text,
    /// A database, by the rows of a query.
    Rows { query: &'static str },
}

impl Layout {
    /// JSON whose every value is one item.
    pub(super) fn items(form: JsonForm) -> Self {
        Self::Json {
            form,
            lists: &[],
            members: &[],
        }
    }
}

/// Cuts what a reader gives.
///
/// # Errors
/// When it cannot be read. Content that cannot be cut is given as unreadable.
pub(super) fn cut(reader: &mut dyn Read, layout: Layout, take: &mut Take<'_>) -> Result<()> {
    match layout {
        Layout::Json {
            form: JsonForm::Lines,
            ..
        } => lines::cut(reader, ITEM_LIMIT, take),
        Layout::Json {
            form: JsonForm::List,
            ..
        } => json::cut_list(reader, ITEM_LIMIT, take),
        Layout::Json {
            form: JsonForm::Object,
            lists,
            members,
        } => json::cut_object(reader, lists, members, ITEM_LIMIT, take),
        Layout::Table => table::cut(reader, ITEM_LIMIT, take),
        Layout::Text => lines::cut_text(reader, ITEM_LIMIT, take),
        Layout::Rows { .. } => {
            Err(Error::new(ErrorKind::Internal, "archive.read").message("a database is no stream"))
        }
    }
}

/// Gives what stands under some keys of a file that is one object.
///
/// # Errors
/// When it cannot be read.
pub(super) fn cut_members(
    reader: &mut dyn Read,
    members: &'static [&'static str],
    take: &mut Take<'_>,
) -> Result<()> {
    json::cut_members(reader, members, ITEM_LIMIT, take)
}
