//! The vocabulary: what posts, annotations and records are.

pub mod annotation;
mod author_ref;
pub mod id;
pub mod ledger;
mod merge;
pub mod picture_hash;
pub mod post;
pub mod record;
mod states;
#[cfg(test)]
mod tests;

pub use annotation::{Annotation, By, ColourShare, Finding, Producer, Region, Target, Value};
pub use author_ref::AuthorRef;
pub use id::{Digest, Fingerprint, InputDigest, Platform, PostId};
pub use ledger::{LedgerEntry, LedgerOutcome, SkipReason};
pub use picture_hash::PictureHash;
pub use post::{
    Author, CountryBy, Counts, Crs, Fetched, Media, MediaKind, Place, Places, Post, Precision, Raw,
};
pub use record::{Effective, Observation, Record, State};
pub use states::States;
