//! Lines over time, laid out here so that a page needs no script to show them.

use heurpipe_core::{Interval, Series};
use jiff::Timestamp;

use super::{colour, text};

/// How a chart is drawn.
pub(super) struct Style<'a> {
    /// The field whose values the lines are.
    pub(super) field: &'a str,
    /// What a point measures.
    pub(super) measure: Measure,
    /// The width of a point in time.
    pub(super) interval: Interval,
    /// The value at the upper edge.
    pub(super) top: f64,
    /// Width and height in units of the drawing.
    pub(super) size: (f64, f64),
}

/// What a point measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// The share of the interval's posts that have the value.
    Share,
    /// How many posts have it.
    Count,
}

impl Measure {
    /// A point's value; none where there is nothing to take a share of.
    pub(super) fn of(self, point: &heurpipe_core::Point) -> Option<f64> {
        match self {
            Self::Count => Some(point.count as f64),
            Self::Share if point.total == 0 => None,
            Self::Share => Some(point.count as f64 / point.total as f64),
        }
    }

    /// A value as people read it.
    pub(super) fn text(self, value: f64) -> String {
        match self {
            Self::Share => text::share(value),
            Self::Count => text::number(value.round() as u64),
        }
    }
}

/// A chart laid out. Coordinates are written with one digit behind the point.
pub(super) struct Chart {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
    pub(super) across: Vec<Tick>,
    pub(super) up: Vec<Tick>,
    pub(super) lines: Vec<Line>,
}

/// A mark on an axis.
pub(super) struct Tick {
    pub(super) at: String,
    pub(super) label: String,
}

/// The line of one value.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) index: usize,
    /// The value's own colour, where it names one.
    pub(super) colour: Option<&'static str>,
    pub(super) path: String,
    pub(super) dots: Vec<Dot>,
    /// Where the line ends and where its label stands.
    pub(super) end: (String, String),
    pub(super) label: (String, String),
}

/// A point that tells its numbers when pointed at.
pub(super) struct Dot {
    pub(super) x: String,
    pub(super) y: String,
    pub(super) title: String,
}

const LEFT: f64 = 52.0;
const RIGHT: f64 = 118.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 30.0;

/// The least distance between two labels at the ends of lines.
const LABEL_HEIGHT: f64 = 16.0;

/// The width that a date needs.
const DATE_WIDTH: f64 = 92.0;

/// The highest value of any point: charts that are to be compared share it.
pub(super) fn highest(series: &[Series], measure: Measure) -> f64 {
    series
        .iter()
        .flat_map(|series| &series.points)
        .filter_map(|point| measure.of(point))
        .fold(0.0, f64::max)
}

/// Lays out the lines of these series, which have the same times.
pub(super) fn chart(series: &[&Series], style: &Style<'_>) -> Chart {
    let (width, height) = style.size;
    let frame = Frame {
        left: LEFT,
        right: width - RIGHT,
        top: TOP,
        bottom: height - BOTTOM,
        points: series.first().map_or(0, |s| s.points.len()),
        highest: style.top,
    };
    let mut lines: Vec<Line> = series
        .iter()
        .enumerate()
        .map(|(index, series)| line(index, series, style, &frame))
        .collect();
    let ends: Vec<f64> = series.iter().map(|s| frame.end(s, style.measure)).collect();
    for (line, y) in lines.iter_mut().zip(spread(&ends, frame.top, frame.bottom)) {
        line.label = (unit(frame.right + 10.0), unit(y));
    }
    Chart {
        width,
        height,
        left: frame.left,
        right: frame.right,
        bottom: frame.bottom,
        across: series
            .first()
            .map_or_else(Vec::new, |s| dates(s, style.interval, &frame)),
        up: steps(style.top)
            .into_iter()
            .map(|value| Tick {
                at: unit(frame.y(value)),
                label: style.measure.text(value),
            })
            .collect(),
        lines,
    }
}

/// Where the drawing lies and how values become places.
struct Frame {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    points: usize,
    highest: f64,
}

impl Frame {
    fn x(&self, index: usize) -> f64 {
        match self.points {
            0 | 1 => f64::midpoint(self.left, self.right),
            points => self.left + (self.right - self.left) * index as f64 / (points - 1) as f64,
        }
    }

    fn y(&self, value: f64) -> f64 {
        let share = if self.highest > 0.0 {
            value / self.highest
        } else {
            0.0
        };
        self.bottom - (self.bottom - self.top) * share
    }

    /// The height at which a line ends.
    fn end(&self, series: &Series, measure: Measure) -> f64 {
        let last = series.points.iter().rev().find_map(|p| measure.of(p));
        self.y(last.unwrap_or(0.0))
    }
}

fn line(index: usize, series: &Series, style: &Style<'_>, frame: &Frame) -> Line {
    let mut path = String::new();
    let mut dots = Vec::new();
    let mut pen_is_down = false;
    for (place, point) in series.points.iter().enumerate() {
        let Some(value) = style.measure.of(point) else {
            pen_is_down = false;
            continue;
        };
        let (x, y) = (unit(frame.x(place)), unit(frame.y(value)));
        path.push_str(if pen_is_down { " L" } else { " M" });
        path.push_str(&format!("{x} {y}"));
        pen_is_down = true;
        dots.push(Dot {
            title: title(&series.value, point, style),
            x,
            y,
        });
    }
    Line {
        name: series.value.clone(),
        index: index % 12,
        colour: colour::swatch(style.field, &series.value),
        path: path.trim_start().to_owned(),
        end: (
            unit(frame.right + 2.0),
            unit(frame.end(series, style.measure)),
        ),
        label: (String::new(), String::new()),
        dots,
    }
}

fn title(name: &str, point: &heurpipe_core::Point, style: &Style<'_>) -> String {
    let share = Measure::Share.of(point).map(text::share);
    format!(
        "{name}, {}: {} of {} posts ({})",
        time(point.start, style.interval),
        text::number(point.count),
        text::number(point.total),
        share.unwrap_or_else(|| "no share".to_owned())
    )
}

/// The beginning of an interval as people read it.
pub(super) fn time(start: Timestamp, interval: Interval) -> String {
    match interval {
        Interval::Month => text::month(start),
        Interval::Day | Interval::Week => text::date(start),
    }
}

/// As many dates as fit, evenly, the first among them.
fn dates(series: &Series, interval: Interval, frame: &Frame) -> Vec<Tick> {
    let fit = ((frame.right - frame.left) / DATE_WIDTH).floor().max(1.0) as usize;
    let step = series.points.len().div_ceil(fit).max(1);
    let tick = |(index, point): (usize, &heurpipe_core::Point)| Tick {
        at: unit(frame.x(index)),
        label: time(point.start, interval),
    };
    series
        .points
        .iter()
        .enumerate()
        .step_by(step)
        .map(tick)
        .collect()
}

/// An upper edge a little above the highest value, at which a round step ends.
pub(super) fn rounded_up(highest: f64, measure: Measure) -> f64 {
    let least = match measure {
        Measure::Count => 4.0,
        Measure::Share => 0.04,
    };
    let step = step(highest.max(least));
    let top = (highest.max(least) / step).ceil() * step;
    match measure {
        Measure::Count => top,
        Measure::Share => top.min(1.0),
    }
}

fn steps(top: f64) -> Vec<f64> {
    let step = step(top);
    // A little more than the top, so that rounding does not lose the last step.
    let count = (top / step + 1e-9).floor() as usize;
    (0..=count).map(|index| index as f64 * step).collect()
}

/// The round step (1, 2 or 5 times a power of ten) that gives four to ten steps up to a value.
fn step(top: f64) -> f64 {
    let rough = top / 5.0;
    let power = 10_f64.powf(rough.log10().floor());
    let round = match rough / power {
        mantissa if mantissa < 1.5 => 1.0,
        mantissa if mantissa < 3.5 => 2.0,
        mantissa if mantissa < 7.5 => 5.0,
        _ => 10.0,
    };
    round * power
}

/// Moves heights apart so that labels at them do not overlap, each as little as the order allows.
fn spread(heights: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..heights.len()).collect();
    order.sort_by(|a, b| heights[*a].total_cmp(&heights[*b]));
    let mut placed = heights.to_vec();
    let mut lowest = top;
    for index in &order {
        placed[*index] = heights[*index].max(lowest);
        lowest = placed[*index] + LABEL_HEIGHT;
    }
    let mut highest = bottom;
    for index in order.iter().rev() {
        placed[*index] = placed[*index].min(highest);
        highest = placed[*index] - LABEL_HEIGHT;
    }
    placed
}

fn unit(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use heurpipe_core::Point;

    use super::*;

    fn series(name: &str, counts: &[(u64, u64)]) -> Series {
        let start: Timestamp = "2026-01-05T00:00:00Z".parse().unwrap();
        let point = |(week, (count, total)): (usize, &(u64, u64))| Point {
            start: start + jiff::SignedDuration::from_hours(7 * 24 * week as i64),
            count: *count,
            total: *total,
        };
        Series {
            value: name.to_owned(),
            split: None,
            points: counts.iter().enumerate().map(point).collect(),
        }
    }

    fn style(measure: Measure, top: f64) -> Style<'static> {
        Style {
            field: "colour",
            measure,
            interval: Interval::Week,
            top,
            size: (900.0, 300.0),
        }
    }

    #[test]
    fn a_share_is_drawn_where_it_belongs_and_a_week_without_posts_is_a_gap() {
        let red = series("red", &[(1, 2), (0, 0), (0, 4)]);
        let chart = chart(&[&red], &style(Measure::Share, 1.0));
        assert_eq!(chart.lines[0].path, "M52.0 142.0 M782.0 270.0");
        assert_eq!(
            chart.lines[0].dots[0].title,
            "red, 5 Jan 2026: 1 of 2 posts (50 %)"
        );
        assert_eq!(chart.lines[0].colour, colour::swatch("colour", "red"));
        let labels: Vec<&str> = chart.up.iter().map(|tick| tick.label.as_str()).collect();
        assert_eq!(labels, ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]);
    }

    #[test]
    fn labels_keep_their_distance_within_the_frame() {
        let placed = spread(&[100.0, 101.0, 99.0, 200.0, 199.0], 10.0, 200.0);
        let mut sorted = placed.clone();
        sorted.sort_by(f64::total_cmp);
        for pair in sorted.windows(2) {
            assert!(pair[1] - pair[0] >= LABEL_HEIGHT, "{placed:?}");
        }
        assert!(sorted[4] <= 200.0);
        assert!(
            placed[2] < placed[0] && placed[0] < placed[1],
            "the order is kept"
        );
    }

    #[test]
    fn axes_end_at_round_values() {
        assert_eq!(rounded_up(0.0, Measure::Count), 4.0);
        assert_eq!(rounded_up(37.0, Measure::Count), 40.0);
        assert_eq!(rounded_up(1.0, Measure::Share), 1.0);
        assert_eq!(steps(40.0), [0.0, 10.0, 20.0, 30.0, 40.0]);
    }
}
