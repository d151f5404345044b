//! Deciding on which targets dear enrichers run.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::account::Account;
use super::estimate::Estimate;
use super::window::{Rank, Threshold, Window};
use super::{Budget, BudgetReport};

/// A target on which a dear enricher could run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    /// How much the answer is worth, 0 to 1.
    pub(crate) score: f32,
    /// Decides among equal scores: a number from 0 to 1 made of the post's id, so that every run chooses the same.
    pub(crate) tie: f64,
}

/// Holds a run to its budget.
///
/// A batch is announced by [`posts`](Self::posts) shortly before its first choice; then each enricher's targets are put before
/// [`choose`](Self::choose), and what it cost is told to [`spent`](Self::spent). Several batches may be between these at a time: what was
/// chosen is reserved at its expected cost until it is measured. Nothing waits here for anything but a short lock, taken once a call.
#[derive(Debug)]
pub(crate) struct Controller {
    budget: Budget,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    account: Account,
    estimates: Vec<Estimate>,
    window: Window,
    threshold: Threshold,
}

impl Controller {
    pub(crate) fn new(budget: Budget) -> Self {
        Self {
            budget,
            state: Mutex::new(State {
                account: Account::new(budget.per_post()),
                estimates: Vec::new(),
                window: Window::default(),
                threshold: Threshold::All,
            }),
        }
    }

    /// So many posts begin to be enriched: their allowance is there from now on.
    pub(crate) fn posts(&self, posts: usize) {
        let mut state = self.lock();
        let (reserved, dearest) = (state.reserved(), state.dearest());
        state.account.enter(posts, reserved, dearest);
    }

    /// Whether the enricher is dear, as far as is known by now.
    pub(crate) fn governs(&self, enricher: &str, declared_cpu_ms: f64) -> bool {
        self.lock()
            .govern(&self.budget, enricher, declared_cpu_ms)
            .is_some()
    }

    /// On which of these targets the enricher is to run. An enricher that is not dear runs on all.
    pub(crate) fn choose(
        &self,
        enricher: &str,
        declared_cpu_ms: f64,
        candidates: &[Candidate],
    ) -> Vec<bool> {
        let mut state = self.lock();
        let Some(index) = state.govern(&self.budget, enricher, declared_cpu_ms) else {
            return vec![true; candidates.len()];
        };
        let ranks: Vec<Rank> = candidates.iter().map(Rank::of).collect();
        state.look_at(index, &ranks);
        state.admit(index, &ranks)
    }

    /// What an enricher was measured to cost, governed or not.
    ///
    /// For a governed one, `targets` are all that were chosen of it since it was last told, also those that cost nothing in the end: because the
    /// call failed, or because a picture came twice. Otherwise what is reserved for them stays reserved.
    pub(crate) fn spent(&self, enricher: &str, targets: usize, cpu_ms: f64) {
        let mut state = self.lock();
        let per_target = cpu_ms / targets.max(1) as f64;
        let index = state.index(enricher, per_target);
        let estimate = &mut state.estimates[index];
        estimate.measured(targets, cpu_ms);
        let governed = estimate.governed;
        state.account.spend(cpu_ms, governed);
    }

    /// How far the budget was held.
    pub(crate) fn report(&self) -> BudgetReport {
        let state = self.lock();
        let account = &state.account;
        let thousands = account.posts as f64 / 1000.0;
        BudgetReport {
            posts: account.posts,
            allowed_cpu_ms: account.allowed(),
            lapsed_cpu_ms: account.lapsed,
            spent_cpu_ms: account.spent,
            allowed_per_thousand: self.budget.per_post() * 1000.0,
            spent_per_thousand: account.spent / thousands.max(0.001),
            threshold: state.threshold.score(),
            enrichers: state
                .estimates
                .iter()
                .filter(|estimate| estimate.chosen + estimate.skipped > 0)
                .map(|estimate| (estimate.name.clone(), estimate.report()))
                .collect(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Sums and estimates, good enough after each statement; a panic elsewhere does not spoil them.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The place of an enricher's estimate, if it is dear by what is known now.
    fn govern(&mut self, budget: &Budget, enricher: &str, declared_cpu_ms: f64) -> Option<usize> {
        let index = self.index(enricher, declared_cpu_ms);
        let estimate = &mut self.estimates[index];
        estimate.governed = budget.governs(estimate.cpu_ms());
        estimate.governed.then_some(index)
    }

    /// Where the enricher's estimate lies. There are few enrichers, so looking through them is quickest.
    fn index(&mut self, enricher: &str, cpu_ms: f64) -> usize {
        let known = self.estimates.iter().position(|e| e.name == enricher);
        known.unwrap_or_else(|| {
            self.estimates.push(Estimate::declared(enricher, cpu_ms));
            self.estimates.len() - 1
        })
    }

    fn reserved(&self) -> f64 {
        self.estimates.iter().map(Estimate::reserved).sum()
    }

    fn dearest(&self) -> f64 {
        let governed = self.estimates.iter().filter(|e| e.governed);
        governed.map(Estimate::cpu_ms).fold(0.0, f64::max)
    }

    /// Sets the threshold by the last candidates, these among them: so it holds from the first batch on.
    fn look_at(&mut self, index: usize, ranks: &[Rank]) {
        let posts = self.account.posts;
        self.window.add(posts, index, ranks);
        let per_post = self.account.target_per_post(self.reserved());
        let cost = |index: usize| self.estimates[index].cpu_ms();
        self.threshold = self.window.threshold(posts, per_post, cost);
    }

    /// Lets through what is above the threshold, the best first, while there is room at all.
    fn admit(&mut self, index: usize, ranks: &[Rank]) -> Vec<bool> {
        let mut room = self.account.room(self.reserved());
        let estimate = &mut self.estimates[index];
        let mut best_first: Vec<usize> = (0..ranks.len()).collect();
        best_first.sort_by(|a, b| ranks[*b].order(&ranks[*a]));
        let mut chosen = vec![false; ranks.len()];
        for place in best_first {
            if room < estimate.cpu_ms() || !self.threshold.admits(&ranks[place]) {
                break;
            }
            room -= estimate.cpu_ms();
            estimate.promised += 1;
            estimate.chosen += 1;
            chosen[place] = true;
        }
        estimate.skipped += chosen.iter().filter(|chosen| !**chosen).count() as u64;
        chosen
    }
}
