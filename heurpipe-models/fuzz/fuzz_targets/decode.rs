#![no_main]

//! The decoder alone, without the model runtimes, so that it is built and run quickly.

#[allow(dead_code)]
#[path = "../../src/decode/mod.rs"]
mod decode;

use decode::{DecodeLimits, PictureDecoder};
use heurpipe_core::{Fit, PixelRequest, Region, Resample};

const FITS: [Fit; 4] = [Fit::Stretch, Fit::Crop, Fit::Letterbox, Fit::Inside];
const RESAMPLES: [Resample; 4] = [
    Resample::Bilinear,
    Resample::Bicubic,
    Resample::Lanczos,
    Resample::Nearest,
];

// The last twelve bytes are two requests, so that any picture is a seed.
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let (picture, tail) = input.split_at(input.len().saturating_sub(12));
    let requests: Vec<_> = tail.chunks_exact(6).map(request).collect();
    let mut limits = DecodeLimits::default();
    limits.max_pixels = 1 << 20;
    limits.max_memory = 64 << 20;
    let Ok(all) = PictureDecoder::new(limits).decode_now(picture, &requests) else {
        return;
    };
    assert_eq!(all.len(), requests.len());
    for (pixels, request) in all.iter().zip(&requests) {
        let (width, height) = (pixels.width, pixels.height);
        assert_eq!(pixels.bytes.len(), width as usize * height as usize * 3);
        assert!(width <= request.width && height <= request.height);
        let exact = (width, height) == (request.width, request.height);
        assert!(exact || request.fit == Fit::Inside);
    }
});

fn request(bytes: &[u8]) -> PixelRequest {
    let [width, height, how, edge, x, y] = std::array::from_fn(|at| bytes[at]);
    let mut request = PixelRequest::new(
        u32::from(width) + 1,
        u32::from(height) + 1,
        FITS[usize::from(how & 3)],
    )
    .resample(RESAMPLES[usize::from(how >> 2 & 3)]);
    if how & 16 != 0 {
        request = request.shortest_edge(edge.into());
    }
    if how & 32 != 0 {
        request = request.region(Region {
            x: f32::from(x) / 200.0,
            y: f32::from(y) / 200.0,
            width: f32::from(edge) / 200.0,
            height: f32::from(width) / 200.0,
        });
    }
    request
}
