//! Timing by wall and by CPU.

use std::time::{Duration, Instant};

use cpu_time::ProcessTime;

/// What one piece of work took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// By the clock on the wall.
    pub wall: Duration,
    /// CPU time of the whole process, over all cores.
    pub cpu: Duration,
}

impl Sample {
    /// How many of `count` items a second, by the wall.
    pub fn per_second(&self, count: usize) -> f64 {
        count as f64 / self.wall.as_secs_f64()
    }

    /// CPU-microseconds for each of `count` items.
    pub fn cpu_us_each(&self, count: usize) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / count as f64
    }
}

/// A piece of work to be timed. What it returns is dropped after the clock has stopped, so state that a process would keep anyway is
/// returned.
pub type Work<'a, T, E> = &'a mut dyn FnMut() -> Result<T, E>;

/// Times two works by turns, so many times each after one turn that does not count, and gives the median of each by wall and by CPU.
///
/// # Errors
/// The first error of either work.
pub fn in_turns<A, B, E>(
    repetitions: usize,
    ours: Work<'_, A, E>,
    reference: Work<'_, B, E>,
) -> Result<(Sample, Sample), E> {
    time(ours)?;
    time(reference)?;
    let mut samples = (Vec::new(), Vec::new());
    for _ in 0..repetitions.max(1) {
        samples.0.push(time(ours)?);
        samples.1.push(time(reference)?);
    }
    Ok((median(&samples.0), median(&samples.1)))
}

fn time<T, E>(work: Work<'_, T, E>) -> Result<Sample, E> {
    let cpu = ProcessTime::now();
    let wall = Instant::now();
    let kept = work()?;
    let sample = Sample {
        wall: wall.elapsed(),
        cpu: cpu.elapsed(),
    };
    drop(kept);
    Ok(sample)
}

/// The upper median of the walls and of the CPU times, each on its own. `samples` is not empty.
fn median(samples: &[Sample]) -> Sample {
    let middle = |of: fn(&Sample) -> Duration| {
        let mut durations: Vec<Duration> = samples.iter().map(of).collect();
        durations.sort_unstable();
        durations[durations.len() / 2]
    };
    Sample {
        wall: middle(|sample| sample.wall),
        cpu: middle(|sample| sample.cpu),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_slow_sample_does_not_count() {
        let sample = |wall, cpu| Sample {
            wall: Duration::from_millis(wall),
            cpu: Duration::from_millis(cpu),
        };
        let samples = [sample(10, 30), sample(900, 20), sample(12, 10)];
        assert_eq!(median(&samples), sample(12, 20));
    }

    #[test]
    fn works_take_turns_and_the_first_turn_does_not_count() {
        let turns = std::cell::RefCell::new(String::new());
        let turn = |whose| {
            turns.borrow_mut().push(whose);
            Ok::<_, ()>(())
        };
        in_turns(2, &mut || turn('o'), &mut || turn('r')).unwrap();
        assert_eq!(*turns.borrow(), "ororor");
    }

    #[test]
    fn rates_are_by_item() {
        let sample = Sample {
            wall: Duration::from_millis(500),
            cpu: Duration::from_millis(800),
        };
        assert_eq!(sample.per_second(1000), 2000.0);
        assert_eq!(sample.cpu_us_each(1000), 800.0);
    }
}
