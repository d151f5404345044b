//! What sources and the simulator cost, beside what does the same job with less.
//!
//! ```sh
//! cargo bench -p heurpipe-benches --bench sources                # every case
//! cargo bench -p heurpipe-benches --bench sources -- --quick     # within two minutes
//! cargo bench -p heurpipe-benches --bench sources -- simulator   # this case only; no file is written
//! ```
//!
//! | case | question |
//! |---|---|
//! | `archives` | how many posts a second are read from JSON Lines, beside serde_json alone on the same bytes? |
//! | `memory` | how much memory does a file of gigabytes take? |
//! | `simulator` | how many calls a second does the simulator answer, beside a server that makes nothing? |

mod archives;
mod lines;
mod load;
mod memory;
mod simulator;

use heurpipe_benches::{AnyResult, Case, run};
use tokio::runtime::Runtime;

const CASES: [(&str, Case); 3] = [
    ("archives", archives::rows),
    ("memory", memory::rows),
    ("simulator", simulator::rows),
];

fn main() -> AnyResult<()> {
    let runtime = Runtime::new()?;
    if let Some(path) = memory::asked_of_child() {
        return runtime.block_on(memory::child(&path));
    }
    run("sources", &CASES, &runtime)
}
