//! Characters to words, quoted texts and signs; knows positions, not meaning.

use crate::{Error, ErrorKind, Result};

/// Reads a filter's text from left to right.
pub(super) struct Lexer<'a> {
    text: &'a str,
    /// Byte offset of the next character.
    at: usize,
}

/// A run of characters without white space and signs, or the content of a quoted text.
#[derive(Debug)]
pub(super) struct Word {
    /// Its characters, escapes resolved, without the final `*`.
    pub(super) text: String,
    /// Whether it ended in a `*` that was not escaped.
    pub(super) star: bool,
    /// Whether it stood in quotes.
    pub(super) quoted: bool,
    /// Whether a backslash occurred in it, so that it is no operator.
    pub(super) escaped: bool,
    /// Where an unescaped colon stands in it, as a byte offset of `text`.
    pub(super) colon: Option<usize>,
    /// Byte offset at which it began.
    pub(super) start: usize,
}

impl Word {
    /// Whether it is this operator (`AND`, `OR`, `NOT`, `TO`): operators are written in capitals, without quotes.
    pub(super) fn is(&self, operator: &str) -> bool {
        !self.quoted && !self.escaped && !self.star && self.text == operator
    }
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn rewind(&mut self, position: usize) {
        self.at = position;
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Goes past the character if it is the next one.
    pub(super) fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    pub(super) fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// A field's name and the colon after it, if that is what comes next.
    pub(super) fn field(&mut self) -> Option<String> {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_-.".contains(c)))?;
        let name = &rest[..end];
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !rest[end..].starts_with(':') {
            return None;
        }
        self.at += end + 1;
        Some(name.to_ascii_lowercase())
    }

    /// The next word or quoted text; none where neither begins here.
    pub(super) fn word(&mut self) -> Result<Option<Word>> {
        match self.peek() {
            Some('"') => self.quoted().map(Some),
            Some(c) if !ends_word(c) => self.bare().map(Some),
            _ => Ok(None),
        }
    }

    fn quoted(&mut self) -> Result<Word> {
        let start = self.at;
        let mut text = String::new();
        let mut escaped = false;
        for (offset, c) in self.rest().char_indices().skip(1) {
            match c {
                _ if escaped => {
                    text.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                '"' => {
                    self.at = start + offset + 1;
                    return Ok(Word {
                        text,
                        star: false,
                        quoted: true,
                        escaped: false,
                        colon: None,
                        start,
                    });
                }
                _ => text.push(c),
            }
        }
        Err(self.error(
            start,
            "the quoted text that begins here has no closing `\"`",
        ))
    }

    fn bare(&mut self) -> Result<Word> {
        let start = self.at;
        let mut word = Word {
            text: String::new(),
            star: false,
            quoted: false,
            escaped: false,
            colon: None,
            start,
        };
        let mut characters = self.rest().char_indices();
        let mut end = self.text.len();
        while let Some((offset, c)) = characters.next() {
            if ends_word(c) {
                end = start + offset;
                break;
            }
            if word.star {
                return Err(self.error(
                    start + offset - '*'.len_utf8(),
                    "`*` may only stand at the end of a word; write `\\*` for the character itself",
                ));
            }
            match c {
                '\\' => {
                    let Some((_, literal)) = characters.next() else {
                        return Err(self.error(
                            start + offset,
                            "expected a character after `\\`, found the end of the text",
                        ));
                    };
                    word.text.push(literal);
                    word.escaped = true;
                }
                '*' => word.star = true,
                ':' => {
                    word.colon.get_or_insert(word.text.len());
                    word.text.push(c);
                }
                _ => word.text.push(c),
            }
        }
        self.at = end;
        Ok(word)
    }

    /// What comes next, in words, for an error that says what was found.
    pub(super) fn found(&self) -> String {
        let rest = self.rest();
        match rest.chars().next() {
            None => "the end of the text".to_owned(),
            Some(c) if c.is_whitespace() => "white space".to_owned(),
            Some(c) if ends_word(c) => format!("`{c}`"),
            Some(_) => {
                let word: String = rest
                    .chars()
                    .take_while(|c| !ends_word(*c))
                    .take(40)
                    .collect();
                format!("`{word}`")
            }
        }
    }

    /// An error at a byte offset, told as a column that counts characters from 1.
    pub(super) fn error(&self, position: usize, message: impl Into<String>) -> Error {
        let before = self.text.get(..position).unwrap_or(self.text);
        Error::new(ErrorKind::InvalidInput, "filter.parse")
            .message(message)
            .with("column", before.chars().count() + 1)
    }

    /// An error where the lexer stands: what was expected, what was found.
    pub(super) fn expected(&self, what: &str) -> Error {
        self.error(self.at, format!("expected {what}, found {}", self.found()))
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }
}

/// Whether a character ends a word that is not quoted.
pub(super) fn ends_word(c: char) -> bool {
    c.is_whitespace() || "()[]{},\"".contains(c)
}
