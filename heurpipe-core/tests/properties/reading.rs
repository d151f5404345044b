//! A source that remembers what it yielded and what it was told, and watches over what it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::stream::{BoxStream, StreamExt};
use heurpipe_core::testkit::faults::Faulty;
use heurpipe_core::*;

use super::parts::{Listed, number};
use super::world::World;

/// What the sources of one life yielded and were told, by source and partition.
#[derive(Default)]
pub struct Log(pub Mutex<BTreeMap<(usize, usize), Track>>);

#[derive(Default)]
pub struct Track {
    pub pages: Vec<Page>,
    /// How many of them were told settled.
    pub told: usize,
    pub outcomes: Vec<(PostId, Outcome)>,
}

pub struct Reading {
    inner: Faulty<Listed>,
    number: usize,
    world: Arc<World>,
    log: Arc<Log>,
}

impl Reading {
    pub fn new(number: usize, inner: Faulty<Listed>, world: &Arc<World>, log: &Arc<Log>) -> Self {
        Self {
            inner,
            number,
            world: Arc::clone(world),
            log: Arc::clone(log),
        }
    }

    /// Pages are told in the order in which they were yielded, each once, with each of its items once.
    fn check_order(&self, partition: usize, upto: &Checkpoint, outcomes: &[(PostId, Outcome)]) {
        let mut tracks = self.log.0.lock().unwrap();
        let track = tracks.entry((self.number, partition)).or_default();
        let place = format!("partition {partition} of source {}", self.number);
        let Some(page) = track.pages.get(track.told) else {
            self.world
                .violated(format!("{place} was told of a page that it never yielded"));
            return;
        };
        let mut yielded: Vec<PostId> = page.items.iter().map(|i| i.id().into_owned()).collect();
        let mut told: Vec<PostId> = outcomes.iter().map(|(id, _)| id.clone()).collect();
        yielded.sort();
        told.sort();
        if page.checkpoint != *upto || yielded != told {
            self.world.violated(format!(
                "{place} yielded {yielded:?} up to {:?} and was told {told:?} up to {upto:?}",
                page.checkpoint
            ));
        }
        track.told += 1;
        track.outcomes.extend(outcomes.iter().cloned());
    }

    /// What is told is true for good.
    async fn check_durable(&self, id: &PostId, outcome: &Outcome) {
        let world = &self.world;
        let documents = world.case.documents;
        let kept = match outcome {
            Outcome::Delivered => world.is_delivered(id),
            Outcome::DeadLettered if documents => world.is_buried(id).await,
            Outcome::Held => world.is_asked_about(id).await,
            Outcome::Filtered { .. } | Outcome::Rejected | Outcome::DeadLettered => true,
        };
        if !kept {
            world.violated(format!("{id} was told {outcome:?}, and nothing shows it"));
        }
        if documents && world.is_pending(id).await && !world.case.changes(&id.native) {
            world.violated(format!("{id} was told {outcome:?} and is pending"));
        }
    }
}

#[async_trait]
impl Source for Reading {
    fn spec(&self) -> &SourceSpec {
        self.inner.spec()
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        self.inner.partitions().await
    }

    fn read(&self, partition: Partition, from: Checkpoint) -> BoxStream<'static, Result<Page>> {
        let place = (self.number, number(&partition.0));
        let log = Arc::clone(&self.log);
        let pages = self.inner.read(partition, from);
        let note = move |page: &Result<Page>| {
            if let Ok(page) = page {
                let mut tracks = log.0.lock().unwrap();
                tracks.entry(place).or_default().pages.push(page.clone());
            }
        };
        pages.inspect(note).boxed()
    }

    async fn settled(
        &self,
        partition: &Partition,
        upto: &Checkpoint,
        outcomes: &[(PostId, Outcome)],
    ) -> Result<()> {
        self.check_order(number(&partition.0), upto, outcomes);
        for (id, outcome) in outcomes {
            self.check_durable(id, outcome).await;
        }
        self.inner.settled(partition, upto, outcomes).await
    }
}
