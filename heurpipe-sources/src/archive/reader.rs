//! Reads the files of an archive one after the other and pages what is in them.

use std::ops::ControlFlow;
use std::sync::Arc;

use heurpipe_core::{Checkpoint, Error, ErrorKind, Incoming, Page, Result};
use jiff::Timestamp;

use super::container::{Container, Entry};
use super::cut::{self, Cut, Layout, Role};
use super::detect;
use super::format::{File, Format, Formats, Mapper, Options, Out};
use super::looks::Looks;
use super::place::{Place, stamp};

/// A page ends at so many items or so many bytes of payload, whichever comes first.
const PAGE_ITEMS: usize = 256;
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// What a reading works on.
pub(super) struct Reading {
    pub container: Arc<Container>,
    pub formats: Formats,
    pub options: Options,
}

impl Reading {
    /// Reads from a checkpoint to the end, on the thread that calls. Ends early when no more pages are wanted.
    pub(super) fn run(
        &self,
        from: &Checkpoint,
        pages: &mut dyn FnMut(Result<Page>) -> ControlFlow<()>,
    ) {
        let Some(start) = Place::of(from, &stamp(&self.container)) else {
            return;
        };
        let mut pager = Pager {
            pages,
            out: Out::default(),
            bytes: 0,
            at: start.clone(),
        };
        match self.files(&start, &mut pager) {
            Ok(ControlFlow::Continue(())) => {
                pager.at = start.done();
                let _ = pager.flush();
            }
            Ok(ControlFlow::Break(())) => {}
            Err(error) => pager.fail(error),
        }
    }

    fn files(&self, start: &Place, pager: &mut Pager<'_>) -> Result<ControlFlow<()>> {
        let mut open: Option<Open<'_>> = None;
        for entry in self.container.entries() {
            if start.is_past(&entry.name) {
                continue;
            }
            let looks = match Looks::of(&self.container, entry) {
                Err(error) if is_of_the_file(&error) => {
                    pager.refused(self.container.shown(entry), &error);
                    continue;
                }
                looks => looks?,
            };
            let Some((format, layout)) = detect::format_of(&self.formats, &looks) else {
                if looks != Looks::Other {
                    detect::passed_over(&self.container, entry);
                }
                continue;
            };
            if let Some(other) = open.take_if(|open| !open.goes_on(format, entry)) {
                pager.finish(other);
            }
            let open = open.get_or_insert_with(|| Open {
                format,
                folder: entry.folder(),
                mapper: format.mapper(),
            });
            let skip = start.items_of(&entry.name);
            match self.file(entry, layout, skip, open, pager) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => return Ok(ControlFlow::Break(())),
                Err(error) if is_of_the_file(&error) => {
                    pager.refused(self.container.shown(entry), &error);
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(last) = open {
            pager.finish(last);
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Reads one file, but for its first `skip` items, which earlier readings have given.
    fn file(
        &self,
        entry: &Entry,
        layout: Layout,
        skip: u64,
        open: &mut Open<'_>,
        pager: &mut Pager<'_>,
    ) -> Result<ControlFlow<()>> {
        let file = File {
            container: &self.container,
            entry,
            options: &self.options,
            collected_at: self.collected_at(entry),
        };
        open.mapper.begin(&file)?;
        let mut number = 0;
        let mut flow = ControlFlow::Continue(());
        let mut take = |cut: Cut<'_>| {
            let is_member = matches!(&cut, Cut::Item(item) if matches!(item.role, Role::Member(_)));
            // What stands beside the items tells of them all, also of those that come later.
            if !is_member {
                number += 1;
                if number <= skip {
                    return ControlFlow::Continue(());
                }
            }
            pager.map(cut, &file, open.mapper.as_mut());
            flow = pager.reached(&entry.name, number, open.mapper.holds());
            flow
        };
        match layout {
            Layout::Rows { query } => {
                let path = self.container.path_of(entry).ok_or_else(|| {
                    Error::new(ErrorKind::InvalidInput, "archive.read")
                        .message("a database within a ZIP cannot be read: unpack it first")
                        .with("file", self.container.shown(entry))
                })?;
                cut::sqlite_rows(&path, query, &mut take)?;
            }
            _ => self
                .container
                .read(entry, |reader| cut::cut(reader, layout, &mut take))?,
        }
        Ok(flow)
    }

    fn collected_at(&self, entry: &Entry) -> Timestamp {
        let of_zip = || {
            let about = std::fs::metadata(self.container.path()).ok()?;
            Timestamp::try_from(about.modified().ok()?).ok()
        };
        self.options
            .collected_at
            .or(entry.modified)
            .or_else(of_zip)
            .unwrap_or_else(Timestamp::now)
    }
}

/// Whether a file is to blame, so that the others can be read: it is broken, or no one should unpack it.
fn is_of_the_file(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::TooLarge)
}

/// A format that is being read in a folder.
struct Open<'a> {
    format: &'a dyn Format,
    folder: &'a str,
    mapper: Box<dyn Mapper>,
}

impl Open<'_> {
    fn goes_on(&self, format: &dyn Format, entry: &Entry) -> bool {
        self.format.name() == format.name() && self.folder == entry.folder()
    }
}

/// Collects items and hands them on by pages.
struct Pager<'p> {
    pages: &'p mut dyn FnMut(Result<Page>) -> ControlFlow<()>,
    out: Out,
    /// Payload read since the last page.
    bytes: usize,
    /// Up to here everything has been given.
    at: Place,
}

impl Pager<'_> {
    fn map(&mut self, cut: Cut<'_>, file: &File<'_>, mapper: &mut dyn Mapper) {
        match cut {
            Cut::Item(item) => {
                let payload = item.json.get();
                self.bytes += payload.len();
                if let Err(reason) = mapper.map(&item, file, &mut self.out) {
                    self.out
                        .unreadable(file.place(&item.place), reason, payload);
                }
            }
            Cut::Unreadable {
                place,
                reason,
                payload,
            } => self.out.unreadable(file.place(&place), reason, payload),
        }
    }

    /// So many items of a file have been read.
    fn reached(&mut self, file: &str, items: u64, holds: bool) -> ControlFlow<()> {
        if !holds {
            self.at.reach(file, items);
        }
        if self.out.len() >= PAGE_ITEMS || self.bytes >= PAGE_BYTES {
            return self.flush();
        }
        ControlFlow::Continue(())
    }

    /// A file, or the rest of it, cannot be read.
    fn refused(&mut self, file: String, error: &Error) {
        self.out.unreadable(file, error.chain().join(": "), "");
    }

    fn finish(&mut self, mut open: Open<'_>) {
        open.mapper.finish(&mut self.out);
    }

    fn flush(&mut self) -> ControlFlow<()> {
        self.bytes = 0;
        let items: Vec<Incoming> = self.out.take();
        let page = Page {
            items,
            checkpoint: self.at.checkpoint(),
        };
        (self.pages)(Ok(page))
    }

    /// Gives what was read before the error, then the error.
    fn fail(&mut self, error: Error) {
        if self.flush().is_continue() {
            // It is the last word, whether more is wanted or not.
            let _ = (self.pages)(Err(error));
        }
    }
}
