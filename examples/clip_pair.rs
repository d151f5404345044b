//! A pair of models such as CLIP: labels that no model was trained on, by their descriptions.
//!
//! ```sh
//! cargo run -p heurpipe-examples --example clip_pair -- MODEL_FOLDER
//! ```
//!
//! Without a folder it takes a toy pair of a few numbers, which knows the words for some colours. `docs/models.md` says how to export a real one.

use std::path::PathBuf;

use heurpipe_core::{EnricherExt, Pixels, Result};
use heurpipe_models::ZeroShot;

#[tokio::main]
async fn main() -> Result<()> {
    let toys = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../heurpipe-models/tests/fixtures/toys/pair"
    );
    let folder = std::env::args().nth(1);
    let folder = folder.map_or_else(|| PathBuf::from(toys), PathBuf::from);

    // The labels and prompts stand in the folder's model.toml; their vectors are made here, once.
    let pair = ZeroShot::load(folder)?;
    let input = pair.manifest().picture_input()?;
    println!("labels: {}", pair.manifest().labels.join(", "));

    // A yellow picture of the size that the model wants; a pipeline's decoder would give it such.
    let pixels = input.width as usize * input.height as usize;
    let yellow = Pixels::rgb(input.width, input.height, [250, 220, 20].repeat(pixels));
    let found = pair.enrich_one(yellow).await?;
    println!(
        "found: {:?} ({:.2})",
        found[0].value,
        found[0].confidence.unwrap_or(0.0)
    );
    Ok(())
}
