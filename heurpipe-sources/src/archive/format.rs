//! What a format of archives must know, and nothing of how files are found, cut and paged.

use std::sync::Arc;

use heurpipe_core::{Author, Incoming, Post, PostId, Raw, Result, Unreadable};
use jiff::Timestamp;

use super::container::{Container, Entry};
use super::cut::{Item, Layout};
use super::looks::Looks;

/// A form in which people hold posts.
pub(super) trait Format: Send + Sync {
    /// Its name, which is also the one under which payloads are kept: `weibo_crawler`.
    fn name(&self) -> &str;

    /// As told to a person: who writes it, in what form.
    fn description(&self) -> &str;

    /// How a file is cut, if it is one of this format.
    fn layout(&self, looks: &Looks) -> Option<Layout>;

    /// Begins to read files of this format.
    fn mapper(&self) -> Box<dyn Mapper>;
}

/// Formats, in the order in which they are tried.
pub(super) type Formats = Vec<Arc<dyn Format>>;

/// Turns items into posts. It sees the files of its format in a folder one after the other, in the order of their names.
pub(super) trait Mapper {
    /// A file begins.
    ///
    /// # Errors
    /// When something beside the file, which its items cannot do without, cannot be read.
    fn begin(&mut self, _file: &File<'_>) -> Result<()> {
        Ok(())
    }

    /// Turns an item into posts.
    ///
    /// # Errors
    /// A sentence that says why it is none: the item is then given as unreadable.
    fn map(&mut self, item: &Item<'_>, file: &File<'_>, out: &mut Out) -> Result<(), String>;

    /// Gives what is held back: no further file of this format follows here.
    fn finish(&mut self, _out: &mut Out) {}

    /// Whether something is held back that later items may belong to. Reading is then not taken up after this item.
    fn holds(&self) -> bool {
        false
    }
}

/// What the operator says of an archive.
#[derive(Debug, Clone, Default)]
pub(super) struct Options {
    /// When it was made, if the files' own times do not tell.
    pub collected_at: Option<Timestamp>,
    /// Whose posts they are, where the archive does not say.
    pub author: Option<Author>,
    /// Whether mail addresses, telephone numbers and street addresses stay in payloads.
    pub keeps_contacts: bool,
}

/// The file that is being read.
pub(super) struct File<'a> {
    pub container: &'a Container,
    pub entry: &'a Entry,
    pub options: &'a Options,
    /// When its content was gathered: what the operator says, else when the file was last written.
    pub collected_at: Timestamp,
}

impl File<'_> {
    /// The file of this name in the same folder.
    pub(super) fn sibling(&self, name: &str) -> Option<Entry> {
        self.container
            .find(&format!("{}{name}", self.entry.folder()))
    }

    /// The content of a small file in the archive, if it is there.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub(super) fn read_small(&self, entry: &Entry) -> Result<Vec<u8>> {
        self.container.small(entry, super::cut::ITEM_LIMIT as usize)
    }

    /// How an item of this file is named.
    pub(super) fn place(&self, within: &str) -> String {
        let file = self.container.shown(self.entry);
        match within {
            "" => file,
            within => format!("{file}:{within}"),
        }
    }

    /// An empty post, seen when the file's content was gathered.
    pub(super) fn post(&self, id: PostId) -> Post {
        Post::new(id, self.collected_at)
    }
}

/// What a mapper gives.
#[derive(Debug, Default)]
pub(super) struct Out {
    items: Vec<Incoming>,
}

impl Out {
    /// Gives a post.
    pub(super) fn post(&mut self, post: Post) {
        self.items.push(Incoming::Post(Box::new(post)));
    }

    /// Says that a post is no longer there.
    pub(super) fn gone(&mut self, id: PostId) {
        self.items.push(Incoming::Gone(id));
    }

    /// Gives what should have been a post, by its place.
    pub(super) fn unreadable(&mut self, place: String, reason: impl Into<String>, payload: &str) {
        let item = Unreadable::new(place, reason, payload);
        self.items.push(Incoming::Unreadable(Box::new(item)));
    }

    /// How many items there are.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Takes what was given so far.
    pub(super) fn take(&mut self) -> Vec<Incoming> {
        std::mem::take(&mut self.items)
    }
}

/// Keeps a payload untouched.
pub(super) fn raw(json: &serde_json::value::RawValue) -> Raw {
    Raw::new(json.to_owned())
}
