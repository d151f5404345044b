//! What the executor promises, over random graphs, batches, latencies, faults and crashes: every post settles exactly once; no checkpoint is
//! committed past a post that is neither settled nor pending in documents; a run that was killed, wherever, and one after it leave behind what
//! an unbroken run does; what was dropped is read again.
#![allow(missing_docs, clippy::unwrap_used)]

mod case;
mod check;
mod found;
mod fuse;
mod generate;
mod half_way;
mod life;
mod oracle;
mod parts;
mod reading;
mod run;
mod scripts;
mod stores;
mod world;

use std::collections::BTreeMap;
use std::time::Instant;

use case::Case;
use oracle::Oracle;

#[test]
fn every_post_settles_exactly_once() {
    run::random_cases("every_post_settles_exactly_once", 1000, |case| {
        check::unbroken(case).map(drop)
    });
}

#[test]
fn a_killed_run_and_the_next_leave_what_an_unbroken_run_does() {
    let test = "a_killed_run_and_the_next_leave_what_an_unbroken_run_does";
    run::random_cases(test, 1200, check::killed_at_random);
}

/// The cases are worth trying: whatever can become of an item does, and whatever can go wrong.
#[test]
fn the_cases_hold_everything() {
    let mut outcomes = BTreeMap::new();
    let mut faults = BTreeMap::new();
    let mut ends = BTreeMap::new();
    for case in (0..400).map(run::case) {
        let mut oracle = Oracle::new(&case);
        case.items()
            .for_each(|item| oracle.takes(&parts::incoming(item)));
        for outcome in oracle.expects().outcomes.values().flatten() {
            *outcomes.entry(format!("{outcome:?}")).or_insert(0) += 1;
        }
        for crash in &case.crashes {
            *ends.entry(format!("{:?}", crash.moment)).or_insert(0) += 1;
        }
        for rule in case.scripts().flat_map(|script| &script.rules) {
            let fault = format!("{:?}", rule.what);
            let name = fault.split('(').next().unwrap_or_default();
            *faults.entry(name.to_owned()).or_insert(0) += 1;
        }
    }
    run::say(&format!("of 400 cases: {outcomes:?}, {faults:?}, {ends:?}"));
    assert_eq!(
        outcomes.len(),
        8,
        "delivered, held, rejected, dead, filtered for four reasons"
    );
    assert_eq!(faults.len(), 7, "every kind of fault");
    assert_eq!(ends.len(), 5, "killed at three moments, drained, stopped");
    let mut counts = outcomes
        .values()
        .chain(faults.values())
        .chain(ends.values());
    assert!(counts.all(|count| *count >= 50));
}

/// Cases that are killed at each call.
const EVERYWHERE: usize = 12;

/// Cases in which about everything occurs, killed at each call that they make.
#[test]
fn a_run_may_be_killed_anywhere() {
    let begun = Instant::now();
    let broad = (0..)
        .map(|seed| (seed, run::case(seed)))
        .filter(|(_, case)| is_broad(case));
    let mut lives = 0;
    for (seed, case) in broad.take(EVERYWHERE) {
        match check::killed_everywhere(&case) {
            Ok(points) => lives += points,
            Err(why) => panic!("seed {seed}: {why}\n{case:#?}"),
        }
    }
    let took = begun.elapsed();
    run::say(&format!(
        "{EVERYWHERE} cases, killed at {lives} points, in {took:.1?}"
    ));
}

fn is_broad(case: &Case) -> bool {
    let graph = &case.graph;
    let items = case.items().count();
    case.documents
        && (12..26).contains(&items)
        && graph.enrichers.len() >= 2
        && graph.gate.is_some()
        && graph.sinks.len() >= 2
        && graph.sinks.iter().any(|sink| sink.at_flush)
        && !graph.routes.is_empty()
}
