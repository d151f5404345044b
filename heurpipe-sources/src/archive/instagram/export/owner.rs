//! Whose export it is.

use std::collections::BTreeMap;

use heurpipe_core::{Author, Result};
use serde::Deserialize;

use super::super::super::container::Entry;
use super::super::super::format::File;
use super::super::parts;
use super::repaired;

/// The files that say it, newer exports first.
const FILES: [&str; 3] = ["personal_information.json", "account.json", "profile.json"];
/// How the handle is labelled, in the languages that are known to occur.
const HANDLE: [&str; 2] = ["Username", "Gebruikersnaam"];
const NAME: [&str; 2] = ["Name", "Naam"];

/// The owner, if the export says who it is. Of several exports in one folder each file has its own.
///
/// # Errors
/// When the file that should say it cannot be read.
pub(super) fn of(file: &File<'_>) -> Result<Option<Author>> {
    let mut entries: Vec<&Entry> = file.container.entries().iter().collect();
    entries.retain(|entry| FILES.contains(&entry.file_name()));
    let rank = |entry: &Entry| FILES.iter().position(|name| *name == entry.file_name());
    let nearness = |entry: &Entry| shared(entry.folder(), file.entry.folder());
    entries.sort_by_key(|entry| (std::cmp::Reverse(nearness(entry)), rank(entry)));
    for entry in entries {
        let bytes = file.read_small(entry)?;
        match serde_json::from_slice::<Personal>(&bytes) {
            Ok(personal) => {
                if let Some(author) = personal.author() {
                    return Ok(Some(author));
                }
            }
            Err(error) => {
                tracing::warn!(file = %file.container.shown(entry), %error, "passed over: does not say whose export it is");
            }
        }
    }
    Ok(None)
}

/// How many folders two paths share.
fn shared(one: &str, other: &str) -> usize {
    one.split('/')
        .zip(other.split('/'))
        .take_while(|(one, other)| one == other)
        .count()
}

/// Mail, telephone and birthday stand here too, and are not read.
#[derive(Deserialize)]
struct Personal {
    #[serde(default)]
    profile_user: Vec<Profile>,
    /// Of old exports.
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

#[derive(Deserialize)]
struct Profile {
    #[serde(default)]
    string_map_data: BTreeMap<String, Labelled>,
}

#[derive(Deserialize)]
struct Labelled {
    #[serde(default)]
    value: String,
}

impl Personal {
    fn author(&self) -> Option<Author> {
        let labelled = |names: &[&str]| {
            let mut values = self
                .profile_user
                .iter()
                .flat_map(|user| &user.string_map_data);
            values
                .find(|(label, _)| names.contains(&repaired(label).as_ref()))
                .map(|(_, labelled)| repaired(&labelled.value).into_owned())
        };
        let handle = labelled(&HANDLE).or_else(|| self.username.clone())?;
        let name = labelled(&NAME).or_else(|| Some(repaired(self.name.as_ref()?).into_owned()));
        let mut author = Author::unknown();
        author.handle = Some(parts::handle(&handle)?);
        author.name = name.filter(|name| !name.is_empty());
        Some(author)
    }
}
