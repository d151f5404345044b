//! Folders, ZIPs, packed files, and what must be refused.

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use heurpipe_core::{Checkpoint, ErrorKind, Incoming, Platform, Post};
use heurpipe_sources::archive::Archive;
use heurpipe_sources::detect;
use zip::write::SimpleFileOptions;

use crate::support::{assert_conforms, fixture, items, pages, read};

const FORMAT: &str = "weibo_spider_jsonl";

fn line(number: usize) -> String {
    format!(
        r#"{{"_id":"{}","mblogid":"x","created_at":"2022-10-27 18:47:50","content":"第 {number} 条","pic_urls":[],"crawl_time":1666869049}}"#,
        4_829_255_386_000_000 + number
    )
}

fn lines(count: usize) -> String {
    (0..count).map(|number| line(number) + "\n").collect()
}

fn zipped(path: &Path, files: &[(&str, &[u8])]) {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    for (name, content) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap();
}

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(content).unwrap();
    gzip.finish().unwrap()
}

fn ids(items: &[Incoming]) -> Vec<String> {
    items.iter().map(|item| item.id().to_string()).collect()
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

#[tokio::test]
async fn folders_zips_and_packed_files_give_the_same() {
    let place = Place::new();
    let plain = place.file("plain/a/tweets.jsonl", lines(5));
    let packed = place.file("packed/tweets.jsonl.gz", gzipped(lines(5).as_bytes()));
    let zip = place.path().join("all.zip");
    zipped(
        &zip,
        &[
            ("a/tweets.jsonl", lines(5).as_bytes()),
            ("a/b.jpg", b"picture"),
        ],
    );
    let expected = ids(&items(&Archive::open(&plain).unwrap()).await);
    assert_eq!(expected.len(), 5);
    for path in [place.path().join("plain"), packed, zip.clone()] {
        let archive = Archive::open(&path).unwrap();
        assert_eq!(ids(&items(&archive).await), expected, "{}", path.display());
    }
    assert_conforms(&zip, Platform::weibo()).await;
}

#[tokio::test]
async fn what_is_found_is_said_and_what_is_not_lists_what_was_looked_for() {
    let source = detect::open(fixture(FORMAT)).unwrap();
    assert!(
        source
            .spec()
            .description
            .starts_with("weibo_spider_jsonl in ")
    );
    let place = Place::new();
    let unknown = place.file("other.json", r#"{"nothing":"known"}"#);
    let Err(error) = detect::open(&unknown) else {
        panic!("it is nothing known");
    };
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let text = error.to_string();
    for looked_for in ["nghuyong", "mapping file", "pictures", "one a line"] {
        assert!(text.contains(looked_for), "{text}");
    }
}

#[test]
fn a_zip_whose_names_lead_out_of_it_is_refused() {
    let place = Place::new();
    for name in [
        "../evil.jsonl",
        "/etc/evil.jsonl",
        "a/../../evil.jsonl",
        "a\\..\\evil.jsonl",
    ] {
        let zip = place.path().join("evil.zip");
        zipped(
            &zip,
            &[("tweets.jsonl", lines(1).as_bytes()), (name, b"{}")],
        );
        let error = Archive::open(&zip).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name}");
        assert!(
            error.to_string().contains("leads out of the archive"),
            "{error}"
        );
    }
}

#[test]
fn a_broken_zip_is_said_to_be_one() {
    let place = Place::new();
    let zip = place.file("cut.zip", b"PK\x03\x04 and then nothing of use");
    for error in [
        Archive::open(&zip).unwrap_err(),
        detect::open(&zip).err().unwrap(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("the ZIP is broken"), "{error}");
    }
}

#[tokio::test]
async fn links_are_not_followed() {
    let place = Place::new();
    let outside = place.file("outside/tweets.jsonl", lines(2));
    place.file("inside/tweets.jsonl", lines(1));
    std::os::unix::fs::symlink(outside, place.path().join("inside/link.jsonl")).unwrap();
    let archive = Archive::open(place.path().join("inside")).unwrap();
    assert_eq!(items(&archive).await.len(), 1);
}

/// A file that begins like a known one and unpacks to hundreds of times its size.
fn bomb(megabytes: usize) -> Vec<u8> {
    let mut content = lines(1).into_bytes();
    content.resize(megabytes << 20, b' ');
    content
}

#[tokio::test]
async fn bombs_are_refused_and_what_stands_before_and_beside_them_is_read() {
    let place = Place::new();
    place.file("all/bomb.jsonl.gz", gzipped(&bomb(80)));
    place.file("all/cut.jsonl.gz", &gzipped(lines(3).as_bytes())[..40]);
    place.file("all/whole.jsonl", line(5));
    let zip = place.path().join("bomb.zip");
    zipped(
        &zip,
        &[
            ("bomb.jsonl", &bomb(80)),
            ("whole.jsonl", line(5).as_bytes()),
        ],
    );
    for path in [place.path().join("all"), zip] {
        let (posts, unreadable) = read(&path, FORMAT).await;
        assert_eq!(ids_of(&posts), ["4829255386000000", "4829255386000005"]);
        let bomb = &unreadable[0];
        assert!(bomb.reason.contains("unpacks to more"), "{}", bomb.reason);
        assert!(bomb.place.contains("bomb.jsonl"), "{}", bomb.place);
        if let Some(cut) = unreadable.get(1) {
            assert!(cut.place.contains("cut.jsonl.gz"), "{}", cut.place);
        }
    }
}

fn ids_of(posts: &[Post]) -> Vec<&str> {
    posts.iter().map(|post| &*post.id.native).collect()
}

#[tokio::test]
async fn a_line_of_100_megabytes_is_refused_by_itself() {
    let place = Place::new();
    let mut content = lines(1);
    content.push_str(r#"{"_id":"1","content":""#);
    content.push_str(&"x".repeat(100 << 20));
    content.push_str("\"}\n");
    content.push_str(&line(7));
    let path = place.file("tweets.jsonl", content);
    let (posts, unreadable) = read(path, FORMAT).await;
    assert_eq!(posts.len(), 2, "what stands around it is read");
    assert_eq!(unreadable.len(), 1);
    assert!(unreadable[0].reason.contains("longer than allowed"));
    assert!(unreadable[0].place.ends_with("tweets.jsonl:2"));
}

#[tokio::test]
async fn an_element_of_a_list_that_is_too_long_ends_its_file_with_a_word() {
    let place = Place::new();
    let long = "x".repeat(20 << 20);
    let path = place.file(
        "tweets.json",
        format!("[{},{{\"content\":\"{long}\"}}]", line(1)),
    );
    let (posts, unreadable) = read(path, FORMAT).await;
    assert_eq!(posts.len(), 1);
    assert!(
        unreadable[0]
            .reason
            .contains("an item is longer than allowed"),
        "{:?}",
        unreadable[0].reason
    );
}

#[tokio::test]
async fn a_file_that_breaks_off_gives_what_stands_before() {
    let place = Place::new();
    let whole = format!("[{},{}]", line(1), line(2));
    let path = place.file("tweets.json", &whole[..whole.len() - 20]);
    let (posts, unreadable) = read(path, FORMAT).await;
    assert_eq!(posts.len(), 1);
    assert!(unreadable[0].reason.contains("cannot be read any further"));
}

#[tokio::test]
async fn nesting_without_end_is_unreadable() {
    let place = Place::new();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let content = format!("{}\n{{\"_id\":\"1\",\"geo\":{deep}}}\n", line(1));
    let (posts, unreadable) = read(place.file("tweets.jsonl", content), FORMAT).await;
    assert_eq!((posts.len(), unreadable.len()), (1, 1));
}

#[tokio::test]
async fn reading_is_taken_up_at_every_page_and_ends_at_the_end() {
    let place = Place::new();
    place.file("a.jsonl", lines(700));
    place.file(
        "b/c.jsonl",
        (700..1000).map(|n| line(n) + "\n").collect::<String>(),
    );
    let archive = Archive::open(place.path()).unwrap();
    let all = pages(&archive, Checkpoint::default()).await;
    assert!(all.len() > 3, "{} pages", all.len());
    for read in 0..all.len() {
        let rest = pages(&archive, all[read].checkpoint.clone()).await;
        let expected: Vec<_> = all[read + 1..]
            .iter()
            .flat_map(|page| ids(&page.items))
            .collect();
        let rest: Vec<_> = rest.iter().flat_map(|page| ids(&page.items)).collect();
        assert_eq!(rest, expected, "after page {read}");
    }
}

#[tokio::test]
async fn an_archive_that_has_changed_is_read_anew() {
    let place = Place::new();
    place.file("a.jsonl", lines(3));
    let before = Archive::open(place.path()).unwrap();
    let end = pages(&before, Checkpoint::default())
        .await
        .pop()
        .unwrap()
        .checkpoint;
    assert!(
        pages(&before, end.clone()).await.is_empty(),
        "there is nothing left"
    );
    place.file("b.jsonl", lines(5));
    let after = Archive::open(place.path()).unwrap();
    let again: usize = pages(&after, end)
        .await
        .iter()
        .map(|page| page.items.len())
        .sum();
    assert_eq!(again, 8);
}
