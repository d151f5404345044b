//! How far a run has come: bars on a terminal, plain lines otherwise, always on stderr.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use heurpipe_core::{ProgressFn, RunReport, RunStatus};
use indicatif::{ProgressBar, ProgressStyle};

/// Between two plain lines.
const EVERY: Duration = Duration::from_secs(5);

/// A callback for [`heurpipe_core::RunOptions`] that shows a run's progress. `expected` is the number of posts, where known.
pub fn shown(expected: Option<u64>) -> ProgressFn {
    if std::io::stderr().is_terminal() {
        bar(expected)
    } else {
        lines()
    }
}

fn bar(expected: Option<u64>) -> ProgressFn {
    let bar = match expected {
        Some(posts) => ProgressBar::new(posts),
        None => ProgressBar::no_length(),
    };
    let template = match expected {
        Some(_) => "{prefix:>9} {bar:32.magenta/dim} {pos:>6} posts  {msg}",
        None => "{prefix:>9} {spinner} {pos:>6} posts  {msg}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    Arc::new(move |report| {
        bar.set_prefix(report.use_case.clone());
        bar.set_position(report.posts.settled());
        bar.set_message(summary(report));
        if ended(report) {
            bar.abandon();
        }
    })
}

fn lines() -> ProgressFn {
    let last = Mutex::new(Instant::now());
    Arc::new(move |report| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if ended(report) || last.elapsed() >= EVERY {
            *last = Instant::now();
            let settled = report.posts.settled();
            eprintln!("{}: {settled} posts, {}", report.use_case, summary(report));
        }
    })
}

fn ended(report: &RunReport) -> bool {
    !matches!(report.status, RunStatus::Running | RunStatus::Paused)
}

/// The counts that matter, in a line; of a run that is paused, what it waits for.
fn summary(report: &RunReport) -> String {
    if !report.waiting.is_empty() {
        return format!("paused, waiting for {}", report.waiting.join(" and "));
    }
    let posts = &report.posts;
    let mut parts = vec![format!("{} delivered", posts.delivered)];
    let others = [
        (posts.filtered, "filtered"),
        (posts.held, "held"),
        (posts.rejected, "rejected"),
        (posts.dead_lettered, "dead-lettered"),
    ];
    for (count, name) in others {
        if count > 0 {
            parts.push(format!("{count} {name}"));
        }
    }
    parts.push(format!("{:.0} posts/s", report.posts_per_second));
    if let Some(stage) = &report.bottleneck {
        parts.push(format!("busiest: {stage}"));
    }
    parts.join(", ")
}
