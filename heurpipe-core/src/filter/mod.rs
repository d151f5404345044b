//! The language for "which posts".

mod ast;
mod eval;

pub use ast::{Filter, Keyword, Predicate, TimeField};
