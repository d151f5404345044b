//! `labels.csv`: what is known of the pictures of a folder.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use heurpipe_core::{Error, ErrorKind, Result, Unreadable};

/// The file beside the pictures.
pub(super) const FILE: &str = "labels.csv";
const IMAGE: &str = "image";
const LABEL: &str = "label";

/// Labels by attribute.
pub(super) type Given = BTreeMap<String, Vec<String>>;

/// The rows of a `labels.csv`.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// By the picture's name as it stands in the file.
    rows: HashMap<String, Row>,
    /// Lines that are no row.
    pub bad_lines: Vec<Unreadable>,
}

#[derive(Debug)]
struct Row {
    line: u64,
    given: Given,
    text: String,
}

impl Labels {
    /// Reads the file; without one there are no labels.
    ///
    /// `attribute` is the name of what the column `label` says. Every other column is an attribute of the column's name.
    ///
    /// # Errors
    /// `Io` when the file cannot be read, `InvalidInput` when it has no column `image`.
    pub(super) fn read(path: &Path, attribute: &str) -> Result<Self> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => {
                return Err(Error::new(ErrorKind::Io, "folder.labels")
                    .message("the labels cannot be read")
                    .with("file", path.display())
                    .cause(error));
            }
        };
        Self::parse(&text, path, attribute)
    }

    fn parse(text: &[u8], path: &Path, attribute: &str) -> Result<Self> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
        let columns = columns(&mut reader, path, attribute)?;
        let mut labels = Self::default();
        let mut record = csv::StringRecord::new();
        loop {
            let line = reader.position().line();
            match reader.read_record(&mut record) {
                Ok(false) => return Ok(labels),
                Ok(true) => labels.add(&record, &columns, path),
                Err(error) => {
                    let why = format!("no row: {error}");
                    labels
                        .bad_lines
                        .push(Unreadable::new(place(path, line), why, ""));
                }
            }
        }
    }

    fn add(&mut self, record: &csv::StringRecord, columns: &Columns, path: &Path) {
        let line = record.position().map_or(0, csv::Position::line);
        let text = record.iter().collect::<Vec<_>>().join(",");
        if record.len() != columns.count {
            let why = format!("{} fields where {} belong", record.len(), columns.count);
            let bad = Unreadable::new(place(path, line), why, &text);
            self.bad_lines.push(bad);
            return;
        }
        let image = record.get(columns.image).unwrap_or_default().trim();
        if image.is_empty() {
            let bad = Unreadable::new(place(path, line), "it names no picture", &text);
            self.bad_lines.push(bad);
            return;
        }
        let row = self.rows.entry(image.to_owned()).or_insert(Row {
            line,
            given: Given::new(),
            text,
        });
        for (index, attribute) in &columns.attributes {
            let known = row.given.entry(attribute.clone()).or_default();
            for label in split(record.get(*index).unwrap_or_default()) {
                if !known.contains(&label) {
                    known.push(label);
                }
            }
        }
        row.given.retain(|_, labels| !labels.is_empty());
    }

    /// What is known of a picture, by its path in the folder. A row may name it with or without extension, and from the folder itself
    /// or from `images`.
    pub(super) fn of(&self, picture: &str) -> Option<&Given> {
        names(picture)
            .find_map(|name| self.rows.get(name))
            .map(|row| &row.given)
    }

    /// The rows that name none of these pictures.
    pub(super) fn without_picture<'a>(
        &self,
        pictures: impl Iterator<Item = &'a str>,
        path: &Path,
    ) -> Vec<Unreadable> {
        let mut left: HashMap<&str, &Row> =
            self.rows.iter().map(|(n, r)| (n.as_str(), r)).collect();
        for picture in pictures {
            if let Some(name) = names(picture).find(|name| self.rows.contains_key(*name)) {
                left.remove(name);
            }
        }
        let mut rows: Vec<_> = left.into_iter().collect();
        rows.sort_by_key(|(_, row)| row.line);
        rows.into_iter()
            .map(|(name, row)| {
                let why = format!("there is no picture {name}");
                Unreadable::new(place(path, row.line), why, &row.text)
            })
            .collect()
    }
}

/// The names under which a row may speak of a picture.
fn names(picture: &str) -> impl Iterator<Item = &str> {
    let inner = picture.strip_prefix("images/").unwrap_or(picture);
    let stem = |path: &'_ str| path.rfind('.').unwrap_or(path.len());
    [
        picture,
        inner,
        &picture[..stem(picture)],
        &inner[..stem(inner)],
    ]
    .into_iter()
}

struct Columns {
    image: usize,
    attributes: Vec<(usize, String)>,
    count: usize,
}

fn columns(reader: &mut csv::Reader<&[u8]>, path: &Path, attribute: &str) -> Result<Columns> {
    let wrong = |why: &str| {
        Error::new(ErrorKind::InvalidInput, "folder.labels")
            .message(why)
            .with("file", path.display())
    };
    let header = reader
        .headers()
        .map_err(|error| wrong("the header cannot be read").cause(error))?;
    let names: Vec<String> = header.iter().map(kebab).collect();
    let image = names
        .iter()
        .position(|name| name == IMAGE)
        .ok_or_else(|| wrong("there is no column named image"))?;
    let attributes = names
        .iter()
        .enumerate()
        .filter(|(index, name)| *index != image && !name.is_empty())
        .map(|(index, name)| match name.as_str() {
            LABEL => (index, attribute.to_owned()),
            other => (index, other.to_owned()),
        })
        .collect();
    Ok(Columns {
        image,
        attributes,
        count: names.len(),
    })
}

/// The labels of a cell, in the project's form; several are separated by `|` or `;`.
fn split(cell: &str) -> impl Iterator<Item = String> {
    cell.split(['|', ';'])
        .map(kebab)
        .filter(|label| !label.is_empty())
}

/// Lower case, words joined by hyphens: `Zig Zag` is `zig-zag`.
pub(super) fn kebab(text: &str) -> String {
    text.to_lowercase()
        .split(|c: char| c.is_whitespace() || c == '_' || c == '-')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

fn place(path: &Path, line: u64) -> String {
    format!("{}:{line}", path.display())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn parse(text: &str) -> Labels {
        Labels::parse(text.as_bytes(), Path::new("labels.csv"), "garment").unwrap()
    }

    fn label(value: &str) -> Vec<String> {
        vec![value.to_owned()]
    }

    #[test]
    fn columns_are_attributes() {
        let labels = parse("\u{feff}image,label,Kids\na1,T-Shirt,False\nb2.jpg,Zig Zag|hat,\n");
        let first = labels.of("images/a1.jpg").unwrap();
        assert_eq!(first["garment"], label("t-shirt"));
        assert_eq!(first["kids"], label("false"));
        let second = labels.of("b2.jpg").unwrap();
        assert_eq!(second["garment"], ["zig-zag", "hat"]);
        assert!(!second.contains_key("kids"), "an empty cell says nothing");
        assert_eq!(labels.of("c3.jpg"), None);
    }

    #[test]
    fn bad_lines_are_named() {
        let labels = parse("image,label\na1,hat\nb2\n,hat\nc3,hat,more\n\"d4\",dress\n");
        let places: Vec<_> = labels
            .bad_lines
            .iter()
            .map(|bad| bad.place.as_str())
            .collect();
        assert_eq!(places, ["labels.csv:3", "labels.csv:4", "labels.csv:5"]);
        assert!(
            labels.of("d4.png").is_some(),
            "the lines after them are read"
        );
    }

    #[test]
    fn bytes_that_are_no_text_spoil_one_line() {
        let text = b"image,label\na1,hat\nb2,\xff\xfe\nc3,dress\n";
        let labels = Labels::parse(text, Path::new("labels.csv"), "garment").unwrap();
        assert_eq!(labels.bad_lines.len(), 1);
        assert_eq!(labels.bad_lines[0].place, "labels.csv:3");
        assert!(labels.of("c3.jpg").is_some());
    }

    #[test]
    fn rows_without_a_picture_are_found() {
        let labels = parse("image,label\na1,hat\nb2,hat\n");
        let missing =
            labels.without_picture(["images/a1.jpg"].into_iter(), Path::new("labels.csv"));
        assert_eq!(missing.len(), 1);
        assert_eq!(missing[0].place, "labels.csv:3");
        assert!(missing[0].reason.contains("b2"));
    }

    #[test]
    fn a_file_without_images_is_refused() {
        let error = Labels::parse(b"name,label\n", Path::new("l.csv"), "garment").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}
