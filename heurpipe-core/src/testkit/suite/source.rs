//! What a source must uphold.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt;
use futures::future::try_join_all;

use super::probe::{Checked, Flaw, Suite, ensure, ensure_name};
use super::report::SuiteReport;
use crate::{Checkpoint, Incoming, Outcome, Page, Partition, Platform, Post, PostId, Source};

/// How a source is checked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SourceOptions {
    /// The platform of its posts; none: any.
    pub platform: Option<Platform>,
    /// A partition with more pages than this counts as endless.
    pub pages: usize,
    /// How long a check may take.
    pub limit: Duration,
}

impl Default for SourceOptions {
    /// Any platform, at most 1,000 pages a partition, a minute a check.
    fn default() -> Self {
        Self {
            platform: None,
            pages: 1000,
            limit: Duration::from_secs(60),
        }
    }
}

impl SourceOptions {
    /// All posts are of this platform.
    pub fn platform(mut self, platform: Platform) -> Self {
        self.platform = Some(platform);
        self
    }

    /// A partition with more pages than this counts as endless.
    pub fn pages(mut self, pages: usize) -> Self {
        self.pages = pages;
        self
    }

    /// How long a check may take.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

/// Checks a source. `make` opens it anew, as a new run does, over a world that stands still; it should have several pages. Reading from each
/// checkpoint takes time with the square of the number of pages: a few dozen are enough.
///
/// A queue, which yields what was acknowledged no more, is made over a new queue with the same content each time.
pub async fn source<S: Source>(make: impl Fn() -> S, options: SourceOptions) -> SuiteReport {
    let name = format!("source {}", make().spec().name);
    let mut suite = Suite::new(name, options.limit);
    let bench = Bench {
        make: &make,
        options: &options,
    };
    suite.check("the name is stable", bench.name()).await;
    suite
        .check("partitions are stable", bench.partitions_are_stable())
        .await;
    suite
        .check("partitions are distinct", bench.partitions_are_distinct())
        .await;
    suite.check("posts have ids", bench.posts_have_ids()).await;
    suite
        .check("reading twice gives the same", bench.reading_twice())
        .await;
    suite
        .check("partitions may be read at once", bench.at_once())
        .await;
    suite
        .check("resuming misses nothing", bench.resuming())
        .await;
    suite
        .check("the end is an end", bench.the_end_is_an_end())
        .await;
    suite
        .check("dropping a stream harms nothing", bench.dropping())
        .await;
    suite
        .check("an unknown place harms nothing", bench.unknown_place())
        .await;
    suite
        .check("settled takes any outcome, twice", bench.settled())
        .await;
    suite.report
}

struct Bench<'a, F> {
    make: &'a F,
    options: &'a SourceOptions,
}

impl<S: Source, F: Fn() -> S> Bench<'_, F> {
    async fn name(&self) -> Checked {
        let (first, second) = ((self.make)(), (self.make)());
        ensure_name("name", &first.spec().name)?;
        ensure!(
            first.spec().name == second.spec().name,
            "it is called {:?} and then {:?}; checkpoints are stored under the name",
            first.spec().name,
            second.spec().name
        );
        Ok(())
    }

    async fn partitions_are_stable(&self) -> Checked {
        let part = (self.make)();
        let first: BTreeSet<Partition> = part.partitions().await?.into_iter().collect();
        let again: BTreeSet<Partition> = part.partitions().await?.into_iter().collect();
        ensure!(first == again, "it names {first:?} and then {again:?}");
        let anew = (self.make)().partitions().await?.into_iter().collect();
        ensure!(first == anew, "it names {first:?}, opened anew {anew:?}");
        Ok(())
    }

    async fn partitions_are_distinct(&self) -> Checked {
        let mut seen = BTreeSet::new();
        for partition in (self.make)().partitions().await? {
            ensure_name("name of a partition", &partition.0)?;
            ensure!(
                seen.insert(partition.clone()),
                "the partition {:?} comes twice",
                partition.0
            );
        }
        Ok(())
    }

    async fn posts_have_ids(&self) -> Checked {
        for pages in self.world(&(self.make)()).await? {
            for post in pages.1.iter().flat_map(|page| &page.items).filter_map(post) {
                self.is_well_formed(post)?;
            }
        }
        Ok(())
    }

    fn is_well_formed(&self, post: &Post) -> Checked {
        let id = &post.id;
        ensure_name("platform of a post", id.platform.as_str())?;
        ensure_name("native id of a post", &id.native)?;
        let read_back = id.to_string().parse::<PostId>();
        ensure!(
            read_back.is_ok_and(|read| read == *id),
            "the id {id} is not read back as it is written"
        );
        if let Some(platform) = &self.options.platform {
            ensure!(
                id.platform == *platform,
                "the post {id} is not of {platform}"
            );
        }
        let mut media = BTreeSet::new();
        for medium in &post.media {
            ensure!(
                !medium.id.is_empty() && media.insert(&medium.id),
                "the medium {:?} of {id} has no id of its own",
                medium.id
            );
        }
        Ok(())
    }

    async fn reading_twice(&self) -> Checked {
        let part = (self.make)();
        let first = self.world(&part).await?;
        for (other, how) in [(&part, "read again"), (&(self.make)(), "opened anew")] {
            for (partition, pages) in &first {
                let again = self.pages(other, partition, Checkpoint::default()).await?;
                ensure_same(partition, &items(pages), &items(&again), how)?;
            }
        }
        Ok(())
    }

    async fn at_once(&self) -> Checked {
        let part = (self.make)();
        let one_by_one = self.world(&part).await?;
        if one_by_one.len() < 2 {
            return Err(Flaw::not_applicable("fewer than two partitions have items"));
        }
        let reading = one_by_one
            .iter()
            .map(|(partition, _)| self.pages(&part, partition, Checkpoint::default()));
        for ((partition, pages), at_once) in one_by_one.iter().zip(try_join_all(reading).await?) {
            ensure_same(partition, &items(pages), &items(&at_once), "read at once")?;
        }
        Ok(())
    }

    async fn resuming(&self) -> Checked {
        let part = (self.make)();
        for (partition, pages) in self.world(&part).await? {
            for read in 1..pages.len() {
                let from = stored(&pages[read - 1].checkpoint)?;
                let resumed = self.pages(&(self.make)(), &partition, from).await?;
                let resumed = items(&resumed);
                let missed: Vec<_> = items(&pages[read..])
                    .into_iter()
                    .filter(|item| !resumed.contains(item))
                    .collect();
                ensure!(
                    missed.is_empty(),
                    "resumed after page {read} of {:?}, it misses {missed:?}",
                    partition.0
                );
            }
        }
        Ok(())
    }

    async fn the_end_is_an_end(&self) -> Checked {
        let part = (self.make)();
        for (partition, pages) in self.world(&part).await? {
            let mut last = pages.last().map(|page| page.checkpoint.clone());
            // Twice, since reading on from the end may give a new end.
            for _ in 0..2 {
                let Some(from) = last.take() else {
                    break;
                };
                let on = self.pages(&part, &partition, stored(&from)?).await?;
                last = on.last().map(|page| page.checkpoint.clone());
            }
        }
        Ok(())
    }

    async fn dropping(&self) -> Checked {
        let part = (self.make)();
        for (partition, pages) in self.world(&part).await? {
            for read in 0..=pages.len() {
                let mut stream = part.read(partition.clone(), Checkpoint::default());
                for _ in 0..read {
                    let _ = stream.next().await;
                }
                // Asked for one more, which it may have begun.
                let _ = futures::poll!(stream.next());
                drop(stream);
                let again = self.pages(&part, &partition, Checkpoint::default()).await?;
                let how = format!("read after a stream was dropped at page {read}");
                ensure_same(&partition, &items(&pages), &items(&again), &how)?;
            }
        }
        Ok(())
    }

    async fn unknown_place(&self) -> Checked {
        let part = (self.make)();
        let nowhere = Partition("no such partition".to_owned());
        self.ends(&part, nowhere, Checkpoint::default()).await?;
        for partition in part.partitions().await? {
            let from = Checkpoint::at("no such cursor");
            self.ends(&part, partition, from).await?;
        }
        Ok(())
    }

    /// Reads to the end, whatever it is: an error is one.
    async fn ends(&self, part: &S, partition: Partition, from: Checkpoint) -> Checked {
        let name = partition.0.clone();
        let mut stream = part.read(partition, from);
        for _ in 0..=self.options.pages {
            match stream.next().await {
                None => return Ok(()),
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    let more = stream.next().await;
                    ensure!(
                        more.is_none(),
                        "the stream of {name:?} went on after the error {error}"
                    );
                    return Ok(());
                }
            }
        }
        Err(self.endless(&name))
    }

    async fn settled(&self) -> Checked {
        let part = (self.make)();
        let outcomes = [
            Outcome::Delivered,
            Outcome::Filtered {
                reason: "duplicate".into(),
            },
            Outcome::Held,
            Outcome::Rejected,
            Outcome::DeadLettered,
        ];
        for (partition, pages) in self.world(&part).await? {
            for page in &pages {
                let ids: Vec<PostId> = page.items.iter().filter_map(id).collect();
                // However few items a page has, each outcome has its turn.
                for turn in 0..outcomes.len() {
                    let outcomes = outcomes.iter().cycle().skip(turn).cloned();
                    let settled: Vec<_> = ids.iter().cloned().zip(outcomes).collect();
                    for _ in 0..2 {
                        part.settled(&partition, &page.checkpoint, &settled).await?;
                    }
                }
                part.settled(&partition, &page.checkpoint, &[]).await?;
            }
        }
        Ok(())
    }

    /// All partitions that have items, with their pages.
    async fn world(&self, part: &S) -> Checked<Vec<(Partition, Vec<Page>)>> {
        let mut world = Vec::new();
        for partition in part.partitions().await? {
            let pages = self.pages(part, &partition, Checkpoint::default()).await?;
            if pages.iter().any(|page| !page.items.is_empty()) {
                world.push((partition, pages));
            }
        }
        match world.is_empty() {
            true => Err(Flaw::not_applicable("the source yields nothing")),
            false => Ok(world),
        }
    }

    async fn pages(&self, part: &S, partition: &Partition, from: Checkpoint) -> Checked<Vec<Page>> {
        let mut stream = part.read(partition.clone(), from);
        let mut pages = Vec::new();
        while let Some(page) = stream.next().await {
            pages.push(page?);
            if pages.len() > self.options.pages {
                return Err(self.endless(&partition.0));
            }
        }
        Ok(pages)
    }

    fn endless(&self, partition: &str) -> Flaw {
        Flaw::broken(format!(
            "the stream of {partition:?} has no end within {} pages",
            self.options.pages
        ))
    }
}

/// A checkpoint as a later run finds it.
fn stored(checkpoint: &Checkpoint) -> Checked<Checkpoint> {
    let broken = |error| Flaw::broken(format!("the checkpoint cannot be stored: {error}"));
    let json = serde_json::to_string(checkpoint).map_err(broken)?;
    serde_json::from_str(&json).map_err(broken)
}

/// The same items, in whatever order and however often: a post may come twice.
fn ensure_same(partition: &Partition, first: &[String], again: &[String], how: &str) -> Checked {
    let distinct = |items: &[String]| items.iter().cloned().collect::<BTreeSet<String>>();
    ensure!(
        distinct(first) == distinct(again),
        "{:?} gave {first:?}, {how} {again:?}",
        partition.0
    );
    Ok(())
}

/// The names of all items, in order.
fn items(pages: &[Page]) -> Vec<String> {
    let all = pages.iter().flat_map(|page| &page.items);
    all.map(|item| match item {
        Incoming::Unreadable(item) => format!("unreadable {}", item.place),
        Incoming::Gone(id) => format!("gone {id}"),
        other => id(other).map(|id| id.to_string()).unwrap_or_default(),
    })
    .collect()
}

fn post(item: &Incoming) -> Option<&Post> {
    match item {
        Incoming::Post(post) => Some(post),
        Incoming::Record(record) => Some(&record.post),
        Incoming::Gone(_) | Incoming::Unreadable(_) => None,
    }
}

fn id(item: &Incoming) -> Option<PostId> {
    match item {
        Incoming::Gone(id) => Some(id.clone()),
        Incoming::Unreadable(_) => None,
        other => post(other).map(|post| post.id.clone()),
    }
}
