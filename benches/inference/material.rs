//! Pictures as networks serve them, drawn here, and captions.

use std::path::{Path, PathBuf};

use heurpipe_sources::simulator::render::{Colour, Cut, GarmentPicture, Pattern};

use crate::AnyResult;

/// Drawn pictures; all others are copies of these with another comment in them.
const DRAWN: usize = 16;

/// The most common size on Instagram.
pub const PORTRAIT: (u32, u32) = (1080, 1350);

/// A drawn garment of this size as JPEG of quality 85.
///
/// # Errors
/// When it cannot be encoded.
pub fn picture(number: usize, (width, height): (u32, u32)) -> AnyResult<Vec<u8>> {
    let mut picture = GarmentPicture::new(
        Cut::ALL[number % Cut::ALL.len()],
        Colour::ALL[number % Colour::ALL.len()],
        Pattern::ALL[number % Pattern::ALL.len()],
        number as u64,
    );
    (picture.width, picture.height) = (width, height);
    Ok(picture.jpeg()?)
}

/// So many portraits, each of another content.
///
/// # Errors
/// When one cannot be encoded.
pub fn portraits(count: usize) -> AnyResult<Vec<Vec<u8>>> {
    let drawn = (0..DRAWN.min(count))
        .map(|number| picture(number, PORTRAIT))
        .collect::<AnyResult<Vec<_>>>()?;
    let numbered = drawn.iter().cycle().take(count).enumerate();
    Ok(numbered.map(|(n, jpeg)| with_comment(jpeg, n)).collect())
}

/// The same picture as other bytes: a comment stands after the mark of the beginning.
fn with_comment(jpeg: &[u8], number: usize) -> Vec<u8> {
    let comment = format!("{number:08}");
    let length = (comment.len() + 2) as u16;
    let (start, rest) = jpeg.split_at(2);
    let mut bytes = start.to_vec();
    bytes.extend([0xff, 0xfe]);
    bytes.extend(length.to_be_bytes());
    bytes.extend(comment.as_bytes());
    bytes.extend(rest);
    bytes
}

/// Writes pictures into a folder.
///
/// # Errors
/// When a file cannot be written.
pub fn write(folder: &Path, pictures: &[Vec<u8>]) -> AnyResult<Vec<PathBuf>> {
    let mut paths = Vec::with_capacity(pictures.len());
    for (number, bytes) in pictures.iter().enumerate() {
        let path = folder.join(format!("{number:06}.jpg"));
        std::fs::write(&path, bytes)?;
        paths.push(path);
    }
    Ok(paths)
}

/// So many captions in English and Chinese, of about ten to forty words, each another.
pub fn captions(count: usize) -> Vec<String> {
    const PARTS: [&str; 8] = [
        "the new season is here and we are in love with every single piece of it",
        "linen shirt, wide trousers, sandals",
        "今天穿了新买的连衣裙去喝咖啡 ☕",
        "#ootd #streetwear #vintage",
        "found this coat on the flea market for twelve euros 😍",
        "春夏新款 格纹半身裙 搭配白色T恤",
        "link in bio",
        "who else cannot wait for the summer sales to begin?",
    ];
    let caption = |number: usize| {
        let parts = 1 + number % 4;
        let chosen = (0..parts).map(|part| PARTS[(number * 3 + part * 5) % PARTS.len()]);
        let text = chosen.collect::<Vec<_>>().join(" ");
        format!("{text} {number}")
    };
    (0..count).map(caption).collect()
}
