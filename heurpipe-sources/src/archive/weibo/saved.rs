//! Pictures and videos that dataabc's crawlers have saved beside the posts.

use heurpipe_core::Media;

use super::super::format::File;

/// Where the files of one post lie, and how they are named: by its day and its id, and by their place in the list where there are several.
#[derive(Clone, Copy)]
pub(super) struct Saved<'a> {
    file: &'a File<'a>,
    /// Of the post's author within the archive, from where the posts stand; empty, or with a stroke at its end.
    folder: &'a str,
    /// The beginning of the time, with what follows the day: crawlers take its first eleven characters.
    day: &'a str,
    id: &'a str,
}

/// One of the URLs of a post.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listed<'a> {
    pub url: &'a str,
    /// Its place in the list, from 0.
    pub index: usize,
    /// How many the list has.
    pub of: usize,
}

impl<'a> Saved<'a> {
    pub(super) fn new(file: &'a File<'a>, folder: &'a str, time: &'a str, id: &'a str) -> Self {
        let end = time.char_indices().nth(11).map_or(time.len(), |(at, _)| at);
        Self {
            file,
            folder,
            day: &time[..end],
            id,
        }
    }

    /// Has a picture fetched from where it was saved, if it was.
    pub(super) fn prefer_picture(&self, medium: &mut Media, folders: &[&str], listed: Listed<'_>) {
        // The crawlers cut the extension off the URL and take only a short one for such.
        let extension = listed.url.rfind('.').map(|at| &listed.url[at..]);
        let extension = extension.filter(|extension| extension.len() < 5);
        self.prefer(medium, folders, listed, extension.unwrap_or(".jpg"));
    }

    /// Has a video fetched from where it was saved, if it was.
    pub(super) fn prefer_video(&self, medium: &mut Media, folders: &[&str], listed: Listed<'_>) {
        let extension = if listed.url.ends_with(".mov") {
            ".mov"
        } else {
            ".mp4"
        };
        self.prefer(medium, folders, listed, extension);
    }

    fn prefer(&self, medium: &mut Media, folders: &[&str], listed: Listed<'_>, extension: &str) {
        let day = self.day.replace('-', "");
        let number = match listed.of {
            1 => String::new(),
            _ => format!("_{}", listed.index + 1),
        };
        let name = format!("{day}_{}{number}{extension}", self.id);
        let found = folders.iter().find_map(|folder| {
            let name = format!("{}{folder}/{name}", self.folder);
            self.file.container.url_of(&self.file.sibling(&name)?)
        });
        if let Some(url) = found {
            medium.url = Some(url);
            medium.url_expires_at = None;
        }
    }
}
