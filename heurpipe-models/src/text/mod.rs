//! What texts say: [`brand`], [`language`].

pub mod brand;
pub mod language;
mod spans;
