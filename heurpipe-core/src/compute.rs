//! Where CPU work runs: as many threads at a time as there are cores, apart from tokio's own workers.
//!
//! Jobs wait in one queue, and a thread that is done with one goes on with the next by itself. To be handed each of them by a task would leave its core idle for
//! the time that it takes to wake both: a tenth of a millisecond or more, after jobs of two or three.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use cpu_time::ThreadTime;
use tokio::sync::oneshot;

use crate::{Error, ErrorKind, Result};

type Job = Box<dyn FnOnce() + Send>;

/// What waits, and how many threads work at it.
struct Queue {
    jobs: VecDeque<Job>,
    workers: usize,
}

static QUEUE: Mutex<Queue> = Mutex::new(Queue {
    jobs: VecDeque::new(),
    workers: 0,
});

/// How many compute jobs run at a time. Asked of the system once: it reads files to tell, and every job asks.
pub fn cores() -> usize {
    static CORES: LazyLock<usize> =
        LazyLock::new(|| std::thread::available_parallelism().map_or(1, usize::from));
    *CORES
}

/// Runs `work` on a compute thread and gives its result with the CPU time it took. Work that nobody waits for any more when its turn comes is not begun.
///
/// # Errors
/// `Internal` when the work panics.
///
/// # Panics
/// Outside of a tokio runtime.
pub async fn run<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<(T, Duration)> {
    let (done, outcome) = oneshot::channel();
    let job = move || {
        if done.is_closed() {
            return;
        }
        let started = ThreadTime::now();
        let result = catch_unwind(AssertUnwindSafe(work));
        // Whoever waited may be gone by now.
        _ = done.send(result.map(|result| (result, started.elapsed())));
    };
    if let Some(worker) = enqueue(Box::new(job)) {
        tokio::task::spawn_blocking(move || drop(worker));
    }
    match outcome.await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(panic)) => Err(failed().with("panic", message(&*panic))),
        Err(dropped) => Err(failed().cause(dropped)),
    }
}

fn failed() -> Error {
    Error::new(ErrorKind::Internal, "compute.run").message("the work did not end")
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("of another kind than text")
}

/// Adds a job; gives a worker where another core may work.
fn enqueue(job: Job) -> Option<Worker> {
    let mut queue = QUEUE.lock().unwrap_or_else(PoisonError::into_inner);
    queue.jobs.push_back(job);
    if queue.workers == cores() {
        return None;
    }
    queue.workers += 1;
    Some(Worker)
}

/// One of the threads that work at the queue. It works when it is dropped: a runtime that ends drops what it has not begun, and the jobs may be another's.
struct Worker;

impl Drop for Worker {
    fn drop(&mut self) {
        while let Some(job) = next() {
            job();
        }
    }
}

/// The next job; where there is none, one worker less.
fn next() -> Option<Job> {
    let mut queue = QUEUE.lock().unwrap_or_else(PoisonError::into_inner);
    let job = queue.jobs.pop_front();
    if job.is_none() {
        queue.workers -= 1;
    }
    job
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;

    use super::*;

    /// The highest number of jobs that ran at a time.
    struct Most {
        now: AtomicUsize,
        most: AtomicUsize,
    }

    impl Most {
        fn during(&self, work: impl FnOnce()) {
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            work();
            self.now.fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn spin() {
        (0..50_000).for_each(|n| _ = std::hint::black_box(n));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn all_jobs_are_done_and_no_more_at_a_time_than_there_are_cores() {
        static MOST: Most = Most {
            now: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        };
        let jobs = (0..200).map(|n| {
            run(move || {
                MOST.during(spin);
                n
            })
        });
        let done: Vec<i32> = join_all(jobs)
            .await
            .into_iter()
            .map(|d| d.unwrap().0)
            .collect();
        assert!(done.into_iter().eq(0..200));
        assert!(MOST.most.load(Ordering::SeqCst) <= cores());
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_the_next_job_is_done() {
        for text in ["short", "long"] {
            let error = run(move || panic!("{text} story")).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Internal);
            assert!(
                error.to_string().contains(&format!("{text} story")),
                "{error}"
            );
        }
        assert_eq!(run(|| 7).await.unwrap().0, 7);
    }

    #[test]
    fn what_a_runtime_leaves_behind_keeps_nobody_waiting() {
        for _ in 0..20 {
            let ended = tokio::runtime::Runtime::new().unwrap();
            ended.block_on(async {
                let jobs = (0..10).map(|_| tokio::spawn(run(spin)));
                drop(jobs.collect::<Vec<_>>());
            });
            ended.shutdown_background();
            let other = tokio::runtime::Runtime::new().unwrap();
            let done = other.block_on(join_all((0..10).map(|n| run(move || n))));
            assert_eq!(done.len(), 10);
            assert!(done.iter().all(|done| done.is_ok()));
        }
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_is_not_begun() {
        let (begun, waits) = std::sync::mpsc::channel::<()>();
        // All cores are held until the work is given up.
        let held: Vec<_> = (0..cores())
            .map(|_| std::sync::mpsc::channel::<()>())
            .collect();
        let (let_go, held): (Vec<_>, Vec<_>) = held.into_iter().unzip();
        let holding: Vec<_> = held
            .into_iter()
            .map(|held| tokio::spawn(run(move || held.recv())))
            .collect();
        let work = tokio::spawn(run(move || begun.send(())));
        tokio::task::yield_now().await;
        work.abort();
        assert!(work.await.unwrap_err().is_cancelled());
        drop(let_go);
        for held in holding {
            held.await.unwrap().unwrap().0.unwrap_err();
        }
        run(|| ()).await.unwrap();
        assert!(waits.recv().is_err(), "the work was begun");
    }
}
