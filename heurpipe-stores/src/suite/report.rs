//! What a suite asks, and what it found on which backend: one form for all roles.

use std::fmt::Write;
use std::sync::Arc;

use futures::future::BoxFuture;

use super::{Check, Failure};

/// A backend, and which checks it cannot pass where it is tried.
///
/// What a test server lacks is not assumed of the real one: it is said here, with its reason, and printed with what was found.
#[derive(Debug, Clone, Copy)]
pub struct Backend {
    /// What it is called.
    pub name: &'static str,
    /// Checks that are not applicable, each with the reason.
    pub lacks: &'static [(&'static str, &'static str)],
}

impl Backend {
    /// One that has to pass every check.
    pub fn named(name: &'static str) -> Self {
        Self { name, lacks: &[] }
    }
}

/// What the checks of a backend found.
#[derive(Debug)]
pub struct Findings {
    backend: &'static str,
    /// Each check, with the reason why it is not applicable.
    checks: Vec<(&'static str, Option<&'static str>)>,
}

impl Findings {
    /// How many checks were asked for, those that are not applicable among them.
    pub fn asked(&self) -> usize {
        self.checks.len()
    }

    /// How many checks hold.
    pub fn held(&self) -> usize {
        let applicable = self.checks.iter().filter(|(_, reason)| reason.is_none());
        applicable.count()
    }
}

/// A check that needs a subject of its own.
pub(super) type Of<T> = Box<dyn Fn(Arc<T>) -> BoxFuture<'static, Check>>;

/// Runs every check of a role on a subject of its own, and prints which hold.
///
/// # Errors
/// Those of the backend where it should not fail.
///
/// # Panics
/// Where the backend is wrong, and where a check is said not to be applicable that there is not.
pub(super) async fn hold<T: ?Sized>(
    role: &str,
    backend: Backend,
    checks: Vec<(&'static str, Of<T>)>,
    fresh: impl AsyncFn() -> Result<Arc<T>, Failure>,
) -> Result<Findings, Failure> {
    hold_but(role, backend.name, backend.lacks, checks, fresh).await
}

/// As [`hold`], where what is not applicable is known only once the backend was asked.
pub(super) async fn hold_but<T: ?Sized>(
    role: &str,
    backend: &'static str,
    lacks: &[(&'static str, &'static str)],
    checks: Vec<(&'static str, Of<T>)>,
    fresh: impl AsyncFn() -> Result<Arc<T>, Failure>,
) -> Result<Findings, Failure> {
    let mut findings = Findings {
        backend,
        checks: Vec::new(),
    };
    let mut unused: Vec<&str> = lacks.iter().map(|(check, _)| *check).collect();
    for (name, check) in checks {
        unused.retain(|lacking| *lacking != name);
        let reason = lacks.iter().find(|(lacking, _)| *lacking == name);
        if reason.is_none() {
            println!("{role} suite on {backend}: {name}");
            check(fresh().await?)
                .await
                .map_err(|error| format!("{name}: {error}"))?;
        }
        findings
            .checks
            .push((name, reason.map(|(_, reason)| *reason)));
    }
    assert!(unused.is_empty(), "there are no such checks: {unused:?}");
    Ok(findings)
}

/// What became of each check on each of several backends of a role, a check a line.
///
/// # Panics
/// Where the backends were not asked the same.
pub fn table(backends: &[Findings]) -> String {
    let mut table = String::new();
    let Some(first) = backends.first() else {
        return table;
    };
    for (place, (name, _)) in first.checks.iter().enumerate() {
        _ = write!(table, "{name:<60}");
        for findings in backends {
            let (asked, reason) = findings.checks[place];
            assert_eq!(
                asked, *name,
                "{} was asked something else",
                findings.backend
            );
            let found = match reason {
                None => "pass".to_owned(),
                Some(reason) => format!("not applicable: {reason}"),
            };
            _ = write!(table, " | {}: {found}", findings.backend);
        }
        table.push('\n');
    }
    for findings in backends {
        let (held, asked) = (findings.held(), findings.asked());
        assert_eq!(asked, first.asked(), "{}", findings.backend);
        _ = writeln!(table, "{}: {held} of {asked} checks hold", findings.backend);
    }
    table
}
