//! How stored posts fare at their network by now: their counts, and whether they are still there.
//!
//! A post's likes go on after it was gathered, and some posts vanish. [`Recheck`] is a source that walks the stored records, asks the network for
//! each post that is due, and yields what it says. In a pipeline over the same documents new counts become one more
//! [observation](heurpipe_core::Observation) of the record, beside the earlier ones; a post that is gone is marked so in its observations, and stays
//! stored. What has not changed is filtered as unchanged.
//!
//! ```
//! use std::sync::Arc;
//!
//! use async_trait::async_trait;
//! use heurpipe_core::testkit::Collect;
//! use heurpipe_core::{
//!     Clock, Counts, Documents, KnownPost, LookUpPost, Pipeline, Platform, Post, Record, Result,
//!     RunOptions, Sighting, Stored,
//! };
//! use heurpipe_sources::recheck::Recheck;
//! use heurpipe_stores::documents::MemoryDocuments;
//!
//! /// A network where every post has 20 likes.
//! struct Network(Clock);
//!
//! #[async_trait]
//! impl LookUpPost for Network {
//!     fn platform(&self) -> Platform {
//!         Platform::weibo()
//!     }
//!
//!     async fn look_up(&self, known: &KnownPost) -> Result<Sighting> {
//!         let mut post = Post::new(known.id.clone(), self.0.now());
//!         post.counts = Counts::new(Some(20), None, None);
//!         Ok(Sighting::There(Box::new(post)))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let documents = Arc::new(MemoryDocuments::new());
//! let mut post = Post::new("weibo:4383183661430868".parse()?, "2026-03-01T08:00:00Z".parse()?);
//! post.counts = Counts::new(Some(5), None, None);
//! let id = post.id.clone();
//! documents.commit(&[&Record::new(post)]).await?;
//!
//! let three_days_later = Clock::tokio("2026-03-04T08:00:00Z".parse()?);
//! let network = Arc::new(Network(three_days_later));
//! let recheck = Recheck::of(documents.clone(), vec![network])
//!     .filter("likes:>=1".parse()?)
//!     .clock(three_days_later);
//! Pipeline::builder("catalog")
//!     .documents(documents.clone())
//!     .source(recheck)
//!     .sink(Collect::new("rows"))
//!     .build()?
//!     .run(RunOptions::default())
//!     .await?;
//!
//! let Some(Stored::Known(record)) = documents.load(&[id]).await?.pop() else {
//!     return Err("it is stored".into());
//! };
//! let likes: Vec<_> = record.observations.iter().map(|seen| seen.counts.likes).collect();
//! assert_eq!(likes, [Some(5), Some(20)]);
//! # Ok(()) }
//! ```
//!
//! **Which posts are due.** A pass goes over all stored posts that are asked for ([`filter`](Recheck::filter), [`of_use_case`](Recheck::of_use_case),
//! [`published_within`](Recheck::published_within)) in the order of their ids and asks for those that nobody has seen for the
//! [interval](Recheck::not_seen_within) before the pass began. The next pass begins no sooner than the interval after the one before, so a post whose
//! counts stand still, of which documents keep no new time, is not asked for at every run. A run that is killed goes on within its pass. Posts that are
//! marked as gone are not asked for again.
//!
//! **What a network answers.** New counts or texts are an [`Incoming::Post`]; that the post is gone is an [`Incoming::Gone`]; where the network has no call
//! that tells, nothing is yielded, and the log says of how many posts. An answer that cannot be read becomes an [`Incoming::Unreadable`]. Any other
//! error, such as a limit, ends the stream after the posts that were answered before it: the executor waits as it is asked to and goes on there.
//!
//! [`Incoming::Post`]: heurpipe_core::Incoming::Post
//! [`Incoming::Gone`]: heurpipe_core::Incoming::Gone
//! [`Incoming::Unreadable`]: heurpipe_core::Incoming::Unreadable

mod pass;
mod place;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use heurpipe_core::{
    Checkpoint, Clock, Documents, Error, ErrorKind, Filter, LookUpPost, Page, Partition, Platform,
    Result, Source, SourceSpec,
};

use pass::Pass;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Stored posts as their networks see them now, a partition for each network; see the [module](self).
#[derive(Clone)]
pub struct Recheck {
    spec: SourceSpec,
    documents: Arc<dyn Documents>,
    look_ups: BTreeMap<Platform, Arc<dyn LookUpPost>>,
    due: Due,
    at_once: usize,
    clock: Clock,
}

/// Which posts are asked for.
#[derive(Debug, Clone)]
struct Due {
    filter: Filter,
    use_case: Option<String>,
    published_within: Option<Duration>,
    interval: Duration,
}

impl std::fmt::Debug for Recheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recheck")
            .field("spec", &self.spec)
            .field("platforms", &self.look_ups.keys())
            .field("due", &self.due)
            .finish_non_exhaustive()
    }
}

impl Recheck {
    /// All stored posts of these networks that nobody has seen for a day. Of several look-ups for one network the last counts.
    pub fn of(documents: Arc<dyn Documents>, look_up: Vec<Arc<dyn LookUpPost>>) -> Self {
        let recheck = Self {
            spec: SourceSpec::new("recheck", ""),
            documents,
            look_ups: look_up.into_iter().map(|l| (l.platform(), l)).collect(),
            due: Due {
                filter: Filter::All,
                use_case: None,
                published_within: None,
                interval: DAY,
            },
            at_once: 4,
            clock: Clock::system(),
        };
        recheck.described()
    }

    /// Another name within a pipeline than `recheck`.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.spec.name = name.into();
        self
    }

    /// Only posts whose records match.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.due.filter = filter;
        self.described()
    }

    /// Only posts that this use case knows.
    pub fn of_use_case(mut self, use_case: impl Into<String>) -> Self {
        self.due.use_case = Some(use_case.into());
        self.described()
    }

    /// Only posts published within so long before the pass, since old posts change little. Those of which nobody knows when are left out.
    pub fn published_within(mut self, age: Duration) -> Self {
        self.due.published_within = Some(age);
        self
    }

    /// Only posts that nobody has seen for so long; also the least time from the beginning of one pass to the next. Choose it somewhat shorter than
    /// the time between two runs, which never begin quite on time.
    pub fn not_seen_within(mut self, interval: Duration) -> Self {
        self.due.interval = interval;
        self
    }

    /// How many posts are asked for at once, at least one. Look-ups keep to their networks' limits by themselves.
    pub fn at_once(mut self, posts: usize) -> Self {
        self.at_once = posts.max(1);
        self
    }

    /// The clock that says which posts are due.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    fn described(mut self) -> Self {
        let mut description = "how stored posts fare by now".to_owned();
        if let Some(use_case) = &self.due.use_case {
            description = format!("how posts of {use_case} fare by now");
        }
        if self.due.filter != Filter::All {
            description = format!("{description}, where {}", self.due.filter);
        }
        self.spec.description = description;
        self
    }
}

#[async_trait]
impl Source for Recheck {
    fn spec(&self) -> &SourceSpec {
        &self.spec
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        let platforms = self.look_ups.keys();
        Ok(platforms.map(|p| Partition(p.to_string())).collect())
    }

    fn read(&self, partition: Partition, from: Checkpoint) -> BoxStream<'static, Result<Page>> {
        match self.look_ups.get(&Platform::new(&partition.0)) {
            Some(look_up) => Pass::over(self, Arc::clone(look_up)).read(&from),
            None => {
                let error = Error::new(ErrorKind::InvalidInput, "recheck.read")
                    .message("no partition of this source")
                    .with("partition", &partition.0);
                stream::once(async { Err(error) }).boxed()
            }
        }
    }
}
