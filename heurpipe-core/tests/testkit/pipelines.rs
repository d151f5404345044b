//! Pipelines whose every part fails for the moment, within retries: nothing is lost.

use std::sync::Arc;
use std::time::Duration;

use heurpipe_core::middleware::MiddlewareExt;
use heurpipe_core::testkit::faults::{Faults, Faulty};
use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;
use heurpipe_stores::documents::MemoryDocuments;
use proptest::prelude::*;

use crate::parts::words;

const POSTS: usize = 23;

/// Runs posts through parts with these scripts; gives how many came out with what was found, and how often something went wrong.
async fn run(scripts: [Faults; 3]) -> (RunReport, usize, u64) {
    let [reads, enriches, writes] = scripts;
    let policy = RetryPolicy::default().attempts(30);
    let texts = (0..POSTS).map(|n| format!("dress {n}"));
    let source = Faulty::new(Posts::texts(texts).page(4), reads);
    let enricher = Faulty::new(words(), enriches);
    let out = Collect::new("out");
    let sink = Faulty::new(out.clone(), writes);
    let report = Pipeline::builder("faulty")
        .documents(Arc::new(MemoryDocuments::new()))
        .source(source.clone().with_retry(policy))
        .enrich(
            enricher
                .clone()
                .with_timeout(Duration::from_secs(60))
                .with_retry(policy),
        )
        .sink(sink.clone().with_retry(policy))
        .build()
        .unwrap()
        .run(RunOptions::default())
        .await
        .unwrap();
    let enriched = |r: &&Arc<Record>| r.effective().contains_key("word");
    let came_out = out.records().iter().filter(enriched).count();
    let injected = [source.injected(), enricher.injected(), sink.injected()];
    (report, came_out, injected.iter().map(|i| i.total()).sum())
}

fn on_paused_time<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(work)
}

#[test]
fn without_faults_everything_comes_out_once() {
    let (report, came_out, injected) =
        on_paused_time(run([Faults::none(), Faults::none(), Faults::none()]));
    assert_eq!(
        (report.posts.delivered, came_out, injected),
        (POSTS as u64, POSTS, 0)
    );
}

#[test]
fn the_scripts_do_something() {
    let faulty = (0..20).filter(|seed| {
        let scripts = [3 * seed, 3 * seed + 1, 3 * seed + 2].map(Faults::random);
        on_paused_time(run(scripts)).2 > 0
    });
    assert!(faulty.count() > 10);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn passing_faults_lose_nothing(
        numbers in proptest::array::uniform3(proptest::collection::vec(any::<u64>(), 0..4)),
        outages in proptest::array::uniform3((0_u64..6, 0_u64..18)),
    ) {
        let mut outages = outages.into_iter();
        let scripts = numbers.map(|numbers| {
            let (after, calls) = outages.next().unwrap_or_default();
            Faults::of(numbers).and(Faults::outage(after, calls))
        });
        let printed = scripts.clone().map(|script| script.to_string());
        let (report, came_out, _) = on_paused_time(run(scripts));
        prop_assert_eq!(report.status, RunStatus::Done, "{:?}: {:?}", printed, report);
        prop_assert_eq!(report.posts.read, report.posts.settled(), "{:?}: {:?}", printed, report);
        prop_assert_eq!(report.posts.dead_lettered, 0, "{:?}: {:?}", printed, report);
        prop_assert_eq!(came_out, POSTS, "{:?}: {:?}", printed, report);
    }
}
