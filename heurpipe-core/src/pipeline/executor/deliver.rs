//! The end of the way: gates, sinks, states, receipts.
//!
//! For every batch: verdicts, writes, one flush, dead letters and questions, then the states, and only then are receipts settled. The state
//! goes into the record before sinks see it, with the revision that the commit will give it; where somebody else was faster, the record is
//! merged and goes round once more.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, timeout_at};

use super::meter::Meter;
use super::shared::{Envelope, Shared};
use crate::flat::Flat;
use crate::{
    By, DeadLetter, Durable, Error, ErrorKind, Filter, ItemResult, Outcome, Record, Result, Retry,
    ReviewTask, Sink, State, Stored, Verdict,
};

/// After so long without another batch, what has come so far is settled.
const PAUSE: Duration = Duration::from_millis(100);
/// Two writers that keep changing one record are given up on after so many rounds.
const ROUNDS: usize = 16;
/// Writes of one record to one sink, beyond the first.
const RETRIES: u32 = 4;

pub(super) struct Deliver {
    pub(super) shared: Arc<Shared>,
    pub(super) gates: Vec<Arc<Meter>>,
    pub(super) sinks: Vec<Arc<Meter>>,
    pub(super) settle: Arc<Meter>,
    pub(super) enriched: Receiver<Vec<Envelope>>,
}

/// An envelope with what is to become of it.
struct Fate {
    envelope: Envelope,
    outcome: Outcome,
    reason: Option<String>,
    withheld: Vec<String>,
    task: Option<ReviewTask>,
    /// Whether sinks have an earlier version that must be brought up to date, whatever the outcome.
    in_sinks: bool,
}

impl Deliver {
    /// Delivers until nothing comes any more.
    ///
    /// # Errors
    /// When a store fails for good.
    pub(super) async fn run(mut self) -> Result<()> {
        while let Some(batch) = self.next_batch().await {
            let fates = self.judge(batch).await;
            self.settle.entered(fates.len());
            self.settle_all(&self.shared, fates).await?;
        }
        Ok(())
    }

    /// What has come by the next pause, or as much as is settled together.
    async fn next_batch(&mut self) -> Option<Vec<Envelope>> {
        let mut batch = self.enriched.recv().await?;
        while batch.len() < self.shared.options.settle_every {
            match timeout_at(Instant::now() + PAUSE, self.enriched.recv()).await {
                Ok(Some(more)) => batch.extend(more),
                Ok(None) | Err(_) => break,
            }
        }
        Some(batch)
    }

    async fn judge(&self, batch: Vec<Envelope>) -> Vec<Fate> {
        let use_case = &self.shared.pipeline.name;
        let mut fates: Vec<Fate> = batch
            .into_iter()
            .map(|envelope| Fate {
                outcome: match envelope.failure {
                    Some(_) => Outcome::DeadLettered,
                    None => Outcome::Delivered,
                },
                reason: None,
                withheld: Vec::new(),
                task: None,
                in_sinks: envelope
                    .record
                    .states
                    .get(use_case)
                    .is_some_and(State::is_in_sinks),
                envelope,
            })
            .collect();
        for (gate, meter) in self.shared.pipeline.gates.iter().zip(&self.gates) {
            let open: Vec<usize> = (0..fates.len())
                .filter(|i| fates[*i].outcome == Outcome::Delivered)
                .collect();
            if open.is_empty() {
                break;
            }
            let records: Vec<Arc<Record>> = open
                .iter()
                .map(|i| Arc::clone(&fates[*i].envelope.record))
                .collect();
            meter.entered(records.len());
            let verdicts = meter.measure(gate.judge(&records)).await;
            let verdicts = match verdicts {
                Ok(verdicts) => verdicts,
                Err(error) => records.iter().map(|_| Err(error.replica())).collect(),
            };
            for (index, verdict) in open.into_iter().zip(verdicts) {
                apply(use_case, gate.name(), meter, &mut fates[index], verdict);
            }
        }
        fates
    }

    /// Makes the fates durable and settles the receipts.
    async fn settle_all(&self, shared: &Shared, fates: Vec<Fate>) -> Result<()> {
        let mut open = fates;
        for _ in 0..ROUNDS {
            if open.is_empty() {
                return Ok(());
            }
            self.write(shared, &mut open).await?;
            self.settle.measure(self.keep_aside(shared, &open)).await?;
            open = self.settle.measure(self.commit(shared, open)).await?;
        }
        Err(Error::new(ErrorKind::Conflict, "pipeline.settle")
            .message("records keep changing while they are being settled")
            .with("posts", open.len()))
    }

    /// Writes to every sink what it wants, and flushes. While sinks see them, records have their new state and the revision that the
    /// commit will give them.
    async fn write(&self, shared: &Shared, fates: &mut [Fate]) -> Result<()> {
        let use_case = &shared.pipeline.name;
        let sinks = &shared.pipeline.sinks;
        let wants: Vec<Vec<bool>> = fates.iter_mut().map(|f| f.route(use_case, sinks)).collect();
        for fate in fates.iter_mut() {
            fate.enter_state(use_case).revision += 1;
        }
        let views: Vec<Arc<Record>> = fates.iter().map(Fate::view).collect();
        for (number, (sink, meter)) in sinks.iter().zip(&self.sinks).enumerate() {
            let places: Vec<usize> = (0..fates.len())
                .filter(|i| wants[*i][number] || fates[*i].in_sinks)
                .collect();
            if places.is_empty() {
                continue;
            }
            let records: Vec<Arc<Record>> = places.iter().map(|i| Arc::clone(&views[*i])).collect();
            meter.entered(records.len());
            let outcomes = meter
                .measure(write_and_flush(shared, sink.as_ref(), &records))
                .await?;
            for (index, outcome) in places.into_iter().zip(outcomes) {
                match outcome {
                    Ok(()) => meter.left(1),
                    Err(error) => {
                        meter.failed(1);
                        fail(&mut fates[index], &sink.spec().name, error);
                    }
                }
            }
        }
        drop(views);
        for fate in fates.iter_mut() {
            fate.enter_state(use_case).revision -= 1;
        }
        Ok(())
    }

    /// Buries dead letters and asks the questions of held posts, before anything settles.
    async fn keep_aside(&self, shared: &Shared, fates: &[Fate]) -> Result<()> {
        let use_case = &shared.pipeline.name;
        let letters: Vec<DeadLetter> = fates
            .iter()
            .filter_map(|fate| {
                let (stage, error) = fate.envelope.failure.as_ref()?;
                let record = fate.envelope.record.as_ref().clone();
                Some(DeadLetter::of_record(use_case, stage, record, error))
            })
            .collect();
        if let (Some(documents), false) = (&shared.pipeline.documents, letters.is_empty()) {
            shared
                .persist("dead letters", || documents.bury(&letters))
                .await?;
        }
        let tasks: Vec<ReviewTask> = fates.iter().filter_map(|fate| fate.task.clone()).collect();
        if let (Some(review), false) = (&shared.pipeline.review, tasks.is_empty()) {
            shared.persist("review", || review.ask(&tasks)).await?;
        }
        Ok(())
    }

    /// Commits the states and settles the receipts. Gives back what somebody else has changed in between, merged.
    async fn commit(&self, shared: &Shared, fates: Vec<Fate>) -> Result<Vec<Fate>> {
        let Some(documents) = &shared.pipeline.documents else {
            for fate in fates {
                self.settle(shared, fate);
            }
            return Ok(Vec::new());
        };
        let records: Vec<&Record> = fates.iter().map(|f| f.envelope.record.as_ref()).collect();
        let committed = shared
            .persist("commit", || documents.commit(&records))
            .await?;
        let mut conflicts = Vec::new();
        for (outcome, fate) in committed.into_iter().zip(fates) {
            match outcome {
                Ok(_) => self.settle(shared, fate),
                Err(error) if error.kind() == ErrorKind::Conflict => conflicts.push(fate),
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    self.settle(shared, tombstoned(fate));
                }
                Err(error) => return Err(error),
            }
        }
        let ids: Vec<_> = conflicts
            .iter()
            .map(|f| f.envelope.record.id().clone())
            .collect();
        let stored = shared.persist("load", || documents.load(&ids)).await?;
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
                Stored::Tombstoned => self.settle(shared, tombstoned(fate)),
            }
        }
        Ok(again)
    }

    fn settle(&self, shared: &Shared, fate: Fate) {
        self.settle.left(1);
        let duplicate = fate.envelope.again && fate.outcome == Outcome::Delivered;
        let outcome = if duplicate {
            Outcome::Filtered {
                reason: "duplicate".into(),
            }
        } else {
            fate.outcome
        };
        shared.settle(fate.envelope.share, fate.envelope.key, outcome);
    }
}

impl Fate {
    /// Which sinks want the record, judged on what they would see of it. What none wants is filtered.
    fn route(&mut self, use_case: &str, sinks: &[Arc<dyn Sink>]) -> Vec<bool> {
        if self.outcome != Outcome::Delivered {
            return vec![false; sinks.len()];
        }
        self.enter_state(use_case);
        let view = self.view();
        let flat = OnceCell::new();
        let wants: Vec<bool> = sinks
            .iter()
            .map(|sink| match &sink.spec().only {
                Filter::All => true,
                only => only.matches(flat.get_or_init(|| Flat::of(&view))),
            })
            .collect();
        if !wants.contains(&true) {
            self.outcome = Outcome::Filtered {
                reason: "not relevant".into(),
            };
        }
        wants
    }

    /// To be routed once more: what another writer said may make it relevant. Only routing filters here.
    fn reopened(mut self) -> Self {
        if matches!(self.outcome, Outcome::Filtered { .. }) {
            self.outcome = Outcome::Delivered;
        }
        self
    }

    /// Enters the state that the outcome leaves.
    fn enter_state(&mut self, use_case: &str) -> &mut Record {
        let state = state(self);
        let record = Arc::make_mut(&mut self.envelope.record);
        match record.states.get_mut(use_case) {
            Some(known) => *known = state,
            None => {
                record.states.insert(use_case.to_owned(), state);
            }
        }
        record
    }

    /// The record as sinks see it: without what models said of withheld attributes.
    fn view(&self) -> Arc<Record> {
        if self.withheld.is_empty() {
            return Arc::clone(&self.envelope.record);
        }
        let mut record = self.envelope.record.as_ref().clone();
        record.annotations.retain(|a| {
            let by_model = matches!(a.by, By::Producer(_));
            !(by_model && self.withheld.contains(&a.attribute))
        });
        Arc::new(record)
    }
}

fn apply(use_case: &str, gate: &str, meter: &Meter, fate: &mut Fate, verdict: ItemResult<Verdict>) {
    match verdict {
        Ok(Verdict::Accept) => meter.left(1),
        Ok(Verdict::Withhold(attributes)) => {
            meter.left(1);
            fate.withheld.extend(attributes);
        }
        Ok(Verdict::Reject { reason }) => {
            fate.outcome = Outcome::Rejected;
            fate.reason = Some(reason);
        }
        Ok(Verdict::Hold {
            reason,
            tasks,
            group,
        }) => {
            let record = &fate.envelope.record;
            let task = ReviewTask::new(use_case, gate, record, reason.clone(), tasks, group);
            fate.outcome = Outcome::Held;
            fate.reason = Some(reason);
            fate.task = Some(task);
        }
        Err(error) => {
            meter.failed(1);
            fail(fate, gate, error);
        }
    }
}

fn fail(fate: &mut Fate, stage: &str, error: Error) {
    fate.outcome = Outcome::DeadLettered;
    fate.envelope
        .failure
        .get_or_insert_with(|| (stage.to_owned(), error));
}

fn tombstoned(mut fate: Fate) -> Fate {
    fate.outcome = Outcome::Filtered {
        reason: "tombstoned".into(),
    };
    fate
}

/// The state that an outcome leaves in the record.
fn state(fate: &Fate) -> State {
    let reason = || fate.reason.clone().unwrap_or_default();
    match &fate.outcome {
        Outcome::Delivered => State::Delivered,
        Outcome::Filtered { reason } => State::Filtered {
            reason: reason.to_string(),
        },
        Outcome::Held => State::Held { reason: reason() },
        Outcome::Rejected => State::Rejected { reason: reason() },
        Outcome::DeadLettered => State::Dead {
            reason: match &fate.envelope.failure {
                Some((stage, error)) => format!("{stage}: {error}"),
                None => reason(),
            },
        },
    }
}

/// Writes records to a sink until each is taken or refused for good, then makes them durable.
async fn write_and_flush(
    shared: &Shared,
    sink: &dyn Sink,
    records: &[Arc<Record>],
) -> Result<Vec<ItemResult<()>>> {
    let what = sink.spec().name.as_str();
    let mut outcomes: Vec<Option<ItemResult<()>>> = records.iter().map(|_| None).collect();
    let mut open: Vec<usize> = (0..records.len()).collect();
    for attempt in 0..=RETRIES {
        let batch: Vec<Arc<Record>> = open.iter().map(|i| Arc::clone(&records[*i])).collect();
        let written = shared.persist(what, || sink.write(&batch)).await?;
        let mut again = Vec::new();
        for (index, outcome) in open.into_iter().zip(written) {
            match outcome {
                Err(error) if error.retry() == Retry::Temporary && attempt < RETRIES => {
                    again.push(index);
                }
                outcome => outcomes[index] = Some(outcome),
            }
        }
        open = again;
        if open.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
    }
    if sink.spec().durable == Durable::AtFlush {
        shared.persist(what, || sink.flush()).await?;
    }
    let unanswered = || {
        Err(Error::new(ErrorKind::Internal, "sink.write")
            .message("the sink gave no outcome for a record")
            .with("sink", what))
    };
    Ok(outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap_or_else(unanswered))
        .collect())
}
