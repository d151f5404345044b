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

use std::error::Error;

use heurpipe_benches::{Effort, Report, Row, chosen};
use tokio::runtime::Runtime;

type AnyResult<T> = Result<T, Box<dyn Error>>;

/// Measures a case and gives its rows.
type Case = fn(&Runtime, Effort) -> AnyResult<Vec<Row>>;

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
    let effort = Effort::from_arguments();
    let chosen = chosen(&CASES.map(|(name, _)| name))?;
    let mut report = Report::new("sources");
    for (name, case) in CASES {
        if chosen.is_empty() || chosen.iter().any(|wanted| wanted == name) {
            eprintln!("{name} ...");
            report.rows.extend(case(&runtime, effort)?);
        }
    }
    match chosen.is_empty() {
        true => report.publish()?,
        false => print!("{report}"),
    }
    Ok(())
}
