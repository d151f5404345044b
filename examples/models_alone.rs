//! Models without a pipeline: decode a picture once, and ask several models about it.
//!
//! ```sh
//! cargo run -p heurpipe-examples --example models_alone -- picture.jpg
//! ```

use heurpipe_core::{Enricher, Error, ErrorKind, Input, PixelRequest, Result};
use heurpipe_models::{PictureDecoder, Runtime, colour::Colours, shipped};

/// What an enricher wants to see.
fn wanted(enricher: &impl Enricher) -> Result<PixelRequest> {
    match enricher.spec().input {
        Input::Pixels(request) => Ok(request),
        _ => Err(Error::new(ErrorKind::Config, "example").message("it looks at no pixels")),
    }
}

fn main() -> Result<()> {
    let path = std::env::args().nth(1);
    let path = path.unwrap_or_else(|| "docs/explore.png".to_owned());
    let bytes = std::fs::read(&path).map_err(|error| {
        Error::new(ErrorKind::Io, "example")
            .with("file", &path)
            .cause(error)
    })?;
    println!("{}", Runtime::get()?.status());

    let (garment, pattern, colours) =
        (shipped::garment()?, shipped::pattern()?, Colours::default());
    let sizes = [wanted(&garment)?, wanted(&pattern)?, wanted(&colours)?];
    let mut pixels = PictureDecoder::default()
        .decode_now(&bytes, &sizes)?
        .into_iter();
    let mut next = || {
        pixels
            .next()
            .ok_or_else(|| Error::new(ErrorKind::Internal, "example"))
    };

    let garments = garment.classify(&[next()?.into()])?;
    let patterns = pattern.classify(&[next()?.into()])?;
    let named = colours.name(&next()?)?;
    println!(
        "garment: {} ({:.2})",
        garments[0].label, garments[0].confidence
    );
    println!(
        "pattern: {} ({:.2})",
        patterns[0].label, patterns[0].confidence
    );
    for colour in named {
        println!("colour: {} on {:.0} %", colour.name, colour.share * 100.0);
    }
    Ok(())
}
