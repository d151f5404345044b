//! Sources of posts for heurpipe: Instagram, Weibo, folders, NDJSON, the media fetcher and the simulator.
//!
//! Each source is a feature and a folder of its own: `instagram` and `weibo` are clients of the networks' official APIs, `folder` reads pictures,
//! `ndjson` reads and writes our own records, `media` fetches pictures and videos into blobs. [`detect`] finds out
//! which of them reads a given path, [`place`] reads the country off the words in which sources name places, and [`recheck`] asks the
//! networks again for what is stored.

#[cfg(feature = "archive")]
pub mod archive;
pub mod detect;
#[cfg(feature = "folder")]
pub mod folder;
#[cfg(any(feature = "instagram", feature = "weibo", feature = "media"))]
mod http;
#[cfg(feature = "instagram")]
pub mod instagram;
#[cfg(any(feature = "instagram", feature = "weibo"))]
mod lenient;
#[cfg(any(feature = "instagram", feature = "weibo"))]
mod links;
#[cfg(feature = "media")]
pub mod media;
#[cfg(feature = "ndjson")]
pub mod ndjson;
#[cfg(any(feature = "instagram", feature = "weibo"))]
mod pass;
pub mod place;
pub mod recheck;
#[cfg(feature = "weibo")]
pub mod weibo;
#[cfg(any(feature = "instagram", feature = "weibo"))]
mod words;

#[cfg(feature = "simulator")]
pub mod simulator;
