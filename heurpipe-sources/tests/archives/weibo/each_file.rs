//! No two formats may take one file for theirs.

use std::path::{Path, PathBuf};

use heurpipe_sources::archive::{self, Archive};

use crate::support::{fixture, found};

/// Every format of Weibo with a fixture under its name; that of a database is made by its test.
fn formats() -> Vec<String> {
    let names = archive::formats().into_iter().map(|(name, _)| name);
    let of_weibo = |name: &String| name.starts_with("weibo_") && name != "weibo_crawler_sqlite";
    names.filter(of_weibo).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[test]
fn each_file_is_claimed_by_its_own_format() {
    let mut claimed = 0;
    for format in formats() {
        for file in files(&fixture(&format)) {
            let name = file.file_name().unwrap().to_str().unwrap();
            // What lies beside posts: pictures, the list of users, the same posts as text.
            let is_beside = [".jpg", ".gif", ".mov", "users.csv"]
                .iter()
                .any(|end| name.ends_with(end));
            if is_beside || (format == "weibo_spider_json" && name.ends_with(".txt")) {
                continue;
            }
            let archive = Archive::open(&file).unwrap();
            assert_eq!(found(&archive), format, "{}", file.display());
            claimed += 1;
        }
    }
    assert!(
        claimed >= formats().len(),
        "{claimed} files of {:?}",
        formats()
    );
}
