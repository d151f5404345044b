//! A warehouse in a folder, and its files.

use std::path::{Path, PathBuf};

use heurpipe_stores::Mode;
use heurpipe_stores::warehouse::ParquetWarehouse;

pub async fn in_folder(folder: &Path) -> ParquetWarehouse {
    ParquetWarehouse::open(folder, Mode::ReadWrite)
        .await
        .unwrap()
}

pub fn segments(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for day in std::fs::read_dir(folder.join("segments")).unwrap() {
        let files = std::fs::read_dir(day.unwrap().path()).unwrap();
        found.extend(files.map(|file| file.unwrap().path()));
    }
    found.sort();
    found
}
