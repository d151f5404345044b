//! Each rule of a source broken by a double, which the suite catches.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use heurpipe_core::testkit::suite::{self, SourceOptions, SuiteReport};
use heurpipe_core::*;

use crate::parts::{assert_caught, assert_made, post};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Flaw {
    None,
    NamedAnew,
    PartitionsNamedAnew,
    PartitionTwice,
    PartitionWithoutName,
    NoNativeId,
    ForeignPosts,
    MediaWithoutIds,
    LessTheSecondTime,
    OneReaderAtATime,
    CheckpointTooFar,
    NoEnd,
    KeepsWhatADroppedStreamHad,
    PanicsOnUnknownCursors,
    GoesOnAfterErrors,
    RefusesRejected,
    SettlesOnce,
}

/// What all instances of a source share: the world outside.
#[derive(Default)]
struct World {
    made: AtomicUsize,
    asked: AtomicUsize,
    reads: AtomicUsize,
    open: AtomicUsize,
    had: AtomicUsize,
    settled: AtomicUsize,
}

/// Two partitions of six posts, two a page.
struct Broken {
    flaw: Flaw,
    spec: SourceSpec,
    world: Arc<World>,
}

impl Broken {
    fn make(flaw: Flaw, world: &Arc<World>) -> Self {
        let instance = world.made.fetch_add(1, SeqCst);
        let name = match flaw {
            Flaw::NamedAnew => format!("source {instance}"),
            _ => "source".to_owned(),
        };
        Self {
            flaw,
            spec: SourceSpec::new(name, "a broken source"),
            world: Arc::clone(world),
        }
    }

    fn post(&self, partition: &str, number: usize) -> Incoming {
        let mut post = post(number, "");
        post.id.native = format!("{partition}{number}").into();
        match self.flaw {
            Flaw::NoNativeId => post.id.native = "".into(),
            Flaw::ForeignPosts => post.id.platform = Platform::weibo(),
            Flaw::MediaWithoutIds => {
                post.media = vec![Media::image("", "a"), Media::image("", "b")]
            }
            _ => {}
        }
        Incoming::Post(Box::new(post))
    }

    fn pages(&self, partition: &Partition, start: usize, end: usize) -> Vec<Result<Page>> {
        let page_at = |first: usize| {
            let items = (first..first + 2).map(|n| self.post(&partition.0, n));
            let reached = match self.flaw {
                Flaw::CheckpointTooFar => first + 4,
                _ => first + 2,
            };
            Ok(page(items.collect(), reached))
        };
        (start..end).step_by(2).map(page_at).collect()
    }
}

fn unknown_cursor() -> Result<Page> {
    Err(Error::new(ErrorKind::NotFound, "broken.read"))
}

/// A stream in the hands of a reader.
struct Open {
    world: Arc<World>,
    pages: std::vec::IntoIter<Result<Page>>,
    taken: usize,
    ended: bool,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.world.open.fetch_sub(1, SeqCst);
        let had = if self.ended { 0 } else { 2 * self.taken };
        self.world.had.store(had, SeqCst);
    }
}

fn page(items: Vec<Incoming>, reached: usize) -> Page {
    let checkpoint = Checkpoint::at(reached.to_string());
    Page { items, checkpoint }
}

#[async_trait]
impl Source for Broken {
    fn spec(&self) -> &SourceSpec {
        &self.spec
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        let asked = self.world.asked.fetch_add(1, SeqCst);
        let names = match self.flaw {
            Flaw::PartitionsNamedAnew => vec!["a".to_owned(), format!("b{asked}")],
            Flaw::PartitionTwice => vec!["a".to_owned(), "a".to_owned()],
            Flaw::PartitionWithoutName => vec!["a".to_owned(), String::new()],
            _ => vec!["a".to_owned(), "b".to_owned()],
        };
        Ok(names.into_iter().map(Partition).collect())
    }

    fn read(&self, partition: Partition, from: Checkpoint) -> BoxStream<'static, Result<Page>> {
        let read = self.world.reads.fetch_add(1, SeqCst);
        let others = self.world.open.fetch_add(1, SeqCst);
        let had = self.world.had.load(SeqCst);
        let cursor = from.resume.map_or(Ok(0), |c| c.0.parse::<usize>());
        let pages = match (self.flaw, cursor) {
            (Flaw::PanicsOnUnknownCursors, Err(_)) => panic!("no such cursor"),
            (Flaw::GoesOnAfterErrors, Err(_)) => vec![unknown_cursor(), Ok(page(Vec::new(), 6))],
            (_, Err(_)) => vec![unknown_cursor()],
            (Flaw::OneReaderAtATime, Ok(_)) if others > 0 => Vec::new(),
            (Flaw::KeepsWhatADroppedStreamHad, Ok(0)) => self.pages(&partition, had, 6),
            (Flaw::LessTheSecondTime, Ok(start)) if read >= 4 => self.pages(&partition, start, 4),
            (Flaw::NoEnd, Ok(6)) => return stream::repeat_with(|| Ok(page(Vec::new(), 6))).boxed(),
            (_, Ok(start)) => self.pages(&partition, start, 6),
        };
        let open = Open {
            world: Arc::clone(&self.world),
            pages: pages.into_iter(),
            taken: 0,
            ended: false,
        };
        stream::unfold(open, |mut open| async move {
            // As a service does, it answers only when asked again.
            tokio::task::yield_now().await;
            let page = open.pages.next();
            open.taken += 1;
            open.ended = page.is_none();
            Some((page?, open))
        })
        .boxed()
    }

    async fn settled(
        &self,
        _partition: &Partition,
        _upto: &Checkpoint,
        outcomes: &[(PostId, Outcome)],
    ) -> Result<()> {
        let rejected = outcomes.iter().any(|(_, o)| *o == Outcome::Rejected);
        let times = self.world.settled.fetch_add(1, SeqCst);
        match self.flaw {
            Flaw::RefusesRejected if rejected => {
                Err(Error::new(ErrorKind::Unsupported, "broken.settled"))
            }
            Flaw::SettlesOnce if times > 0 => {
                Err(Error::new(ErrorKind::Conflict, "broken.settled"))
            }
            _ => Ok(()),
        }
    }
}

async fn suite_of(flaw: Flaw) -> SuiteReport {
    let world = Arc::new(World::default());
    let options = SourceOptions::default()
        .platform(Platform::new("test"))
        .pages(50);
    suite::source(|| Broken::make(flaw, &world), options).await
}

#[tokio::test]
async fn a_sound_one_is_measured_by_every_check() {
    let report = suite_of(Flaw::None).await;
    assert_made(&report, report.checks.len());
}

#[tokio::test]
async fn each_flaw_is_caught() {
    let flaws = [
        (Flaw::NamedAnew, "the name is stable"),
        (Flaw::PartitionsNamedAnew, "partitions are stable"),
        (Flaw::PartitionTwice, "partitions are distinct"),
        (Flaw::PartitionWithoutName, "partitions are distinct"),
        (Flaw::NoNativeId, "posts have ids"),
        (Flaw::ForeignPosts, "posts have ids"),
        (Flaw::MediaWithoutIds, "posts have ids"),
        (Flaw::LessTheSecondTime, "reading twice gives the same"),
        (Flaw::OneReaderAtATime, "partitions may be read at once"),
        (Flaw::CheckpointTooFar, "resuming misses nothing"),
        (Flaw::NoEnd, "the end is an end"),
        (
            Flaw::KeepsWhatADroppedStreamHad,
            "dropping a stream harms nothing",
        ),
        (
            Flaw::PanicsOnUnknownCursors,
            "an unknown place harms nothing",
        ),
        (Flaw::GoesOnAfterErrors, "an unknown place harms nothing"),
        (Flaw::RefusesRejected, "settled takes any outcome, twice"),
        (Flaw::SettlesOnce, "settled takes any outcome, twice"),
    ];
    for (flaw, check) in flaws {
        println!("{flaw:?}");
        assert_caught(&suite_of(flaw).await, check);
    }
}
