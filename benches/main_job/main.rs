//! The program as it is run: a use case from an API to the stores, beside the sum of what its parts take by themselves.
//!
//! ```sh
//! cargo build --release -p heurpipe --features turbojpeg
//! cargo bench -p heurpipe-benches --bench main_job --features turbojpeg               # both use cases
//! cargo bench -p heurpipe-benches --bench main_job --features turbojpeg -- --quick    # fewer posts
//! ```
//!
//! `HEURPIPE_PROGRAM` names another program than that of the release build. The simulator runs as a process of its own, with every picture (1080x1350, one a post)
//! drawn before it begins, and so its CPU time is known by itself; it works on the same cores all the same.
//!
//! The parts by themselves are: fetching each picture by an HTTP client, decoding it at once to the sizes of the three models, the two networks on numbers that
//! are ready, naming colours, looking for brands, telling the language, and writing the same records and pictures to the same stores in large batches.
//! What they add up to is what nobody can do without; the rest is paging through the APIs, the pipeline, and waiting.

mod parts;
mod program;

use heurpipe_benches::{AnyResult, Case, Effort, Row, run};
use tokio::runtime::Runtime;

use parts::Parts;
use program::{Program, Ran};

const CASES: [(&str, Case); 2] = [("catalog", catalog), ("trends", trends)];
/// The share of what the parts allow that the whole is to reach.
const SHARE: f64 = 0.8;
/// The most memory that the program may take, in MB.
const MEMORY: f64 = 1500.0;

fn main() -> AnyResult<()> {
    run("main_job", &CASES, &Runtime::new()?)
}

fn catalog(runtime: &Runtime, effort: Effort) -> AnyResult<Vec<Row>> {
    rows("catalog", 140.0, runtime, effort)
}

fn trends(runtime: &Runtime, effort: Effort) -> AnyResult<Vec<Row>> {
    rows("trends", 400.0, runtime, effort)
}

fn rows(use_case: &str, aim: f64, runtime: &Runtime, effort: Effort) -> AnyResult<Vec<Row>> {
    let Some(program) = Program::find() else {
        return Ok(Vec::new());
    };
    let folder = tempfile::tempdir()?;
    let simulator = program.simulate(effort.choose(300, 2_000))?;
    let ran = program.run(use_case, folder.path(), &simulator)?;
    let parts = runtime.block_on(Parts::measure(folder.path(), use_case))?;
    Ok(table(use_case, aim, &ran, &parts))
}

fn table(use_case: &str, aim: f64, ran: &Ran, parts: &Parts) -> Vec<Row> {
    let posts = ran.posts as f64;
    let ours = ran.cpu_ms / posts;
    let alone = parts.sum() / posts;
    let cores = heurpipe_core::compute::cores() as f64;
    let allowed = cores * 1000.0 / (alone + ran.simulator_cpu_ms / posts);
    let case = format!(
        "{use_case}, {} posts, {} pictures",
        ran.posts, parts.pictures
    );
    let rate = ran.posts as f64 / ran.seconds;
    let name = "what parts and simulator allow";
    let mut rows = vec![
        Row::rate(&case, "posts/s", rate, name, allowed).goal(SHARE * allowed),
        Row::rate(&case, "posts/s", rate, "aim", aim).goal(aim),
        Row::cost(&case, "CPU-ms/post", ours, "parts by themselves", alone).goal(alone / SHARE),
        Row::cost(&case, "peak MB", ran.peak_mb, "what it may take", MEMORY).goal(MEMORY),
    ];
    for (part, alone, stages) in parts.by_name() {
        let ours: f64 = stages
            .iter()
            .filter_map(|stage| ran.stages.get(*stage))
            .sum();
        if ours > 0.0 {
            let case = format!("{use_case}: {part}");
            rows.push(Row::cost(
                &case,
                "CPU-ms/post",
                ours / posts,
                "by itself",
                alone / posts,
            ));
        }
    }
    let case = format!("{use_case}: simulator");
    let theirs = ran.simulator_cpu_ms / posts;
    rows.push(Row::cost(
        &case,
        "CPU-ms/post",
        theirs,
        "the program's",
        ours,
    ));
    rows
}
