//! A budget on a whole pipeline: held over posts whose mix shifts, said in the report and in the ledger, and made up for later.

use std::collections::BTreeMap;
use std::time::Duration;

use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;

use super::support::*;

const POSTS: usize = 20_000;
/// What the dear enricher says that it costs: so much that what a test's own work costs is nothing beside it.
const DEAR_MS: f64 = 400.0;
/// As much as a quarter of the posts would cost.
const PER_THOUSAND: f64 = 0.25 * DEAR_MS * 1000.0;

/// At first one post of ten is interesting; from the middle on, nine of ten are.
fn interest(post: &Post) -> f32 {
    let number: usize = post.id.native.parse().unwrap();
    let place = number * 7919 % 1000;
    let interesting = match number < POSTS / 2 {
        true => place < 100,
        false => place < 900,
    };
    let least = if interesting { 0.5 } else { 0.0 };
    least + place as f32 / 2000.0
}

fn scout() -> Probe {
    let scored = |item: &Item| {
        let found = Finding::label("scout", "seen").confidence(interest(item.post()));
        Ok(vec![found])
    };
    Probe::new("scout").answers(scored)
}

/// Says of itself that it costs half of what it does.
fn dear() -> Probe {
    let spec = EnricherSpec::new("dear", "1")
        .needs(["scout"])
        .gives(["dear"])
        .cost(Cost::CpuMs(DEAR_MS / 2.0));
    Probe::of(spec).costs(Duration::from_secs_f64(DEAR_MS / 1000.0))
}

fn options() -> RunOptions {
    let mut options = RunOptions::default();
    options.batch = 64;
    options.workers = 4;
    options
}

#[tokio::test]
async fn it_holds_while_the_mix_shifts_and_what_was_left_out_is_made_up_for() {
    let documents = memory();
    let (first, scouting) = (dear(), scout());
    let pipeline = |dear: &Probe| {
        with(&documents)
            .enrich(scouting.clone())
            .enrich(dear.clone())
            .sink(Collect::new("out"))
    };
    let budgeted = pipeline(&first)
        .source(Posts::new(posts(POSTS)))
        .budget(Budget::cpu_ms_per_thousand(PER_THOUSAND));
    let report = run_with(budgeted, options()).await;
    assert_eq!(report.posts.delivered, POSTS as u64);

    let told = report.budget.clone().unwrap();
    assert_eq!(
        (told.posts, told.allowed_per_thousand),
        (POSTS as u64, PER_THOUSAND)
    );
    let share = told.spent_per_thousand / PER_THOUSAND;
    assert!((0.95..=1.05).contains(&share), "{share} of the budget");
    let governed = told.enrichers["dear"];
    assert_eq!(governed.chosen, first.items() as u64);
    assert_eq!(governed.chosen + governed.skipped, POSTS as u64);
    let each = governed.cpu_ms_per_target / DEAR_MS;
    assert!(
        (0.99..1.05).contains(&each),
        "it was measured to cost {each}"
    );
    assert!(
        !told.enrichers.contains_key("scout"),
        "what is cheap always runs"
    );
    assert_eq!(scouting.items(), POSTS);

    // What ran was worth more than what did not, before the shift and after it.
    let ran = first.posts();
    for half in [0..POSTS / 2, POSTS / 2..POSTS] {
        let (mut chosen, mut left_out) = (Vec::new(), Vec::new());
        for number in half {
            let score = f64::from(interest(&post(number, "")));
            match ran.contains(&id(number)) {
                true => chosen.push(score),
                false => left_out.push(score),
            }
        }
        let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len() as f64;
        let (chosen, left_out) = (mean(&chosen), mean(&left_out));
        assert!(chosen > left_out + 0.2, "{chosen} and {left_out}");
    }

    // The ledger says of every post whether it was left out.
    let mut lines: BTreeMap<String, u64> = BTreeMap::new();
    let scan = Scan::matching(Filter::All).limit(POSTS);
    for record in documents.scan(&scan).await.unwrap().records {
        let line = record.ledger_entry("dear", &Target::Post).unwrap();
        *lines.entry(format!("{:?}", line.outcome)).or_default() += 1;
    }
    let expected = [
        ("Done".to_owned(), governed.chosen),
        ("Skipped(Budget)".to_owned(), governed.skipped),
    ];
    assert_eq!(lines, expected.into());
    assert_eq!(stage(&report, "dear").skipped, governed.skipped);

    // Without a budget, a later run does what was left out and nothing else.
    let second = dear();
    let later = run_with(pipeline(&second).stale(Filter::All), options()).await;
    assert_eq!(second.items() as u64, governed.skipped);
    assert_eq!(later.posts.delivered, governed.skipped);
    assert!(second.posts().is_disjoint(&ran));
    assert_eq!(scouting.items(), POSTS);
    assert!(later.budget.is_none());
}

#[tokio::test]
async fn what_is_cheap_and_what_can_be_afforded_is_not_left_out() {
    let run_under = async |cpu_ms: f64| {
        let (scout, dear) = (scout(), dear());
        let pipeline = Pipeline::builder(NAME)
            .source(Posts::new(posts(500)))
            .enrich(scout.clone())
            .enrich(dear.clone())
            .budget(Budget::cpu_ms_per_thousand(cpu_ms))
            .sink(Collect::new("out"));
        let report = run_with(pipeline, options()).await;
        assert_eq!((report.posts.delivered, scout.items()), (500, 500));
        dear.items()
    };
    assert_eq!(run_under(0.0).await, 0);
    assert_eq!(run_under(100.0 * DEAR_MS * 1000.0).await, 500);
}

#[tokio::test]
async fn of_posts_that_are_worth_the_same_every_run_chooses_the_same() {
    let chosen = async || {
        let spec = EnricherSpec::new("dear", "1")
            .gives(["dear"])
            .cost(Cost::CpuMs(DEAR_MS));
        let dear = Probe::of(spec).costs(Duration::from_secs_f64(DEAR_MS / 1000.0));
        let pipeline = Pipeline::builder(NAME)
            .source(Posts::new(posts(2000)))
            .enrich(dear.clone())
            .budget(Budget::cpu_ms_per_thousand(PER_THOUSAND))
            .sink(Collect::new("out"));
        run_with(pipeline, one_by_one(100)).await;
        dear.posts()
    };
    let (first, second) = (chosen().await, chosen().await);
    assert!((400..=500).contains(&first.len()), "{}", first.len());
    let common = first.intersection(&second).count();
    assert!(
        common * 100 >= first.len() * 97,
        "{common} of {}",
        first.len()
    );
}
