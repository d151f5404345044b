//! Runs of 20,000 posts without a clock: what they cost is drawn, not measured.

use std::collections::VecDeque;

use super::{Budget, BudgetReport, Candidate, Controller};

const POSTS: usize = 20_000;
/// What the cheap enrichers cost a post, in CPU-milliseconds.
const CHEAP: f64 = 0.3;

/// What posts are like in one half of a run.
#[derive(Clone, Copy)]
struct Mix {
    /// The share of posts that are candidates of the first dear enricher, and of the second.
    candidates: [f64; 2],
    /// What a target costs them.
    cpu_ms: [f64; 2],
    /// Scores are drawn evenly from here to there.
    scores: (f64, f64),
}

impl Mix {
    const QUIET: Self = Self {
        candidates: [0.2, 0.0],
        cpu_ms: [20.0, 1.0],
        scores: (0.1, 0.6),
    };
    const BUSY: Self = Self {
        candidates: [0.8, 0.0],
        cpu_ms: [12.0, 1.0],
        scores: (0.4, 1.0),
    };

    /// What all candidates would cost a post, with what is cheap.
    fn demand(&self) -> f64 {
        let dear = |i: usize| self.candidates[i] * self.cpu_ms[i];
        CHEAP + dear(0) + dear(1)
    }
}

#[derive(Clone, Copy)]
struct Scenario {
    per_post: f64,
    halves: [Mix; 2],
    declared: [f64; 2],
    batch: usize,
    /// Batches whose costs are not told yet.
    in_flight: usize,
    /// Batches that are announced before the first of them is chosen from.
    announced: usize,
}

impl Scenario {
    fn shifting(batch: usize) -> Self {
        Self {
            per_post: 3.0,
            halves: [Mix::QUIET, Mix::BUSY],
            declared: [15.0, 5.0],
            batch,
            in_flight: 4,
            announced: 1,
        }
    }

    fn run(&self) -> Run {
        let controller = Controller::new(Budget::cpu_ms_per_thousand(self.per_post * 1000.0));
        let mut run = Run::default();
        let mut random = Random(7);
        let mut untold: VecDeque<Vec<(&str, usize, f64)>> = VecDeque::new();
        let starts: Vec<usize> = (0..POSTS).step_by(self.batch).collect();
        for (number, first) in starts.iter().enumerate() {
            if number % self.announced == 0 {
                let last = (first + self.batch * self.announced).min(POSTS);
                controller.posts(last - first);
            }
            let posts = *first..(first + self.batch).min(POSTS);
            let half = usize::from(posts.start >= POSTS / 2);
            let mut told = vec![("cheap", posts.len(), CHEAP * posts.len() as f64)];
            run.halves[half].spent += CHEAP * posts.len() as f64;
            for (dear, name) in ["large", "larger"].into_iter().enumerate() {
                let mix = &self.halves[half];
                let candidates = mix.draw(dear, posts.clone(), &mut random);
                let chosen = controller.choose(name, self.declared[dear], &candidates);
                run.halves[half].note(&candidates, &chosen);
                run.chosen.extend_from_slice(&chosen);
                let targets = chosen.iter().filter(|chosen| **chosen).count();
                // One batch costs more than another.
                let cost = mix.cpu_ms[dear] * targets as f64 * (0.8 + 0.4 * random.unit());
                run.halves[half].spent += cost;
                told.push((name, targets, cost));
            }
            untold.push_back(told);
            if untold.len() >= self.in_flight {
                tell(&controller, untold.pop_front());
            }
        }
        while !untold.is_empty() {
            tell(&controller, untold.pop_front());
        }
        run.report = controller.report();
        run
    }
}

fn tell(controller: &Controller, told: Option<Vec<(&str, usize, f64)>>) {
    for (name, targets, cpu_ms) in told.into_iter().flatten() {
        controller.spent(name, targets, cpu_ms);
    }
}

impl Mix {
    fn draw(
        &self,
        dear: usize,
        posts: std::ops::Range<usize>,
        random: &mut Random,
    ) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        for post in posts {
            let is_candidate = random.unit() < self.candidates[dear];
            let (low, high) = self.scores;
            let score = (low + (high - low) * random.unit()) as f32;
            if is_candidate {
                let tie = Random(post as u64).unit();
                candidates.push(Candidate { score, tie });
            }
        }
        candidates
    }
}

#[derive(Default, Debug, PartialEq)]
struct Run {
    halves: [Half; 2],
    chosen: Vec<bool>,
    report: BudgetReport,
}

#[derive(Default, Debug, PartialEq)]
struct Half {
    spent: f64,
    chosen: Scores,
    skipped: Scores,
}

#[derive(Default, Debug, PartialEq)]
struct Scores {
    count: usize,
    sum: f64,
    ties: f64,
}

impl Scores {
    fn mean(&self) -> f64 {
        self.sum / self.count as f64
    }

    fn mean_tie(&self) -> f64 {
        self.ties / self.count as f64
    }
}

impl Half {
    fn note(&mut self, candidates: &[Candidate], chosen: &[bool]) {
        assert_eq!(candidates.len(), chosen.len());
        for (candidate, chosen) in candidates.iter().zip(chosen) {
            let scores = if *chosen {
                &mut self.chosen
            } else {
                &mut self.skipped
            };
            scores.count += 1;
            scores.sum += f64::from(candidate.score);
            scores.ties += candidate.tie;
        }
    }
}

impl Run {
    fn spent(&self) -> f64 {
        self.halves[0].spent + self.halves[1].spent
    }

    fn assert_holds(&self, per_post: f64, case: &str) {
        let share = self.spent() / (per_post * POSTS as f64);
        assert!((0.95..=1.05).contains(&share), "{case}: {share}");
        let told = self.report.spent_cpu_ms;
        assert!((told - self.spent()).abs() < 0.01, "{case}: {told}");
        assert_eq!(self.report.posts, POSTS as u64, "{case}");
    }

    /// Batches that are announced together share one allowance, so the first of them may choose more freely than the last.
    fn assert_prefers_high_scores(&self, announced: usize, case: &str) {
        let margin = if announced == 1 { 0.15 } else { 0.02 };
        for half in &self.halves {
            let (chosen, skipped) = (half.chosen.mean(), half.skipped.mean());
            assert!(chosen > skipped + margin, "{case}: {chosen} {skipped}");
        }
    }
}

/// A small generator of numbers that are the same in every run (SplitMix64).
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as f64 / u64::MAX as f64
    }
}

/// Small and large batches, one by one and several in flight.
fn shapes(scenario: impl Fn(usize) -> Scenario) -> impl Iterator<Item = (Scenario, String)> {
    let shapes = [(32, 1, 1), (32, 4, 4), (256, 4, 1), (256, 4, 4)];
    shapes
        .into_iter()
        .map(move |(batch, in_flight, announced)| {
            let case = format!("batches of {batch}, {in_flight} in flight, {announced} announced");
            let scenario = Scenario {
                in_flight,
                announced,
                ..scenario(batch)
            };
            (scenario, case)
        })
}

#[test]
fn the_budget_holds_though_the_mix_shifts_half_way() {
    for (scenario, case) in shapes(Scenario::shifting) {
        let run = scenario.run();
        run.assert_holds(scenario.per_post, &case);
        run.assert_prefers_high_scores(scenario.announced, &case);
        for half in &run.halves {
            let share = half.spent / (scenario.per_post * POSTS as f64 / 2.0);
            assert!((0.93..=1.07).contains(&share), "{case}: a half of {share}");
        }
    }
}

#[test]
fn the_budget_holds_when_the_mix_shifts_back() {
    for (mut scenario, case) in shapes(Scenario::shifting) {
        scenario.halves.reverse();
        let run = scenario.run();
        run.assert_holds(scenario.per_post, &case);
        run.assert_prefers_high_scores(scenario.announced, &case);
    }
}

#[test]
fn equal_scores_are_decided_by_the_posts_alone() {
    for (mut scenario, case) in shapes(Scenario::shifting) {
        for half in &mut scenario.halves {
            half.scores = (0.5, 0.5);
        }
        let run = scenario.run();
        run.assert_holds(scenario.per_post, &case);
        assert_eq!(run, scenario.run(), "{case}");
        for half in &run.halves {
            let (chosen, skipped) = (half.chosen.mean_tie(), half.skipped.mean_tie());
            assert!(chosen > skipped + 0.05, "{case}: {chosen} {skipped}");
        }
    }
}

#[test]
fn two_dear_enrichers_share_the_budget() {
    for (mut scenario, case) in shapes(Scenario::shifting) {
        for (half, cost) in scenario.halves.iter_mut().zip([4.0, 9.0]) {
            half.candidates[1] = 0.5;
            half.cpu_ms[1] = cost;
        }
        let run = scenario.run();
        run.assert_holds(scenario.per_post, &case);
        run.assert_prefers_high_scores(scenario.announced, &case);
        let counts: Vec<_> = run.report.enrichers.values().collect();
        assert_eq!(counts.len(), 2, "{case}");
        for count in counts {
            assert!(
                count.chosen > 500 && count.skipped > 500,
                "{case}: {count:?}"
            );
        }
    }
}

#[test]
fn costs_are_learnt_where_the_declared_ones_are_wrong() {
    for factor in [0.2, 5.0] {
        for (mut scenario, case) in shapes(Scenario::shifting) {
            scenario.declared = [20.0 * factor, 5.0];
            let run = scenario.run();
            run.assert_holds(scenario.per_post, &format!("declared x {factor}, {case}"));
            run.assert_prefers_high_scores(scenario.announced, &case);
        }
    }
}

#[test]
fn nothing_is_skipped_while_demand_is_below_the_budget() {
    for (mut scenario, case) in shapes(Scenario::shifting) {
        scenario.per_post = scenario.halves[1].demand() * 1.5;
        let run = scenario.run();
        let skipped: u64 = run.report.enrichers.values().map(|e| e.skipped).sum();
        assert_eq!(skipped, 0, "{case}");
        assert_eq!(run.report.threshold, 0.0, "{case}");
    }
}

#[test]
fn a_quiet_half_does_not_buy_a_wild_one() {
    for (mut scenario, case) in shapes(Scenario::shifting) {
        scenario.halves[0].candidates[0] = 0.01;
        let run = scenario.run();
        let of_second = run.halves[1].spent / (scenario.per_post * POSTS as f64 / 2.0);
        assert!((0.95..=1.25).contains(&of_second), "{case}: {of_second}");
        let quiet = run.halves[0].skipped.count;
        assert_eq!(quiet, 0, "{case}");
        let lapsed = run.report.lapsed_cpu_ms;
        let unused = run.report.allowed_cpu_ms - lapsed - run.report.spent_cpu_ms;
        assert!(lapsed > 0.0, "{case}");
        let share = unused / run.report.allowed_cpu_ms;
        assert!((-0.02..=0.03).contains(&share), "{case}: {share}");
    }
}

#[test]
fn the_first_batch_is_governed_too() {
    let controller = Controller::new(Budget::cpu_ms_per_thousand(2_000.0));
    let candidates: Vec<Candidate> = (0..100)
        .map(|i| Candidate {
            score: i as f32 / 100.0,
            tie: 0.5,
        })
        .collect();
    controller.posts(100);
    let chosen = controller.choose("dear", 10.0, &candidates);
    let places: Vec<usize> = (0..100).filter(|i| chosen[*i]).collect();
    assert!((15..=20).contains(&places.len()), "{}", places.len());
    assert!(places.iter().all(|place| *place >= 80), "{places:?}");
}

#[test]
fn what_is_not_dear_always_runs_and_is_paid_first() {
    let budget = Budget::cpu_ms_per_thousand(1_000.0).dear_from(3.0);
    let controller = Controller::new(budget);
    let candidates = [Candidate {
        score: 0.9,
        tie: 0.1,
    }; 10];
    for _ in 0..100 {
        controller.posts(10);
        assert_eq!(controller.choose("small", 2.0, &candidates), [true; 10]);
        controller.spent("small", 10, 20.0);
        assert_eq!(controller.choose("dear", 3.0, &candidates), [false; 10]);
    }
    let report = controller.report();
    assert_eq!(report.spent_per_thousand, 2_000.0);
    assert_eq!(report.threshold, 1.0);
    assert_eq!(report.enrichers["dear"].skipped, 1000);
    assert!(!report.enrichers.contains_key("small"));
}

#[test]
fn a_target_dearer_than_a_batch_may_spend_is_saved_up_for() {
    let controller = Controller::new(Budget::cpu_ms_per_thousand(10.0));
    let candidate = [Candidate {
        score: 0.5,
        tie: 0.5,
    }];
    for _ in 0..1000 {
        controller.posts(20);
        let chosen = controller.choose("huge", 25.0, &candidate);
        let targets = usize::from(chosen[0]);
        controller.spent("huge", targets, 25.0 * targets as f64);
    }
    let report = controller.report();
    let share = report.spent_cpu_ms / report.allowed_cpu_ms;
    assert!((0.7..=1.0).contains(&share), "{share}");
}

#[test]
fn senseless_numbers_allow_nothing_and_break_nothing() {
    for per_thousand in [0.0, -5.0, f64::NAN] {
        let controller = Controller::new(Budget::cpu_ms_per_thousand(per_thousand));
        controller.posts(3);
        let candidates = [f32::NAN, -1.0, 7.0].map(|score| Candidate {
            score,
            tie: f64::NAN,
        });
        assert_eq!(controller.choose("dear", 10.0, &candidates), [false; 3]);
        assert_eq!(controller.report().spent_cpu_ms, 0.0);
    }
}
