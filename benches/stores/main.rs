//! What the stores take in and how fast they answer: the embedded ones, and those on servers beside them.
//!
//! ```sh
//! cargo bench -p heurpipe-benches --bench stores --features stores                # a million posts in the search index
//! cargo bench -p heurpipe-benches --bench stores --features stores -- --quick     # within two minutes
//! cargo bench -p heurpipe-benches --bench stores --features stores -- search      # this case only; no file is written
//! ```
//!
//! | case | question |
//! |---|---|
//! | `documents` | how many records a second are committed durably, beside their bare bytes in a file, and on SQLite beside MongoDB? |
//! | `bulk` | how many records a second are indexed, on tantivy beside Elasticsearch, and on that beside the same lines sent by `curl`? |
//! | `warehouse` | how many MB of records a second become Parquet, beside an Arrow writer by hand; does history slow that down; how many are archived? |
//! | `search` | how long do a search by five filters and its three facets take at a million posts? |
//! | `similar` | how long does it take to find what looks alike among 100,000 posts, beside one pass over their vectors in memory? |
//!
//! Servers are those that the variables of `scripts/services/services.sh env` name; rows that need one are left out without it, which is printed.

mod bulk;
mod documents;
mod posts;
mod search;
mod servers;
mod similar;
mod warehouse;

use heurpipe_benches::{AnyResult, Case, run};
use tokio::runtime::Runtime;

const CASES: [(&str, Case); 5] = [
    ("documents", documents::rows),
    ("bulk", bulk::rows),
    ("warehouse", warehouse::rows),
    ("search", search::rows),
    ("similar", similar::rows),
];

fn main() -> AnyResult<()> {
    run("stores", &CASES, &Runtime::new()?)
}
