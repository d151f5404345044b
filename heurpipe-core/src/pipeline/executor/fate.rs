//! What is to become of a post at the end of its way.

use std::cell::OnceCell;
use std::sync::Arc;

use super::super::condition::Condition;
use super::super::need::Look;
use super::super::stage::SinkStage;
use super::shared::{Envelope, Settled};
use crate::flat::Flat;
use crate::{By, Error, Filter, Outcome, Record, ReviewTask, State, Verdict};

/// An envelope with what is to become of it.
pub(super) struct Fate {
    pub(super) envelope: Envelope,
    pub(super) outcome: Outcome,
    pub(super) task: Option<Box<ReviewTask>>,
    reason: Option<String>,
    withheld: Vec<String>,
    /// What it was before a sink refused it, if one did.
    before_refusal: Option<Outcome>,
    /// Whether sinks have an earlier version that must be brought up to date, whatever the outcome.
    in_sinks: bool,
    /// Which sinks it goes to, a bit each.
    takers: u64,
}

impl Fate {
    /// Of a post that is delivered, unless something stands against it.
    pub(super) fn of(use_case: &str, envelope: Envelope) -> Self {
        let state = envelope.record.states.get(use_case);
        Self {
            outcome: match envelope.failure {
                Some(_) => Outcome::DeadLettered,
                None => Outcome::Delivered,
            },
            task: None,
            reason: None,
            withheld: Vec::new(),
            before_refusal: None,
            in_sinks: state.is_some_and(State::is_in_sinks),
            takers: 0,
            envelope,
        }
    }

    /// Whether nothing stands against delivering it so far.
    pub(super) fn is_open(&self) -> bool {
        self.outcome == Outcome::Delivered
    }

    /// Whether it is on the way that a condition stands for.
    pub(super) fn meets(&self, condition: &Condition) -> bool {
        condition.is_always() || condition.holds(&self.envelope.record, &Look::default())
    }

    /// Applies what a gate says.
    pub(super) fn judged(&mut self, use_case: &str, gate: &str, verdict: Verdict) {
        match verdict {
            Verdict::Accept => {}
            Verdict::Withhold(attributes) => self.withheld.extend(attributes),
            Verdict::Reject { reason } => {
                self.outcome = Outcome::Rejected;
                self.reason = Some(reason);
            }
            Verdict::Hold {
                reason,
                tasks,
                group,
            } => {
                let record = &self.envelope.record;
                let task = ReviewTask::new(use_case, gate, record, reason.clone(), tasks, group);
                self.outcome = Outcome::Held;
                self.reason = Some(reason);
                self.task = Some(Box::new(task));
            }
        }
    }

    /// It failed for good at this stage.
    pub(super) fn fail(&mut self, stage: &str, error: Error) {
        self.outcome = Outcome::DeadLettered;
        self.envelope.fail(stage, error);
    }

    /// A sink refused it for good.
    pub(super) fn refuse(&mut self, use_case: &str, sink: &str, error: Error) {
        let before = self.outcome.clone();
        self.before_refusal.get_or_insert(before);
        self.fail(sink, error);
        self.enter_state(use_case);
    }

    /// Documents do not take it any more: it was erased and must not come back, or it is kept elsewhere.
    pub(super) fn filtered(mut self, reason: &'static str) -> Self {
        self.outcome = Outcome::Filtered {
            reason: reason.into(),
        };
        self
    }

    /// Finds out which sinks it goes to, judged on what they would see of it. What none wants is filtered. Side outputs take it whatever
    /// becomes of it. Afterwards the record has the state that the outcome leaves.
    pub(super) fn route(&mut self, use_case: &str, sinks: &[SinkStage]) {
        let look = Look::default();
        let record = &self.envelope.record;
        let on_way = bits(sinks, |stage| stage.condition.holds(record, &look));
        let tees = bits(sinks, |stage| stage.tee);
        self.enter_state(use_case);
        let flat = OnceCell::new();
        let wanted = on_way
            & bits(sinks, |stage| match &stage.sink.spec().only {
                Filter::All => true,
                only => only.matches(flat.get_or_init(|| Flat::of(&self.view()))),
            });
        self.takers = if self.is_open() {
            wanted
        } else {
            wanted & tees
        };
        if self.is_open() && wanted & !tees == 0 {
            self.outcome = Outcome::Filtered {
                reason: "not relevant".into(),
            };
            self.enter_state(use_case);
        }
        if self.in_sinks {
            self.takers |= bits(sinks, |stage| !stage.tee);
        }
    }

    /// Whether it goes to the sink with this number.
    pub(super) fn goes_to(&self, sink: usize) -> bool {
        self.takers >> sink & 1 == 1
    }

    /// To be routed and written once more: what another writer said may make it relevant, or fit for a sink that refused it. Only routing filters
    /// here.
    pub(super) fn reopened(mut self) -> Self {
        if let Some(before) = self.before_refusal.take()
            && before != Outcome::DeadLettered
        {
            self.outcome = before;
            self.envelope.failure = None;
        }
        if matches!(self.outcome, Outcome::Filtered { .. }) {
            self.outcome = Outcome::Delivered;
        }
        self
    }

    /// Changes the record's revision to the one that the commit will give it, or back.
    pub(super) fn revise(&mut self, by: impl FnOnce(u64) -> u64) {
        let record = Arc::make_mut(&mut self.envelope.record);
        record.revision = by(record.revision);
    }

    /// Enters the state that the outcome leaves.
    pub(super) fn enter_state(&mut self, use_case: &str) {
        let state = self.state();
        let record = Arc::make_mut(&mut self.envelope.record);
        match record.states.get_mut(use_case) {
            Some(known) => *known = state,
            None => {
                record.states.insert(use_case.to_owned(), state);
            }
        }
    }

    fn state(&self) -> State {
        let reason = || self.reason.clone().unwrap_or_default();
        match &self.outcome {
            Outcome::Delivered => State::Delivered,
            Outcome::Filtered { reason } => State::Filtered {
                reason: reason.to_string(),
            },
            Outcome::Held => State::Held { reason: reason() },
            Outcome::Rejected => State::Rejected { reason: reason() },
            Outcome::DeadLettered => State::Dead {
                reason: match &self.envelope.failure {
                    Some(failure) => format!("{}: {}", failure.stage, failure.error),
                    None => reason(),
                },
            },
        }
    }

    /// The record as sinks see it: without what models said of withheld attributes.
    pub(super) fn view(&self) -> Arc<Record> {
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

    /// What its source is told. A post that came a second time in the run is a duplicate.
    pub(super) fn settled(self) -> Settled {
        let outcome = match self.outcome {
            Outcome::Delivered if self.envelope.again => Outcome::Filtered {
                reason: "duplicate".into(),
            },
            outcome => outcome,
        };
        Settled {
            key: Some(self.envelope.key),
            id: self.envelope.id,
            share: self.envelope.share,
            outcome,
        }
    }
}

/// A bit for each sink of which something holds. A pipeline has [`MOST_SINKS`](super::super::builder::MOST_SINKS) at most.
fn bits(sinks: &[SinkStage], holds: impl Fn(&SinkStage) -> bool) -> u64 {
    let numbered = sinks.iter().enumerate();
    numbered.fold(0, |bits, (number, stage)| {
        bits | u64::from(holds(stage)) << number
    })
}
