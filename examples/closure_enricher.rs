//! An enricher made of a closure: which season does a text speak of?
//!
//! ```sh
//! cargo run -p heurpipe-examples --example closure_enricher
//! ```

use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::{
    EnricherFn, EnricherSpec, Filter, Finding, Pipeline, Result, RunOptions, SinkExt,
};

const SEASONS: [(&str, &[&str]); 2] = [
    ("summer", &["linen", "sandals", "beach"]),
    ("winter", &["wool", "boots", "snow"]),
];

#[tokio::main]
async fn main() -> Result<()> {
    // The spec says what the enricher gives; the closure reads one post. Raise the version whenever the closure would answer
    // otherwise than before: stored posts are then read anew.
    let spec = EnricherSpec::new("season", "1").gives(["season"]);
    let season = EnricherFn::new(spec, |item| {
        let text = item.post().text.to_lowercase();
        let spoken_of = SEASONS.iter().filter(|(_, words)| {
            let mut words = words.iter();
            words.any(|word| text.contains(word))
        });
        Ok(spoken_of
            .map(|(name, _)| Finding::label("season", *name))
            .collect())
    });

    // Without documents nothing is remembered between runs, and nothing else is needed.
    let sink = Collect::new("dressed for a season");
    let report = Pipeline::builder("seasons")
        .source(Posts::texts([
            "linen dress and sandals",
            "wool coat, snow to the knees",
            "boots at the beach",
            "a pair of jeans",
        ]))
        .enrich(season)
        .sink(sink.clone().only("season:*".parse::<Filter>()?))
        .build()?
        .run(RunOptions::default())
        .await?;

    for record in sink.records() {
        println!("{:?}: {}", record.effective()["season"], record.post.text);
    }
    println!("{:?}: {:?}", report.status, report.posts);
    for stage in &report.stages {
        println!(
            "{:<20} {} in, {} out",
            stage.name, stage.entered, stage.left
        );
    }
    Ok(())
}
