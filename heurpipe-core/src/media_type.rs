//! What the bytes of a medium are, told from how they begin: names and headers lie.

/// The media type of a picture or video; none when it is neither.
///
/// Every type that is told is one that browsers show without running anything: neither HTML nor SVG.
///
/// ```
/// assert_eq!(heurpipe_core::media_type(b"GIF89a..."), Some("image/gif"));
/// assert_eq!(heurpipe_core::media_type(b"<html>"), None);
/// ```
pub fn media_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some("image/webp"),
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] if brand.len() >= 4 => {
            Some(brand_type(brand))
        }
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Some("video/webm"),
        _ => None,
    }
}

/// Several formats share one container; the brand says which it is.
fn brand_type(brand: &[u8]) -> &'static str {
    match brand {
        [b'a', b'v', b'i', b'f' | b's', ..] => "image/avif",
        [b'h', b'e', b'i', b'c' | b'x', ..] | [b'm', b'i', b'f', b'1', ..] => "image/heic",
        [b'q', b't', ..] => "video/quicktime",
        _ => "video/mp4",
    }
}

#[cfg(test)]
mod tests {
    use super::media_type;

    #[test]
    fn pictures_and_videos_are_known_by_their_beginning() {
        for (bytes, expected) in [
            (&b"\xff\xd8\xff\xe0rest"[..], Some("image/jpeg")),
            (b"\x89PNG\r\n\x1a\nrest", Some("image/png")),
            (b"GIF89arest", Some("image/gif")),
            (b"RIFF\x10\0\0\0WEBPrest", Some("image/webp")),
            (b"\0\0\0\x18ftypmp42rest", Some("video/mp4")),
            (b"\0\0\0\x18ftypavifrest", Some("image/avif")),
            (b"\0\0\0\x18ftypheicrest", Some("image/heic")),
            (b"\0\0\0\x18ftypqt  rest", Some("video/quicktime")),
            (b"\x1a\x45\xdf\xa3rest", Some("video/webm")),
            (b"RIFF\x10\0\0\0WAVErest", None),
            (b"GIF89a", Some("image/gif")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"\0\0\0\x1cftypavif", Some("image/avif")),
            (b"\0\0\0\x18ftypisom", Some("video/mp4")),
            (b"\0\0\0\x18ftyp", None),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
            (b"<!doctype html>", None),
            (b"<html>", None),
            (b"just a text named .jpg", None),
            (b"\xff\xd8", None),
            (b"", None),
        ] {
            assert_eq!(media_type(bytes), expected, "{bytes:?}");
        }
    }
}
