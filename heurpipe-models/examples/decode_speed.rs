//! CPU time of decoding a picture to what three models ask for.
//!
//! ```sh
//! cargo run --release --features turbojpeg -p heurpipe-models --example decode_speed -- PICTURE.jpg …
//! ```

use cpu_time::ThreadTime;
use heurpipe_core::{Fit, PixelRequest, Result};
use heurpipe_models::PictureDecoder;

const ROUNDS: u32 = 100;

fn main() -> Result<()> {
    let requests = [
        PixelRequest::new(224, 224, Fit::Stretch),
        PixelRequest::new(128, 128, Fit::Inside),
        PixelRequest::new(96, 96, Fit::Inside),
    ];
    let decoder = PictureDecoder::default();
    for path in std::env::args().skip(1) {
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                eprintln!("{path}: {error}");
                continue;
            }
        };
        let start = ThreadTime::now();
        for _ in 0..ROUNDS {
            decoder.decode_now(&bytes, &requests)?;
        }
        let each = start.elapsed() / ROUNDS;
        println!("{path}: {each:?} by {}", PictureDecoder::jpeg_decoder());
    }
    Ok(())
}
