//! How a check is run, and what checks of several kinds of part have in common.

use std::fmt::Display;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;

use futures::FutureExt;

use super::report::{Check, CheckOutcome, SuiteReport};
use crate::Error;

/// What a check gives.
pub(super) type Checked<T = ()> = Result<T, Flaw>;

/// Why a check did not pass.
#[derive(Debug)]
pub(super) enum Flaw {
    /// The part does not uphold the rule.
    Broken(String),
    /// The rule says nothing of this part, or cannot be seen.
    NotApplicable(String),
}

impl Flaw {
    pub(super) fn broken(wrong: impl Into<String>) -> Self {
        Self::Broken(wrong.into())
    }

    pub(super) fn not_applicable(why: impl Into<String>) -> Self {
        Self::NotApplicable(why.into())
    }
}

impl From<Error> for Flaw {
    /// An error where there should be none.
    fn from(error: Error) -> Self {
        Self::Broken(format!(
            "it answered with an error: {}",
            error.chain().join(": ")
        ))
    }
}

/// Goes on if the condition holds; else the part is broken in this way.
macro_rules! ensure {
    ($condition:expr, $($wrong:tt)+) => {
        if !$condition {
            return Err($crate::testkit::suite::probe::Flaw::broken(format!($($wrong)+)));
        }
    };
}
pub(super) use ensure;

/// Runs checks and keeps what comes of them.
pub(super) struct Suite {
    pub(super) report: SuiteReport,
    limit: Duration,
}

impl Suite {
    pub(super) fn new(part: impl Display, limit: Duration) -> Self {
        Self {
            report: SuiteReport::new(part.to_string()),
            limit,
        }
    }

    /// Runs a check to its end, or to the limit; a panic of the part is its failure.
    pub(super) async fn check(&mut self, name: &str, check: impl Future<Output = Checked>) {
        let check = AssertUnwindSafe(check).catch_unwind();
        let outcome = match tokio::time::timeout(self.limit, check).await {
            Ok(Ok(Ok(()))) => CheckOutcome::Passed,
            Ok(Ok(Err(Flaw::Broken(wrong)))) => CheckOutcome::Failed(wrong),
            Ok(Ok(Err(Flaw::NotApplicable(why)))) => CheckOutcome::NotApplicable(why),
            Ok(Err(_)) => CheckOutcome::Failed("it panicked".to_owned()),
            Err(_) => CheckOutcome::Failed(format!("it gave no answer within {:?}", self.limit)),
        };
        self.report.checks.push(Check {
            name: name.to_owned(),
            outcome,
        });
    }
}

/// How often a call is polled at most before it is dropped.
pub(super) const POLLS: usize = 4;

/// Polls a call so many times and drops it, wherever it has come.
pub(super) async fn abandon<F: Future>(call: F, polls: usize) {
    let mut call = pin!(call);
    for _ in 0..polls {
        if futures::poll!(call.as_mut()).is_ready() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// One line, not empty, without control characters.
pub(super) fn ensure_name(what: &str, name: &str) -> Checked {
    ensure!(!name.trim().is_empty(), "the {what} is empty");
    ensure!(
        !name.chars().any(char::is_control),
        "the {what} {name:?} has control characters"
    );
    Ok(())
}

/// A number of outcomes as it should be.
pub(super) fn ensure_count(items: usize, outcomes: usize) -> Checked {
    ensure!(
        items == outcomes,
        "it gave {outcomes} outcomes for {items} items"
    );
    Ok(())
}

/// Whether a confidence or a share is one.
pub(super) fn is_share(number: f32) -> bool {
    (0.0..=1.0).contains(&number)
}
