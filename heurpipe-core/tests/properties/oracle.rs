//! What a pipeline is to make of a stream: one item after the other, without batches, time, faults or crashes.

use std::collections::{BTreeMap, BTreeSet};

use heurpipe_core::{Incoming, Outcome, Post, PostId, Verdict};

use super::case::{Case, Place};
use super::parts::{is_poison, label, refused_by, verdict};

/// The end that a stream leads to.
#[derive(Debug, Default)]
pub struct Expected {
    /// What sources are told of each post, in any order.
    pub outcomes: BTreeMap<PostId, Vec<Outcome>>,
    /// Which posts each sink holds. Side outputs are left out.
    pub sinks: Vec<BTreeSet<String>>,
    /// State and labels of each record. Of dead ones the labels are left out: it depends on who ran before the failure.
    pub records: BTreeMap<String, (&'static str, Option<Labels>)>,
    pub letters: BTreeSet<String>,
    /// Posts that people are asked about.
    pub asked: BTreeSet<String>,
}

/// The label of each enricher that found one.
pub type Labels = BTreeMap<usize, u8>;

/// What is known of a post.
#[derive(Default)]
struct Model {
    text: String,
    version: u64,
    gone: bool,
    labels: Labels,
    outcome: Option<Outcome>,
}

pub struct Oracle<'a> {
    case: &'a Case,
    models: BTreeMap<PostId, Model>,
    seen: BTreeSet<PostId>,
    expected: Expected,
}

impl<'a> Oracle<'a> {
    pub fn new(case: &'a Case) -> Self {
        Self {
            case,
            models: BTreeMap::new(),
            seen: BTreeSet::new(),
            expected: Expected {
                sinks: vec![BTreeSet::new(); case.graph.sinks.len()],
                ..Expected::default()
            },
        }
    }

    /// The next item of the stream. Of items on different posts the order does not matter.
    pub fn takes(&mut self, item: &Incoming) {
        let id = item.id().into_owned();
        let outcome = match item {
            Incoming::Unreadable(_) => self.buries(&id),
            _ if self.is_erased(&id) => filtered("tombstoned"),
            _ if self.case.documents => self.meets(&id, item),
            _ => self.meets_without_documents(&id, item),
        };
        let again = !self.seen.insert(id.clone());
        let told = match outcome {
            Outcome::Delivered if again => filtered("duplicate"),
            outcome => outcome,
        };
        self.expected.outcomes.entry(id).or_default().push(told);
    }

    pub fn expects(mut self) -> Expected {
        for (id, model) in self.models.iter().filter(|_| self.case.documents) {
            let Some(outcome) = &model.outcome else {
                continue;
            };
            let labels = (*outcome != Outcome::DeadLettered).then(|| model.labels.clone());
            self.expected
                .records
                .insert(id.to_string(), (name(outcome), labels));
        }
        self.expected
    }

    fn is_erased(&self, id: &PostId) -> bool {
        let erased = self.case.erased.iter();
        erased
            .into_iter()
            .any(|post| *post.to_string() == *id.native)
    }

    fn buries(&mut self, id: &PostId) -> Outcome {
        if self.case.documents {
            self.expected.letters.insert(id.to_string());
        }
        Outcome::DeadLettered
    }

    /// Without documents, the first item of a post counts.
    fn meets_without_documents(&mut self, id: &PostId, item: &Incoming) -> Outcome {
        match self.seen.contains(id) {
            true => filtered("duplicate"),
            false => self.begins(id, item),
        }
    }

    /// Nothing is known of the post.
    fn begins(&mut self, id: &PostId, item: &Incoming) -> Outcome {
        let Incoming::Post(post) = item else {
            return filtered("gone");
        };
        let model = Model {
            text: post.text.clone(),
            version: version(post),
            ..Model::default()
        };
        self.works_on(id, model)
    }

    fn meets(&mut self, id: &PostId, item: &Incoming) -> Outcome {
        let Some(mut model) = self.models.remove(id) else {
            return self.begins(id, item);
        };
        let changed = match item {
            Incoming::Post(post) => {
                let version = version(post);
                let newer = version > model.version;
                if newer {
                    model.text.clone_from(&post.text);
                    model.version = version;
                }
                newer
            }
            _ => !std::mem::replace(&mut model.gone, true),
        };
        if changed || model.outcome == Some(Outcome::DeadLettered) {
            return self.works_on(id, model);
        }
        self.models.insert(id.clone(), model);
        filtered("duplicate")
    }

    fn works_on(&mut self, id: &PostId, mut model: Model) -> Outcome {
        let was_delivered = model.outcome == Some(Outcome::Delivered);
        let (outcome, takers) = match self.enriches(&mut model) {
            Ok(()) => self.judges_and_routes(id, &model),
            Err(Poison) => (Outcome::DeadLettered, BTreeSet::new()),
        };
        let counting = (0..self.case.graph.sinks.len()).filter(|n| !self.case.graph.sinks[*n].tee);
        let takers = if was_delivered {
            counting.collect()
        } else {
            takers
        };
        let outcome = self.writes(id, &model.text, outcome, takers);
        if outcome == Outcome::DeadLettered {
            self.buries(id);
        }
        model.outcome = Some(outcome.clone());
        self.models.insert(id.clone(), model);
        outcome
    }

    fn enriches(&self, model: &mut Model) -> Result<(), Poison> {
        model.labels.clear();
        let enrichers = &self.case.graph.enrichers;
        let on_trunk = |i: &usize| enrichers[*i].place == Place::Trunk;
        let (trunk, ways): (Vec<usize>, Vec<usize>) = (0..enrichers.len()).partition(on_trunk);
        for index in trunk.into_iter().chain(ways) {
            let case = &enrichers[index];
            let labels = &model.labels;
            let wanted = case.when.as_ref().is_none_or(|when| {
                when.holds(&model.text, |enricher| labels.get(&enricher).copied())
            });
            if !wanted || !self.is_on(case.place, model) {
                continue;
            }
            if is_poison(&model.text, index) {
                return Err(Poison);
            }
            let needed = case.needs.iter();
            let needed = needed.filter_map(|i| Some((*i, *labels.get(i)?))).collect();
            if let Some(label) = label(index, &model.text, &needed) {
                model.labels.insert(index, label);
            }
        }
        Ok(())
    }

    /// Whether a post comes by at a place.
    fn is_on(&self, place: Place, model: &Model) -> bool {
        let Place::Way { route, way } = place else {
            return true;
        };
        let label = |enricher| model.labels.get(&enricher).copied();
        let mut tests = self.case.graph.routes[route].tests.iter();
        let first = tests.position(|test| test.condition.holds(&model.text, label));
        first.unwrap_or(self.case.graph.routes[route].tests.len()) == way
    }

    /// The outcome, if no sink refuses it, and the sinks that are to have it.
    fn judges_and_routes(&mut self, id: &PostId, model: &Model) -> (Outcome, BTreeSet<usize>) {
        let mut shown = model.labels.clone();
        let graph = &self.case.graph;
        if let Some(gate) = graph
            .gate
            .as_ref()
            .filter(|gate| self.is_on(gate.place, model))
        {
            match verdict(gate, &model.text) {
                None => return (Outcome::DeadLettered, BTreeSet::new()),
                Some(Verdict::Reject { .. }) => return (Outcome::Rejected, BTreeSet::new()),
                Some(Verdict::Hold { .. }) => {
                    self.expected.asked.insert(id.to_string());
                    return (Outcome::Held, BTreeSet::new());
                }
                Some(Verdict::Withhold(_)) => drop(shown.remove(&0)),
                Some(Verdict::Accept) => {}
            }
        }
        let takers: BTreeSet<usize> = (0..graph.sinks.len())
            .filter(|number| {
                let sink = &graph.sinks[*number];
                let wants = sink.only.as_ref().is_none_or(|only| {
                    only.holds(&model.text, |enricher| shown.get(&enricher).copied())
                });
                !sink.tee && wants && self.is_on(sink.place, model)
            })
            .collect();
        match takers.is_empty() {
            true => (filtered("not relevant"), takers),
            false => (Outcome::Delivered, takers),
        }
    }

    fn writes(
        &mut self,
        id: &PostId,
        text: &str,
        mut outcome: Outcome,
        takers: BTreeSet<usize>,
    ) -> Outcome {
        for sink in takers {
            if text.contains(&refused_by(sink)) {
                outcome = Outcome::DeadLettered;
            } else {
                self.expected.sinks[sink].insert(id.to_string());
            }
        }
        outcome
    }
}

/// An enricher fails on it for good.
struct Poison;

/// Versions tell themselves apart by their likes.
fn version(post: &Post) -> u64 {
    post.counts.likes.unwrap_or_default()
}

fn filtered(reason: &'static str) -> Outcome {
    Outcome::Filtered {
        reason: reason.into(),
    }
}

/// The name of the state that an outcome leaves.
fn name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered => "delivered",
        Outcome::Filtered { .. } => "filtered",
        Outcome::Held => "held",
        Outcome::Rejected => "rejected",
        Outcome::DeadLettered => "dead",
    }
}
