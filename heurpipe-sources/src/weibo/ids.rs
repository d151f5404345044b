//! The two spellings of a post's number: `mid` in decimal, `bid` as in URLs.

const ALPHABET: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Four letters stand for seven digits.
const LETTERS: usize = 4;
const DIGITS: u64 = 10_000_000;

/// The number behind a `bid`; none when it is no `bid`.
///
/// ```
/// use heurpipe_sources::weibo::ids::mid_of;
/// assert_eq!(mid_of("HyTZc60ew"), Some(4_383_183_661_430_868));
/// ```
pub fn mid_of(bid: &str) -> Option<u64> {
    if bid.is_empty() || !bid.is_ascii() {
        return None;
    }
    let first = bid.len() % LETTERS;
    let (head, groups) = bid.split_at(first);
    let mut mid = 0_u64;
    if !head.is_empty() {
        mid = group(head.as_bytes())?;
    }
    for letters in groups.as_bytes().chunks(LETTERS) {
        mid = mid.checked_mul(DIGITS)?.checked_add(group(letters)?)?;
    }
    Some(mid)
}

/// The `bid` of a number.
///
/// ```
/// use heurpipe_sources::weibo::ids::bid_of;
/// assert_eq!(bid_of(4_383_183_661_430_868), "HyTZc60ew");
/// ```
pub fn bid_of(mid: u64) -> String {
    let mut groups = Vec::new();
    let mut rest = mid;
    while rest >= DIGITS {
        groups.push(letters(rest % DIGITS, LETTERS));
        rest /= DIGITS;
    }
    // Only the first group goes without leading zeros.
    groups.push(letters(rest, 1));
    groups.into_iter().rev().collect()
}

/// The number of one group; none for letters outside of the alphabet and for more than seven digits.
fn group(letters: &[u8]) -> Option<u64> {
    let number = letters.iter().try_fold(0_u64, |number, letter| {
        let digit = ALPHABET.iter().position(|a| a == letter)?;
        Some(number * 62 + digit as u64)
    })?;
    (number < DIGITS).then_some(number)
}

fn letters(number: u64, at_least: usize) -> String {
    let mut rest = number;
    let mut reversed = Vec::new();
    while rest > 0 || reversed.len() < at_least {
        reversed.push(char::from(ALPHABET[(rest % 62) as usize]));
        rest /= 62;
    }
    reversed.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checked_pairs_convert_both_ways() {
        for (bid, mid) in [
            ("HyTZc60ew", 4_383_183_661_430_868),
            ("Mch46rqPr", 4_829_255_386_537_989),
            ("LqlZNhJFm", 4_762_810_834_227_120),
            ("K3fnuEfZK", 4_607_741_009_594_608),
        ] {
            assert_eq!(mid_of(bid), Some(mid));
            assert_eq!(bid_of(mid), bid);
        }
    }

    #[test]
    fn inner_groups_keep_their_zeros() {
        for mid in [0, 1, 61, 9_999_999, 10_000_000, 40_000_000_000_001] {
            assert_eq!(mid_of(&bid_of(mid)), Some(mid), "{mid}");
        }
    }

    #[test]
    fn what_is_no_bid() {
        for text in ["", "Hy-Zc60ew", "微博", "ZZZZ", "ZZZZZZZZZZZZZZZZ"] {
            assert_eq!(mid_of(text), None, "{text}");
        }
    }
}
