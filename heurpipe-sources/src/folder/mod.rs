//! A folder of pictures, each of which becomes a post.
//!
//! Pictures are found by their extension (`jpg`, `jpeg`, `png`, `webp`, `gif`) at any depth; whether they are pictures is judged later,
//! from their bytes. Hidden files and folders are left out, and links to folders are not followed. A `labels.csv` in the folder may say what is known of
//! them: its column `image` names a picture (with or without extension, from the folder or from `images` in it), `label` is the attribute
//! `garment` unless told otherwise, and every other column is an attribute of its own name.
//!
//! A post's id is a hash of the folder's name and the picture's path in it, so it stays the same when the folder is moved.

mod labels;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use heurpipe_core::{
    Checkpoint, Digest, Error, ErrorKind, Incoming, Media, Page, Partition, Platform, Post, PostId,
    Raw, Result, Source, SourceSpec, Unreadable,
};
use jiff::Timestamp;
use serde_json::json;
use url::Url;

use labels::Labels;

const EXTENSIONS: [&str; 5] = ["jpg", "jpeg", "png", "webp", "gif"];
const PAGE: usize = 256;
/// The name of what the column `label` says.
const ATTRIBUTE: &str = "garment";

/// A folder of pictures as a source; see the [module](self).
#[derive(Debug, Clone)]
pub struct PictureFolder {
    spec: SourceSpec,
    folder: Arc<Path>,
    attribute: String,
    from_folders: Option<String>,
}

/// Whether a path is a folder with a picture in it, at any depth.
pub fn looks_like(path: &Path) -> bool {
    path.is_dir() && holds_picture(path)
}

impl PictureFolder {
    /// A folder of pictures.
    ///
    /// # Errors
    /// `NotFound` when there is no such folder, `InvalidInput` when it is none, `Io` when it cannot be looked into.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let wrong = |kind, why: &str| {
            Error::new(kind, "folder.open")
                .message(why)
                .with("path", folder.display())
        };
        let path = folder.canonicalize().map_err(|error| {
            let kind = match error.kind() {
                std::io::ErrorKind::NotFound => ErrorKind::NotFound,
                _ => ErrorKind::Io,
            };
            wrong(kind, "the folder cannot be opened").cause(error)
        })?;
        if !path.is_dir() {
            return Err(wrong(ErrorKind::InvalidInput, "not a folder"));
        }
        let description = format!("pictures in {}", path.display());
        Ok(Self {
            spec: SourceSpec::new("folder", description),
            folder: path.into(),
            attribute: ATTRIBUTE.to_owned(),
            from_folders: None,
        })
    }

    /// Another name within a pipeline than `folder`.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.spec.name = name.into();
        self
    }

    /// Another attribute for the column `label` than `garment`.
    pub fn label_is(mut self, attribute: impl Into<String>) -> Self {
        self.attribute = attribute.into();
        self
    }

    /// Takes the name of the folder in which a picture lies as its label of this attribute (`striped/0001.jpg`), where
    /// `labels.csv` says nothing of it.
    pub fn folders_are(mut self, attribute: impl Into<String>) -> Self {
        self.from_folders = Some(attribute.into());
        self
    }

    /// The folder that is read; the media fetcher must be allowed to read files under it.
    pub fn path(&self) -> &Path {
        &self.folder
    }
}

#[async_trait]
impl Source for PictureFolder {
    fn spec(&self) -> &SourceSpec {
        &self.spec
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        Ok(vec![Partition(self.folder.display().to_string())])
    }

    /// The checkpoint is the last path read. After the last page it is the beginning again, so that the next pass finds pictures that were added anywhere.
    fn read(&self, _partition: Partition, from: Checkpoint) -> BoxStream<'static, Result<Page>> {
        let listing = self.clone().list(from);
        stream::once(listing)
            .flat_map(|pages| match pages {
                Ok(pages) => stream::iter(pages).map(Ok).boxed(),
                Err(error) => stream::once(async { Err(error) }).boxed(),
            })
            .boxed()
    }
}

impl PictureFolder {
    /// Looks through the folder on a thread that may block.
    async fn list(self, from: Checkpoint) -> Result<Pages> {
        let work = move || {
            let labels_file = self.folder.join(labels::FILE);
            let labels = Labels::read(&labels_file, &self.attribute)?;
            let pictures = pictures(&self.folder)?;
            let after = from.resume.map(|cursor| cursor.0);
            let mut unreadable = Vec::new();
            // What was passed before is not told again.
            if after.is_none() {
                let missing = labels
                    .without_picture(pictures.iter().map(|(name, _)| name.as_str()), &labels_file);
                unreadable = labels.bad_lines.clone();
                unreadable.extend(missing);
            }
            let first = match &after {
                Some(after) => pictures.partition_point(|(name, _)| name <= after),
                None => 0,
            };
            Ok(Pages {
                unreadable: unreadable.into_iter(),
                pictures: pictures.into_iter().skip(first).peekable(),
                labels,
                name: self
                    .folder
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned())
                    .unwrap_or_default(),
                from_folders: self.from_folders,
                collected_at: Timestamp::now(),
                is_over: false,
            })
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| {
            Error::new(ErrorKind::Internal, "folder.list")
                .message("the folder was not looked through to its end")
                .cause(error)
        })?
    }
}

/// Path in the folder, with `/` between its parts, and where it lies.
type Picture = (String, PathBuf);

/// The pages of a folder, one after the other.
struct Pages {
    unreadable: std::vec::IntoIter<Unreadable>,
    pictures: std::iter::Peekable<std::iter::Skip<std::vec::IntoIter<Picture>>>,
    labels: Labels,
    /// The folder's own.
    name: String,
    from_folders: Option<String>,
    collected_at: Timestamp,
    is_over: bool,
}

impl Iterator for Pages {
    type Item = Page;

    fn next(&mut self) -> Option<Page> {
        if self.is_over {
            return None;
        }
        let mut items: Vec<Incoming> = self
            .unreadable
            .by_ref()
            .take(PAGE)
            .map(|bad| Incoming::Unreadable(Box::new(bad)))
            .collect();
        let mut last = None;
        while items.len() < PAGE
            && let Some((name, path)) = self.pictures.next()
        {
            items.push(self.item(&name, &path));
            last = Some(name);
        }
        self.is_over = self.pictures.peek().is_none() && self.unreadable.len() == 0;
        let checkpoint = match last {
            Some(last) if !self.is_over => Checkpoint::at(last),
            _ => Checkpoint::default(),
        };
        Some(Page { items, checkpoint })
    }
}

impl Pages {
    fn item(&self, name: &str, path: &Path) -> Incoming {
        let Ok(url) = Url::from_file_path(path) else {
            let place = path.display().to_string();
            let bad = Unreadable::new(place, "its path cannot be written as a URL", name);
            return Incoming::Unreadable(Box::new(bad));
        };
        match self.post(name, url) {
            Ok(post) => Incoming::Post(Box::new(post)),
            Err(error) => {
                let place = path.display().to_string();
                Incoming::Unreadable(Box::new(Unreadable::new(place, error.to_string(), name)))
            }
        }
    }

    fn post(&self, name: &str, url: Url) -> Result<Post> {
        let id = Digest::of_parts([self.name.as_bytes(), name.as_bytes()]).to_string();
        let id = PostId::new(Platform::new("folder"), &id[..24]);
        let mut post = Post::new(id, self.collected_at);
        let file = name.rsplit('/').next().unwrap_or(name);
        post.media.push(Media::image(file, url));
        post.given = match self.labels.of(name) {
            Some(given) => given.clone(),
            None => self.label_of_folder(name),
        };
        let raw = Raw::from_value(&json!({"folder": self.name, "path": name}))?;
        post.raw.insert("folder".to_owned(), raw);
        Ok(post)
    }

    fn label_of_folder(&self, name: &str) -> BTreeMap<String, Vec<String>> {
        let label = name.rsplit('/').nth(1).map(labels::kebab);
        match (&self.from_folders, label) {
            (Some(attribute), Some(label)) if !label.is_empty() => {
                BTreeMap::from([(attribute.clone(), vec![label])])
            }
            _ => BTreeMap::new(),
        }
    }
}

/// All pictures of a folder in order of their paths.
fn pictures(folder: &Path) -> Result<Vec<Picture>> {
    let mut found = Vec::new();
    let mut folders = vec![(String::new(), folder.to_owned())];
    while let Some((prefix, folder)) = folders.pop() {
        for entry in entries(&folder)? {
            let name = format!("{prefix}{}", entry.name);
            if entry.is_folder {
                folders.push((format!("{name}/"), entry.path));
            } else if is_picture(&entry.path) {
                found.push((name, entry.path));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn holds_picture(folder: &Path) -> bool {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in entries(&folder).unwrap_or_default() {
            if entry.is_folder {
                folders.push(entry.path);
            } else if is_picture(&entry.path) {
                return true;
            }
        }
    }
    false
}

struct Entry {
    name: String,
    path: PathBuf,
    is_folder: bool,
}

/// What lies in a folder, without what is hidden. A link to a folder is no folder: it may lead in circles.
fn entries(folder: &Path) -> Result<Vec<Entry>> {
    let refused = |error: std::io::Error| {
        Error::new(ErrorKind::Io, "folder.list")
            .message("the folder cannot be looked into")
            .with("path", folder.display())
            .cause(error)
    };
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let kind = entry.file_type().map_err(refused)?;
        entries.push(Entry {
            name,
            path: entry.path(),
            is_folder: kind.is_dir(),
        });
    }
    Ok(entries)
}

fn is_picture(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|e| EXTENSIONS.contains(&e.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn folder(files: &[&str], labels: Option<&str>) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"bytes").unwrap();
        }
        if let Some(labels) = labels {
            std::fs::write(folder.path().join("labels.csv"), labels).unwrap();
        }
        folder
    }

    async fn pages(source: &PictureFolder, from: Checkpoint) -> Vec<Page> {
        let partition = source.partitions().await.unwrap().remove(0);
        let pages: Vec<_> = source.read(partition, from).collect().await;
        pages.into_iter().map(Result::unwrap).collect()
    }

    fn posts(pages: &[Page]) -> Vec<&Post> {
        pages
            .iter()
            .flat_map(|page| &page.items)
            .filter_map(|item| match item {
                Incoming::Post(post) => Some(&**post),
                _ => None,
            })
            .collect()
    }

    #[tokio::test]
    async fn pictures_become_posts_with_their_labels() {
        let folder = folder(
            &["images/a.jpg", "b.PNG", "notes.txt", ".hidden/c.jpg"],
            Some("image,label\na,T-Shirt\nmissing,Hat\n"),
        );
        let source = PictureFolder::open(folder.path()).unwrap();
        let pages = pages(&source, Checkpoint::default()).await;
        let posts = posts(&pages);
        assert_eq!(posts.len(), 2);
        let labelled = posts.iter().find(|p| p.media[0].id == "a.jpg").unwrap();
        assert_eq!(labelled.given["garment"], ["t-shirt"]);
        let url = labelled.media[0].url.as_deref().unwrap();
        assert!(
            url.starts_with("file:///") && url.ends_with("/images/a.jpg"),
            "{url}"
        );
        let bad: Vec<_> = pages[0]
            .items
            .iter()
            .filter_map(|item| match item {
                Incoming::Unreadable(bad) => Some(bad.reason.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(bad, ["there is no picture missing"]);
    }

    #[tokio::test]
    async fn resuming_at_any_page_misses_nothing() {
        let names: Vec<String> = (0..600).map(|n| format!("{n:04}.jpg")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let folder = folder(&names, None);
        let source = PictureFolder::open(folder.path()).unwrap();
        let all = pages(&source, Checkpoint::default()).await;
        assert_eq!(all.len(), 3);
        assert_eq!(all[2].checkpoint, Checkpoint::default(), "the pass is over");
        for (index, page) in all[..2].iter().enumerate() {
            let rest = pages(&source, page.checkpoint.clone()).await;
            let expected: Vec<_> = posts(&all[index + 1..])
                .iter()
                .map(|p| &p.id)
                .cloned()
                .collect();
            let found: Vec<_> = posts(&rest).iter().map(|p| &p.id).cloned().collect();
            assert_eq!(found, expected);
        }
    }

    #[tokio::test]
    async fn the_same_picture_has_the_same_id_wherever_the_folder_lies() {
        let id = async |parent: &Path| {
            let folder = parent.join("lookbook");
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join("a.jpg"), b"bytes").unwrap();
            let source = PictureFolder::open(&folder).unwrap();
            posts(&pages(&source, Checkpoint::default()).await)[0]
                .id
                .clone()
        };
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert_eq!(id(one.path()).await, id(other.path()).await);
    }

    #[tokio::test]
    async fn folders_may_be_labels() {
        let folder = folder(&["zig zag/1.jpg", "2.jpg"], None);
        let source = PictureFolder::open(folder.path())
            .unwrap()
            .folders_are("pattern");
        let pages = pages(&source, Checkpoint::default()).await;
        let given: Vec<_> = posts(&pages).iter().map(|p| p.given.clone()).collect();
        assert_eq!(given[0].len(), 0);
        assert_eq!(given[1]["pattern"], ["zig-zag"]);
    }

    #[test]
    fn what_is_no_folder_is_refused() {
        let folder = folder(&["a.txt"], None);
        assert!(!looks_like(folder.path()));
        let error = PictureFolder::open(folder.path().join("none")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let error = PictureFolder::open(folder.path().join("a.txt")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}
