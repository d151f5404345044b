//! Counting what each stage does, without locks on the way.

use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::Poll;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;

use crate::{MediaCounts, Outcome, PostCounts, StageReport};

/// The counters of one stage.
#[derive(Debug)]
pub(crate) struct Meter {
    name: String,
    lanes: usize,
    entered: AtomicU64,
    left: AtomicU64,
    skipped: AtomicU64,
    failed: AtomicU64,
    reused: AtomicU64,
    cpu_ns: AtomicU64,
    busy_ns: AtomicU64,
}

impl Meter {
    /// A stage that works on at most `lanes` batches at a time.
    pub(crate) fn new(name: impl Into<String>, lanes: usize) -> Self {
        Self {
            name: name.into(),
            lanes: lanes.max(1),
            entered: AtomicU64::new(0),
            left: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            reused: AtomicU64::new(0),
            cpu_ns: AtomicU64::new(0),
            busy_ns: AtomicU64::new(0),
        }
    }

    pub(crate) fn entered(&self, items: usize) {
        self.entered.fetch_add(items as u64, Relaxed);
    }

    pub(crate) fn left(&self, items: usize) {
        self.left.fetch_add(items as u64, Relaxed);
    }

    pub(crate) fn skipped(&self, items: usize) {
        self.skipped.fetch_add(items as u64, Relaxed);
    }

    pub(crate) fn failed(&self, items: usize) {
        self.failed.fetch_add(items as u64, Relaxed);
    }

    pub(crate) fn reused(&self, items: usize) {
        self.reused.fetch_add(items as u64, Relaxed);
    }

    pub(crate) fn cpu(&self, cpu: Duration) {
        self.cpu_ns.fetch_add(nanos(cpu), Relaxed);
    }

    /// Runs the stage's work on a batch, counting its time at work and the CPU time that its polls take.
    pub(crate) async fn measure<T>(&self, work: impl Future<Output = T>) -> T {
        self.measure_cpu(work).await.0
    }

    /// Does the stage's work on a batch that waits for nothing, counting its time.
    pub(crate) fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        let (started, cpu) = (Instant::now(), ThreadTime::now());
        let result = work();
        self.busy_ns.fetch_add(nanos(started.elapsed()), Relaxed);
        self.cpu(cpu.elapsed());
        result
    }

    /// As [`measure`](Self::measure), and gives the CPU time of the polls as well.
    pub(crate) async fn measure_cpu<T>(&self, work: impl Future<Output = T>) -> (T, Duration) {
        let started = Instant::now();
        let (result, cpu) = polled_cpu(work).await;
        self.busy_ns.fetch_add(nanos(started.elapsed()), Relaxed);
        self.cpu(cpu);
        (result, cpu)
    }

    pub(crate) fn report(&self, elapsed: Duration) -> StageReport {
        let lane_time = elapsed.as_secs_f64() * self.lanes as f64;
        let busy = self.busy_ns.load(Relaxed) as f64 / 1e9 / lane_time.max(1e-9);
        StageReport {
            name: self.name.clone(),
            entered: self.entered.load(Relaxed),
            left: self.left.load(Relaxed),
            skipped: self.skipped.load(Relaxed),
            failed: self.failed.load(Relaxed),
            reused: self.reused.load(Relaxed),
            cpu_ms: rounded(self.cpu_ns.load(Relaxed) as f64 / 1e6, 1),
            busy: rounded(busy.min(1.0), 3),
        }
    }
}

/// Runs a future and sums the CPU time of the thread while it is being polled.
async fn polled_cpu<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let mut work = pin!(work);
    let mut cpu = Duration::ZERO;
    let result = std::future::poll_fn(|context| {
        let started = ThreadTime::now();
        let poll = work.as_mut().poll(context);
        cpu += started.elapsed();
        match poll {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => Poll::Pending,
        }
    })
    .await;
    (result, cpu)
}

/// Rounds for printing.
pub(crate) fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The counts of a run as a whole.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    counts: Mutex<(PostCounts, MediaCounts)>,
    errors: Mutex<Vec<String>>,
}

impl Totals {
    pub(crate) fn read(&self, items: usize) {
        self.with(|posts, _| posts.read += items as u64);
    }

    pub(crate) fn settled<'a>(&self, outcomes: impl IntoIterator<Item = &'a Outcome>) {
        self.with(|posts, _| outcomes.into_iter().for_each(|outcome| posts.add(outcome)));
    }

    pub(crate) fn media(&self, add: impl FnOnce(&mut MediaCounts)) {
        self.with(|_, media| add(media));
    }

    pub(crate) fn error(&self, error: String) {
        lock(&self.errors).push(error);
    }

    pub(crate) fn snapshot(&self) -> (PostCounts, MediaCounts, Vec<String>) {
        let (posts, media) = *lock(&self.counts);
        (posts, media, lock(&self.errors).clone())
    }

    fn with(&self, change: impl FnOnce(&mut PostCounts, &mut MediaCounts)) {
        let mut counts = lock(&self.counts);
        let (posts, media) = &mut *counts;
        change(posts, media);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Plain counters are valid after each statement; a panic elsewhere does not spoil them.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
