//! One hashtag of Instagram, gathered over HTTP; here from the simulator, so that it runs without a token.
//!
//! ```sh
//! cargo run -p heurpipe-examples --example gather_hashtag
//! ```

use std::sync::Arc;

use heurpipe_core::testkit::Collect;
use heurpipe_core::{Error, ErrorKind, Pipeline, Result, RunOptions};
use heurpipe_sources::instagram::InstagramGraph;
use heurpipe_sources::simulator::{CALLER, Simulator, SimulatorOptions, World, WorldOptions};
use heurpipe_stores::documents::MemoryDocuments;

#[tokio::main]
async fn main() -> Result<()> {
    let world = World::new(WorldOptions::new(7, 300));
    let options = SimulatorOptions::default();
    let token = options.token.clone();
    let simulator = Simulator::start(world.clone(), options)
        .await
        .map_err(|error| Error::new(ErrorKind::Io, "example.simulator").cause(error))?;
    let hashtag = world.hashtags().into_iter().next().unwrap_or_default();

    // Documents keep two things for the next run: how far this one has come, and which hashtags were asked for, of which a user may
    // have thirty in a week.
    let documents = Arc::new(MemoryDocuments::new());
    let source = InstagramGraph::builder()
        .base_url(simulator.graph_url()) // leave this out for the real host
        .user_id(CALLER)
        .token(token.into())
        .hashtags([&hashtag])
        .ledger(documents.clone())
        .build()?;

    let gathered = Collect::new("gathered");
    let report = Pipeline::builder("hashtag")
        .documents(documents)
        .source(source)
        .sink(gathered.clone())
        .build()?
        .run(RunOptions::default())
        .await?;
    for record in gathered.records().iter().take(5) {
        println!("{}: {}", record.id(), record.post.text);
    }
    println!("{} posts of #{hashtag}", report.posts.delivered);
    Ok(())
}
