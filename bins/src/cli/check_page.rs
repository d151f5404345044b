//! What a check of a model found, as one HTML file that needs nothing else but the pictures where they lie.

use std::path::Path;

use askama::Template;
use heurpipe_models::{CheckReport, Mistake};

use super::Stop;

/// The side of the drawing of calibration, in its own units.
const SIDE: f64 = 100.0;

/// What is left free between bars.
const GAP: f64 = 1.0;

#[derive(Template)]
#[template(path = "check.html")]
struct Page<'a> {
    report: &'a CheckReport,
    bars: Vec<Bar>,
    rows: Vec<Row<'a>>,
    mistakes: Vec<Shown<'a>>,
}

/// Pictures of about the same confidence, in the drawing.
struct Bar {
    x: f64,
    width: f64,
    y: f64,
    height: f64,
    /// Where within the bar's width its pictures lie in the mean.
    mean_x: f64,
    /// What it says when one points at it.
    title: String,
}

/// A row of the confusion table.
struct Row<'a> {
    label: &'a str,
    pictures: usize,
    precision: String,
    recall: String,
    cells: Vec<Cell<'a>>,
}

struct Cell<'a> {
    said: &'a str,
    count: usize,
    /// Of the row's pictures, in percent.
    share: usize,
    is_right: bool,
}

struct Shown<'a> {
    mistake: &'a Mistake,
    /// The picture's address; none for a path that no address can have.
    url: Option<String>,
}

/// Writes the page.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(report: &CheckReport, path: &Path) -> Result<(), Stop> {
    let cannot = |error| Stop::io(&format!("{} cannot be written", path.display()), error);
    let page = page(report).map_err(|error| cannot(std::io::Error::other(error)))?;
    std::fs::write(path, page).map_err(cannot)?;
    eprintln!("the page is {}", path.display());
    Ok(())
}

fn page(report: &CheckReport) -> askama::Result<String> {
    let page = Page {
        bars: bars(report),
        rows: rows(report),
        mistakes: report.mistakes.iter().map(shown).collect(),
        report,
    };
    page.render()
}

fn bars(report: &CheckReport) -> Vec<Bar> {
    let bins = report.calibration.bins.iter();
    bins.map(|bin| Bar {
        x: bin.from * SIDE + GAP / 2.0,
        width: (bin.to - bin.from) * SIDE - GAP,
        mean_x: bin.confidence * SIDE,
        y: (1.0 - bin.accuracy) * SIDE,
        height: bin.accuracy * SIDE,
        title: format!(
            "{} pictures: {:.0} % sure, {:.0} % right",
            bin.pictures,
            bin.confidence * 100.0,
            bin.accuracy * 100.0
        ),
    })
    .collect()
}

fn rows(report: &CheckReport) -> Vec<Row<'_>> {
    let share = |share: Option<f64>| share.map_or("–".to_owned(), |share| format!("{share:.3}"));
    let classes = report.classes.iter().zip(&report.confusion).enumerate();
    classes
        .map(|(is, (class, counts))| Row {
            label: &class.label,
            pictures: class.pictures,
            precision: share(class.precision),
            recall: share(class.recall),
            cells: counts
                .iter()
                .zip(&report.classes)
                .enumerate()
                .map(|(said, (&count, class))| Cell {
                    said: &class.label,
                    count,
                    share: count * 100 / counts.iter().sum::<usize>().max(1),
                    is_right: is == said,
                })
                .collect(),
        })
        .collect()
}

fn shown(mistake: &Mistake) -> Shown<'_> {
    let absolute = std::path::absolute(&mistake.path).ok();
    let url = absolute.and_then(|path| url::Url::from_file_path(path).ok());
    Shown {
        mistake,
        url: url.map(String::from),
    }
}
