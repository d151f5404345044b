//! Asking an index that is as large as a product's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use heurpipe_benches::{AnyResult, Effort, Row};
use heurpipe_core::{FacetRequest, Filter, Record, SearchIndex, SearchRequest};
use heurpipe_stores::{Mode, search};
use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use tokio::runtime::Runtime;

use crate::{bulk, posts, servers};

/// What a question may take in the embedded index, at a million posts, in all but one of a hundred cases.
const GOAL: Duration = Duration::from_millis(100);

const FACETS: [&str; 3] = ["brand", "colour", "garment"];

/// Records that are made, written and dropped at a time.
const AT_A_TIME: u64 = 10_000;

pub fn rows(runtime: &Runtime, effort: Effort) -> AnyResult<Vec<Row>> {
    let count = effort.choose(20_000, 1_000_000);
    let questions = effort.choose(100, 400);
    let folder = tempfile::tempdir()?;
    let url = format!("tantivy:{}", folder.path().display());
    let embedded = runtime.block_on(filled(&url, count))?;
    let ours = runtime.block_on(ask(&*embedded, questions))?;
    let case = |what: &str| format!("{what} of a search by 5 filters with 3 facets, {count} posts");
    let [median, slow] = [ours.percentile(50), ours.percentile(99)].map(milliseconds);
    let goal = milliseconds(GOAL);
    let mut rows = vec![Row::cost(&case("p99"), "ms", slow, "what is allowed", goal).goal(goal)];
    if let Some((server, name)) = servers::elasticsearch() {
        let served = runtime.block_on(filled(&format!("{server}/{name}"), count))?;
        let theirs = runtime.block_on(ask(&*served, questions))?;
        if theirs.found != ours.found {
            return Err("the two indices find different numbers of posts".into());
        }
        let [their_median, their_slow] =
            [theirs.percentile(50), theirs.percentile(99)].map(milliseconds);
        rows.push(Row::cost(
            &case("p50"),
            "ms",
            median,
            "Elasticsearch",
            their_median,
        ));
        rows.push(Row::cost(
            &case("p99"),
            "ms",
            slow,
            "Elasticsearch",
            their_slow,
        ));
    } else {
        rows.push(Row::cost(
            &case("p50"),
            "ms",
            median,
            "what is allowed",
            goal,
        ));
    }
    Ok(rows)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

async fn filled(url: &str, count: u64) -> AnyResult<Arc<dyn SearchIndex>> {
    let index = search::open(url, Mode::ReadWrite).await?;
    for from in (0..count).step_by(AT_A_TIME as usize) {
        let to = count.min(from + AT_A_TIME);
        let records: Vec<Arc<Record>> = (from..to)
            .map(|number| Arc::new(posts::record(number)))
            .collect();
        bulk::write(&*index, &records).await?;
    }
    index.flush().await?;
    Ok(index)
}

/// How long each question took, and what was found in all.
struct Answers {
    /// From the quickest.
    took: Vec<Duration>,
    found: u64,
}

impl Answers {
    fn percentile(&self, percent: usize) -> Duration {
        self.took[(self.took.len() - 1) * percent / 100]
    }
}

/// Asks as a page of the product does: a page of results and three facets, by five conditions. The first questions warm up and do not count.
async fn ask(index: &dyn SearchIndex, questions: usize) -> AnyResult<Answers> {
    let mut dice = ChaCha8Rng::seed_from_u64(1);
    let warm_up = questions / 10;
    let mut answers = Answers {
        took: Vec::new(),
        found: 0,
    };
    for number in 0..warm_up + questions {
        let filter: Filter = question(&mut dice).parse()?;
        let request = FacetRequest {
            filter: filter.clone(),
            fields: FACETS.map(str::to_owned).to_vec(),
            limit: 20,
        };
        let began = Instant::now();
        let page = index.search(&SearchRequest::new(filter)).await?;
        index.facets(&request).await?;
        if number >= warm_up {
            answers.took.push(began.elapsed());
            answers.found += page.total.value;
        }
    }
    answers.took.sort_unstable();
    Ok(answers)
}

/// Five conditions: two attributes of which several labels are good, a period, a number, and what is left out.
fn question(dice: &mut ChaCha8Rng) -> String {
    let mut pick = |from: &[&'static str]| from.choose(dice).copied().unwrap_or_default();
    let garment = pick(&["dress", "coat", "bag", "boots"]);
    let colours = pick(&["black,white", "red,pink", "blue,green,beige"]);
    let out = pick(&["FR", "CN", "IT"]);
    let month = dice.random_range(1..6);
    let likes = dice.random_range(0..4_000);
    format!(
        "garment:{garment} colour:{colours} published:[2026-0{month}-01 TO *] likes:[{likes} TO *] -origin:{out}"
    )
}
