//! Cases by seed: how many are tried, what is printed of a failure, how one is tried again.
//!
//! `HEURPIPE_SEED` is the seed of the first case, each further one has the next; without it, the time is the seed. `HEURPIPE_CASES` is how many are
//! tried. Which of several ready tasks goes first is tokio's choice and differs from run to run: `HEURPIPE_TIMES` tries each case so often.

use std::io::Write;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::case::Case;
use super::check::Checked;
use super::generate::cases;

/// Tries random cases, and prints how many, from which seed on, and how long it took.
pub fn random_cases(test: &str, cases_by_default: u64, check: impl Fn(&Case) -> Checked) {
    let seed = variable("HEURPIPE_SEED").unwrap_or_else(now);
    let count = variable("HEURPIPE_CASES").unwrap_or(cases_by_default);
    let times = variable("HEURPIPE_TIMES").unwrap_or(1);
    say(&format!("{test}: {count} cases, seeds from {seed} on"));
    let begun = Instant::now();
    for seed in (0..count).map(|n| seed.wrapping_add(n)) {
        let tried = runner(seed).run(&cases(), |case| {
            let tried = (0..times).try_for_each(|_| check(&case));
            tried.map_err(TestCaseError::fail)
        });
        match tried {
            Ok(()) => {}
            Err(TestError::Fail(why, case)) => panic!(
                "{why}\n\nThe smallest case found:\n{case:#?}\n\nTo try it again: HEURPIPE_SEED={seed} HEURPIPE_CASES=1 HEURPIPE_TIMES=100 \
                 cargo test -p heurpipe-core --all-features --test properties {test}"
            ),
            Err(other) => panic!("{other}, seed {seed}"),
        }
    }
    let took = begun.elapsed();
    say(&format!("{test}: {count} cases passed in {took:.1?}"));
}

/// Prints a line, whether or not the test passes: tests that pass are otherwise silent.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The case of a seed.
pub fn case(seed: u64) -> Case {
    cases().new_tree(&mut runner(seed)).unwrap().current()
}

fn runner(seed: u64) -> TestRunner {
    let config = Config {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters: 2000,
        max_shrink_time: 30_000,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")),
    )
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_micros() as u64
}
