//! What texts say: [`brand`], [`language`].

pub mod brand;
pub mod language;
mod model;
mod spans;

pub(crate) use model::TextModel;
