//! What the benchmarks share: the effort, the workload, timing by wall and CPU, and the report.
//!
//! A benchmark measures ours and a reference in one run, turn by turn, so that a busy machine slows both. It prints a table and
//! writes `target/bench/NAME.json`:
//!
//! ```sh
//! cargo bench -p heurpipe-benches --bench pipeline            # takes its time
//! cargo bench -p heurpipe-benches --bench pipeline -- --quick # ends within two minutes
//! ```

/// All sides of a benchmark allocate alike: with the allocator of our programs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod cases;
mod machine;
mod memory;
mod nowhere;
mod peer;
mod report;
mod timing;
pub mod workload;

pub use cases::{AnyResult, Case, run};
pub use machine::Machine;
pub use memory::{peak, peak_of};
pub use nowhere::Nowhere;
pub use peer::{Peer, take_turns};
pub use report::{Report, Row, target_folder};
pub use timing::{Measurement, Sample, Work, in_rotation, in_turns, measured_in_turns, timed};

/// How much effort a benchmark makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Ends within two minutes.
    Quick,
    /// As long as figures worth citing take.
    Full,
}

impl Effort {
    /// What the command line asks for: `--quick`, or the full effort.
    pub fn from_arguments() -> Self {
        Self::of(std::env::args().skip(1))
    }

    fn of(mut arguments: impl Iterator<Item = String>) -> Self {
        // Cargo adds arguments of its own, such as `--bench`, which mean nothing here.
        if arguments.any(|argument| argument == "--quick") {
            Self::Quick
        } else {
            Self::Full
        }
    }

    /// The one for a quick run or the other for a full one.
    pub fn choose<T>(self, quick: T, full: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_is_found_among_what_cargo_adds() {
        let effort = |arguments: &[&str]| Effort::of(arguments.iter().map(ToString::to_string));
        assert_eq!(effort(&["--bench", "--quick"]), Effort::Quick);
        assert_eq!(effort(&["--bench"]), Effort::Full);
    }
}
