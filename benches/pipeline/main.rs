//! What the executor costs, beside peers that do less and a peer that does the same job.
//!
//! ```sh
//! cargo bench -p heurpipe-benches --bench pipeline                  # every case, and builds the peer that is not in the workspace
//! cargo bench -p heurpipe-benches --bench pipeline -- --quick       # within two minutes
//! cargo bench -p heurpipe-benches --bench pipeline -- size memory   # these cases only; no file is written
//! ```
//!
//! | case | question |
//! |---|---|
//! | `throughput` | how many posts a second pass four enrichers and a sink that do nothing? |
//! | `size` | does a heavy post cost more than a light one? |
//! | `memory` | does a slow sink make memory grow? |
//! | `reanalysis` | what does a re-analysis cost when hardly anything is stale? |

mod channels;
mod memory;
mod no_op;
mod reanalysis;
mod size;
mod swiftide;
mod throughput;

use heurpipe_benches::{AnyResult, Case, run};
use tokio::runtime::Runtime;

const CASES: [(&str, Case); 4] = [
    ("throughput", throughput::rows),
    ("size", size::rows),
    ("memory", memory::rows),
    ("reanalysis", reanalysis::rows),
];

fn main() -> AnyResult<()> {
    let runtime = Runtime::new()?;
    if let Some(posts) = memory::asked_of_child() {
        return runtime.block_on(memory::child(posts));
    }
    run("pipeline", &CASES, &runtime)
}
