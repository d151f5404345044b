//! Archives of posts that people hold: exports of an account, captures of a network's pages, what crawlers have written.
//!
//! ```no_run
//! use heurpipe_sources::archive::Archive;
//!
//! # fn main() -> heurpipe_core::Result<()> {
//! let source = Archive::open("downloads/instagram-brand-2026-05-01.zip")?;
//! # drop(source);
//! # Ok(())
//! # }
//! ```
//!
//! An archive is a folder, a ZIP, or a file by itself; files may be packed by gzip or xz. What format a file has is told from the keys and
//! columns at its beginning, never from its name, so one archive may hold several; [`formats`] lists them. Pictures that lie beside the
//! posts are found there, as `file:` URLs.
//!
//! # Other forms
//! A form that is not known is read by a [`Mapping`]: a file `NAME.mapping.toml` beside `NAME.jsonl`, or `heurpipe-mapping.toml` for all files of an
//! archive.
//!
//! # Memory
//! Files are read as a stream, one item at a time: an element of a list, a line, a row. An item of more than 16 MiB is refused, and so is
//! what unpacks to more than 250 times its size. A name in a ZIP that leads out of it has the whole ZIP refused.
//!
//! # Time
//! A post is seen when its archive was made: what [`ArchiveBuilder::collected_at`] says, else when its file was last written. Times that an
//! archive writes as `3 minutes ago` are reckoned from there, and say how exactly they are known.
//!
//! # Resuming
//! A checkpoint is a file and a number of items in it. When any file of the archive changes, it is read from its beginning.
//!
//! # Errors
//! An item that cannot be read is given as unreadable, by its file and place. So is a file, or the rest of one, that is broken, cut off or
//! refused; the others are read. Only when the disk fails, or may not be read, is that an error.

mod container;
mod cut;
mod detect;
mod format;
mod instagram;
mod looks;
mod mapping;
mod place;
mod reader;
mod weibo;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use heurpipe_core::{
    Author, Checkpoint, Error, ErrorKind, Incoming, Page, Partition, Result, Source, SourceSpec,
};
use jiff::Timestamp;

use container::Container;
#[cfg(feature = "media")]
pub(crate) use container::{IN_ZIP, ZipFiles};
use format::{Format, Formats, Options};
use mapping::ByMapping;
pub use mapping::Mapping;
use reader::Reading;

/// The mapping of all files of an archive.
const MAPPING: &str = "heurpipe-mapping.toml";
const MAPPING_LIMIT: usize = 1024 * 1024;
/// Pages that wait for whoever takes them.
const AHEAD: usize = 2;

/// An archive as a source; see the [module](self).
#[derive(Clone)]
pub struct Archive {
    spec: SourceSpec,
    container: Arc<Container>,
    formats: Formats,
    options: Options,
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive")
            .field("spec", &self.spec)
            .finish_non_exhaustive()
    }
}

/// The formats that are known: name and description of each.
pub fn formats() -> Vec<(String, String)> {
    let told =
        |format: &Arc<dyn Format>| (format.name().to_owned(), format.description().to_owned());
    detect::formats().iter().map(told).collect()
}

impl Archive {
    /// Opens an archive and finds out what is in it; the source's description says so.
    ///
    /// # Errors
    /// `NotFound` when there is nothing; `InvalidInput`, with a list of what was looked for, when nothing in it is known, and when a ZIP
    /// is broken or holds names that lead out of it; `Io`.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::builder(path).build()
    }

    /// Begins to set up an archive that lies in memory: one file, or a ZIP. Its name tells how it is packed (`.gz`, `.xz`) and names what
    /// cannot be read. Its posts are seen when they are read, unless [`ArchiveBuilder::collected_at`] tells when it was made.
    ///
    /// ```
    /// use heurpipe_sources::archive::Archive;
    ///
    /// # fn main() -> heurpipe_core::Result<()> {
    /// let line = r##"{"_id":"4829255386537989","mblogid":"Mch46rqPr","content":"#春夏穿搭#","crawl_time":1666869049}"##;
    /// let items = Archive::in_memory("tweets.jsonl", line.as_bytes()).build()?.items()?;
    /// assert_eq!(items[0].id().to_string(), "weibo:4829255386537989");
    /// # Ok(())
    /// # }
    /// ```
    pub fn in_memory(name: impl Into<String>, bytes: impl Into<Arc<[u8]>>) -> ArchiveBuilder {
        ArchiveBuilder {
            content: Content::InMemory {
                name: name.into(),
                bytes: bytes.into(),
            },
            name: "archive".to_owned(),
            mapping: None,
            options: Options::default(),
        }
    }

    /// Opens an archive if something in it is known.
    ///
    /// # Errors
    /// Those of [`Archive::open`], but for that nothing is known.
    pub fn recognise(path: impl AsRef<Path>) -> Result<Option<Self>> {
        Self::builder(path).recognise()
    }

    /// Begins to set up an archive.
    pub fn builder(path: impl AsRef<Path>) -> ArchiveBuilder {
        ArchiveBuilder {
            content: Content::At(path.as_ref().to_owned()),
            name: "archive".to_owned(),
            mapping: None,
            options: Options::default(),
        }
    }
}

/// What an archive is opened from.
#[derive(Debug, Clone)]
enum Content {
    At(PathBuf),
    InMemory { name: String, bytes: Arc<[u8]> },
}

impl Content {
    fn open(&self) -> Result<Container> {
        match self {
            Self::At(path) => Container::open(path),
            Self::InMemory { name, bytes } => Container::in_memory(name, Arc::clone(bytes)),
        }
    }

    fn name(&self) -> std::path::Display<'_> {
        match self {
            Self::At(path) => path.display(),
            Self::InMemory { name, .. } => Path::new(name).display(),
        }
    }
}

/// Sets up [`Archive`].
#[derive(Debug, Clone)]
pub struct ArchiveBuilder {
    content: Content,
    name: String,
    mapping: Option<Mapping>,
    options: Options,
}

impl ArchiveBuilder {
    /// The source's name within a pipeline; `archive` unless told otherwise.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// When the archive was made. Unless told, the time at which each of its files was last written.
    pub fn collected_at(mut self, at: Timestamp) -> Self {
        self.options.collected_at = Some(at);
        self
    }

    /// Whose posts they are, for archives that do not say.
    pub fn author(mut self, author: Author) -> Self {
        self.options.author = Some(author);
        self
    }

    /// Whether mail addresses, telephone numbers and street addresses of authors stay in the payloads that are kept. No unless told
    /// otherwise.
    pub fn keep_contacts(mut self, keep: bool) -> Self {
        self.options.keeps_contacts = keep;
        self
    }

    /// Where the fields of posts stand, for a form that is not known; instead of a mapping file beside the archive's files.
    pub fn mapping(mut self, mapping: Mapping) -> Self {
        self.mapping = Some(mapping);
        self
    }

    /// Opens the archive; see [`Archive::open`].
    ///
    /// # Errors
    /// Those of [`Archive::open`].
    pub fn build(self) -> Result<Archive> {
        let content = self.content.clone();
        self.recognise()?.ok_or_else(|| {
            Error::new(ErrorKind::InvalidInput, "archive.open")
                .message(format!(
                    "no known archive lies there; looked for: {}",
                    looked_for()
                ))
                .with("path", content.name())
        })
    }

    fn recognise(self) -> Result<Option<Archive>> {
        let container = self.content.open()?;
        let mapping = match self.mapping {
            Some(mapping) => Some(mapping),
            None => mapping_beside(&container)?,
        };
        let mut formats = detect::formats();
        // What a person says goes before what is guessed.
        if let Some(mapping) = mapping {
            formats.insert(0, Arc::new(ByMapping(mapping)));
        }
        let found = detect::survey(&container, &formats);
        if found.is_empty() {
            // One file that cannot even be looked at says why.
            if let [entry] = container.entries() {
                looks::Looks::of(&container, entry)?;
            }
            return Ok(None);
        }
        let names: Vec<&str> = found.keys().map(String::as_str).collect();
        let description = format!("{} in {}", names.join(", "), container.path().display());
        Ok(Some(Archive {
            spec: SourceSpec::new(self.name, description),
            container: Arc::new(container),
            formats,
            options: self.options,
        }))
    }
}

/// What archives are looked for, in words.
pub(crate) fn looked_for() -> String {
    let mut forms: Vec<String> = formats()
        .into_iter()
        .map(|(_, description)| description)
        .collect();
    forms.push(mapping::LOOKED_FOR.to_owned());
    forms.join("; ")
}

/// The mapping file of an archive, if it has one: named for a file that was opened by itself, or for all.
fn mapping_beside(container: &Container) -> Result<Option<Mapping>> {
    let own = match container.entries() {
        [file] => file
            .name
            .split('.')
            .next()
            .map(|stem| format!("{stem}.mapping.toml")),
        _ => None,
    };
    let names = own.into_iter().chain([MAPPING.to_owned()]);
    let Some(entry) = names.filter_map(|name| container.find(&name)).next() else {
        return Ok(None);
    };
    let named = |error: Error| error.with("file", container.shown(&entry));
    let bytes = container.small(&entry, MAPPING_LIMIT)?;
    let text = String::from_utf8_lossy(&bytes);
    text.parse().map(Some).map_err(named)
}

#[async_trait]
impl Source for Archive {
    fn spec(&self) -> &SourceSpec {
        &self.spec
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        Ok(vec![self.partition()])
    }

    fn read(&self, partition: Partition, from: Checkpoint) -> BoxStream<'static, Result<Page>> {
        if partition != self.partition() {
            let error = Error::new(ErrorKind::InvalidInput, "archive.read")
                .message("no partition of this source")
                .with("partition", &partition.0);
            return stream::once(async { Err(error) }).boxed();
        }
        let reading = self.reading();
        let (sender, pages) = tokio::sync::mpsc::channel(AHEAD);
        let start = move || {
            tokio::task::spawn_blocking(move || {
                // When the stream is dropped nobody takes pages any more, and the thread ends.
                reading.run(&from, &mut |page| match sender.blocking_send(page) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                });
            });
        };
        stream::unfold((Some(start), pages), |(start, mut pages)| async move {
            if let Some(start) = start {
                start();
            }
            let page = pages.recv().await?;
            Some((page, (None, pages)))
        })
        .boxed()
    }
}

impl Archive {
    /// All items at once: for archives that are small, and without a runtime.
    ///
    /// # Errors
    /// Those of reading; what was read before the error is lost with it.
    pub fn items(&self) -> Result<Vec<Incoming>> {
        let mut items = Vec::new();
        let mut failed = None;
        self.reading().run(&Checkpoint::default(), &mut |page| {
            match page {
                Ok(page) => items.extend(page.items),
                Err(error) => failed = Some(error),
            }
            ControlFlow::Continue(())
        });
        failed.map_or(Ok(items), Err)
    }

    fn reading(&self) -> Reading {
        Reading {
            container: Arc::clone(&self.container),
            formats: self.formats.clone(),
            options: self.options.clone(),
        }
    }

    fn partition(&self) -> Partition {
        Partition(self.container.path().display().to_string())
    }
}
