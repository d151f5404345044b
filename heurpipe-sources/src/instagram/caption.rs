//! Hashtags and mentions within captions.

use heurpipe_core::text::is_han;
use unicode_normalization::char::is_combining_mark;

use crate::words::{Distinct, names};

/// The hashtags of a caption, without `#`, in order of appearance, each once whatever its case.
///
/// A tag is a run of letters, digits, marks and `_` of any script after `#` or `＃`; digits alone are no tag; what follows a letter or
/// digit directly is no tag either (`a#b`), unless that belongs to the tag before (`#a#b`).
pub(crate) fn hashtags(text: &str) -> Vec<String> {
    let mut tags = Distinct::default();
    let mut rest = text;
    while let Some(at) = rest.find(['#', '＃']) {
        let before = rest[..at].chars().next_back();
        // Han text has no spaces: there a tag may follow a letter directly.
        let glued = before.is_some_and(|c| is_tag_char(c) && !is_han(c));
        let sign = rest[at..].chars().next().map_or(1, char::len_utf8);
        let after = &rest[at + sign..];
        let end = after.find(|c| !is_tag_char(c)).unwrap_or(after.len());
        let tag = &after[..end];
        if !glued && tag.chars().any(|c| !c.is_numeric() && c != '_') {
            tags.add(tag);
        }
        rest = &after[end..];
    }
    tags.list
}

/// The handles that a caption mentions, without `@`, in lower case, in order of appearance, each once. A `@` after a letter or digit
/// belongs to an address of mail.
pub(crate) fn mentions(text: &str) -> Vec<String> {
    names(text, |c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
        .map(|name| name.trim_end_matches('.').to_lowercase())
        .collect::<Distinct>()
        .list
}

fn is_tag_char(c: char) -> bool {
    // The joiners hold Persian and Indic words together.
    c.is_alphanumeric() || c == '_' || is_combining_mark(c) || matches!(c, '\u{200c}' | '\u{200d}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashtags_of_all_scripts() {
        assert_eq!(
            hashtags("look #OOTD, #été2026 #连衣裙。＃ワンピース #हिन्दी #می‌روم"),
            ["OOTD", "été2026", "连衣裙", "ワンピース", "हिन्दी", "می‌روم"]
        );
    }

    #[test]
    fn what_is_no_hashtag() {
        assert_eq!(hashtags("a#b #1 # #_ &#39; c#"), [""; 0]);
        assert_eq!(hashtags("#a#b #A"), ["a", "b"], "glued tags, each once");
        assert_eq!(hashtags("#2024looks"), ["2024looks"]);
        assert_eq!(hashtags("今天#连衣裙"), ["连衣裙"]);
    }

    #[test]
    fn mentions_are_not_addresses_of_mail() {
        assert_eq!(
            mentions("by @Miu.Miu. and @miu.miu, me@mail.com (@zara_)"),
            ["miu.miu", "zara_"]
        );
    }
}
