//! A made-up world of fashion posts and both networks' APIs on loopback, from nothing but a seed.
//!
//! [`World`] decides everything: authors, posts, trends, texts and pictures. [`Simulator`] serves it as the Instagram Graph API and the
//! Weibo Open API do, with their paging, limits and errors.

pub mod ids;
pub mod render;
mod server;
mod world;

pub use server::{
    CALLER, Calls, Fault, FaultControl, FaultRule, FaultTrigger, Faults, Limits, Simulator,
    SimulatorOptions, Tally, WeiboOptions,
};
pub use world::{Author, Fate, Medium, Network, Place, Post, Truth, World, WorldOptions};
