//! Number systems of both networks: shortcodes, bids, and the made-up Graph ids.

const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BASE62: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Instagram user id of the account that the Graph API's token belongs to.
pub const CALLER: &str = "17841405309211844";

/// The shortcode of an Instagram medium: base64url of its pk.
pub fn shortcode(pk: u64) -> String {
    digits(pk, BASE64URL)
}

/// The bid of a Weibo post: groups of seven decimal digits from the right, each in base 62, padded to four but for the first.
pub fn bid(mid: u64) -> String {
    const GROUP: u64 = 10_000_000;
    let group = digits(mid % GROUP, BASE62);
    if mid < GROUP {
        group
    } else {
        format!("{}{group:0>4}", bid(mid / GROUP))
    }
}

/// The pk that Instagram would give the `index`th medium, created at `unix_ms`.
pub(crate) fn instagram_pk(unix_ms: i64, index: u64) -> u64 {
    const EPOCH_MS: i64 = 1_314_220_021_721;
    ((unix_ms - EPOCH_MS).max(0) as u64) << 23 | (index & 0x7f_ffff)
}

/// The mid that Weibo would give the `index`th post, created at `unix_s`.
pub(crate) fn weibo_mid(unix_s: i64, index: u64) -> u64 {
    const EPOCH_S: i64 = 515_483_463;
    ((unix_s - EPOCH_S).max(0) as u64) << 22 | (index & 0x3f_ffff)
}

/// A 17-digit Graph id of the `index`th node of a family (`family` is 1, 2, ...).
pub(crate) fn graph_id(family: u64, index: u64) -> String {
    (17_800_000_000_000_000 + family * 10_000_000_000_000 + index * 104_729 + 11).to_string()
}

fn digits(mut number: u64, alphabet: &[u8]) -> String {
    let base = alphabet.len() as u64;
    let mut reversed = Vec::new();
    loop {
        reversed.push(char::from(alphabet[(number % base) as usize]));
        number /= base;
        if number == 0 {
            return reversed.into_iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{bid, shortcode};

    #[test]
    fn ids_equal_those_of_real_posts() {
        assert_eq!(shortcode(3_123_724_930_722_523_505), "CtZs0Y3v2lx");
        assert_eq!(bid(4_383_183_661_430_868), "HyTZc60ew");
        assert_eq!(bid(4_829_255_386_537_989), "Mch46rqPr");
    }
}
