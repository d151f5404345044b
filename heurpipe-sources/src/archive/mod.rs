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
//! An item that cannot be read is given as unreadable, by its file and place. What breaks a file off (a cut download) is given so too, after all that
//! stands before it. What is refused is an error that names the file.

mod container;
mod cut;
mod detect;
mod format;
mod instagram;
mod looks;
mod place;
mod reader;
mod weibo;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use heurpipe_core::{
    Author, Checkpoint, Error, ErrorKind, Page, Partition, Result, Source, SourceSpec,
};
use jiff::Timestamp;

use container::Container;
pub(crate) use container::file_in_zip;
use format::{Format, Options};
use reader::Reading;

/// Pages that wait for whoever takes them.
const AHEAD: usize = 2;

/// An archive as a source; see the [module](self).
#[derive(Debug, Clone)]
pub struct Archive {
    spec: SourceSpec,
    container: Arc<Container>,
    options: Options,
}

/// Whether something known lies at a path.
pub fn looks_like(path: &Path) -> bool {
    Container::open(path).is_ok_and(|container| {
        detect::survey(&container, &detect::formats()).is_ok_and(|found| !found.is_empty())
    })
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

    /// Begins to set up an archive.
    pub fn builder(path: impl AsRef<Path>) -> ArchiveBuilder {
        ArchiveBuilder {
            path: path.as_ref().to_owned(),
            name: "archive".to_owned(),
            options: Options::default(),
        }
    }
}

/// Sets up [`Archive`].
#[derive(Debug, Clone)]
pub struct ArchiveBuilder {
    path: PathBuf,
    name: String,
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

    /// Opens the archive; see [`Archive::open`].
    ///
    /// # Errors
    /// Those of [`Archive::open`].
    pub fn build(self) -> Result<Archive> {
        let container = Container::open(&self.path)?;
        let formats = detect::formats();
        let found = detect::survey(&container, &formats)?;
        if found.is_empty() {
            return Err(detect::unknown(&container, &formats));
        }
        let names: Vec<&str> = found.keys().map(String::as_str).collect();
        let description = format!("{} in {}", names.join(", "), container.path().display());
        Ok(Archive {
            spec: SourceSpec::new(self.name, description),
            container: Arc::new(container),
            options: self.options,
        })
    }
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
        let reading = Reading {
            container: Arc::clone(&self.container),
            formats: detect::formats(),
            options: self.options.clone(),
        };
        let (sender, pages) = tokio::sync::mpsc::channel(AHEAD);
        let start = move || {
            // The thread ends by itself when the stream is dropped: nobody takes its pages then.
            tokio::task::spawn_blocking(move || reading.run(&from, sender));
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
    fn partition(&self) -> Partition {
        Partition(self.container.path().display().to_string())
    }
}
