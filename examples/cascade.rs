//! A cascade: the dear model runs only where cheap ones saw something worth it.
//!
//! ```sh
//! cargo run -p heurpipe-examples --example cascade
//! ```
//!
//! Here the dear one is a closure that counts its calls; in a configuration the same is
//! `enrichers = ["brand", { name = "style", when = "brand:gucci" }]`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::{
    Cost, EnricherExt, EnricherFn, EnricherSpec, Filter, Finding, Pipeline, Post, Result,
    RunOptions,
};
use heurpipe_models::text::brand::Brands;

#[tokio::main]
async fn main() -> Result<()> {
    let texts = ["my new Gucci bag", "rain again", "#gucci loafers", "lunch"];
    let posts = texts.iter().enumerate().map(|(number, text)| {
        let mut post = Post::new(
            format!("instagram:{number}").parse()?,
            jiff::Timestamp::now(),
        );
        post.text = (*text).to_owned();
        Ok(post)
    });
    let posts = posts.collect::<Result<Vec<_>>>()?;

    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let spec = EnricherSpec::new("style", "1")
        .gives(["style"])
        .cost(Cost::CpuMs(200.0));
    let style = EnricherFn::new(spec, move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(vec![Finding::label("style", "evening")])
    });

    let out = Collect::new("out");
    let pipeline = Pipeline::builder("cascade")
        .source(Posts::new(posts))
        .enrich(Brands::shipped()?)
        .enrich(style.when("brand:gucci".parse::<Filter>()?))
        .sink(out.clone())
        .build()?;
    print!("{}", pipeline.plan());
    pipeline.run(RunOptions::default()).await?;
    let styled = out
        .records()
        .iter()
        .filter(|r| r.annotations.iter().any(|a| a.attribute == "style"))
        .count();
    println!(
        "{} calls, {styled} of {} posts styled",
        calls.load(Ordering::Relaxed),
        texts.len()
    );
    Ok(())
}
