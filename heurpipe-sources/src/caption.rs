//! Hashtags and mentions within texts.

use heurpipe_core::text::is_han;
use unicode_normalization::char::is_combining_mark;

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

/// The topics of a Weibo text (`#…#`), without `#` and without the mark of a super topic, in order of appearance, each once.
pub(crate) fn topics(text: &str) -> Vec<String> {
    let mut topics = Distinct::default();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('#') {
        let Some((topic, next)) = after.split_once('#') else {
            break;
        };
        let name = topic.strip_suffix("[超话]").unwrap_or(topic).trim();
        // A topic stands on one line and is short; else the two signs do not belong together.
        if name.is_empty() || name.contains('\n') || name.chars().count() > 100 {
            rest = after;
        } else {
            topics.add(name);
            rest = next;
        }
    }
    topics.list
}

/// The handles that a caption mentions, without `@`, in lower case, in order of appearance, each once. A `@` after a letter or digit
/// belongs to an address of mail.
pub(crate) fn mentions(text: &str) -> Vec<String> {
    names(text, |c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
        .map(|name| name.trim_end_matches('.').to_lowercase())
        .collect::<Distinct>()
        .list
}

/// The names that a Weibo text mentions, without `@`, in order of appearance, each once.
pub(crate) fn weibo_mentions(text: &str) -> Vec<String> {
    names(text, |c| c.is_alphanumeric() || c == '_' || c == '-')
        .map(str::to_owned)
        .collect::<Distinct>()
        .list
}

fn names(text: &str, is_name_char: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
    text.match_indices(['@', '＠'])
        .filter_map(move |(at, sign)| {
            let before = text[..at].chars().next_back();
            // Han text has no spaces: there a mention may follow a letter directly.
            if before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.') {
                return None;
            }
            let after = &text[at + sign.len()..];
            let end = after.find(|c| !is_name_char(c)).unwrap_or(after.len());
            (end > 0).then(|| &after[..end])
        })
}

fn is_tag_char(c: char) -> bool {
    // The joiners hold Persian and Indic words together.
    c.is_alphanumeric() || c == '_' || is_combining_mark(c) || matches!(c, '\u{200c}' | '\u{200d}')
}

/// A list without repetitions, whatever the case of letters.
#[derive(Default)]
struct Distinct {
    list: Vec<String>,
    known: std::collections::HashSet<String>,
}

impl Distinct {
    fn add(&mut self, word: &str) {
        if !word.is_empty() && self.known.insert(word.to_lowercase()) {
            self.list.push(word.to_owned());
        }
    }
}

impl FromIterator<String> for Distinct {
    fn from_iter<I: IntoIterator<Item = String>>(words: I) -> Self {
        let mut distinct = Self::default();
        for word in words {
            distinct.add(&word);
        }
        distinct
    }
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
    fn topics_are_closed_by_a_second_sign() {
        assert_eq!(
            topics("#春夏穿搭# 今天 #miu miu[超话]# 100# 好"),
            ["春夏穿搭", "miu miu"]
        );
        assert_eq!(topics("#只有一个"), [""; 0]);
        assert_eq!(topics("##"), [""; 0]);
    }

    #[test]
    fn mentions_are_not_addresses_of_mail() {
        assert_eq!(
            mentions("by @Miu.Miu. and @miu.miu, me@mail.com (@zara_)"),
            ["miu.miu", "zara_"]
        );
        assert_eq!(
            weibo_mentions("和@时尚-芭莎 一起，转发@小红:好"),
            ["时尚-芭莎", "小红"]
        );
    }
}
