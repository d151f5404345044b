//! Folders of pictures whose labels are known.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use heurpipe_core::{Error, ErrorKind, Result};

const EXTENSIONS: [&str; 5] = ["jpg", "jpeg", "png", "webp", "gif"];

/// A picture and its label, as the folder has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// The file.
    pub path: PathBuf,
    /// The label.
    pub label: String,
}

/// The labelled pictures of a folder, by path. With a labels.csv: its column `column`, else the one named after `attribute`, else `label`; a picture that has a
/// row but no file is left in, to be reported as unreadable. Without: each sub-folder is a label.
///
/// # Errors
/// `NotFound` where there is no folder, `InvalidInput` where it is labelled in neither way.
pub fn labelled_folder(
    folder: &Path,
    column: Option<&str>,
    attribute: &str,
) -> Result<Vec<Labelled>> {
    let csv = folder.join("labels.csv");
    let mut pictures = if csv.is_file() {
        by_csv(folder, &csv, column, attribute)?
    } else {
        by_sub_folder(folder)?
    };
    pictures.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(pictures)
}

fn by_csv(
    folder: &Path,
    path: &Path,
    column: Option<&str>,
    attribute: &str,
) -> Result<Vec<Labelled>> {
    let failed = |error: csv::Error| {
        Error::new(ErrorKind::InvalidInput, "labels.read")
            .message("labels.csv cannot be read")
            .with("file", path.display())
            .cause(error)
    };
    let mut reader = csv::Reader::from_path(path).map_err(failed)?;
    let headers = reader.headers().map_err(failed)?.clone();
    let place = |name: &str| headers.iter().position(|header| header.trim() == name);
    let missing = |name: &str| {
        Error::new(ErrorKind::InvalidInput, "labels.read")
            .message("labels.csv has no such column")
            .with("file", path.display())
            .with("column", name)
            .with("columns", headers.iter().collect::<Vec<_>>().join(", "))
    };
    let image = place("image").ok_or_else(|| missing("image"))?;
    let label = match column {
        Some(name) => place(name).ok_or_else(|| missing(name))?,
        None => place(attribute)
            .or_else(|| place("label"))
            .ok_or_else(|| missing("label"))?,
    };
    let files = files_by_name(folder);
    let mut found = Vec::new();
    for row in reader.records() {
        let row = row.map_err(failed)?;
        let (Some(image), Some(label)) = (row.get(image), row.get(label)) else {
            continue;
        };
        if image.is_empty() || label.is_empty() {
            continue;
        }
        let path = files
            .get(image)
            .cloned()
            .unwrap_or_else(|| folder.join(image));
        found.push(Labelled {
            path,
            label: label.to_owned(),
        });
    }
    Ok(found)
}

/// Pictures of the folder and its `images/`, by name with and without extension.
fn files_by_name(folder: &Path) -> BTreeMap<String, PathBuf> {
    let mut files = BTreeMap::new();
    for base in [folder.to_owned(), folder.join("images")] {
        for path in pictures_in(&base) {
            for name in [path.file_name(), path.file_stem()].into_iter().flatten() {
                let name = name.to_string_lossy().into_owned();
                if base == folder {
                    let in_images = format!("images/{name}");
                    files.entry(in_images).or_insert_with(|| path.clone());
                }
                files.insert(name, path.clone());
            }
        }
    }
    files
}

fn by_sub_folder(folder: &Path) -> Result<Vec<Labelled>> {
    let entries =
        std::fs::read_dir(folder).map_err(|error| crate::source::unreadable(folder, error))?;
    let mut found = Vec::new();
    for sub in entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
    {
        let label = sub
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        found.extend(pictures_in(&sub).into_iter().map(|path| Labelled {
            path,
            label: label.clone(),
        }));
    }
    if found.is_empty() {
        return Err(Error::new(ErrorKind::InvalidInput, "labels.read")
            .message("the folder has neither a labels.csv nor a folder of pictures per label")
            .with("folder", folder.display()));
    }
    Ok(found)
}

fn pictures_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let extension = path.extension().unwrap_or_default().to_string_lossy();
            EXTENSIONS
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known))
        })
        .collect()
}
