//! Text whose UTF-8 was taken for Latin-1.
//!
//! Exports write each byte of a text's UTF-8 as a character of its own: `é` comes as `Ã©`.

use std::borrow::Cow;

/// The text as it was meant; as it is when it was not garbled.
pub(super) fn repaired(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn garbled(text: &str) -> String {
        text.bytes().map(char::from).collect()
    }

    #[test]
    fn texts_of_exports_are_repaired() {
        assert_eq!(
            repaired("caf\u{c3}\u{a9} \u{f0}\u{9f}\u{98}\u{8a}"),
            "café 😊"
        );
        assert_eq!(repaired("plain"), "plain");
    }

    #[test]
    fn what_was_not_garbled_stays() {
        for text in ["café", "红色连衣裙", "Ã and 连", "naïve"] {
            assert_eq!(repaired(text), text);
        }
    }

    proptest! {
        #[test]
        fn every_garbled_text_is_repaired(text in ".*") {
            let garbled = garbled(&text);
            prop_assert_eq!(repaired(&garbled), text);
        }

        #[test]
        fn no_text_outside_latin_1_is_touched(before in ".*", after in ".*", c in "[^\\u{0}-\\u{ff}]") {
            let text = format!("{before}{c}{after}");
            prop_assert_eq!(repaired(&text), text.as_str());
        }
    }
}
