//! What a word is: the one analysis of text that every store indexes.
//!
//! NFKC, lower case, diacritics folded; Latin-like runs of letters and digits are words; Han runs become single characters
//! and overlapping pairs; hashtags and handles are words like others. Stores index the resulting terms as they are, so that no server needs
//! an analyser of its own.

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
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
        } else {
            flush(&mut word, &mut terms);
        }
    }
    flush(&mut word, &mut terms);
    terms
}

/// Whether a character is written without spaces between words and is therefore a term of its own: Han, kana.
pub fn is_han(c: char) -> bool {
    matches!(c,
        '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3134f}')
}

/// NFKC, lower case, then diacritics off.
fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let lowered: String = text.nfkc().flat_map(char::to_lowercase).collect();
    lowered
        .nfd()
        .filter(|c| !is_combining_mark(*c))
        .nfc()
        .collect()
}

fn flush(word: &mut String, terms: &mut Vec<String>) {
    if !word.is_empty() {
        terms.push(std::mem::take(word));
    }
}
