//! An enricher of one's own: what it says of itself, and what it finds in each post.
//!
//! ```sh
//! cargo run -p heurpipe-examples --example own_enricher
//! ```

use async_trait::async_trait;
use heurpipe_core::{
    Batch, Enriched, Enricher, EnricherExt, EnricherSpec, Finding, Item, Post, Result,
};

/// How long a post's text is: `short` or `long`.
struct Length(EnricherSpec);

impl Length {
    fn of(item: &Item) -> Vec<Finding> {
        let long = item.post().text.chars().count() > 80;
        vec![Finding::label(
            "length",
            if long { "long" } else { "short" },
        )]
    }
}

#[async_trait]
impl Enricher for Length {
    fn spec(&self) -> &EnricherSpec {
        &self.0
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        let outcomes = batch.items.iter().map(|item| Ok(Self::of(item)));
        Ok(Enriched::new(
            self.0.fingerprint.clone(),
            outcomes.collect(),
        ))
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    // The version is part of the fingerprint: raise it when the rule changes, and stored posts are analysed once more.
    let length = Length(EnricherSpec::new("length", "1").gives(["length"]));
    let mut post = Post::new("instagram:1".parse()?, jiff::Timestamp::now());
    post.text = "New in: the linen dress".to_owned();
    println!("{:?}", length.enrich_one(post).await?);
    Ok(())
}
