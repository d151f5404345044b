//! What every document store must do.

mod analyses;
mod cache;
mod commits;
mod letters;
mod life;
mod moving;
mod near;
mod progress;
mod scans;

use std::fmt::Write;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::BoxFuture;
use heurpipe_core::{ErrorKind, Filter, Post, Record, Scan, State};
use jiff::Timestamp;

use super::filters::{self, Finder};
use super::{Check, Failure, checks, id};
use crate::documents::DocumentStore;

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
}

/// Runs every check on a store of its own, and prints which hold.
///
/// # Errors
/// Those of the store where it should not fail.
///
/// # Panics
/// Where the store is wrong, and where a check is said not to be applicable that there is not.
pub async fn run(
    backend: Backend,
    fresh: impl AsyncFn() -> Result<Arc<dyn DocumentStore>, Failure>,
) -> Result<Findings, Failure> {
    let mut findings = Findings {
        backend: backend.name,
        checks: Vec::new(),
    };
    let mut unused: Vec<&str> = backend.lacks.iter().map(|(check, _)| *check).collect();
    for (name, check) in all() {
        unused.retain(|lacking| *lacking != name);
        let reason = backend.lacks.iter().find(|(lacking, _)| *lacking == name);
        if reason.is_none() {
            println!("documents suite on {}: {name}", backend.name);
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

/// What became of each check on each of several backends, a check a line.
///
/// # Panics
/// Where the backends were not asked the same.
pub fn table(backends: &[Findings]) -> String {
    let mut table = String::new();
    let Some(first) = backends.first() else {
        return table;
    };
    for (place, (name, _)) in first.checks.iter().enumerate() {
        _ = write!(table, "{name:<50}");
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
        assert_eq!(findings.asked(), first.asked(), "{}", findings.backend);
        let passed = findings
            .checks
            .iter()
            .filter(|(_, reason)| reason.is_none());
        let passed = passed.count();
        _ = writeln!(
            table,
            "{}: {passed} of {} checks hold",
            findings.backend,
            findings.asked()
        );
    }
    table
}

type Of = Box<dyn Fn(Arc<dyn DocumentStore>) -> BoxFuture<'static, Check>>;

/// All checks by their names.
fn all() -> Vec<(&'static str, Of)> {
    let of_documents = [
        commits::CHECKS,
        scans::CHECKS,
        progress::CHECKS,
        letters::CHECKS,
        analyses::CHECKS,
        cache::CHECKS,
        near::CHECKS,
        life::CHECKS,
        moving::CHECKS,
    ]
    .concat();
    let of_documents = of_documents
        .into_iter()
        .map(|(name, check)| -> (&'static str, Of) { (name, Box::new(check)) });
    let of_filters = filters::CHECKS
        .iter()
        .map(|(name, check)| -> (&'static str, Of) {
            (*name, Box::new(|store| check(Arc::new(Scanned(store)))))
        });
    of_documents.chain(of_filters).collect()
}

fn pending() -> State {
    State::Pending { delivered: false }
}

fn record(native: &str) -> Record {
    Record::new(Post::new(id(native), Timestamp::UNIX_EPOCH))
}

async fn commit(store: &dyn DocumentStore, record: &mut Record) -> Check {
    for outcome in store.commit(&[record]).await? {
        record.revision = outcome?;
    }
    Ok(())
}

/// Why a store refuses a record, if it does.
async fn refusal(store: &dyn DocumentStore, record: &Record) -> Result<Option<ErrorKind>, Failure> {
    let outcome = store.commit(&[record]).await?.pop();
    Ok(outcome.and_then(|o| o.err()).map(|error| error.kind()))
}

/// The native ids of all that a scan asks for, in order; its count must be that of what it finds.
async fn natives(store: &dyn DocumentStore, scan: &Scan) -> Result<Vec<String>, Failure> {
    let page = store.scan(scan).await?;
    assert_eq!(page.next, None, "{scan:?}");
    assert_eq!(
        store.count(scan).await?,
        page.records.len() as u64,
        "{scan:?}"
    );
    let natives = page.records.iter().map(|r| r.id().native.to_string());
    Ok(natives.collect())
}

/// Records in a store.
struct Scanned(Arc<dyn DocumentStore>);

#[async_trait]
impl Finder for Scanned {
    async fn fill(&self, records: &[Record]) -> Check {
        for record in records {
            let mut record = record.clone();
            record.revision = 0;
            commit(&*self.0, &mut record).await?;
        }
        Ok(())
    }

    async fn found(&self, filter: &Filter) -> Result<Vec<String>, Failure> {
        natives(&*self.0, &Scan::matching(filter.clone())).await
    }
}
