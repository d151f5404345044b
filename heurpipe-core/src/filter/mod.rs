//! The language for "which posts".
//!
//! A filter is written once and means the same in memory, in documents, in the search index and in the warehouse. It is parsed here and
//! nowhere else: stores translate the [`Filter`] tree and never see the text. What [`Filter::matches`] says is what every store must say.
//!
//! ```
//! use heurpipe_core::Filter;
//!
//! let filter: Filter = r#"platform:instagram brand:"Miu Miu" colour:red,pink
//!     published:[2026-01-01 TO 2026-02-01} likes:>=100 country:FR -garment:hat "summer look""#.parse()?;
//! assert_eq!(
//!     filter.to_string(),
//!     r#"platform:instagram brand:"miu miu" colour:pink,red published:[2026-01-01 TO 2026-02-01} likes:>=100 country:fr -garment:hat "summer look""#
//! );
//! # Ok::<(), heurpipe_core::Error>(())
//! ```
//!
//! # Grammar
//!
//! ```ebnf
//! filter     = [ any ] ;                                  (* the empty text is every record *)
//! any        = all , { "OR" , all } ;
//! all        = condition , { [ "AND" ] , condition } ;    (* side by side is AND, which binds tighter than OR *)
//! condition  = ( "-" | "NOT" ) , condition                (* no white space after "-" *)
//!            | "(" , any , ")"
//!            | test ;
//! test       = "*"                                        (* every record *)
//!            | word | quoted                              (* the text holds this *)
//!            | "text:" , value , { "," , value }          (* the text holds one of these *)
//!            | field , ":" , keyword , { "," , keyword }  (* the field holds one of these *)
//!            | field , ":" , ( limit | comparison | range ) ;
//! keyword    = word , [ "*" ] | "*" | quoted ;            (* "*" after it: whatever begins so; alone: the field exists *)
//! comparison = ( ">=" | ">" | "<=" | "<" ) , limit ;
//! range      = ( "[" | "{" ) , limit , "TO" , limit , ( "]" | "}" ) ;
//! limit      = number | date | "*" ;                      (* "*" in a range: no limit on that side; alone: the field exists *)
//! value      = word | quoted ;
//! field      = letter , { letter | digit | "_" | "-" | "." } ;
//! word       = character , { character } ;                (* none of white space ( ) [ ] { } , " * unless "\" precedes it *)
//! quoted     = '"' , { character } , '"' ;                (* "\" precedes a literal " or \ *)
//! date       = YYYY | YYYY-MM | YYYY-MM-DD | RFC 3339 ;   (* UTC *)
//! ```
//!
//! `AND`, `OR`, `NOT` and `TO` are operators in capitals only. A word that holds a colon begins with a field's name; put text with colons
//! in quotes.
//!
//! # Meaning
//!
//! - **Missing values** never satisfy a test. `-garment:hat` is "not (some garment is a hat)", so it includes posts without any garment.
//! - **Keywords** ([`KEYWORD_FIELDS`](crate::KEYWORD_FIELDS) and attributes) are compared in the form of [`text::keyword`](crate::text::keyword): case,
//!   diacritics and white space do not count. A field may hold several values; one of them suffices. Of an attribute these are the
//!   [effective](crate::Record::effective) values. Two tests on one attribute may be met by different annotations.
//! - **Numbers** ([`NUMBER_FIELDS`](crate::NUMBER_FIELDS)) take a value, a comparison or a range; `[` and `]` include the limit, `{` and `}`
//!   do not. On an attribute a comparison or range is a test of its number, a bare value a test of its keyword.
//! - **Times** (`published`, `collected`): a date is the whole day, month or year in UTC, so that `published:2026-01` is January,
//!   `[2026-01-01 TO 2026-01-31]` includes the 31st, `{2026-01-31 TO *]` begins on 1 February, and `[2026-01-01 TO 2026-02-01}` ends before 1 February. RFC 3339
//!   with a time of day is that moment.
//! - **Text** is analysed by [`text::analyse`](crate::text::analyse): the terms must occur one directly after the other. Two words without quotes are two
//!   tests, each of which may be met anywhere in the text.
//! - **Attributes** are all other fields: a misspelt name of a built-in field is an attribute that no record has.

mod ast;
mod build;
mod eval;
mod field;
mod lexer;
mod parse;
mod print;
mod serde;
#[cfg(test)]
mod tests;
mod value;

pub use ast::{Filter, Keyword, Predicate, TimeField};
pub use build::{Field, attr};
pub use field::is_attribute_name;
pub use parse::MAX_TEXT;
