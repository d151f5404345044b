//! `reanalysis`: another use case once more, over the records that documents hold. No source is touched, no picture is fetched again;
//! the ledger leaves only what is stale and what depends on it.

use heurpipe_core::{Filter, Pipeline, Result};

use super::UseCase;
use crate::workbench::{Input, Workbench};

/// The pipeline of `use_case` over its stored records that match the filter.
///
/// # Errors
/// Whatever building the use case's pipeline says.
pub fn reanalysis(bench: &Workbench, use_case: &UseCase, filter: Filter) -> Result<Pipeline> {
    use_case.build(bench, &Input::Stored(filter))
}
