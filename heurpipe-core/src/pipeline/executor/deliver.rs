//! The end of the way: gates, sinks, states, receipts.
//!
//! For every batch: verdicts, writes, one flush, dead letters and questions, then the states, and only then are receipts settled. The state
//! goes into the record before sinks see it, with the revision that the commit will give it; where somebody else was faster, the record is
//! merged and goes round once more.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, timeout_at};

use super::bytes::ByteShare;
use super::ends;
use super::fate::Fate;
use super::shared::{Envelope, Parcel, Shared};
use super::stages::Stages;
use crate::{DeadLetter, Documents, Error, ErrorKind, Record, Result, ReviewTask, Stored};

/// After so long without another batch, what has come so far is settled.
const PAUSE: Duration = Duration::from_millis(100);
/// Two writers that keep changing one record are given up on after so many rounds.
const ROUNDS: usize = 16;

pub(super) struct Deliver {
    pub(super) shared: Arc<Shared>,
    pub(super) stages: Arc<Stages>,
    pub(super) enriched: Receiver<Parcel>,
}

/// Envelopes that are settled together, with their shares of the byte budget.
struct Load {
    envelopes: Vec<Envelope>,
    /// Given back when all is settled.
    _posts: Vec<ByteShare>,
}

impl Deliver {
    /// Delivers until nothing comes any more.
    ///
    /// # Errors
    /// When a store fails for good.
    pub(super) async fn run(mut self) -> Result<()> {
        while let Some(load) = self.next_load().await {
            let fates = self.judge(load.envelopes).await;
            self.stages.settle.entered(fates.len());
            self.settle_all(fates).await?;
        }
        Ok(())
    }

    /// What has come by the next pause, or as much as is settled together, or all there is on its way.
    async fn next_load(&mut self) -> Option<Load> {
        let first = self.enriched.recv().await?;
        let mut load = Load {
            envelopes: first.envelopes,
            _posts: vec![first.posts],
        };
        while load.envelopes.len() < self.shared.options.settle_every
            && let Some(more) = self.more(load.envelopes.len()).await
        {
            load.envelopes.extend(more.envelopes);
            load._posts.push(more.posts);
        }
        Some(load)
    }

    /// What comes before the next pause. It is not waited for where nothing more is read and so many posts are all that is on its way.
    async fn more(&mut self, loaded: usize) -> Option<Parcel> {
        if let Ok(parcel) = self.enriched.try_recv() {
            return Some(parcel);
        }
        if self.shared.read_to_the_end() && self.shared.in_flight.len() <= loaded {
            return None;
        }
        let pause = Instant::now() + PAUSE;
        timeout_at(pause, self.enriched.recv()).await.ok().flatten()
    }

    /// Asks the gates, one after the other, about what the earlier ones let pass.
    async fn judge(&self, envelopes: Vec<Envelope>) -> Vec<Fate> {
        let use_case = self.shared.pipeline.name();
        let fates = envelopes.into_iter().map(|e| Fate::of(use_case, e));
        let mut fates: Vec<Fate> = fates.collect();
        let gates = &self.shared.pipeline.parts.gates;
        for (stage, run) in gates.iter().zip(&self.stages.gates) {
            let open: Vec<usize> = (0..fates.len())
                .filter(|i| fates[*i].is_open() && fates[*i].meets(&stage.condition))
                .collect();
            if open.is_empty() {
                continue;
            }
            let records: Vec<Arc<Record>> = open
                .iter()
                .map(|i| Arc::clone(&fates[*i].envelope.record))
                .collect();
            run.meter.entered(records.len());
            let judging = ends::judge(stage.gate.as_ref(), run, &records);
            let verdicts = run.meter.measure(judging).await;
            drop(records);
            let gate = stage.gate.name();
            for (index, verdict) in open.into_iter().zip(verdicts) {
                let fate = &mut fates[index];
                match verdict {
                    Ok(verdict) => fate.judged(use_case, gate, verdict),
                    Err(error) => {
                        run.meter.failed(1);
                        fate.fail(gate, error);
                    }
                }
                run.meter.left(usize::from(fate.is_open()));
            }
        }
        fates
    }

    /// Makes the fates durable and settles the receipts.
    async fn settle_all(&self, fates: Vec<Fate>) -> Result<()> {
        let mut open = fates;
        for _ in 0..ROUNDS {
            if open.is_empty() {
                return Ok(());
            }
            self.write(&mut open).await?;
            let settle = &self.stages.settle;
            settle.measure(self.keep_aside(&open)).await?;
            open = match &self.shared.pipeline.parts.documents {
                Some(documents) => {
                    settle
                        .measure(self.commit(documents.as_ref(), open))
                        .await?
                }
                None => {
                    settle.measure(async { self.settle(open) }).await;
                    Vec::new()
                }
            };
        }
        Err(Error::new(ErrorKind::Conflict, "pipeline.settle")
            .message("records keep changing while they are being settled")
            .with("posts", open.len()))
    }

    /// Writes to every sink what it wants, and flushes. While sinks see them, records have their new state and the revision that the
    /// commit will give them. Side outputs come last: they see what became of a record that a sink refused.
    async fn write(&self, fates: &mut [Fate]) -> Result<()> {
        let parts = &self.shared.pipeline.parts;
        let use_case = self.shared.pipeline.name();
        for fate in fates.iter_mut() {
            fate.route(use_case, &parts.sinks);
            fate.revise(|revision| revision + 1);
        }
        let numbers = 0..parts.sinks.len();
        let (tees, sinks): (Vec<usize>, Vec<usize>) = numbers.partition(|n| parts.sinks[*n].tee);
        for number in sinks.into_iter().chain(tees) {
            self.write_to(number, fates).await?;
        }
        if parts.documents.is_some() {
            for fate in fates.iter_mut() {
                fate.enter_state(use_case);
                fate.revise(|revision| revision - 1);
            }
        }
        Ok(())
    }

    async fn write_to(&self, number: usize, fates: &mut [Fate]) -> Result<()> {
        let stage = &self.shared.pipeline.parts.sinks[number];
        let run = &self.stages.sinks[number];
        let places: Vec<usize> = (0..fates.len())
            .filter(|i| fates[*i].goes_to(number))
            .collect();
        if places.is_empty() {
            return Ok(());
        }
        let records: Vec<Arc<Record>> = places.iter().map(|i| fates[*i].view()).collect();
        let sink = stage.sink.as_ref();
        run.meter.entered(records.len());
        if stage.tee {
            let refused = run.meter.measure(ends::spill(sink, run, &records)).await;
            run.meter.failed(refused);
            run.meter.left(records.len() - refused);
            return Ok(());
        }
        let delivering = ends::deliver(&self.shared, sink, run, &records);
        let outcomes = run.meter.measure(delivering).await?;
        drop(records);
        let mut taken = 0;
        for (index, outcome) in places.into_iter().zip(outcomes) {
            match outcome {
                Ok(()) => taken += 1,
                Err(error) => {
                    run.meter.failed(1);
                    let use_case = self.shared.pipeline.name();
                    fates[index].refuse(use_case, stage.name(), error);
                }
            }
        }
        run.meter.left(taken);
        Ok(())
    }

    /// Buries dead letters and asks the questions of held posts, before anything settles.
    async fn keep_aside(&self, fates: &[Fate]) -> Result<()> {
        let parts = &self.shared.pipeline.parts;
        let letters: Vec<DeadLetter> = fates.iter().filter_map(|f| self.letter(f)).collect();
        if let (Some(documents), false) = (&parts.documents, letters.is_empty()) {
            self.shared
                .persist("dead letters", || documents.bury(&letters))
                .await?;
        }
        let tasks = fates
            .iter()
            .filter_map(|fate| fate.task.as_deref().cloned());
        let tasks: Vec<ReviewTask> = tasks.collect();
        if let (Some(review), false) = (&parts.review, tasks.is_empty()) {
            self.shared.persist("review", || review.ask(&tasks)).await?;
        }
        Ok(())
    }

    fn letter(&self, fate: &Fate) -> Option<DeadLetter> {
        let failure = fate.envelope.failure.as_deref()?;
        let record = fate.envelope.record.as_ref().clone();
        let use_case = self.shared.pipeline.name();
        Some(DeadLetter::of_record(
            use_case,
            &failure.stage,
            record,
            &failure.error,
        ))
    }

    /// Commits the states and settles the receipts. Gives back what somebody else has changed in between, merged.
    ///
    /// # Errors
    /// When the store refuses a record for good: its posts stay pending.
    async fn commit(&self, documents: &dyn Documents, fates: Vec<Fate>) -> Result<Vec<Fate>> {
        let records: Vec<&Record> = fates.iter().map(|f| f.envelope.record.as_ref()).collect();
        let committed = self
            .shared
            .persist("commit", || documents.commit(&records))
            .await?;
        let mut done = Vec::with_capacity(fates.len());
        let mut conflicts = Vec::new();
        for (outcome, fate) in committed.into_iter().zip(fates) {
            match outcome {
                Ok(_) => done.push(fate),
                Err(error) if error.kind() == ErrorKind::Conflict => conflicts.push(fate),
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    done.push(fate.filtered("tombstoned"));
                }
                Err(error) => return Err(error),
            }
        }
        let again = self.merge(documents, conflicts, &mut done).await?;
        self.settle(done);
        Ok(again)
    }

    /// Merges records with what another writer made of them.
    async fn merge(
        &self,
        documents: &dyn Documents,
        conflicts: Vec<Fate>,
        done: &mut Vec<Fate>,
    ) -> Result<Vec<Fate>> {
        if conflicts.is_empty() {
            return Ok(Vec::new());
        }
        let ids = conflicts.iter().map(|f| f.envelope.record.id().clone());
        let ids: Vec<_> = ids.collect();
        let stored = self.shared.persist("load", || documents.load(&ids)).await?;
        let mut again = Vec::new();
        for (mut fate, stored) in conflicts.into_iter().zip(stored) {
            let record = Arc::make_mut(&mut fate.envelope.record);
            match stored {
                Stored::Known(theirs) => {
                    record.revision = theirs.revision;
                    record.merge(*theirs);
                    again.push(fate.reopened());
                }
                Stored::Unknown => {
                    record.revision = 0;
                    again.push(fate.reopened());
                }
                Stored::Archived { .. } => done.push(fate.filtered("archived")),
                Stored::Tombstoned => done.push(fate.filtered("tombstoned")),
            }
        }
        Ok(again)
    }

    fn settle(&self, fates: Vec<Fate>) {
        self.stages.settle.left(fates.len());
        let settled = fates.into_iter().map(Fate::settled).collect();
        self.shared.settle(settled);
    }
}
