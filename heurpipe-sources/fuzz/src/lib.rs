//! What the targets have in common: whatever is read is read again from our own lines without loss.

use heurpipe_core::{Incoming, Post, Record};
use heurpipe_sources::archive::Archive;
use heurpipe_sources::ndjson;

/// Reads an archive that lies in memory. It may be refused, and items may be unreadable; what is a post is written and read again.
pub fn read(name: &str, bytes: &[u8]) {
    let Ok(archive) = Archive::in_memory(name, bytes).build() else {
        return;
    };
    let Ok(items) = archive.items() else {
        return;
    };
    for item in items {
        if let Incoming::Post(post) = item {
            check(*post);
        }
    }
}

/// A post survives being written and read.
pub fn check(post: Post) {
    assert!(!post.id.native.is_empty());
    let record = Record::new(post);
    let line = ndjson::to_line(&record).expect("a post has a form in JSON");
    match ndjson::from_line(&line) {
        Ok(Incoming::Record(again)) => assert_eq!(again.post, record.post),
        other => panic!("{line} came back as {other:?}"),
    }
}
