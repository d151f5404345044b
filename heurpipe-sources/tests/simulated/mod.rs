//! What tests of the API clients share: a simulated world, clients of it, and what it has to give.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use heurpipe_core::{Clock, ClockHand, Partition};
use heurpipe_sources::instagram::{InstagramGraph, InstagramGraphBuilder};
use heurpipe_sources::simulator::{
    CALLER, Network, Place, Post, Simulator, SimulatorOptions, World, WorldOptions,
};
use heurpipe_sources::weibo::{WeiboApi, WeiboApiBuilder};
use jiff::{SignedDuration, Timestamp};

/// A simulator with a clock that is set by hand.
pub struct Bench {
    pub world: Arc<World>,
    pub simulator: Simulator,
    pub clock: Clock,
    pub hand: ClockHand,
    began: Timestamp,
}

impl Bench {
    /// Simulates this world from so long before its end on, with these changes of the options.
    pub async fn with(
        world: WorldOptions,
        before_the_end: Duration,
        change: impl FnOnce(&mut SimulatorOptions),
    ) -> Self {
        let began = world.now - before_the_end;
        let (clock, hand) = Clock::manual(began);
        let world = World::new(world);
        let mut options = SimulatorOptions::default();
        options.clock = Some(clock);
        change(&mut options);
        let simulator = Simulator::start(Arc::clone(&world), options).await.unwrap();
        Self {
            world,
            simulator,
            clock,
            hand,
            began,
        }
    }

    /// A client of Instagram's API. What fails is left to the next run.
    pub fn graph(&self) -> InstagramGraphBuilder {
        InstagramGraph::builder()
            .base_url(self.simulator.graph_url())
            .user_id(CALLER)
            .token(SimulatorOptions::default().token.into())
            .clock(self.clock)
            .retries(0, Duration::ZERO)
            .longest_pause(Duration::ZERO)
    }

    /// A client of Weibo's API. What fails is left to the next run.
    pub fn weibo(&self) -> WeiboApiBuilder {
        WeiboApi::builder()
            .base_url(format!("{}/2", self.simulator.weibo_url()))
            .token(SimulatorOptions::default().token.into())
            .clock(self.clock)
            .retries(0, Duration::ZERO)
            .longest_pause(Duration::ZERO)
    }

    /// The ids of the posts that a partition holds now.
    pub fn held(&self, partition: &Partition) -> BTreeSet<String> {
        let now = self.clock.now();
        let published = self.world.posts().iter().enumerate();
        let published = published.filter(|(_, post)| post.published <= now);
        let mut held: Vec<&Post> = published
            .filter(|(position, post)| self.is_of(partition, *position, post))
            .map(|(_, post)| post)
            .collect();
        if partition.0 == "user" {
            // Of the user who gave the token the API gives the newest alone.
            held.truncate(5);
        }
        held.into_iter()
            .map(|post| post.native_id.to_string())
            .collect()
    }

    /// Whether a partition holds a post of the world, by the partition's name.
    fn is_of(&self, partition: &Partition, position: usize, post: &Post) -> bool {
        let author = self.world.author_of(post);
        let has_tag = |tag: &str| post.hashtags.iter().any(|of_post| of_post == tag);
        let parts: Vec<&str> = partition.0.split('/').collect();
        let is_instagram = matches!(
            parts[0],
            "hashtag" | "account" | "own" | "tagged" | "mentions"
        );
        (author.network == Network::Instagram) == is_instagram
            && match parts[..] {
                ["hashtag", tag, "top"] => has_tag(tag),
                ["hashtag", tag, "recent"] => {
                    let age = self.clock.now().duration_since(post.published);
                    has_tag(tag) && age < SignedDuration::from_hours(24)
                }
                ["account", handle] => author.handle == handle,
                ["own"] => author == self.world.caller(),
                ["tagged"] => self.world.tags_of_caller().contains(&position),
                ["mentions"] => self.mentions().contains(&post.id),
                ["users", uids] => uids.split(',').any(|uid| uid == author.id),
                ["user", uid] => author.id == uid,
                ["user"] => author.id == self.world.weibo_uids()[0],
                ["search", topic] => has_tag(topic),
                ["home" | "public"] => true,
                ["nearby", _] => post.place.as_ref().is_some_and(is_in_shanghai),
                _ => panic!("what does {} hold?", partition.0),
            }
    }

    /// Posts that mention the caller and were there when the simulation began.
    pub fn mentions(&self) -> Vec<String> {
        let positions = self.world.mentions_of_caller().into_iter();
        positions
            .map(|position| &self.world.posts()[position])
            .filter(|post| post.published <= self.began)
            .map(|post| post.id.clone())
            .collect()
    }
}

/// Degrees north and east of a place around which posts are made.
pub const SHANGHAI: (f64, f64) = (31.2304, 121.4737);
/// Well within the range of the search, whatever the globe's form.
fn is_in_shanghai(place: &Place) -> bool {
    let (latitude, longitude) = SHANGHAI;
    (place.latitude - latitude).abs() < 0.04 && (place.longitude - longitude).abs() < 0.04
}
