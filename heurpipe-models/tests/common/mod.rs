//! Pictures that need no file, and what both tests of the runtime share.

use std::sync::Arc;

use heurpipe_core::Pixels;

/// Pictures with large and small shapes in them, so that every layer has something to see.
pub fn pictures(size: u32, count: u32) -> Vec<Arc<Pixels>> {
    (1..=count)
        .map(|seed| Arc::new(picture(size, seed)))
        .collect()
}

fn picture(size: u32, seed: u32) -> Pixels {
    let mut bytes = Vec::with_capacity((size * size * 3) as usize);
    for y in 0..size {
        for x in 0..size {
            let (dx, dy) = (x.abs_diff(size / 2), y.abs_diff(size / 2));
            let disc = dx * dx + dy * dy < (size / 4 + seed * 3).pow(2);
            let stripe = ((x + seed * y / 2) / (3 + seed)).is_multiple_of(2);
            let noise = x
                .wrapping_mul(2_654_435_761)
                .wrapping_add(y * 40_503 * seed)
                >> 13
                & 31;
            let base = if disc { 40 * seed } else { 230 - 20 * seed };
            let shade = base + if stripe { 40 } else { 0 } + noise;
            bytes.extend(
                [shade, shade / 2 + 10 * seed, 255 - shade.min(255)].map(|v| v.min(255) as u8),
            );
        }
    }
    Pixels::rgb(size, size, bytes)
}
