//! `UID.csv`: a row a post. Whose they are stands in the file's name alone, and more of it in `users.csv` beside the users' folders.
//!
//! Later versions have added columns, so they go by name. A row that passes a post on holds that one too, in columns that begin
//! with `源`; the others end before these.

use ::csv::ReaderBuilder;
use heurpipe_core::{Error, ErrorKind, Post, Result};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::super::super::cut::{Item, Layout};
use super::super::super::format::{File, Format, Mapper, Out};
use super::super::super::looks::Looks;
use super::{Entry, Setting, User, post};
use crate::lenient;

const NAME: &str = "weibo_crawler_csv";
const USERS: &str = "users.csv";

/// The format; see the [module](self).
pub(in super::super) struct WeiboCrawlerCsv;

impl Format for WeiboCrawlerCsv {
    fn name(&self) -> &str {
        NAME
    }

    fn description(&self) -> &str {
        "Weibo: a user's posts as dataabc/weibo-crawler writes them (CSV with id, bid and 正文)"
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        let known = looks.has_columns(&["id", "bid", "正文", "日期"]);
        known.then_some(Layout::Table)
    }

    fn mapper(&self) -> Box<dyn Mapper> {
        Box::<Rows>::default()
    }
}

#[derive(Default)]
struct Rows {
    user: Option<User>,
}

impl Mapper for Rows {
    fn begin(&mut self, file: &File<'_>) -> Result<()> {
        self.user = user(file)?;
        Ok(())
    }

    fn map(
        &mut self,
        item: &Item<'_>,
        file: &File<'_>,
        out: &mut Out,
    ) -> std::result::Result<(), String> {
        let row: Map<String, Value> = lenient::object(item.json)?;
        let (own, original) = parted(row);
        let setting = Setting {
            file,
            format: NAME,
            user: self.user.as_ref(),
            folder: "",
        };
        let mut post = read(own, item.json, setting)?;
        if !original.is_empty() {
            let others = Setting {
                user: None,
                ..setting
            };
            match read(original, item.json, others) {
                Ok(original) => {
                    post.repost_of = Some(original.id.clone());
                    out.post(original);
                }
                Err(why) => {
                    let place = file.place(&format!("{}.源微博", item.place));
                    out.unreadable(place, why, item.json.get());
                }
            }
        }
        out.post(post);
        Ok(())
    }
}

fn read(
    columns: Map<String, Value>,
    row: &RawValue,
    setting: Setting<'_>,
) -> std::result::Result<Post, String> {
    let entry = serde_json::from_value::<Entry>(columns.into());
    post(&entry.map_err(|error| error.to_string())?, row, setting)
}

/// The columns of the post, and those of the one that it passes on, by the same names. Empty cells are absent.
fn parted(row: Map<String, Value>) -> (Map<String, Value>, Map<String, Value>) {
    let (mut own, mut original) = (Map::new(), Map::new());
    let is_said = |cell: &Value| cell.as_str().is_some_and(|text| !text.trim().is_empty());
    for (column, cell) in row.into_iter().filter(|(_, cell)| is_said(cell)) {
        match column.as_str() {
            "源用户id" => original.insert("user_id".to_owned(), cell),
            "源用户昵称" => original.insert("screen_name".to_owned(), cell),
            name => match name.strip_prefix("源微博") {
                Some(name) => original.insert(name.to_owned(), cell),
                None => own.insert(column, cell),
            },
        };
    }
    (own, original)
}

/// Whose posts a file holds: its name is their number.
fn user(file: &File<'_>) -> Result<Option<User>> {
    let name = file.entry.file_name();
    let uid = name.split('.').next().unwrap_or(name);
    if uid.is_empty() || !uid.bytes().all(|c| c.is_ascii_digit()) {
        return Ok(None);
    }
    let listed = match users(file) {
        Some(users) => listed(uid, &file.read_small(&users)?)
            .map_err(|error| error.with("file", file.container.shown(&users)))?,
        None => None,
    };
    Ok(Some(listed.unwrap_or_else(|| User {
        id: Some(uid.to_owned()),
        ..User::default()
    })))
}

/// The list of users: beside the file, or beside the folder that it lies in.
fn users(file: &File<'_>) -> Option<super::super::super::container::Entry> {
    let above = || {
        let folder = file.entry.folder().strip_suffix('/')?;
        let above = folder.rfind('/').map_or("", |at| &folder[..=at]);
        file.container.find(&format!("{above}{USERS}"))
    };
    file.sibling(USERS).or_else(above)
}

/// The user with this number among those of a list.
fn listed(uid: &str, table: &[u8]) -> Result<Option<User>> {
    let table = table.strip_prefix(b"\xef\xbb\xbf").unwrap_or(table);
    let wrong = |error: ::csv::Error| {
        Error::new(ErrorKind::InvalidInput, "archive.read")
            .message("the list of users cannot be read")
            .cause(error)
    };
    let mut rows = ReaderBuilder::new().flexible(true).from_reader(table);
    let header = rows.headers().map_err(wrong)?.clone();
    for row in rows.records() {
        let row = row.map_err(wrong)?;
        let cells: Map<String, Value> = header
            .iter()
            .zip(&row)
            .map(|(column, cell)| (column.to_owned(), cell.trim().into()))
            .collect();
        let user = serde_json::from_value::<User>(cells.into());
        // A row that is none is not the one that is looked for.
        if let Ok(user) = user
            && user.id.as_deref() == Some(uid)
        {
            return Ok(Some(user));
        }
    }
    Ok(None)
}
