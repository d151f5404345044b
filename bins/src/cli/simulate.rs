//! `heurpipe simulate`: the demo's world as two APIs on loopback.

use std::sync::Arc;

use clap::Args;
use heurpipe_sources::simulator::{CALLER, Simulator, SimulatorOptions, World, WorldOptions};

use super::{Done, Exit, Stop};

/// Arguments of `heurpipe simulate`.
#[derive(Debug, Args)]
pub struct Simulate {
    /// Posts in the world.
    #[arg(long, default_value_t = 2000)]
    posts: u64,
    /// The same seed gives the same world.
    #[arg(long, default_value_t = super::demo::SEED)]
    seed: u64,
    /// Port on loopback; 0 takes a free one.
    #[arg(long, default_value_t = 8620)]
    port: u16,
}

impl Simulate {
    /// Serves until Ctrl-C.
    pub(super) async fn run(self) -> Done {
        let world = world(self.posts, self.seed);
        let simulator = start(&world, self.port).await?;
        println!("instagram  {}", simulator.graph_url());
        println!("weibo      {}/2", simulator.weibo_url());
        println!("token      {}", token());
        println!("user id    {CALLER}");
        println!("accounts   {}", world.instagram_accounts().join(" "));
        println!("hashtags   {}", world.hashtags().join(" "));
        println!("uids       {}", world.weibo_uids().join(" "));
        if tokio::signal::ctrl_c().await.is_ok() {
            simulator.shutdown().await;
        }
        Ok(Exit::Done)
    }
}

/// The world of so many posts.
pub(super) fn world(posts: u64, seed: u64) -> Arc<World> {
    let posts = usize::try_from(posts).unwrap_or(usize::MAX);
    World::new(WorldOptions::new(seed, posts))
}

/// The token that a simulator accepts unless told otherwise.
pub(super) fn token() -> String {
    SimulatorOptions::default().token
}

/// Starts a simulator of this world.
pub(super) async fn start(world: &Arc<World>, port: u16) -> Result<Simulator, Stop> {
    let mut options = SimulatorOptions::default();
    options.port = port;
    let started = Simulator::start(Arc::clone(world), options).await;
    started.map_err(|error| {
        Stop::io(
            &format!("the simulator cannot listen on port {port}"),
            error,
        )
    })
}
