//! What becomes of posts in the end: [archived](Archive) in the warehouse, [taken up again](Tiered) when they come once more,
//! [erased](Forget) everywhere; and of pictures that [nothing refers to](Collect) any more. From what is kept the search index can be [built anew](Reindex).
//!
//! Each step may be the last that the process does: the next call finds out what is left to do from the stores themselves, and does it.

mod archive;
mod collect;
mod forget;
mod journal;
mod reindex;
mod retention;
mod tiered;
mod traces;

pub use archive::{Archive, ArchiveReport, ArchivedDay};
pub use collect::{Collect, Collected};
pub use forget::{Forget, Receipt, Removed};
pub use reindex::{RefusedPost, Reindex, ReindexReport, ReindexSurvey};
pub use retention::Retention;
pub use tiered::Tiered;
pub use traces::Found;
