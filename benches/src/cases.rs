//! Runs the cases of a benchmark: all of them, or those that the command line names.

use std::error::Error;

use tokio::runtime::Runtime;

use crate::{Effort, Report, Row};

/// The result of whatever may fail in a benchmark.
pub type AnyResult<T> = Result<T, Box<dyn Error>>;

/// Measures a case and gives its rows.
pub type Case = fn(&Runtime, Effort) -> AnyResult<Vec<Row>>;

/// Runs the cases of a benchmark, by name, with the effort that the command line asks for, and prints the report. It is written to a file
/// too when all cases were run.
///
/// # Errors
/// Says which cases there are when the command line names another; those of the cases and of writing.
pub fn run(benchmark: &str, cases: &[(&str, Case)], runtime: &Runtime) -> AnyResult<()> {
    let effort = Effort::from_arguments();
    let known: Vec<&str> = cases.iter().map(|(name, _)| *name).collect();
    let chosen = chosen(&known, std::env::args().skip(1))?;
    let mut report = Report::new(benchmark);
    for (name, case) in cases {
        if chosen.is_empty() || chosen.iter().any(|wanted| wanted == name) {
            eprintln!("{name} ...");
            report.rows.extend(case(runtime, effort)?);
        }
    }
    match chosen.is_empty() {
        true => report.publish()?,
        false => print!("{report}"),
    }
    Ok(())
}

/// The cases among the known ones that are named; none: all of them.
fn chosen(known: &[&str], arguments: impl Iterator<Item = String>) -> Result<Vec<String>, String> {
    let names: Vec<String> = arguments
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        Some(unknown) => Err(format!(
            "there is no case {unknown}; there are {}",
            known.join(", ")
        )),
        None => Ok(names),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn known_cases_are_chosen_and_others_refused() {
        let chosen = |arguments: &[&str]| {
            let arguments = arguments.iter().map(ToString::to_string);
            super::chosen(&["size", "memory"], arguments)
        };
        assert_eq!(chosen(&["--bench", "--quick"]), Ok(Vec::new()));
        assert_eq!(chosen(&["--bench", "size"]), Ok(vec!["size".to_owned()]));
        let error = "there is no case speed; there are size, memory".to_owned();
        assert_eq!(chosen(&["speed"]), Err(error));
    }
}
