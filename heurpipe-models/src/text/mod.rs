//! What texts say: [`brand`], [`language`], [`hashtags`], [`emoji`].

pub mod brand;
pub mod emoji;
mod enrich;
pub mod hashtags;
pub mod language;
mod model;
mod spans;

pub(crate) use model::TextModel;
