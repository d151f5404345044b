//! How good is a model on a folder of labelled pictures?
//!
//! `cargo run -p heurpipe-models --example check_model -- garment DIR [--holdout]`: a shipped model's name or a model folder, and a folder with a
//! labels.csv or with a sub-folder per label.

use std::path::Path;

use heurpipe_core::Result;
use heurpipe_models::{CheckOptions, Classify, check, shipped};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, folder, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: check_model NAME|MODEL_FOLDER DIR [--holdout]");
        std::process::exit(2);
    };
    let model = if Path::new(model).join("model.toml").is_file() {
        Classify::load(model)?
    } else {
        shipped::load(model)?
    };
    let options = CheckOptions::default().holdout_only(rest.iter().any(|a| a == "--holdout"));
    let runtime = tokio::runtime::Runtime::new().map_err(|error| {
        heurpipe_core::Error::new(heurpipe_core::ErrorKind::Io, "tokio").cause(error)
    })?;
    println!("{}", runtime.block_on(check(&model, folder, &options))?);
    Ok(())
}
