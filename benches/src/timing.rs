//! Timing by wall and CPU.

use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use serde::{Deserialize, Serialize};

/// What one piece of work took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// A measurement that times itself: it prepares what should not count, or takes place in another process.
pub type Measurement<'a, E> = &'a mut dyn FnMut() -> Result<Sample, E>;

/// Times a work once. What it returns is dropped after the clock has stopped.
///
/// # Errors
/// That of the work.
pub fn timed<T, E>(work: impl FnOnce() -> Result<T, E>) -> Result<Sample, E> {
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

/// Times two works by turns, so many times each after one turn that does not count, and gives the median of each by wall and by CPU.
///
/// # Errors
/// The first error of either work.
pub fn in_turns<A, B, E>(
    repetitions: usize,
    ours: Work<'_, A, E>,
    reference: Work<'_, B, E>,
) -> Result<(Sample, Sample), E> {
    timed(&mut *ours)?;
    timed(&mut *reference)?;
    measured_in_turns(repetitions, &mut || timed(&mut *ours), &mut || {
        timed(&mut *reference)
    })
}

/// Takes two measurements by turns, so many times each, and gives the median of each by wall and by CPU. Every turn counts.
///
/// # Errors
/// The first error of either.
pub fn measured_in_turns<E>(
    repetitions: usize,
    ours: Measurement<'_, E>,
    reference: Measurement<'_, E>,
) -> Result<(Sample, Sample), E> {
    let medians = in_rotation(repetitions, &mut [ours, reference])?;
    Ok((medians[0], medians[1]))
}

/// Takes measurements one after the other, so many times over, and gives the median of each by wall and by CPU, in order. Every turn counts.
///
/// # Errors
/// The first error of any.
pub fn in_rotation<E>(
    repetitions: usize,
    measurements: &mut [Measurement<'_, E>],
) -> Result<Vec<Sample>, E> {
    let mut samples = vec![Vec::new(); measurements.len()];
    for _ in 0..repetitions.max(1) {
        for (taken, measure) in samples.iter_mut().zip(measurements.iter_mut()) {
            taken.push(measure()?);
        }
    }
    Ok(samples.iter().map(|taken| median(taken)).collect())
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

    fn sample(wall: u64, cpu: u64) -> Sample {
        Sample {
            wall: Duration::from_millis(wall),
            cpu: Duration::from_millis(cpu),
        }
    }

    #[test]
    fn one_slow_sample_does_not_count() {
        let mut samples = [sample(10, 30), sample(900, 20), sample(12, 10)].into_iter();
        let mut ours = || samples.next().ok_or("asked too often");
        let mut reference = || Ok(sample(1, 1));
        let medians = measured_in_turns(3, &mut ours, &mut reference).unwrap();
        assert_eq!(medians, (sample(12, 20), sample(1, 1)));
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
        let sample = sample(500, 800);
        assert_eq!(sample.per_second(1000), 2000.0);
        assert_eq!(sample.cpu_us_each(1000), 800.0);
    }

    #[test]
    fn a_sample_survives_the_way_between_processes() {
        let json = serde_json::to_string(&sample(7, 5)).unwrap();
        assert_eq!(serde_json::from_str::<Sample>(&json).unwrap(), sample(7, 5));
    }
}
