//! Which source reads a given path.

use std::path::Path;

use heurpipe_core::{Error, ErrorKind, Result, Source};

#[cfg(feature = "archive")]
use crate::archive::{self, Archive};
#[cfg(feature = "folder")]
use crate::folder;
#[cfg(feature = "ndjson")]
use crate::ndjson;

/// What was opened; none: what lies there is of another form.
type Opened = Option<Box<dyn Source>>;

/// A form of input that is known by its looks.
struct Form {
    open: fn(&Path) -> Result<Opened>,
    /// As told to who gave something else.
    description: fn() -> String,
}

/// What is looked for, the surest first.
const FORMS: &[Form] = &[
    #[cfg(feature = "ndjson")]
    Form {
        open: |path| {
            if !ndjson::looks_like(path) {
                return Ok(None);
            }
            Ok(Some(Box::new(ndjson::NdjsonSource::open(path)?)))
        },
        description: || {
            "records or posts of ours, one a line (a file, or a folder of .ndjson or .jsonl files)"
                .to_owned()
        },
    },
    #[cfg(feature = "archive")]
    Form {
        open: |path| {
            let archive = Archive::recognise(path)?;
            Ok(archive.map(|archive| Box::new(archive) as Box<dyn Source>))
        },
        description: archive::looked_for,
    },
    #[cfg(feature = "folder")]
    Form {
        open: |path| {
            if !folder::looks_like(path) {
                return Ok(None);
            }
            Ok(Some(Box::new(folder::PictureFolder::open(path)?)))
        },
        description: || {
            "a folder with pictures (jpg, jpeg, png, webp, gif) at any depth".to_owned()
        },
    },
];

/// Finds out what lies at a path and opens it. The source's name and description say what was found.
///
/// # Errors
/// `NotFound` when there is nothing; `InvalidInput`, with a list of what was looked for, when it is nothing known; what else is wrong
/// with something that is known.
pub fn open(path: impl AsRef<Path>) -> Result<Box<dyn Source>> {
    let path = path.as_ref();
    if !path.exists() {
        return Err(Error::new(ErrorKind::NotFound, "detect.open")
            .message("there is no such file or folder")
            .with("path", path.display()));
    }
    for form in FORMS {
        if let Some(source) = (form.open)(path)? {
            return Ok(source);
        }
    }
    Err(unknown(path))
}

fn unknown(path: &Path) -> Error {
    let forms: Vec<String> = FORMS.iter().map(|form| (form.description)()).collect();
    let message = format!("nothing known lies there; looked for: {}", forms.join("; "));
    Error::new(ErrorKind::InvalidInput, "detect.open")
        .message(message)
        .with("path", path.display())
}

#[cfg(all(test, feature = "folder", feature = "ndjson"))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_source_is_found_by_what_lies_there() {
        let folder = tempfile::tempdir().unwrap();
        let pictures = folder.path().join("pictures/summer");
        std::fs::create_dir_all(&pictures).unwrap();
        std::fs::write(pictures.join("a.jpg"), b"bytes").unwrap();
        let records = folder.path().join("export");
        let post = r#"{"id":"weibo:1","collected_at":"2026-05-02T00:00:00Z"}"#;
        std::fs::write(&records, format!("{post}\n")).unwrap();

        let name = |path: &Path| open(path).unwrap().spec().name.clone();
        assert_eq!(name(&folder.path().join("pictures")), "folder");
        assert_eq!(name(&records), "ndjson");
    }

    #[test]
    fn what_is_unknown_says_what_was_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let Err(error) = open(folder.path()) else {
            panic!("an empty folder is nothing known");
        };
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let text = error.to_string();
        assert!(
            text.contains("pictures") && text.contains("one a line"),
            "{text}"
        );
        let Err(error) = open(folder.path().join("none")) else {
            panic!("there is nothing");
        };
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
