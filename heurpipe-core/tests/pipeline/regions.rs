//! Parts of pictures that one enricher finds are what another looks at.

use std::sync::Arc;

use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;
use heurpipe_stores::documents::MemoryDocuments;

use super::support::pictures::{Fetcher, FirstPixel, pictured};
use super::support::*;

fn region(x: f32) -> Region {
    Region {
        x,
        y: 0.0,
        width: 0.5,
        height: 1.0,
    }
}

/// Finds a thing at each of these left edges.
fn finder(version: &str, edges: &'static [f32]) -> Probe {
    let spec = EnricherSpec::new("finder", version)
        .gives(["thing"])
        .pixels(PixelRequest::new(1, 1, Fit::Stretch));
    Probe::of(spec).answers(move |_| {
        let found = edges
            .iter()
            .map(|x| Finding::label("thing", "cup").region(region(*x)));
        Ok(found.collect())
    })
}

/// Says with which letter a part begins.
fn reader() -> Probe {
    let spec = EnricherSpec::new("reader", "1")
        .gives(["letter"])
        .pixels(PixelRequest::new(1, 1, Fit::Crop))
        .regions_of("thing");
    Probe::of(spec).answers(|item| {
        let letter = char::from(item.pixels()?.bytes[0]);
        Ok(vec![Finding::label("letter", letter.to_string())])
    })
}

async fn gather(
    documents: &Arc<MemoryDocuments>,
    fetcher: &Fetcher,
    decoder: &FirstPixel,
    finder: &Probe,
    reader: &Probe,
) -> RunReport {
    let builder = with(documents)
        .source(Posts::new(vec![
            pictured(0, &["abcdef"]),
            pictured(1, &["abcdef", "ghijkl"]),
        ]))
        .fetch_media(fetcher.clone())
        .decode_with(decoder.clone())
        .enrich(reader.clone())
        .enrich(finder.clone())
        .sink(Collect::new("out"));
    run_with(builder, one_by_one(8)).await
}

fn letters_of(record: &Record) -> Vec<(String, String)> {
    let letters = record
        .annotations
        .iter()
        .filter(|a| a.attribute == "letter");
    letters
        .map(|a| (a.target.to_string(), a.value.labels().concat()))
        .collect()
}

#[tokio::test]
async fn each_part_is_looked_at_once_and_by_itself() {
    let (documents, decoder) = (memory(), FirstPixel::default());
    let (finder, reader) = (finder("1", &[0.0, 0.5]), reader());
    gather(&documents, &Fetcher::new(), &decoder, &finder, &reader).await;
    let stored = record(documents.as_ref(), 1).await;
    let parts = |media: &str, x: f32, letter: &str| {
        (format!("media/{media}/{}", region(x)), letter.to_owned())
    };
    let expected = [
        parts("m0", 0.0, "a"),
        parts("m0", 0.5, "d"),
        parts("m1", 0.0, "g"),
        parts("m1", 0.5, "j"),
    ];
    assert_eq!(letters_of(&stored), expected);
    // Two distinct pictures with two parts each; each picture is decoded once as a whole and once for its parts.
    assert_eq!(reader.items(), 4);
    assert_eq!(decoder.decoded(), 4);
}

#[tokio::test]
async fn parts_that_are_no_longer_found_are_forgotten() {
    let (documents, decoder) = (memory(), FirstPixel::default());
    let (reader, fetcher) = (reader(), Fetcher::new());
    let both = finder("1", &[0.0, 0.5]);
    gather(&documents, &fetcher, &decoder, &both, &reader).await;
    let before = reader.items();
    let stale = with(&documents)
        .stale(Filter::All)
        .fetch_media(fetcher)
        .decode_with(decoder.clone())
        .enrich(reader.clone())
        .enrich(finder("2", &[0.5]))
        .sink(Collect::new("out"));
    let stale = stale.build().unwrap().run(one_by_one(8)).await.unwrap();
    assert_eq!(stale.posts.read, 2, "{stale:?}");
    let stored = record(documents.as_ref(), 0).await;
    assert_eq!(
        letters_of(&stored),
        [(format!("media/m0/{}", region(0.5)), "d".to_owned())]
    );
    let lines = stored
        .ledger
        .iter()
        .filter(|line| *line.enricher == *"reader");
    assert_eq!(lines.count(), 1);
    assert!(reader.items() > before, "what they depend on has changed");
}
