//! A folder that instaloader has filled: its posts with the pictures that lie beside them, read for their colours.
//!
//! ```sh
//! cargo run -p heurpipe-examples --example instaloader_folder -- FOLDER
//! ```

use std::sync::Arc;

use heurpipe_core::testkit::Collect;
use heurpipe_core::{Error, ErrorKind, Pipeline, Result, RunOptions, Source};
use heurpipe_models::{PictureDecoder, colour::Colours};
use heurpipe_sources::{archive::Archive, media::MediaFetcher};
use heurpipe_stores::blobs::MemoryBlobs;

#[tokio::main]
async fn main() -> Result<()> {
    let folder = std::env::args().nth(1).ok_or_else(|| {
        Error::new(ErrorKind::InvalidInput, "example.arguments").message("which folder?")
    })?;
    // Whatever is known is read, also ZIPs and files of other crawlers: what it is is told from the files, and said here.
    let archive = Archive::open(&folder)?;
    println!("found: {}", archive.spec().description);

    let fetcher = MediaFetcher::builder(Arc::new(MemoryBlobs::new()))
        .allow_files_under(&folder)?
        .build()?;
    let seen = Collect::new("seen");
    Pipeline::builder("instaloader")
        .source(archive)
        .fetch_media(fetcher)
        .decode_with(PictureDecoder::default())
        .enrich(Colours::default())
        .sink(seen.clone())
        .build()?
        .run(RunOptions::default())
        .await?;
    for record in seen.records() {
        println!("{}: {:?}", record.id(), record.effective());
    }
    Ok(())
}
