//! What a benchmark says in the end: a table for people, JSON for programs.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::Machine;

/// The figures of one benchmark.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The benchmark's name, also that of its file.
    #[serde(skip)]
    pub name: String,
    /// What it ran on.
    pub machine: Machine,
    /// The figures.
    pub rows: Vec<Row>,
}

/// One figure of ours beside that of a reference from the same run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// What was measured.
    pub case: String,
    /// In what unit.
    pub unit: String,
    /// Our figure.
    pub ours: f64,
    /// The reference's figure.
    pub reference: f64,
    /// What the reference is.
    pub reference_name: String,
    /// How many times better ours is: above 1 it is better, below it is worse.
    pub ratio: f64,
    /// The figure that ours is meant to reach, in the unit; none where none is set.
    pub goal: Option<f64>,
    #[serde(skip)]
    better: Better,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Better {
    Higher,
    Lower,
}

impl Row {
    /// A figure of which more is better: a rate.
    pub fn rate(case: &str, unit: &str, ours: f64, reference_name: &str, reference: f64) -> Self {
        Self::new(Better::Higher, case, unit, ours, reference_name, reference)
    }

    /// A figure of which less is better: a cost.
    pub fn cost(case: &str, unit: &str, ours: f64, reference_name: &str, reference: f64) -> Self {
        Self::new(Better::Lower, case, unit, ours, reference_name, reference)
    }

    fn new(
        better: Better,
        case: &str,
        unit: &str,
        ours: f64,
        reference_name: &str,
        reference: f64,
    ) -> Self {
        let ratio = match better {
            Better::Higher => ours / reference,
            Better::Lower => reference / ours,
        };
        Self {
            case: case.to_owned(),
            unit: unit.to_owned(),
            ours,
            reference,
            reference_name: reference_name.to_owned(),
            ratio,
            goal: None,
            better,
        }
    }

    /// Sets the figure that ours is meant to reach, in the unit.
    pub fn goal(mut self, goal: f64) -> Self {
        self.goal = Some(goal);
        self
    }

    fn goal_in_words(&self) -> String {
        let Some(goal) = self.goal else {
            return String::new();
        };
        let (sign, met) = match self.better {
            Better::Higher => ("≥", self.ours >= goal),
            Better::Lower => ("≤", self.ours <= goal),
        };
        let verdict = if met { "met" } else { "missed" };
        format!("{sign} {} {verdict}", figure(goal))
    }

    fn cells(&self) -> [String; 7] {
        [
            self.case.clone(),
            self.unit.clone(),
            figure(self.ours),
            figure(self.reference),
            self.reference_name.clone(),
            format!("{:.3}", self.ratio),
            self.goal_in_words(),
        ]
    }
}

impl Report {
    /// A report of this machine without a row.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            machine: Machine::this(),
            rows: Vec::new(),
        }
    }

    /// Prints the table and writes the file under the workspace's target folder, whose path is printed too.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn publish(&self) -> io::Result<()> {
        print!("{self}");
        let path = self.write_under(&target_folder().join("bench"))?;
        println!("{}", path.canonicalize()?.display());
        Ok(())
    }

    fn write_under(&self, folder: &Path) -> io::Result<PathBuf> {
        fs::create_dir_all(folder)?;
        let path = folder.join(format!("{}.json", self.name));
        fs::write(&path, serde_json::to_string_pretty(self)? + "\n")?;
        Ok(path)
    }
}

/// Cargo's target folder: that of the workspace, although benchmarks run in their package's folder.
pub fn target_folder() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
    }
}

const HEADS: [&str; 7] = [
    "case",
    "unit",
    "ours",
    "reference",
    "which is",
    "ratio",
    "goal",
];
const NUMBERS: [bool; 7] = [false, false, true, true, false, true, false];

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine {
            cpu,
            cores,
            os,
            arch,
            optimised,
        } = &self.machine;
        let cpu = cpu.as_deref().unwrap_or("unknown processor");
        writeln!(f, "{}: {cores} cores of {cpu}, {os} {arch}", self.name)?;
        if !optimised {
            writeln!(f, "NOT OPTIMISED: these figures mean nothing")?;
        }
        let mut lines = vec![HEADS.map(str::to_owned)];
        lines.extend(self.rows.iter().map(Row::cells));
        let widths: [usize; 7] = std::array::from_fn(|column| {
            let cells = lines.iter().map(|line| line[column].chars().count());
            cells.max().unwrap_or(0)
        });
        for line in &lines {
            let padded = line.iter().zip(widths).zip(NUMBERS);
            let cells = padded.map(|((cell, width), number)| match number {
                true => format!("{cell:>width$}"),
                false => format!("{cell:<width$}"),
            });
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// A number for people: thousands apart, and as many decimals as tell something.
fn figure(number: f64) -> String {
    let decimals = match number.abs() {
        size if size >= 100.0 => 0,
        size if size >= 1.0 => 2,
        _ => 4,
    };
    let text = format!("{number:.decimals$}");
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut apart = String::new();
    for (index, digit) in whole.chars().enumerate() {
        let before = whole.len() - index;
        if index > 0 && before % 3 == 0 && digit.is_ascii_digit() && !apart.ends_with('-') {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart + fraction
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sample() -> Report {
        let mut report = Report::new("sample");
        report.rows = vec![
            Row::rate("walk", "steps/s", 1_200.0, "run", 2_400.0).goal(1_000.0),
            Row::cost("walk", "J", 2.5, "run", 5.0).goal(1.0),
        ];
        report
    }

    #[test]
    fn above_one_is_better_for_rates_and_costs() {
        let ratios: Vec<f64> = sample().rows.iter().map(|row| row.ratio).collect();
        assert_eq!(ratios, [0.5, 2.0]);
    }

    #[test]
    fn the_table_says_whether_goals_are_met() {
        let text = sample().to_string();
        let lines: Vec<&str> = text.lines().collect();
        let rows = &lines[lines.len() - 2..];
        assert!(rows[0].ends_with("0.500  ≥ 1,000 met"), "{text}");
        assert!(rows[1].ends_with("2.000  ≤ 1.00 missed"), "{text}");
    }

    #[test]
    fn the_file_holds_machine_and_rows() {
        let value = serde_json::to_value(sample()).unwrap();
        let keys = |value: &serde_json::Value| -> Vec<String> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(keys(&value), ["machine", "rows"]);
        let mut row = keys(&value["rows"][0]);
        row.sort();
        assert_eq!(
            row,
            [
                "case",
                "goal",
                "ours",
                "ratio",
                "reference",
                "reference_name",
                "unit"
            ]
        );
    }

    #[test]
    fn figures_are_easy_to_read() {
        let text = [1_234_567.8, 999.6, 12.345, 0.012_34, -1_000.0].map(figure);
        assert_eq!(text, ["1,234,568", "1,000", "12.35", "0.0123", "-1,000"]);
    }
}
