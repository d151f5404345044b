//! What texts of all networks have in common: names after a sign, lists without repetitions.

/// The names after `@`. A sign after a letter or digit belongs to an address of mail.
pub(crate) fn names(text: &str, is_name_char: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
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

/// A list without repetitions, whatever the case of letters.
#[derive(Default)]
pub(crate) struct Distinct {
    pub list: Vec<String>,
    known: std::collections::HashSet<String>,
}

impl Distinct {
    pub(crate) fn add(&mut self, word: &str) {
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
