//! Asking a large index for what is alike.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use heurpipe_benches::{AnyResult, Effort, Row};
use heurpipe_core::{Annotation, Direction, Record, SearchIndex, SimilarRequest, Target, Value};
use heurpipe_stores::{Mode, search};
use jiff::Timestamp;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::runtime::Runtime;

use crate::{bulk, posts};

/// As long as those of common models of pictures.
const DIMENSIONS: usize = 512;

/// Records that are made, written and dropped at a time.
const AT_A_TIME: u64 = 5_000;

pub fn rows(runtime: &Runtime, effort: Effort) -> AnyResult<Vec<Row>> {
    let count = effort.choose(5_000, 100_000);
    let questions = effort.choose(10, 50);
    let folder = tempfile::tempdir()?;
    let url = format!("tantivy:{}", folder.path().display());
    let index = runtime.block_on(search::open(&url, Mode::ReadWrite))?;
    let vectors = runtime.block_on(fill(&*index, count))?;
    let mut rows = Vec::new();
    for (filter, what) in [("", "all"), ("garment:dress", "those of one garment")] {
        let (mut ours, mut by_hand) = (Vec::new(), Vec::new());
        for wanted in vectors.iter().take(questions) {
            let request = SimilarRequest::new("look", &wanted[..]).filter(filter.parse()?);
            let began = Instant::now();
            let found = runtime.block_on(index.similar(&request))?;
            ours.push(began.elapsed());
            if found.len() != request.limit {
                return Err(format!("{} are alike, not {}", found.len(), request.limit).into());
            }
            by_hand.push(one_pass(&vectors, wanted)?);
        }
        let case = format!("p50 of what is alike among {what}, {count} vectors of {DIMENSIONS}");
        let [ours, pass] = [ours, by_hand].map(median);
        rows.push(Row::cost(
            &case,
            "ms",
            ours,
            "one pass over all vectors in memory",
            pass,
        ));
    }
    Ok(rows)
}

/// How long it takes to compare with everything, where that lies in memory and nothing is read.
fn one_pass(vectors: &[Vec<f32>], wanted: &[f32]) -> AnyResult<Duration> {
    let began = Instant::now();
    let wanted = Direction::of(wanted).ok_or("a vector without a direction")?;
    black_box(wanted.nearest(vectors.iter().map(Vec::as_slice)));
    Ok(began.elapsed())
}

fn median(mut took: Vec<Duration>) -> f64 {
    took.sort_unstable();
    took[took.len() / 2].as_secs_f64() * 1e3
}

async fn fill(index: &dyn SearchIndex, count: u64) -> AnyResult<Vec<Vec<f32>>> {
    let mut dice = ChaCha8Rng::seed_from_u64(2);
    let mut vectors = Vec::new();
    for from in (0..count).step_by(AT_A_TIME as usize) {
        let mut records: Vec<Arc<Record>> = Vec::new();
        for number in from..count.min(from + AT_A_TIME) {
            let vector: Vec<f32> = (0..DIMENSIONS)
                .map(|_| dice.random_range(-1.0..1.0))
                .collect();
            let mut record = posts::record(number);
            let value = Value::Vector(vector.clone());
            let at = Timestamp::UNIX_EPOCH;
            let seen = Annotation::decided(Target::Post, "look", value, "bench", at);
            record.annotations.push(seen);
            records.push(Arc::new(record));
            vectors.push(vector);
        }
        bulk::write(index, &records).await?;
    }
    index.flush().await?;
    Ok(vectors)
}
