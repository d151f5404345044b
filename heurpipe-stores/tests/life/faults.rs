//! The process ends at every step, before it or after it; the next one does the rest.
//!
//! `HEURPIPE_TEST_ROUNDS=100 cargo test --workspace --all-features --test life` plays more rounds, each on other posts.

use heurpipe_core::Subject;

use super::fuse::{EVERYWHERE, Where, fused};
use super::world::{World, marked};

/// A fuse that has not burnt after so many calls will not: no round has so many steps.
const MOST_STEPS: u64 = 1_000;

pub fn rounds() -> u64 {
    let rounds = std::env::var("HEURPIPE_TEST_ROUNDS");
    rounds.map_or(5, |rounds| rounds.parse().unwrap())
}

/// Rounds share the steps among them: a process ends at each of them, before and after its work, once in so many rounds.
const SHARED_BY: u64 = 5;

/// The steps of a round.
fn steps(round: u64) -> impl Iterator<Item = (u64, bool)> {
    let steps = (1..MOST_STEPS).filter(move |step| step % SHARED_BY == round % SHARED_BY);
    steps.flat_map(|step| [(step, false), (step, true)])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_run_that_ends_at_any_step_loses_and_doubles_nothing() {
    let mut ended = 0;
    for seed in 1..=rounds() {
        for place in [Where::Documents, Where::Objects] {
            for (step, done) in steps(seed) {
                let (world, posts) = World::random(seed).await;
                let run = fused(&world, place, step, done).archive().run().await;
                if run.is_ok() {
                    break;
                }
                ended += 1;
                world.check(&posts).await;
                world.archive().run().await.unwrap();
                world.check_archived(&posts).await;
            }
        }
    }
    println!(
        "{ended} archive runs ended early, {} rounds: 0 lost, 0 doubled",
        rounds()
    );
    assert!(ended > 4 * rounds());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_ends_at_any_step_is_completed_by_the_next() {
    let author = Subject::Author("instagram:100".parse().unwrap());
    let mut ended = 0;
    for seed in 1..=rounds() {
        for place in EVERYWHERE {
            for (step, done) in steps(seed) {
                let (world, posts) = World::random(seed).await;
                world.archive().run().await.unwrap();
                let run = fused(&world, place, step, done)
                    .forget()
                    .run(&author, false)
                    .await;
                if run.is_ok() {
                    break;
                }
                ended += 1;
                world.forget().run(&author, false).await.unwrap();
                world.check_forgotten(&marked(&posts), &posts).await;
            }
        }
    }
    println!(
        "{ended} erasures ended early, {} rounds: all completed",
        rounds()
    );
    assert!(ended > 4 * rounds());
}
