//! A made-up world of fashion posts: pictures, texts, authors and trends, from nothing but a seed.

pub mod render;
