//! From text to tree, by recursive descent.

use std::ops::Bound;
use std::str::FromStr;

use super::ast::{Filter, Keyword, Predicate, TimeField};
use super::field::{Kind, kind_of};
use super::lexer::{Lexer, Word};
use super::value::{Period, number};
use crate::text;
use crate::{Error, ErrorKind, Result};

/// The longest text that is parsed, in bytes.
pub const MAX_TEXT: usize = 64 * 1024;

/// How deep parentheses and negations may nest, so that no text can exhaust the stack.
const MAX_DEPTH: usize = 64;

impl FromStr for Filter {
    type Err = Error;

    /// Reads a filter; see the [module](super) for the language.
    ///
    /// # Errors
    /// `InvalidInput` with the column, what was expected there and what was found; `TooLarge` beyond 64 KiB.
    fn from_str(text: &str) -> Result<Self> {
        if text.len() > MAX_TEXT {
            return Err(Error::new(ErrorKind::TooLarge, "filter.parse")
                .message("the filter is too long")
                .with("bytes", text.len())
                .with("limit", MAX_TEXT));
        }
        let mut parser = Parser {
            lexer: Lexer::new(text),
            depth: 0,
        };
        parser.filter().map(Filter::normalised)
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    depth: usize,
}

impl Parser<'_> {
    fn filter(&mut self) -> Result<Filter> {
        self.lexer.skip_space();
        if self.lexer.peek().is_none() {
            return Ok(Filter::All);
        }
        let filter = self.any()?;
        match self.lexer.peek() {
            None => Ok(filter),
            Some(',') => Err(self.lexer.error(
                self.lexer.position(),
                "`,` separates alternatives of one field, as in `colour:red,pink`; write `OR` between conditions",
            )),
            Some(_) => Err(self.lexer.expected("a condition or the end of the text")),
        }
    }

    /// Alternatives. Leaves white space behind it skipped.
    fn any(&mut self) -> Result<Filter> {
        let mut alternatives = vec![self.all()?];
        while self.operator("OR")? {
            alternatives.push(self.all()?);
        }
        Ok(Filter::Or(alternatives))
    }

    fn all(&mut self) -> Result<Filter> {
        let mut conditions = vec![self.condition()?];
        loop {
            let explicit = self.operator("AND")?;
            if !explicit && !self.condition_follows()? {
                return Ok(Filter::And(conditions));
            }
            conditions.push(self.condition()?);
        }
    }

    fn condition_follows(&mut self) -> Result<bool> {
        if self.lexer.peek().is_none_or(|c| ",)]}[{".contains(c)) {
            return Ok(false);
        }
        let start = self.lexer.position();
        let alternative = self.operator("OR")?;
        self.lexer.rewind(start);
        Ok(!alternative)
    }

    /// Goes past an operator if it is the next word.
    fn operator(&mut self, operator: &str) -> Result<bool> {
        self.lexer.skip_space();
        let start = self.lexer.position();
        let found = self.lexer.word()?.is_some_and(|word| word.is(operator));
        if found {
            self.lexer.skip_space();
        } else {
            self.lexer.rewind(start);
        }
        Ok(found)
    }

    fn condition(&mut self) -> Result<Filter> {
        self.lexer.skip_space();
        let start = self.lexer.position();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.lexer.error(
                start,
                format!("parentheses and negations nest more than {MAX_DEPTH} deep"),
            ));
        }
        let condition = if self.lexer.eat('-') {
            if self.lexer.peek().is_none_or(char::is_whitespace) {
                return Err(self.lexer.expected("a condition directly after `-`"));
            }
            Filter::Not(Box::new(self.condition()?))
        } else if self.operator("NOT")? {
            Filter::Not(Box::new(self.condition()?))
        } else if self.lexer.eat('(') {
            self.group(start)?
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(condition)
    }

    fn group(&mut self, opened: usize) -> Result<Filter> {
        let inner = self.any()?;
        self.lexer.skip_space();
        if self.lexer.eat(')') {
            return Ok(inner);
        }
        if self.lexer.peek().is_none() {
            return Err(self
                .lexer
                .error(opened, "the `(` that stands here has no closing `)`"));
        }
        Err(self.lexer.expected("a condition or `)`"))
    }

    fn test(&mut self) -> Result<Filter> {
        if let Some(field) = self.lexer.field() {
            return match kind_of(&field) {
                Kind::Text => self.texts(),
                Kind::Time(time) => self.time(time),
                Kind::Number => self.number(field),
                Kind::Keyword => self.keywords(field),
                Kind::Attribute if self.range_follows() => self.number(field),
                Kind::Attribute => self.keywords(field),
            };
        }
        match self.lexer.word()? {
            Some(word) if word.star && word.text.is_empty() => Ok(Filter::All),
            Some(word) if word.is("OR") || word.is("AND") => Err(self.lexer.error(
                word.start,
                format!("expected a condition, found the operator `{}`", word.text),
            )),
            Some(word) => self.phrase(&word),
            None => Err(self.lexer.expected("a condition")),
        }
    }

    fn range_follows(&self) -> bool {
        self.lexer.peek().is_some_and(|c| "[{<>".contains(c))
    }

    /// Words to be found in the text, one directly after the other.
    fn phrase(&self, word: &Word) -> Result<Filter> {
        if word.star {
            return Err(self.lexer.error(
                word.start,
                "only the keywords of a field can end in `*`, as in `brand:miu*`",
            ));
        }
        if let Some(colon) = word.colon {
            let name = &word.text[..colon];
            return Err(self.lexer.error(
                word.start,
                format!("`{name}` is no name of a field; put the text in quotes to search for it"),
            ));
        }
        let terms = text::analyse(&word.text);
        if terms.is_empty() {
            return Err(self.lexer.error(
                word.start,
                format!("`{}` holds no word to search for", word.text),
            ));
        }
        Ok(Filter::Test(Predicate::Text { terms }))
    }

    fn texts(&mut self) -> Result<Filter> {
        let words = self.alternatives("text")?;
        let phrases: Result<Vec<Filter>> = words.iter().map(|word| self.phrase_of(word)).collect();
        Ok(Filter::Or(phrases?))
    }

    /// As [`phrase`](Self::phrase), but after `text:` a colon is a character like others.
    fn phrase_of(&self, word: &Word) -> Result<Filter> {
        self.phrase(&Word {
            text: word.text.clone(),
            colon: None,
            ..*word
        })
    }

    fn keywords(&mut self, field: String) -> Result<Filter> {
        if self.range_follows() {
            return Err(self.lexer.error(
                self.lexer.position(),
                format!("`{field}` holds words; ranges and comparisons are for numbers and times"),
            ));
        }
        let mut any_of = Vec::new();
        for word in self.alternatives(&field)? {
            let keyword = text::keyword(&word.text);
            if keyword.is_empty() && !word.star {
                return Err(self
                    .lexer
                    .error(word.start, "an empty keyword matches nothing"));
            }
            any_of.push(if word.star {
                Keyword::Prefix(keyword)
            } else {
                Keyword::Exact(keyword)
            });
        }
        Ok(Filter::Test(Predicate::Keyword { field, any_of }))
    }

    /// Words separated by commas.
    fn alternatives(&mut self, field: &str) -> Result<Vec<Word>> {
        let mut words = vec![self.value(&format!("a value directly after `{field}:`"))?];
        loop {
            let end = self.lexer.position();
            self.lexer.skip_space();
            if !self.lexer.eat(',') {
                self.lexer.rewind(end);
                return Ok(words);
            }
            self.lexer.skip_space();
            words.push(self.value("a value after `,`")?);
        }
    }

    fn value(&mut self, what: &str) -> Result<Word> {
        match self.lexer.word()? {
            Some(word) => Ok(word),
            None => Err(self.lexer.expected(what)),
        }
    }

    fn number(&mut self, field: String) -> Result<Filter> {
        let (lower, upper) = match self.limits(&field)? {
            Limits::Any => (Bound::Unbounded, Bound::Unbounded),
            Limits::Exactly(word) => {
                let value = self.read_number(&word)?;
                (Bound::Included(value), Bound::Included(value))
            }
            Limits::Between(lower, upper) => (
                lower.try_map(|word| self.read_number(word))?.plain(),
                upper.try_map(|word| self.read_number(word))?.plain(),
            ),
        };
        Ok(Filter::Test(Predicate::Number {
            field,
            lower,
            upper,
        }))
    }

    fn read_number(&self, word: &Word) -> Result<f64> {
        number(&word.text).filter(|_| !word.star).ok_or_else(|| {
            self.lexer.error(
                word.start,
                format!("expected a number, found `{}`", word.text),
            )
        })
    }

    fn time(&mut self, field: TimeField) -> Result<Filter> {
        let (lower, upper) = match self.limits(field.as_str())? {
            Limits::Any => (Bound::Unbounded, Bound::Unbounded),
            Limits::Exactly(word) => {
                let period = self.read_time(&word)?;
                (period.from(), period.until())
            }
            Limits::Between(lower, upper) => {
                let lower = lower.try_map(|word| self.read_time(word))?;
                let upper = upper.try_map(|word| self.read_time(word))?;
                (
                    lower.either(Period::from, Period::after),
                    upper.either(Period::until, Period::before),
                )
            }
        };
        Ok(Filter::Test(Predicate::Time {
            field,
            lower,
            upper,
        }))
    }

    fn read_time(&self, word: &Word) -> Result<Period> {
        Period::parse(&word.text)
            .filter(|_| !word.star)
            .ok_or_else(|| {
                self.lexer.error(
                    word.start,
                    format!(
                        "expected a date (2026-01-31, 2026-01, 2026) or a time such as 2026-01-31T12:00:00Z, found `{}`",
                        word.text
                    ),
                )
            })
    }

    /// What follows the colon of a number or a time.
    fn limits(&mut self, field: &str) -> Result<Limits> {
        let limits = match self.lexer.peek() {
            Some('[' | '{') => self.range()?,
            Some('<' | '>') => self.comparison()?,
            _ => {
                let word = self.value(&format!(
                    "a value, a comparison or a range directly after `{field}:`"
                ))?;
                if is_open(&word) {
                    Limits::Any
                } else {
                    Limits::Exactly(word)
                }
            }
        };
        if self.lexer.peek() == Some(',') {
            return Err(self.lexer.error(
                self.lexer.position(),
                format!("`{field}` takes one value or range; write `OR` between several"),
            ));
        }
        Ok(limits)
    }

    fn comparison(&mut self) -> Result<Limits> {
        let above = self.lexer.eat('>');
        if !above {
            self.lexer.eat('<');
        }
        let inclusive = self.lexer.eat('=');
        self.lexer.skip_space();
        let word = self.value("a value after the comparison")?;
        let limit = if inclusive {
            Limit::Including(word)
        } else {
            Limit::Excluding(word)
        };
        Ok(if above {
            Limits::Between(limit, Limit::Open)
        } else {
            Limits::Between(Limit::Open, limit)
        })
    }

    fn range(&mut self) -> Result<Limits> {
        let includes_lower = self.lexer.eat('[');
        if !includes_lower {
            self.lexer.eat('{');
        }
        self.lexer.skip_space();
        let lower = self.value("the lower end of the range")?;
        if !self.operator("TO")? {
            return Err(self.lexer.expected("`TO` between the ends of the range"));
        }
        let upper = self.value("the upper end of the range")?;
        self.lexer.skip_space();
        let includes_upper = self.lexer.eat(']');
        if !includes_upper && !self.lexer.eat('}') {
            return Err(self.lexer.expected("`]` or `}` at the end of the range"));
        }
        Ok(Limits::Between(
            Limit::of(lower, includes_lower),
            Limit::of(upper, includes_upper),
        ))
    }
}

/// `*` alone.
fn is_open(word: &Word) -> bool {
    word.star && word.text.is_empty()
}

/// What a number or time must be.
enum Limits {
    /// Present.
    Any,
    Exactly(Word),
    Between(Limit<Word>, Limit<Word>),
}

/// One end of a range as written. Not a [`Bound`], since including a day is not including its first moment.
enum Limit<T> {
    Open,
    Including(T),
    Excluding(T),
}

impl Limit<Word> {
    fn of(word: Word, including: bool) -> Self {
        if is_open(&word) {
            Self::Open
        } else if including {
            Self::Including(word)
        } else {
            Self::Excluding(word)
        }
    }
}

impl<T> Limit<T> {
    fn try_map<U>(&self, map: impl FnOnce(&T) -> Result<U>) -> Result<Limit<U>> {
        Ok(match self {
            Self::Open => Limit::Open,
            Self::Including(value) => Limit::Including(map(value)?),
            Self::Excluding(value) => Limit::Excluding(map(value)?),
        })
    }

    fn either<U>(
        self,
        including: impl FnOnce(T) -> Bound<U>,
        excluding: impl FnOnce(T) -> Bound<U>,
    ) -> Bound<U> {
        match self {
            Self::Open => Bound::Unbounded,
            Self::Including(value) => including(value),
            Self::Excluding(value) => excluding(value),
        }
    }

    fn plain(self) -> Bound<T> {
        self.either(Bound::Included, Bound::Excluded)
    }
}
