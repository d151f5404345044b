//! A folder of pictures, each read for its colours and its garment, into a file with one record a line.
//!
//! ```sh
//! cargo run -p heurpipe-examples --example picture_folder -- PICTURES [RECORDS.ndjson]
//! ```

use std::sync::Arc;

use heurpipe_core::testkit::Collect;
use heurpipe_core::{Error, ErrorKind, Pipeline, Result, RunOptions};
use heurpipe_models::{PictureDecoder, colour::Colours, shipped};
use heurpipe_sources::{folder::PictureFolder, media::MediaFetcher, ndjson::NdjsonSink};
use heurpipe_stores::blobs::MemoryBlobs;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or_else(|| {
        Error::new(ErrorKind::InvalidInput, "example.arguments").message("which folder?")
    })?;
    let file = arguments.next().unwrap_or("pictures.ndjson".to_owned());

    // A fetcher reads no file that it was not allowed to. Pictures need somewhere to lie; they are kept by their digest, once each.
    let fetcher = MediaFetcher::builder(Arc::new(MemoryBlobs::new()))
        .allow_files_under(&folder)?
        .build()?;
    let seen = Collect::new("seen");
    let pipeline = Pipeline::builder("pictures")
        .source(PictureFolder::open(&folder)?)
        .fetch_media(fetcher)
        // Both enrichers look at pixels, each at a size of its own; every picture is decoded once for both.
        .decode_with(PictureDecoder::default())
        .enrich(Colours::default())
        .enrich(shipped::garment()?)
        .sink(NdjsonSink::open(&file)?)
        .sink(seen.clone())
        .build()?;
    // The plan is known before anything runs.
    print!("{}", pipeline.plan());
    let report = pipeline.run(RunOptions::default()).await?;

    for record in seen.records() {
        println!("{}: {:?}", record.id(), record.effective());
    }
    let posts = report.posts;
    println!(
        "{} of {} pictures are in {file}",
        posts.delivered, posts.read
    );
    Ok(())
}
