//! The prose of a caption, folded for comparing, with the way back to how it was written.

use heurpipe_core::text::{is_han, keyword};

use crate::text::spans::{Kind, Span};

/// A folded text that remembers its capitals.
pub(super) struct Prose {
    pub(super) folded: String,
    /// For each byte of `folded`, the character it comes from.
    written: Vec<char>,
    /// Whether most of it is in capitals, so that a capital tells nothing.
    shouted: bool,
}

impl Prose {
    pub(super) fn of(spans: &[Span<'_>]) -> Self {
        let mut prose = Self {
            folded: String::new(),
            written: Vec::new(),
            shouted: false,
        };
        let (mut upper, mut lower) = (0_usize, 0_usize);
        for span in spans {
            if span.kind != Kind::Prose {
                // Whatever stood here ends the sentence.
                prose.push('\n', "\n");
                continue;
            }
            for c in span.text.chars() {
                upper += usize::from(c.is_uppercase());
                lower += usize::from(c.is_lowercase());
                match c {
                    '’' => prose.push(c, "'"),
                    '\n' => prose.push(c, "\n"),
                    _ if c.is_ascii() => {
                        prose.push(c, c.to_ascii_lowercase().encode_utf8(&mut [0; 4]))
                    }
                    // Its own folded form.
                    '\u{4e00}'..='\u{9fff}' => prose.push(c, c.encode_utf8(&mut [0; 4])),
                    _ if c.is_whitespace() => prose.push(c, " "),
                    _ => prose.push(c, &keyword(c.encode_utf8(&mut [0; 4]))),
                }
            }
        }
        prose.shouted = upper > lower;
        prose
    }

    fn push(&mut self, written: char, folded: &str) {
        if folded == " " && self.folded.ends_with(' ') {
            return;
        }
        self.folded.push_str(folded);
        self.written.extend(folded.bytes().map(|_| written));
    }

    /// Whether what begins here is written with a capital, and capitals tell something.
    pub(super) fn is_capital(&self, at: usize) -> bool {
        !self.shouted && self.written.get(at).is_some_and(|c| c.is_uppercase())
    }

    /// Whether a spelling has Han on one side and a capital: among Han, Latin letters with a capital are a name anywhere.
    pub(super) fn is_name_among_han(&self, start: usize, end: usize) -> bool {
        let capital = self.written.get(start).is_some_and(|c| c.is_uppercase());
        let after = self.folded[end..].chars().next();
        let before = self.before(start).chars().next_back();
        capital && (after.is_some_and(is_han) || before.is_some_and(is_han))
    }

    /// Whether a spelling is written like a name: with a capital where no sentence begins, or with more than its first letter in capitals.
    pub(super) fn is_name(&self, start: usize, end: usize) -> bool {
        if !self.is_capital(start) {
            return false;
        }
        let inner = self.folded[start..end].char_indices().skip(1);
        let more = inner.map(|(index, _)| self.written[start + index]);
        if more.into_iter().any(char::is_uppercase) {
            return true;
        }
        let before = self.before(start).chars().next_back();
        before.is_some_and(|c| c.is_alphanumeric() || ",;&-:".contains(c))
    }

    /// What stands before a spelling, without spaces and opening quotes.
    fn before(&self, start: usize) -> &str {
        self.folded[..start].trim_end_matches([' ', '"', '\'', '('])
    }
}
