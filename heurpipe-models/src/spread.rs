//! Spreads a batch over the compute threads.

use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use heurpipe_core::{Result, compute};

/// Does `work` on shares of the items, a share a core, and gives the results in order, with the CPU time of all.
///
/// # Errors
/// The first error of any share; what the others did is dropped.
pub(crate) async fn spread<I, O>(
    items: Vec<I>,
    work: impl Fn(&[I]) -> Result<Vec<O>> + Send + Sync + 'static,
) -> Result<(Vec<O>, Duration)>
where
    I: Clone + Send + 'static,
    O: Send + 'static,
{
    let share = items.len().div_ceil(compute::cores()).max(1);
    let work = Arc::new(work);
    let jobs = items.chunks(share).map(|items| {
        let (work, items) = (Arc::clone(&work), items.to_vec());
        compute::run(move || work(&items))
    });
    let mut results = Vec::with_capacity(items.len());
    let mut cpu = Duration::ZERO;
    for (done, took) in try_join_all(jobs).await? {
        results.extend(done?);
        cpu += took;
    }
    Ok((results, cpu))
}
