//! Formats of Instagram.

mod apify;
mod behold;
mod capture;
mod export;
mod gallery_dl;
mod graph;
mod instagrapi;
mod instaloader;
mod scraper;

use std::path::Path;

use heurpipe_core::{MediaKind, Post};
use tempfile::TempDir;

use crate::support::fixture;

/// A post's media: what they are called and what they are.
fn media(post: &Post) -> Vec<(&str, MediaKind)> {
    post.media
        .iter()
        .map(|medium| (medium.id.as_str(), medium.kind))
        .collect()
}

/// The handle of a post's author.
fn handle(post: &Post) -> Option<&str> {
    post.author.as_ref()?.handle.as_deref()
}

/// The name of the file that a medium is found in, if it lies in the archive.
fn local(post: &Post, number: usize) -> Option<&str> {
    let url = post.media[number].url.as_deref()?;
    let path = url.strip_prefix("file://")?;
    path.rsplit('/').next()
}

/// A copy of a fixture with files of media in it, whose content is no matter.
fn with_media(format: &str, names: &[&str]) -> TempDir {
    let copy = TempDir::new().unwrap();
    copy_all(&fixture(format), copy.path());
    for name in names {
        let path = copy.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, [0xff, 0xd8, 0xff, 0xe0, 0x00]).unwrap();
    }
    copy
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
