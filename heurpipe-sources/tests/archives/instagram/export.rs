//! Exports of an account.

use std::io::Write;
use std::path::{Path, PathBuf};

use heurpipe_core::{Author, Crs, MediaKind, Platform};
use heurpipe_sources::archive::Archive;
use zip::write::SimpleFileOptions;

use super::{handle, local, media, with_media};
use crate::support::{assert_conforms, assert_lossless, fixture, items, post, read};

const FORMAT: &str = "instagram_export";
const FILES: [&str; 3] = [
    "media/posts/202001/80549905_251_n_17843828986004321.jpg",
    "media/posts/202002/85000000_1_n_17900000000000011.jpg",
    "media/reels/202306/350000000_1_n_18000000000000002",
];

#[tokio::test]
async fn an_unpacked_export_becomes_posts() {
    let folder = with_media(FORMAT, &FILES);
    let (posts, unreadable) = read(folder.path(), FORMAT).await;
    assert_eq!(posts.len(), 8);
    assert_lossless(&posts);

    let snow = post(&posts, "export:17843828986004321");
    assert_eq!(snow.text, "Première neige ❄️ #vinter @Atelier.Nord");
    assert_eq!(snow.hashtags, ["vinter"]);
    assert_eq!(snow.mentions, ["atelier.nord"]);
    assert_eq!(snow.published_at.unwrap().as_second(), 1_578_000_000);
    let author = snow.author.as_ref().unwrap();
    assert_eq!(author.handle.as_deref(), Some("mara.lind"));
    assert_eq!(author.name.as_deref(), Some("Mara Lind 🌿"));
    let place = snow.places.tagged.as_ref().unwrap();
    assert_eq!(
        (place.latitude, place.longitude),
        (Some(55.7047), Some(13.191))
    );
    assert_eq!((place.name.as_str(), place.crs), ("", Some(Crs::Wgs84)));
    assert_eq!(local(snow, 0), Some("80549905_251_n_17843828986004321.jpg"));
    assert!(snow.raw[FORMAT].as_str().contains("cross_post_source"));

    let dresses = post(&posts, "export:17900000000000011");
    assert_eq!(dresses.text, "两件连衣裙 #dress");
    assert_eq!(dresses.published_at.unwrap().as_second(), 1_580_600_010);
    assert_eq!(
        media(dresses),
        [
            ("85000000_1_n_17900000000000011", MediaKind::Image),
            ("85000001_1_n_17900000000000012.mp4", MediaKind::Video),
        ]
    );
    assert_eq!(
        local(dresses, 0),
        Some("85000000_1_n_17900000000000011.jpg"),
        "the export leaves the extension out"
    );
    assert_eq!(
        dresses.media[1].url.as_deref(),
        Some("https://video.cdninstagram.com/v/t50/85000001_1_n.mp4"),
        "the file is missing"
    );
    assert_eq!(dresses.places.tagged, None, "nobody was at 0, 0");

    let cafe = posts
        .iter()
        .find(|post| post.text.starts_with("café"))
        .unwrap();
    assert_eq!(cafe.text, "café that was never garbled");
    assert!(cafe.id.native.starts_with("export:"), "{}", cafe.id);
    assert_eq!(
        cafe.media[0].url, None,
        "neither a file nor an address is left"
    );

    let suit = post(&posts, "3167848955741221059");
    assert_eq!(suit.text, "Leinenanzug für den Sommer #linen");
    assert_eq!(
        suit.aliases[0].to_string(),
        "instagram:export:18000000000000001"
    );
    assert_eq!(
        suit.permalink.as_deref(),
        Some("https://www.instagram.com/p/Cv2ddddDDDD/")
    );

    let reel = post(&posts, "export:18000000000000002");
    assert_eq!(reel.text, "Un pas après l’autre #reel");
    assert_eq!(reel.media[0].kind, MediaKind::Video);
    assert_eq!(
        local(reel, 0),
        Some("350000000_1_n_18000000000000002"),
        "the file has no extension"
    );
    assert_eq!(reel.places.tagged.as_ref().unwrap().latitude, Some(52.52));
    let story = post(&posts, "export:18000000000000003");
    assert_eq!(story.published_at.unwrap().as_second(), 1_686_600_000);
    assert_eq!(post(&posts, "export:17900000000000013").text, "Old denim");

    let scissors = post(&posts, "export:17900000000000021");
    assert_eq!(
        handle(scissors),
        Some("nils.ek"),
        "each export has its owner"
    );
    assert_eq!(
        scissors.author.as_ref().unwrap().name.as_deref(),
        Some("Nils Ek ✂")
    );

    let reasons: Vec<_> = unreadable.iter().map(|item| item.reason.as_str()).collect();
    assert_eq!(reasons[0], "it has no media");
    assert!(reasons[1].starts_with("missing field `uri`"), "{reasons:?}");
    assert_eq!(reasons.len(), 2);
}

#[tokio::test]
async fn a_zip_is_read_as_it_comes() {
    let folder = with_media(FORMAT, &FILES);
    let packed = tempfile::tempdir().unwrap();
    let zip = packed.path().join("instagram-mara.lind-2023-08-01.zip");
    pack(folder.path(), &zip);

    let (posts, _) = read(&zip, FORMAT).await;
    assert_eq!(posts.len(), 8);
    let snow = post(&posts, "export:17843828986004321");
    assert_eq!(handle(snow), Some("mara.lind"));
    let url = snow.media[0].url.as_deref().unwrap();
    assert!(
        url.ends_with(
            "2023-08-01.zip?in=media%2Fposts%2F202001%2F80549905_251_n_17843828986004321.jpg"
        ),
        "{url}"
    );
    assert_conforms(&zip, Platform::instagram()).await;
}

#[tokio::test]
async fn the_operator_says_whose_it_is_where_the_export_does_not() {
    let alone = tempfile::tempdir().unwrap();
    let posts = fixture(FORMAT).join("your_instagram_activity/media/posts_1.json");
    std::fs::copy(posts, alone.path().join("posts_1.json")).unwrap();
    let mut author = Author::unknown();
    author.handle = Some("brand".to_owned());
    let archive = Archive::builder(alone.path())
        .author(author)
        .build()
        .unwrap();
    let items = items(&archive).await;
    let Some(heurpipe_core::Incoming::Post(first)) = items.first() else {
        panic!("{items:?}");
    };
    assert_eq!(handle(first), Some("brand"));
}

#[tokio::test]
async fn it_conforms() {
    assert_conforms(&fixture(FORMAT), Platform::instagram()).await;
}

fn pack(folder: &Path, zip: &Path) {
    let mut writer = zip::ZipWriter::new(std::fs::File::create(zip).unwrap());
    for file in files(folder) {
        let name = file.strip_prefix(folder).unwrap().to_str().unwrap();
        writer
            .start_file(name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(&std::fs::read(&file).unwrap()).unwrap();
    }
    writer.finish().unwrap();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}
