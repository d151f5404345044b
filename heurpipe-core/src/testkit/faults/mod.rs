//! Faults on demand: what networks, disks and other people's services do sooner or later, done here by script and in the same way each time.
//!
//! [`Faults`] is a script: rules that say at which calls something goes wrong, and what. [`Faulty`] is a part that plays a script: any
//! [`Source`](crate::Source), [`Enricher`](crate::Enricher), [`QualityGate`](crate::QualityGate), [`Sink`](crate::Sink),
//! [`Documents`](crate::Documents), [`AnalysisCache`](crate::AnalysisCache) or [`ReviewQueue`](crate::ReviewQueue). A script is plain
//! data, prints as JSON and can be made of numbers, so that a property test can shrink, print and replay it.
//!
//! ```
//! use heurpipe_core::middleware::MiddlewareExt;
//! use heurpipe_core::testkit::faults::{Fault, Faults, Faulty, Rule, Trigger};
//! use heurpipe_core::testkit::{Collect, Posts, VirtualClock};
//! use heurpipe_core::{ErrorKind, Pipeline, RetryPolicy, RunOptions};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> heurpipe_core::Result<()> {
//! VirtualClock::start("2026-03-01T08:00:00Z".parse().unwrap());
//! // The first two writes fail, and the answer to the third is lost after the work was done.
//! let script = Faults::fail_first(2, ErrorKind::Unavailable)
//!     .rule(Rule::new(Trigger::nth(3), Fault::Drop));
//! let out = Collect::new("out");
//! let faulty = Faulty::new(out.clone(), script);
//! let report = Pipeline::builder("faulty")
//!     .source(Posts::texts(["a red dress", "a blue coat"]))
//!     .sink(faulty.clone().with_retry(RetryPolicy::default()))
//!     .build()?
//!     .run(RunOptions::default())
//!     .await?;
//! assert_eq!((report.posts.delivered, out.records().len()), (2, 2));
//! assert_eq!((faulty.injected().fail, faulty.injected().drop), (2, 1));
//! # Ok(()) }
//! ```

mod injector;
mod layer;
mod numbers;
mod script;
mod stores;

pub use injector::{Injected, Injector};
pub use layer::Faulty;
pub use script::{Fault, Faults, Rule, Trigger};
