//! What posts were allowed and what was spent of it.

/// At most the allowance of so many posts is kept for later.
const KEPT_POSTS: f64 = 2000.0;
/// Spending aims to stay behind the allowance by that of so many posts, or of a fiftieth of all posts while that is less: room in which costs
/// that are not known exactly, and the last batches of a run, even out.
const LAG_POSTS: f64 = 256.0;
const LAG_SHARE: f64 = 0.02;
/// A difference between allowance and spending is made up over so many posts.
const HORIZON_POSTS: f64 = 1000.0;

/// Sums in CPU-milliseconds.
#[derive(Debug)]
pub(super) struct Account {
    per_post: f64,
    pub(super) posts: u64,
    pub(super) lapsed: f64,
    pub(super) spent: f64,
    ungoverned: DecayedRate,
}

impl Account {
    pub(super) fn new(per_post: f64) -> Self {
        Self {
            per_post,
            posts: 0,
            lapsed: 0.0,
            spent: 0.0,
            ungoverned: DecayedRate::default(),
        }
    }

    /// So many posts come in. Of the allowance left over by those before them, what exceeds the bound lapses. `reserved` is promised and not yet spent;
    /// the bound leaves room for two of the dearest targets, else they would never be afforded.
    pub(super) fn enter(&mut self, posts: usize, reserved: f64, dearest: f64) {
        let bound = (KEPT_POSTS * self.per_post).max(2.0 * dearest);
        self.lapsed += (self.room(reserved) - bound).max(0.0);
        self.posts += posts as u64;
        self.ungoverned.enter(posts as f64);
    }

    pub(super) fn spend(&mut self, cpu_ms: f64, governed: bool) {
        self.spent += cpu_ms;
        if !governed {
            self.ungoverned.add(cpu_ms);
        }
    }

    pub(super) fn allowed(&self) -> f64 {
        self.per_post * self.posts as f64
    }

    /// What may still be spent now; negative where too much was spent.
    pub(super) fn room(&self, reserved: f64) -> f64 {
        self.allowed() - self.lapsed - self.spent - reserved
    }

    /// What governed enrichers should spend on a post for the time being: the budget less what the others cost, and a part of the difference that
    /// has accumulated.
    pub(super) fn target_per_post(&self, reserved: f64) -> f64 {
        let lag = LAG_POSTS.min(self.posts as f64 * LAG_SHARE) * self.per_post;
        let correction = (self.room(reserved) - lag) / HORIZON_POSTS;
        (self.per_post - self.ungoverned.rate() + correction).max(0.0)
    }
}

/// A cost per post in which older posts weigh less.
#[derive(Debug, Default)]
struct DecayedRate {
    cost: f64,
    posts: f64,
}

impl DecayedRate {
    fn enter(&mut self, posts: f64) {
        let kept = (-posts / HORIZON_POSTS).exp();
        self.cost *= kept;
        self.posts = self.posts * kept + posts;
    }

    fn add(&mut self, cost: f64) {
        self.cost += cost;
    }

    fn rate(&self) -> f64 {
        self.cost / self.posts.max(1.0)
    }
}
