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
    /// Width and height of pictures, such as 1080x1350.
    #[arg(long, value_name = "WxH", value_parser = size)]
    picture_size: Option<(u32, u32)>,
    /// Share of posts with several pictures, 0 to 1; the others have one.
    #[arg(long, value_name = "SHARE")]
    carousels: Option<f64>,
    /// Draw every picture before serving and keep them all, so that answering takes hardly any computing.
    #[arg(long)]
    draw_first: bool,
}

impl Simulate {
    /// Serves until Ctrl-C.
    pub(super) async fn run(self) -> Done {
        let world = World::new(self.options()?);
        if self.draw_first {
            let drawing = world.draw_all();
            drawing.map_err(|error| Stop::io("a picture cannot be drawn", error))?;
        }
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

    fn options(&self) -> Result<WorldOptions, Stop> {
        let mut options = options(self.posts, self.seed);
        if let Some(size) = self.picture_size {
            options.picture_size = size;
        }
        if let Some(share) = self.carousels {
            if !(0.0..=1.0).contains(&share) {
                return Err(Stop::Usage(format!(
                    "--carousels is a share from 0 to 1, not {share}"
                )));
            }
            options.carousels = share;
        }
        if self.draw_first {
            options.kept_pictures = usize::MAX;
        }
        Ok(options)
    }
}

/// A size as it is written: 1080x1350.
fn size(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once('x').and_then(|(width, height)| {
        let side = |text: &str| text.parse().ok().filter(|side| (16..=4096).contains(side));
        Some((side(width)?, side(height)?))
    });
    sides.ok_or_else(|| "a size is written 1080x1350, each side from 16 to 4096".to_owned())
}

/// The world of so many posts.
pub(super) fn world(posts: u64, seed: u64) -> Arc<World> {
    World::new(options(posts, seed))
}

fn options(posts: u64, seed: u64) -> WorldOptions {
    let posts = usize::try_from(posts).unwrap_or(usize::MAX);
    WorldOptions::new(seed, posts)
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
