//! What a suite found.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The checks of a suite, in order, with what came of each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[must_use = "a report says what is wrong with the part; see `assert_passed`"]
pub struct SuiteReport {
    /// The kind of part and its name.
    pub part: String,
    /// The checks.
    pub checks: Vec<Check>,
}

/// A check by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Check {
    /// The rule, in a few words.
    pub name: String,
    /// What came of it.
    pub outcome: CheckOutcome,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// The part upholds the rule.
    Passed,
    /// It does not: this is wrong.
    Failed(String),
    /// The rule says nothing of this part, or cannot be seen from outside, for this reason.
    NotApplicable(String),
}

impl SuiteReport {
    pub(super) fn new(part: String) -> Self {
        let checks = Vec::new();
        Self { part, checks }
    }

    /// Whether no check failed.
    pub fn passed(&self) -> bool {
        self.failures().next().is_none()
    }

    /// The checks that failed, with what was wrong.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &str)> {
        self.checks.iter().filter_map(|check| match &check.outcome {
            CheckOutcome::Failed(wrong) => Some((check.name.as_str(), wrong.as_str())),
            CheckOutcome::Passed | CheckOutcome::NotApplicable(_) => None,
        })
    }

    /// The checks that were made: neither failed nor not applicable.
    pub fn upheld(&self) -> impl Iterator<Item = &str> {
        let upheld = |check: &&Check| check.outcome == CheckOutcome::Passed;
        self.checks.iter().filter(upheld).map(|c| c.name.as_str())
    }

    /// Says that no check failed, and gives the report.
    ///
    /// # Panics
    /// With the whole report if a check failed.
    #[track_caller]
    pub fn assert_passed(&self) -> &Self {
        assert!(self.passed(), "{self}");
        self
    }
}

impl fmt::Display for SuiteReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.part)?;
        for check in &self.checks {
            match &check.outcome {
                CheckOutcome::Passed => write!(f, "\n  passed  {}", check.name)?,
                CheckOutcome::Failed(wrong) => write!(f, "\n  FAILED  {}: {wrong}", check.name)?,
                CheckOutcome::NotApplicable(why) => {
                    write!(f, "\n  n/a     {}: {why}", check.name)?;
                }
            }
        }
        Ok(())
    }
}
