//! A synthetic corpus in stores in memory: the same posts at every start.

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use heurpipe_api::AppState;
use heurpipe_core::{
    Annotation, Author, Blobs, ColourShare, Counts, Documents, Fetched, Finding, Fingerprint,
    LedgerEntry, LedgerOutcome, Media, Place, Platform, Post, PostCounts, PostId, Producer, Record,
    RunRecord, RunReport, RunStatus, Sink, StageReport, State, Target, Value,
};
use heurpipe_stores::blobs::memory::MemoryBlobs;
use heurpipe_stores::documents::memory::MemoryDocuments;
use heurpipe_stores::search::memory::MemorySearch;
use jiff::{SignedDuration, Timestamp};

const COLOURS: [(&str, [u8; 3]); 8] = [
    ("black", [28, 27, 26]),
    ("white", [246, 245, 242]),
    ("red", [205, 45, 42]),
    ("pink", [240, 143, 180]),
    ("blue", [47, 111, 208]),
    ("green", [47, 143, 78]),
    ("beige", [217, 195, 160]),
    ("navy", [31, 45, 90]),
];
const GARMENTS: [&str; 6] = ["dress", "t-shirt", "trousers", "skirt", "coat", "hat"];
const PATTERNS: [&str; 4] = ["plain", "striped", "floral", "checked"];
const BRANDS: [&str; 5] = ["Miu Miu", "Gucci", "Prada", "Li-Ning", "Acne Studios"];
const COUNTRIES: [&str; 4] = ["FR", "IT", "CN", "US"];
const CAPTIONS: [&str; 5] = [
    "Summer look for the long weekend, soft light and a favourite piece",
    "街头穿搭 今天的连衣裙也太好看了吧",
    "New in. Which one would you wear?",
    "Street style between two shows & a very good coffee",
    "<script>alert('not run')</script> caption with markup in it",
];

/// The stores, filled.
pub async fn state(posts: u64) -> Result<AppState, Box<dyn Error>> {
    let documents = Arc::new(MemoryDocuments::new());
    let search = Arc::new(MemorySearch::new());
    let blobs = Arc::new(MemoryBlobs::new());
    for number in 0..posts {
        let mut record = record(number, &blobs).await?;
        for outcome in documents.commit(&[&record]).await? {
            record.revision = outcome?;
        }
        for outcome in search.write(&[Arc::new(record)]).await? {
            outcome?;
        }
    }
    search.flush().await?;
    for run in runs(posts)? {
        documents.save_run(&run).await?;
    }
    Ok(AppState::builder(documents, search, blobs)
        .version("0.1.0")
        .build())
}

async fn record(number: u64, blobs: &MemoryBlobs) -> Result<Record, Box<dyn Error>> {
    let start: Timestamp = "2025-01-06T09:00:00Z".parse()?;
    let published = start + SignedDuration::from_hours(i64::try_from(number % 1300 * 9)?);
    let season = (number % 1300) as f64 / 1300.0;
    let colour = pick(number, 1, 16);
    // Pink grows over the time, navy shrinks: a trend to be seen.
    let colour = match colour {
        8..12 if season > 0.45 => 3,
        8..12 => 7,
        more => more % 8,
    };
    let (colour, rgb) = COLOURS[colour];
    let garment = GARMENTS[pick(number, 2, GARMENTS.len())];
    let platform = if number.is_multiple_of(3) {
        Platform::weibo()
    } else {
        Platform::instagram()
    };

    let mut post = Post::new(
        PostId::new(platform, (10_000 + number).to_string()),
        published,
    );
    post.published_at = Some(published);
    post.collected_at = published + SignedDuration::from_hours(5);
    post.text = CAPTIONS[pick(number, 3, CAPTIONS.len())].to_owned();
    post.hashtags = vec!["streetwear".to_owned(), garment.to_owned()];
    post.permalink = Some(format!("https://example.org/p/{number}"));
    let mut author = Author::unknown();
    author.handle = Some(format!("studio_{}", pick(number, 4, 23)));
    author.followers = Some(number * 37 % 90_000);
    post.author = Some(author);
    post.counts = Counts::new(Some(number * 7919 % 5000), Some(number % 90), None);
    let mut place = Place::named("somewhere");
    place.country = Some(COUNTRIES[pick(number, 5, 4)].to_owned());
    post.places.tagged = Some(place);
    let mut medium = Media::image("0", format!("https://example.org/{number}.png"));
    let bytes = picture(number, rgb)?;
    medium.fetched = Fetched::Stored {
        bytes: bytes.len() as u64,
        digest: blobs.put(bytes).await?,
        content_type: "image/png".to_owned(),
    };
    post.media = vec![medium];

    let mut record = Record::new(post);
    let sure = 0.55 + (number % 45) as f32 / 100.0;
    let share = ColourShare {
        name: colour.to_owned(),
        rgb,
        share: 0.7,
    };
    enter(
        &mut record,
        "colour",
        Finding::new("colour", Value::Colours(vec![share])),
        published,
    );
    enter(
        &mut record,
        "garment",
        Finding::label("garment", garment).confidence(sure),
        published,
    );
    let pattern = PATTERNS[pick(number, 6, PATTERNS.len())];
    enter(
        &mut record,
        "pattern",
        Finding::label("pattern", pattern).confidence(sure),
        published,
    );
    enter(
        &mut record,
        "look",
        Finding::new("look", Value::Vector(look(rgb, garment))),
        published,
    );
    if number.is_multiple_of(2) {
        let brand = BRANDS[pick(number, 7, BRANDS.len())];
        enter(
            &mut record,
            "brand",
            Finding::label("brand", brand),
            published,
        );
    }
    record.states.insert("catalog".to_owned(), State::Delivered);
    Ok(record)
}

/// What a picture looks like: how much it has of each colour, and what is worn in it.
fn look(rgb: [u8; 3], garment: &str) -> Vec<f32> {
    let colour = rgb.map(|share| f32::from(share) / 255.0);
    let worn = GARMENTS.map(|name| if name == garment { 1.0 } else { 0.0 });
    [&colour[..], &worn].concat()
}

fn enter(record: &mut Record, name: &str, finding: Finding, at: Timestamp) {
    let fingerprint = Fingerprint::of([name, "1"]);
    let target = Target::Media("0".to_owned());
    let producer = Producer {
        name: name.to_owned(),
        version: "1".to_owned(),
        fingerprint: fingerprint.clone(),
        threshold: Some(0.6),
        shadow: false,
    };
    let annotation = Annotation::produced(target.clone(), finding, producer, at);
    let input = heurpipe_core::InputDigest::of(record.id().to_string().as_bytes());
    let entry = LedgerEntry::new(name, fingerprint, target, input, LedgerOutcome::Done, at);
    record.enter(entry.cost(4.2), vec![annotation]);
}

/// A plain shape in its colour: enough to see that pictures come.
fn picture(number: u64, rgb: [u8; 3]) -> Result<Bytes, Box<dyn Error>> {
    let (width, height) = (240_u32, 300_u32);
    let wall = [236, 230, 222].map(|c: u8| c - (number % 40) as u8);
    let cut = pick(number, 2, 3) as f64;
    let image = image::RgbImage::from_fn(width, height, |x, y| {
        let across = (f64::from(x) / f64::from(width) - 0.5).abs();
        let down = f64::from(y) / f64::from(height);
        let body = 0.14 + cut * 0.03 + (down - 0.3).max(0.0) * (0.1 + 0.15 * cut);
        let worn = (0.2..0.85).contains(&down) && across < body;
        image::Rgb(if worn { rgb } else { wall })
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png)?;
    Ok(bytes.into_inner().into())
}

fn runs(posts: u64) -> Result<Vec<RunRecord>, Box<dyn Error>> {
    let start: Timestamp = "2026-05-04T06:00:00Z".parse()?;
    let run = |(days, use_case, status): (i64, &str, RunStatus)| {
        let mut report = RunReport::begun(format!("run-{days}"), use_case);
        report.status = status;
        report.posts = PostCounts {
            read: posts,
            delivered: posts * 7 / 10,
            filtered: posts / 5,
            held: posts / 12,
            rejected: 0,
            dead_lettered: posts - posts * 7 / 10 - posts / 5 - posts / 12,
        };
        report.seconds = 187.4;
        report.posts_per_second = posts as f64 / report.seconds;
        report.bottleneck = Some("garment".to_owned());
        report.stages = [
            ("fetch", 0.4),
            ("colour", 0.3),
            ("garment", 0.93),
            ("search", 0.1),
        ]
        .map(|(name, busy)| {
            let mut stage = StageReport::default();
            stage.name = name.to_owned();
            stage.entered = posts;
            stage.left = posts;
            stage.cpu_ms = busy * 120_000.0;
            stage.busy = busy;
            stage
        })
        .to_vec();
        let started_at = start + SignedDuration::from_hours(24 * days);
        RunRecord {
            started_at,
            ended_at: Some(started_at + SignedDuration::from_secs(187)),
            report,
        }
    };
    Ok([
        (0, "catalog", RunStatus::Done),
        (1, "trends", RunStatus::Partial),
        (2, "catalog", RunStatus::Done),
    ]
    .map(run)
    .to_vec())
}

/// One of so many, evenly and differently for each purpose, but always the same.
fn pick(number: u64, purpose: u64, count: usize) -> usize {
    let text = format!("{number}/{purpose}");
    let unit = heurpipe_core::Digest::of(text.as_bytes()).unit_interval();
    (unit * count as f64) as usize
}
