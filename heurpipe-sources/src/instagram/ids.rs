//! The two spellings of a post's number.
//!
//! Archives and URLs speak of one number: the `pk`, or its shortcode, which is the same in base 64. The Graph API has ids of its
//! own, which cannot be converted.

use jiff::{SignedDuration, Timestamp};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// 24 August 2011, from which the numbers count time.
const BEGINNING: Timestamp = Timestamp::constant(1_314_220_021, 721_000_000);

/// Codes of private posts are longer: their number is in the first eleven characters.
const CODE_LENGTH: usize = 11;

/// The number behind a shortcode; none when it is no shortcode.
///
/// ```
/// use heurpipe_sources::instagram::ids::pk_of;
/// assert_eq!(pk_of("CtZs0Y3v2lx"), Some(3_123_724_930_722_523_505));
/// ```
pub fn pk_of(shortcode: &str) -> Option<u64> {
    if shortcode.is_empty() || !shortcode.bytes().all(|c| digit(c).is_some()) {
        return None;
    }
    shortcode
        .bytes()
        .take(CODE_LENGTH)
        .try_fold(0_u64, |number, c| {
            number.checked_mul(64)?.checked_add(digit(c)?)
        })
}

/// The shortcode of a number.
///
/// ```
/// use heurpipe_sources::instagram::ids::shortcode_of;
/// assert_eq!(shortcode_of(3_123_724_930_722_523_505), "CtZs0Y3v2lx");
/// ```
pub fn shortcode_of(pk: u64) -> String {
    let mut rest = pk;
    let mut reversed = Vec::new();
    loop {
        reversed.push(char::from(ALPHABET[(rest % 64) as usize]));
        rest /= 64;
        if rest == 0 {
            return reversed.into_iter().rev().collect();
        }
    }
}

/// When a number was given out, to the millisecond: shortly before its post was published, or longer where that was scheduled.
///
/// ```
/// use heurpipe_sources::instagram::ids::given_out_at;
/// let at = given_out_at(3_123_724_930_722_523_505);
/// assert_eq!(at.to_string(), "2023-06-12T19:10:51.464Z");
/// ```
pub fn given_out_at(pk: u64) -> Timestamp {
    // The upper 41 bits count milliseconds since the network's own beginning. They end in 2081, so the sum is always a time.
    let since = SignedDuration::from_millis((pk >> 23).cast_signed());
    BEGINNING.checked_add(since).unwrap_or(Timestamp::MAX)
}

/// The shortcode within a permalink: what follows `/p/`, `/reel/`, `/reels/` or `/tv/`.
pub fn shortcode_in(permalink: &str) -> Option<&str> {
    let path = permalink.split(['?', '#']).next()?;
    let mut parts = path.split('/').skip_while(|part| !is_post_path(part));
    parts.next()?;
    parts.next().filter(|code| pk_of(code).is_some())
}

fn is_post_path(part: &str) -> bool {
    matches!(part, "p" | "reel" | "reels" | "tv")
}

fn digit(c: u8) -> Option<u64> {
    ALPHABET.iter().position(|&a| a == c).map(|at| at as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checked_pairs_convert_both_ways() {
        for (code, pk) in [
            ("CtZs0Y3v2lx", 3_123_724_930_722_523_505),
            ("DUjJ-5iiOJQ", 3_828_948_013_003_891_280),
        ] {
            assert_eq!(pk_of(code), Some(pk));
            assert_eq!(shortcode_of(pk), code);
        }
    }

    #[test]
    fn codes_of_private_posts_are_longer() {
        assert_eq!(
            pk_of("CtZs0Y3v2lxAbCdEfGhIjKlMnOpQrStUvWxYz0123"),
            Some(3_123_724_930_722_523_505)
        );
    }

    #[test]
    fn what_is_no_shortcode() {
        assert_eq!(pk_of(""), None);
        assert_eq!(pk_of("Ct Zs"), None);
        assert_eq!(pk_of("___________"), None, "more than 64 bits");
    }

    #[test]
    fn permalinks_of_all_kinds() {
        for link in [
            "https://www.instagram.com/p/CtZs0Y3v2lx/",
            "https://www.instagram.com/reel/CtZs0Y3v2lx/?igsh=1",
            "https://www.instagram.com/brand/tv/CtZs0Y3v2lx",
        ] {
            assert_eq!(shortcode_in(link), Some("CtZs0Y3v2lx"), "{link}");
        }
        assert_eq!(shortcode_in("https://www.instagram.com/permalink"), None);
        assert_eq!(shortcode_in("https://www.instagram.com/p/"), None);
    }
}
