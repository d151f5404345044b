//! A source of one's own: diaries, of which a second run reads only what was written since the first; and the kit that checks it.
//!
//! ```sh
//! cargo run -p heurpipe-examples --example own_source
//! ```

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use heurpipe_core::testkit::{Collect, suite};
use heurpipe_core::*;
use heurpipe_stores::documents::MemoryDocuments;

/// The diaries of Ada and Lin as far as they are written, a line per entry.
struct Diaries(SourceSpec, [&'static str; 2]);

#[async_trait]
impl Source for Diaries {
    fn spec(&self) -> &SourceSpec {
        &self.0
    }

    // No diary depends on the other, so each is a partition: read beside the other, with a checkpoint of its own.
    async fn partitions(&self) -> Result<Vec<Partition>> {
        Ok(vec![Partition("ada".into()), Partition("lin".into())])
    }

    // Two entries a page. Its checkpoint, the count of entries up to its end, is for this source alone to understand.
    fn read(&self, partition: Partition, from: Checkpoint) -> BoxStream<'static, Result<Page>> {
        let entries: Vec<_> = self.1[usize::from(partition.0 == "lin")].lines().collect();
        let start = from.resume.and_then(|c| c.0.parse().ok()).unwrap_or(0);
        let post = |number: usize| {
            let id = PostId::new(Platform::new("diary"), format!("{}-{number}", partition.0));
            let mut post = Post::new(id, jiff::Timestamp::now());
            post.text = entries[number].to_owned();
            Incoming::Post(Box::new(post))
        };
        let page = |first: usize| {
            let end = (first + 2).min(entries.len());
            let items = (first..end).map(post).collect();
            let checkpoint = Checkpoint::at(end.to_string());
            Ok(Page { items, checkpoint })
        };
        let pages: Vec<_> = (start..entries.len()).step_by(2).map(page).collect();
        stream::iter(pages).boxed()
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let documents = Arc::new(MemoryDocuments::new()); // it keeps the checkpoints
    for diaries in [["rain\nred coat", "silk"], ["rain\nred coat\nsnow", "silk"]] {
        let source = Diaries(SourceSpec::new("diaries", "of Ada and Lin"), diaries);
        let builder = Pipeline::builder("reading").documents(documents.clone());
        let pipeline = builder.source(source).sink(Collect::new("read")).build()?;
        let report = pipeline.run(RunOptions::default()).await?;
        println!("new entries: {}", report.posts.read);
    }

    // Does it keep what a source must uphold? The kit reads it in all the ways that a pipeline may, and says what it found.
    let make = || {
        Diaries(
            SourceSpec::new("diaries", "of Ada and Lin"),
            ["rain\nred coat\nsnow", "silk"],
        )
    };
    let report = suite::source(make, suite::SourceOptions::default()).await;
    print!("{report}");
    Ok(())
}
