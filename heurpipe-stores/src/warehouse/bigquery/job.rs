//! Jobs: begun once under a name of their own, and waited for.

use std::time::Duration;

use heurpipe_core::{Error, ErrorKind, Result};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::{FAILED_JOB, Reason, failed};
use super::service::Service;

/// The waits between two looks at a job: each is half as long again as the one before.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Looks at a job before it is given up: about two hours. It goes on by itself, and whoever calls again finds it.
const MOST_LOOKS: usize = 720;

/// Names under which one piece of work may have failed before. Each failure takes one, since names of jobs are never free again.
const MOST_NAMES: usize = 1_000;

/// A job that has ended well.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Job {
    status: Status,
    statistics: Statistics,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    state: String,
    error_result: Option<Reason>,
    errors: Vec<Reason>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Statistics {
    query: QueryStatistics,
}

/// What a query's job counted. Numbers come as texts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct QueryStatistics {
    statement_type: String,
    total_bytes_processed: Option<String>,
    dml_stats: Option<RowStatistics>,
}

/// What a statement changed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RowStatistics {
    deleted_row_count: Option<String>,
}

impl Job {
    /// Rows that the statement deleted; none where the server does not count.
    pub(super) fn deleted(&self) -> Option<u64> {
        let stats = self.statistics.query.dml_stats.as_ref()?;
        stats.deleted_row_count.as_deref()?.parse().ok()
    }

    /// What kind of statement it is: `SELECT`, `SCRIPT` …
    pub(super) fn statement_type(&self) -> &str {
        &self.statistics.query.statement_type
    }

    /// What it reads, or would read.
    pub(super) fn bytes(&self) -> u64 {
        let bytes = self.statistics.query.total_bytes_processed.as_deref();
        bytes.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
    }

    fn has_ended(&self) -> bool {
        self.status.state == "DONE"
    }
}

/// Does a piece of work whose name says all that it does, once: a job of this name that was begun before, by whomever, is waited for instead. One that
/// has failed before is done under the next name.
///
/// # Errors
/// That of the job, naming it; `Timeout` when it does not end.
pub(super) async fn once(
    service: &Service,
    operation: &'static str,
    name: &str,
    configuration: &Value,
) -> Result<Job> {
    for number in 0..MOST_NAMES {
        let id = format!("{name}-{number}");
        let begun = begin(service, operation, &id, configuration).await?;
        match (
            wait(service, operation, &id, begun.job).await,
            begun.is_known,
        ) {
            // It has failed before, and may do better now.
            (Err(error), true) if error.kind() != ErrorKind::Timeout => {
                tracing::debug!(job = id, %error, "a job has failed before and is begun anew");
            }
            (ended, _) => return ended,
        }
    }
    Err(Error::new(ErrorKind::Conflict, operation)
        .message("the job has failed under every name that it may have")
        .with(FAILED_JOB, name))
}

/// Does a piece of work that may be done by one job only, of this name: one that was begun before, by whomever, is waited for instead, and its failure is
/// the failure of the work.
///
/// # Errors
/// That of the job, naming it; `Timeout` when it does not end.
pub(super) async fn exactly_once(
    service: &Service,
    operation: &'static str,
    id: &str,
    configuration: &Value,
) -> Result<Job> {
    let begun = begin(service, operation, id, configuration).await?;
    wait(service, operation, id, begun.job).await
}

/// Whether an error is that of a job that has ended in it, so that nothing more will come of it.
pub(super) fn has_failed(error: &Error) -> bool {
    error.context().any(|(key, _)| key == FAILED_JOB)
}

/// What would become of a job: it is looked at, and not done.
///
/// # Errors
/// Those of the server.
pub(super) async fn dry_run(
    service: &Service,
    operation: &'static str,
    query: &Value,
) -> Result<Job> {
    let body = json!({
        "jobReference": service.project_reference(),
        "configuration": {"dryRun": true, "query": query},
    });
    let job: Job = service
        .client
        .call(operation, Method::POST, "jobs", Some(&body))
        .await?;
    outcome(operation, "dry run", job)
}

struct Begun {
    job: Job,
    is_known: bool,
}

async fn begin(
    service: &Service,
    operation: &'static str,
    id: &str,
    configuration: &Value,
) -> Result<Begun> {
    let path = path(service, id);
    if let Some(job) = service.client.get(operation, &path).await? {
        return Ok(Begun {
            job,
            is_known: true,
        });
    }
    let body = json!({
        "jobReference": service.job_reference(id),
        "configuration": configuration,
    });
    let made = service.client.create(operation, "jobs", &body).await;
    let made = made.map_err(|error| match error.kind() {
        // What cannot even begin has failed.
        ErrorKind::InvalidInput | ErrorKind::NotFound => error.with(FAILED_JOB, id),
        _ => error,
    })?;
    match made {
        Some(job) => Ok(Begun {
            job,
            is_known: false,
        }),
        // Somebody was faster, or our own first try arrived after all. It may be running, so that it must be looked at.
        None => {
            let job = service
                .client
                .call(operation, Method::GET, &path, None)
                .await?;
            Ok(Begun {
                job,
                is_known: true,
            })
        }
    }
}

async fn wait(service: &Service, operation: &'static str, id: &str, mut job: Job) -> Result<Job> {
    let path = path(service, id);
    let mut pause = FIRST_WAIT;
    for _ in 0..MOST_LOOKS {
        if job.has_ended() {
            return outcome(operation, id, job);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST_WAIT);
        job = service
            .client
            .call(operation, Method::GET, &path, None)
            .await?;
    }
    Err(Error::new(ErrorKind::Timeout, operation)
        .message("a job of bigquery does not end")
        .with("running_job", id))
}

fn outcome(operation: &'static str, id: &str, job: Job) -> Result<Job> {
    match &job.status.error_result {
        None => Ok(job),
        Some(result) => Err(failed(operation, id, result, &job.status.errors)),
    }
}

fn path(service: &Service, id: &str) -> String {
    format!("jobs/{id}{}", service.location_parameter('?'))
}
