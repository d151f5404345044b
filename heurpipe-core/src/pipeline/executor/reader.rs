//! Reading the partitions of a source and committing how far they have come.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use futures::StreamExt;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Sender, UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::super::in_order::InOrder;
use super::super::receipt::{PageReceipt, Progress};
use super::meter::Meter;
use super::options::Stop;
use super::shared::{Arrival, MAX_STORE_WAIT, Shared};
use crate::{Checkpoint, CheckpointKey, Error, Page, Partition, Result, Retry, Source};

/// A partition that fails so often without yielding a page in between is given up for this run.
const ATTEMPTS: usize = 6;

/// One partition of one source during one run.
pub(super) struct Reader {
    pub(super) shared: Arc<Shared>,
    pub(super) source: Arc<dyn Source>,
    pub(super) partition: Partition,
    pub(super) meter: Arc<Meter>,
    /// Held while reading, not while waiting for the last pages to settle.
    pub(super) slots: Arc<Semaphore>,
    /// Whether how far it has come is stored. What is read from documents themselves needs no checkpoint.
    pub(super) keeps_checkpoints: bool,
}

impl Reader {
    /// Reads the partition to its end and stays until every page is settled. Lets go of `pages` at the end: whoever takes them knows then
    /// that no more are to come.
    ///
    /// # Errors
    /// When documents fail for good. What the source does wrong is counted among the run's errors.
    pub(super) async fn run(self, pages: Sender<Vec<Arrival>>) -> Result<()> {
        let (progress, notes) = unbounded_channel();
        let mut pass = Pass {
            key: self.key(),
            in_order: InOrder::default(),
            notes,
            open: 0,
        };
        let out = Out { pages, progress };
        let slot = self.slots.acquire().await;
        let mut from = self.stored_checkpoint(&pass.key).await?;
        let mut waits = source_backoff();
        let mut sequence = 0;
        loop {
            let ended = self
                .read_pages(&mut pass, &mut from, &mut sequence, &out, &mut waits)
                .await?;
            match ended {
                Ended::AtEnd => break,
                Ended::Failed(error) => {
                    let Some(wait) = self.wait_after(&error, &mut waits) else {
                        self.give_up(&error);
                        break;
                    };
                    tracing::warn!(%error, partition = %pass.key, ?wait, "the source does not answer, trying again");
                    self.pause(wait, &error).await;
                }
            }
        }
        drop(slot);
        drop(out);
        self.drain(&mut pass).await
    }

    /// How long to wait before reading on; none: the partition is given up. Documents are waited for however long they are down: that pauses
    /// the run. A source that asks for more patience than there is has its partition given up: a budget of a week is no reason to stay.
    fn wait_after(&self, error: &Error, waits: &mut Waits) -> Option<Duration> {
        if error.retry() != Retry::Temporary || self.shared.stopping() {
            return None;
        }
        let asked = error.retry_after();
        if asked.is_some_and(|asked| asked > self.shared.options.source_patience) {
            return None;
        }
        let wait = waits.next();
        let wait = if self.keeps_checkpoints {
            wait
        } else {
            wait.or(Some(MAX_STORE_WAIT))
        };
        wait.map(|wait| asked.unwrap_or(wait))
    }

    async fn read_pages(
        &self,
        pass: &mut Pass,
        from: &mut Checkpoint,
        sequence: &mut u64,
        out: &Out,
        waits: &mut Waits,
    ) -> Result<Ended> {
        let mut stop = self.shared.stop.subscribe();
        let mut stream = self.source.read(self.partition.clone(), from.clone());
        loop {
            if *stop.borrow_and_update() != Stop::No {
                return Ok(Ended::AtEnd);
            }
            // What pages tell comes first: each tells twice, and would otherwise pile up behind a source that is never out of pages.
            let next = tokio::select! {
                biased;
                Some(note) = pass.notes.recv() => {
                    pass.in_order.note(note);
                    self.commit(pass).await?;
                    continue;
                }
                _ = stop.changed() => continue,
                next = self.meter.measure(stream.next()) => next,
            };
            let page = match next {
                None => return Ok(Ended::AtEnd),
                Some(Err(error)) => return Ok(Ended::Failed(error)),
                Some(Ok(page)) => page,
            };
            *waits = source_backoff();
            from.clone_from(&page.checkpoint);
            let arrivals = self.receive(pass, page, *sequence, &out.progress);
            *sequence += 1;
            if !arrivals.is_empty() && out.pages.send(arrivals).await.is_err() {
                return Ok(Ended::AtEnd);
            }
        }
    }

    /// Gives each item its share of the page. Items beyond the run's limit are left out, with their shares: the page stays open.
    fn receive(
        &self,
        pass: &mut Pass,
        page: Page,
        sequence: u64,
        progress: &UnboundedSender<Progress>,
    ) -> Vec<Arrival> {
        pass.in_order.expect(page.checkpoint);
        pass.open += 1;
        let shares = PageReceipt::issue(sequence, page.items.len(), progress.clone());
        let allowed = self.allowance(page.items.len());
        let arrivals: Vec<Arrival> = page.items.into_iter().zip(shares).take(allowed).collect();
        self.shared.totals.read(arrivals.len());
        self.meter.left(arrivals.len());
        arrivals
    }

    /// How many of so many items may be read. At the limit, the run is told to end.
    fn allowance(&self, items: usize) -> usize {
        let Some(limit) = self.shared.options.limit else {
            return items;
        };
        let read = self.shared.totals.snapshot().0.read;
        let left = usize::try_from(limit.saturating_sub(read)).unwrap_or(usize::MAX);
        if items >= left {
            self.shared.stop(Stop::Enough);
        }
        items.min(left)
    }

    /// After the last page: waits until all that was read is settled or dropped.
    async fn drain(&self, pass: &mut Pass) -> Result<()> {
        self.commit(pass).await?;
        while pass.open > 0 {
            let Some(note) = pass.notes.recv().await else {
                break;
            };
            pass.in_order.note(note);
            self.commit(pass).await?;
        }
        Ok(())
    }

    async fn commit(&self, pass: &mut Pass) -> Result<()> {
        if let Some(checkpoint) = pass.in_order.committable()
            && self.keeps_checkpoints
            && let Some(documents) = &self.shared.pipeline.parts.documents
        {
            self.shared
                .persist("checkpoint", || {
                    documents.save_checkpoint(&pass.key, &checkpoint)
                })
                .await?;
        }
        for (checkpoint, outcomes) in pass.in_order.settled() {
            pass.open -= 1;
            let told = self
                .source
                .settled(&self.partition, &checkpoint, &outcomes)
                .await;
            if let Err(error) = told {
                // The source will yield these again; sinks take them again without harm.
                tracing::warn!(%error, partition = %pass.key, "the source did not take the acknowledgement");
            }
        }
        Ok(())
    }

    async fn stored_checkpoint(&self, key: &CheckpointKey) -> Result<Checkpoint> {
        match &self.shared.pipeline.parts.documents {
            Some(documents) if self.keeps_checkpoints => {
                let stored = self
                    .shared
                    .persist("checkpoint", || documents.checkpoint(key));
                Ok(stored.await?.unwrap_or_default())
            }
            _ => Ok(Checkpoint::default()),
        }
    }

    fn key(&self) -> CheckpointKey {
        CheckpointKey {
            pipeline: self.shared.pipeline.name().to_owned(),
            source: self.source.spec().name.clone(),
            partition: self.partition.clone(),
        }
    }

    fn give_up(&self, error: &Error) {
        self.meter.failed(1);
        tracing::error!(%error, partition = %self.key(), "the partition ends here for this run");
        self.shared
            .totals
            .error(format!("{}: {}", self.key(), error.chain().join(": ")));
    }

    /// Waits before reading on. Where documents are what is read, the run says that it waits for a store.
    async fn pause(&self, wait: Duration, error: &Error) {
        if self.keeps_checkpoints {
            return self.wait(wait).await;
        }
        let what = self.source.spec().name.as_str();
        self.shared.begin_wait(what, error);
        self.wait(wait).await;
        self.shared.end_wait(what);
    }

    async fn wait(&self, wait: Duration) {
        let mut stop = self.shared.stop.subscribe();
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stop.wait_for(|stop| *stop != Stop::No) => {}
        }
    }
}

/// A reader's way through its partition.
struct Pass {
    key: CheckpointKey,
    in_order: InOrder,
    notes: UnboundedReceiver<Progress>,
    /// Pages read and not settled.
    open: usize,
}

/// Where a reader puts what it reads, and where the pages tell of their progress.
struct Out {
    pages: Sender<Vec<Arrival>>,
    progress: UnboundedSender<Progress>,
}

enum Ended {
    AtEnd,
    Failed(Error),
}

type Waits = backon::ExponentialBackoff;

fn source_backoff() -> Waits {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(Duration::from_secs(60))
        .with_max_times(ATTEMPTS - 1)
        .with_jitter()
        .build()
}
