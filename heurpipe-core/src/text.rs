//! What a word is: the one analysis of text that every store indexes.
//!
//! NFKC, lower case, diacritics folded; Latin-like runs of letters and digits are words; runs of Han and kana become single characters
//! and overlapping pairs; hashtags and handles are words like others. Stores index the resulting terms as they are, so that no server needs
//! an analyser of its own.
//!
//! Diacritics are the marks that Latin, Greek, Cyrillic, Hebrew and Arabic writers leave out at will. The voicing marks of kana and the vowels of
//! Indic and Thai scripts are marks to Unicode too, but tell words apart and stay.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The version of the analysis, stored with each index: an index of another version is rebuilt.
pub const ANALYSER_VERSION: u32 = 1;

/// The form in which keywords are stored and compared: NFKC, lower case, diacritics folded, white space collapsed.
///
/// ```
/// assert_eq!(heurpipe_core::text::keyword("  Hermès "), "hermes");
/// assert_eq!(heurpipe_core::text::keyword("ＭＩＵ  ＭＩＵ"), "miu miu");
/// ```
pub fn keyword(text: &str) -> String {
    let folded = fold(text);
    let mut words = folded.split_whitespace();
    let mut keyword = words.next().unwrap_or_default().to_owned();
    for word in words {
        keyword.push(' ');
        keyword.push_str(word);
    }
    keyword
}

/// The terms of a text, in order.
///
/// ```
/// use heurpipe_core::text::analyse;
/// assert_eq!(analyse("Été à #Paris!"), ["ete", "a", "paris"]);
/// assert_eq!(analyse("连衣裙 ok"), ["连", "连衣", "衣", "衣裙", "裙", "ok"]);
/// ```
pub fn analyse(text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut terms = Vec::new();
    let mut word = String::new();
    let mut han: Option<char> = None;
    for c in folded.chars() {
        if is_han(c) {
            flush(&mut word, &mut terms);
            if let Some(previous) = han {
                terms.push([previous, c].iter().collect());
            }
            terms.push(c.to_string());
            han = Some(c);
            continue;
        }
        han = None;
        let continues = is_combining_mark(c) && !word.is_empty();
        if c.is_alphanumeric() || c == '_' || continues {
            word.push(c);
        } else {
            flush(&mut word, &mut terms);
        }
    }
    flush(&mut word, &mut terms);
    terms
}

/// A text whose analysis gives these terms, as [`analyse`] gave them: what a filter prints.
///
/// ```
/// use heurpipe_core::text::{analyse, restore};
/// assert_eq!(restore(&analyse("Été, 连衣裙!")), "ete 连衣裙");
/// ```
pub fn restore(terms: &[String]) -> String {
    let mut text = String::new();
    let mut joined = true;
    for term in terms {
        if is_pair(term) {
            // It stands between its two characters and says that they touch.
            joined = true;
            continue;
        }
        if !joined {
            text.push(' ');
        }
        text.push_str(term);
        joined = false;
    }
    text
}

fn is_pair(term: &str) -> bool {
    let mut characters = term.chars();
    let both = characters.next().is_some_and(is_han) && characters.next().is_some_and(is_han);
    both && characters.next().is_none()
}

/// Whether a character is written without spaces between words and is therefore a term of its own: Han, kana.
pub fn is_han(c: char) -> bool {
    let within = matches!(c,
        '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3134f}');
    within && c.is_alphanumeric()
}

/// NFKC, lower case, then diacritics off.
fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let lowered: String = text.nfkc().flat_map(char::to_lowercase).collect();
    lowered.nfd().filter(|c| !is_diacritic(*c)).nfkc().collect()
}

/// Marks that may be left out, and the selectors that choose between text and emoji.
fn is_diacritic(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036f}'
        | '\u{0483}'..='\u{0489}'
        | '\u{0591}'..='\u{05bd}'
        | '\u{05bf}'
        | '\u{05c1}'..='\u{05c2}'
        | '\u{05c4}'..='\u{05c5}'
        | '\u{0610}'..='\u{061a}'
        | '\u{064b}'..='\u{065f}'
        | '\u{0670}'
        | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{fe20}'..='\u{fe2f}')
}

fn flush(word: &mut String, terms: &mut Vec<String>) {
    if !word.is_empty() {
        terms.push(std::mem::take(word));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn diacritics_fold_and_marks_that_tell_words_apart_stay() {
        assert_eq!(
            keyword("Ärmel ÉTÉ naïve Ελλάδα Ёлка"),
            "armel ete naive ελλαδα елка"
        );
        assert_eq!(keyword("İstanbul"), "istanbul");
        // バッグ is a bag, ハック a hack.
        assert_eq!(keyword("バッグ"), "バッグ");
        assert_eq!(keyword("ﾊﾞｯｸﾞ"), "バッグ");
        assert_eq!(analyse("हिन्दी"), ["हिन्दी"]);
        assert_eq!(keyword("مُحَمَّد"), "محمد");
    }

    #[test]
    fn words_end_at_signs_and_where_the_script_changes() {
        assert_eq!(
            analyse("t-shirt @zara_official #SS26"),
            ["t", "shirt", "zara_official", "ss26"]
        );
        assert_eq!(
            analyse("新款bag上市"),
            ["新", "新款", "款", "bag", "上", "上市", "市"]
        );
        assert_eq!(analyse("连 衣"), ["连", "衣"]);
        assert_eq!(analyse("佐々木"), ["佐", "佐々", "々", "々木", "木"]);
        assert_eq!(analyse("❤️ 1️⃣ 🏳️‍🌈"), ["1"]);
        assert_eq!(analyse("ハンド・バッグ").len(), 3 + 2 + 3 + 2);
        assert!(analyse("  …!? ").is_empty());
    }

    #[test]
    fn keywords_collapse_white_space() {
        assert_eq!(keyword(" a \t\u{3000} b\n"), "a b");
        assert_eq!(keyword(" \u{3000} "), "");
    }

    proptest! {
        #[test]
        fn a_keyword_of_a_keyword_is_the_same(text in "\\PC{0,40}") {
            let once = keyword(&text);
            prop_assert_eq!(keyword(&once), once);
        }

        #[test]
        fn analysis_of_a_keyword_is_the_analysis_of_the_text(text in "\\PC{0,40}") {
            prop_assert_eq!(analyse(&keyword(&text)), analyse(&text));
        }

        #[test]
        fn a_restored_text_has_the_same_terms(text in "[a-zé_0-9 连衣裙ハ゛#、-]{0,30}|\\PC{0,40}") {
            let terms = analyse(&text);
            prop_assert_eq!(analyse(&restore(&terms)), terms);
        }

        #[test]
        fn terms_are_keywords_without_white_space(text in "\\PC{0,40}") {
            for term in analyse(&text) {
                prop_assert!(!term.is_empty() && !term.contains(char::is_whitespace));
                prop_assert_eq!(keyword(&term), term);
            }
        }
    }
}
