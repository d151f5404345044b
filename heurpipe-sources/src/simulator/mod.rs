//! A made-up world of fashion posts and both networks' APIs on loopback, from nothing but a seed.
//!
//! [`World`] decides everything: authors, posts, trends, texts and pictures. [`Simulator`] serves it as the Instagram Graph API and the
//! Weibo Open API do, with their paging, limits and errors.
//!
//! # What goes wrong
//! [`Faults`] is a script of what networks do sooner or later, by call number, by address and by chance; [`Simulator::faults`] changes it while
//! the simulator runs. The same script and the same sequence of calls give the same faults.
//!
//! # Time
//! Without a clock the whole world is there from the beginning. With one ([`SimulatorOptions::clock`]) posts appear when they are published,
//! likes and comments grow, addresses of pictures expire, and allowances are by its hours. A clock that is set by hand
//! ([`Clock::manual`](heurpipe_core::Clock::manual)) lets a week pass in as long as its calls take.
//!
//! ```
//! use std::time::Duration;
//! use heurpipe_core::Clock;
//! use heurpipe_sources::simulator::{
//!     Fault, FaultRule, FaultTrigger, Faults, Simulator, SimulatorOptions, World, WorldOptions,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
//! let world = WorldOptions::new(7, 500);
//! let (clock, hand) = Clock::manual(world.now - Duration::from_secs(7 * 86_400));
//! let mut options = SimulatorOptions::default();
//! options.clock = Some(clock);
//! let simulator = Simulator::start(World::new(world), options).await?;
//!
//! let one_in_ten = FaultRule::new(FaultTrigger::Share(0.1), Fault::ServerError(502));
//! simulator.faults().set(Faults::seeded(1).rule(one_in_ten));
//! hand.advance(Duration::from_secs(86_400));
//! // … calls …
//! assert_eq!(simulator.calls().of("").over_budget, 0);
//! # simulator.shutdown().await;
//! # Ok(()) }
//! ```

pub mod ids;
pub mod render;
mod server;
mod world;

pub use server::{
    CALLER, Calls, Fault, FaultControl, FaultRule, FaultTrigger, Faults, Limits, Simulator,
    SimulatorOptions, Tally, WeiboOptions,
};
pub use world::{Author, Fate, Medium, Network, Place, Post, Truth, World, WorldOptions};
