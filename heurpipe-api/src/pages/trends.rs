//! `/trends`: how values move over time, with the numbers behind the lines.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use heurpipe_core::{Filter, Interval, Series, TrendRequest};
use serde::Deserialize;

use super::chart::{self, Chart, Measure, Style};
use super::explore::{Choice, Mistake};
use super::{Page, colour, conditions, links, render, text};
use crate::params::{self, Moment, Params, Width};
use crate::problem::Problem;
use crate::state::AppState;

/// Values plotted, and charts when there is a second field.
const VALUES: usize = 8;
const PANELS: usize = 6;

#[derive(Debug, Deserialize)]
pub(super) struct TrendsParams {
    #[serde(default, deserialize_with = "params::optional")]
    attribute: Option<String>,
    #[serde(default = "by_month")]
    interval: Width,
    #[serde(default)]
    filter: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    split: String,
    #[serde(default)]
    measure: MeasureParam,
}

/// A first look is by month: shares of the few posts of a week say little in a small collection.
fn by_month() -> Width {
    Width::Month
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MeasureParam {
    #[default]
    Share,
    Count,
}

#[derive(Template)]
#[template(path = "trends.html")]
struct TrendsPage {
    section: &'static str,
    attribute: String,
    heading: String,
    subject: String,
    filter: String,
    from: String,
    to: String,
    mistake: Option<Mistake>,
    attributes: Vec<Choice>,
    intervals: Vec<Choice>,
    splits: Vec<Choice>,
    measures: Vec<Choice>,
    legend: Vec<Key>,
    panels: Vec<Panel>,
    left_out: usize,
    json: String,
}

struct Key {
    name: String,
    href: String,
    index: usize,
    colour: Option<&'static str>,
}

struct Panel {
    /// The value of the second field.
    heading: Option<String>,
    summary: String,
    chart: Chart,
    names: Vec<String>,
    rows: Vec<Row>,
}

struct Row {
    start: String,
    total: String,
    cells: Vec<Cell>,
}

struct Cell {
    count: String,
    share: String,
}

pub(super) async fn page(
    State(state): State<AppState>,
    params: Result<Params<TrendsParams>, Problem>,
) -> Page {
    let Params(params) = params?;
    let attribute = attribute(&state, &params)?;
    let filter = match params::filter(Some(&params.filter)) {
        Ok(filter) => filter,
        Err(problem) => {
            let mut page = form(&state, &params, attribute);
            page.mistake = Some(Mistake::new(&params.filter, &problem));
            return Ok((StatusCode::BAD_REQUEST, render(&page)?).into_response());
        }
    };
    let request = TrendRequest {
        interval: params.interval.into(),
        filter: filter.clone(),
        from: moment("from", &params.from)?,
        to: moment("to", &params.to)?,
        split: split(&params)?,
        limit: VALUES,
        ..TrendRequest::new(attribute.clone())
    };
    let series = state.search().trends(&request).await?;
    let mut page = form(&state, &params, attribute);
    page.legend = legend(&filter, &page.attribute, &series);
    (page.panels, page.left_out) = panels(&params, &page.attribute, &series);
    render(&page)
}

fn attribute(state: &AppState, params: &TrendsParams) -> Result<String, Problem> {
    match &params.attribute {
        Some(asked) => params::field("attribute", asked),
        None => Ok(usual_attribute(state)),
    }
}

/// What the page shows unasked: colours, where they are known.
fn usual_attribute(state: &AppState) -> String {
    let facets = state.facets();
    facets
        .iter()
        .find(|field| colour::is_colour_field(field))
        .or(facets.first())
        .map_or("platform", String::as_str)
        .to_owned()
}

fn split(params: &TrendsParams) -> Result<Option<String>, Problem> {
    match params.split.as_str() {
        "" => Ok(None),
        field => params::field("split", field).map(Some),
    }
}

fn moment(name: &str, text: &str) -> Result<Option<jiff::Timestamp>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let moment: Moment = text
        .parse()
        .map_err(|error| Problem::bad_request(format!("{name}: {error}")))?;
    Ok(Some(moment.0))
}

fn form(state: &AppState, params: &TrendsParams, attribute: String) -> TrendsPage {
    let measure = params.measure;
    TrendsPage {
        section: "trends",
        heading: text::heading(&attribute),
        subject: subject(params),
        filter: params.filter.clone(),
        from: params.from.clone(),
        to: params.to.clone(),
        mistake: None,
        attributes: fields(state, &attribute),
        intervals: Width::ALL
            .into_iter()
            .map(|width| choice(width.name(), width == params.interval))
            .collect(),
        splits: std::iter::once(Choice {
            value: String::new(),
            label: "Nothing".to_owned(),
            selected: params.split.is_empty(),
        })
        .chain(fields(state, &params.split))
        .collect(),
        measures: vec![
            choice("share", measure == MeasureParam::Share),
            choice("count", measure == MeasureParam::Count),
        ],
        legend: Vec::new(),
        panels: Vec::new(),
        left_out: 0,
        json: json(params, &attribute),
        attribute,
    }
}

/// The fields to choose from, the chosen one among them even where it is not usual.
fn fields(state: &AppState, chosen: &str) -> Vec<Choice> {
    let mut fields: Vec<&str> = state.facets().iter().map(String::as_str).collect();
    if !chosen.is_empty() && !fields.contains(&chosen) {
        fields.push(chosen);
    }
    let choices = fields.into_iter();
    choices
        .map(|field| choice(field, field == chosen))
        .collect()
}

fn choice(value: &str, selected: bool) -> Choice {
    Choice {
        value: value.to_owned(),
        label: text::heading(value),
        selected,
    }
}

fn subject(params: &TrendsParams) -> String {
    let measure = match params.measure {
        MeasureParam::Share => "Share of posts",
        MeasureParam::Count => "Posts",
    };
    format!("{measure} per {}", params.interval.name())
}

fn json(params: &TrendsParams, attribute: &str) -> String {
    links::link(
        "/v1/trends",
        &[
            ("attribute", attribute),
            ("interval", params.interval.name()),
            ("filter", &params.filter),
            ("from", &params.from),
            ("to", &params.to),
            ("split", &params.split),
            ("limit", &VALUES.to_string()),
        ],
    )
}

/// The values in the order in which they come, each once.
fn names(series: &[Series]) -> Vec<&str> {
    let mut names = Vec::new();
    for series in series {
        if !names.contains(&series.value.as_str()) {
            names.push(series.value.as_str());
        }
    }
    names
}

fn legend(filter: &Filter, attribute: &str, series: &[Series]) -> Vec<Key> {
    let key = |(index, name): (usize, &str)| Key {
        name: name.to_owned(),
        href: links::explore(&filter.clone().and(conditions::only(attribute, name))),
        index: index % 12,
        colour: colour::swatch(attribute, name),
    };
    names(series).into_iter().enumerate().map(key).collect()
}

/// A chart for each value of the second field, or one; and how many did not fit.
fn panels(params: &TrendsParams, attribute: &str, series: &[Series]) -> (Vec<Panel>, usize) {
    let measure = match params.measure {
        MeasureParam::Share => Measure::Share,
        MeasureParam::Count => Measure::Count,
    };
    let interval: Interval = params.interval.into();
    let mut splits: Vec<Option<&str>> = Vec::new();
    for split in series.iter().map(|series| series.split.as_deref()) {
        if !splits.contains(&split) {
            splits.push(split);
        }
    }
    let style = Style {
        field: attribute,
        measure,
        interval,
        top: chart::rounded_up(chart::highest(series, measure), measure),
        size: if splits.len() > 1 {
            (620.0, 300.0)
        } else {
            (1080.0, 420.0)
        },
    };
    let names = names(series);
    let panel = |split: &Option<&str>| {
        let mut lines: Vec<&Series> = series
            .iter()
            .filter(|s| s.split.as_deref() == *split)
            .collect();
        // A value has one colour on the whole page.
        lines.sort_by_key(|series| names.iter().position(|name| *name == series.value));
        panel(*split, &lines, &names, &style)
    };
    let shown = splits.iter().take(PANELS).map(panel).collect();
    (shown, splits.len().saturating_sub(PANELS))
}

fn panel(split: Option<&str>, lines: &[&Series], names: &[&str], style: &Style<'_>) -> Panel {
    let mut chart = chart::chart(lines, style);
    for line in &mut chart.lines {
        let place = names.iter().position(|name| *name == line.name);
        line.index = place.unwrap_or(line.index) % 12;
    }
    Panel {
        heading: split.map(str::to_owned),
        summary: summary(lines, style),
        chart,
        names: lines.iter().map(|series| series.value.clone()).collect(),
        rows: rows(lines, style.interval),
    }
}

/// The chart in a sentence, for those who cannot see it.
fn summary(lines: &[&Series], style: &Style<'_>) -> String {
    let last = |series: &Series| {
        let value = series.points.iter().rev().find_map(|p| style.measure.of(p));
        format!(
            "{} {}",
            series.value,
            style.measure.text(value.unwrap_or(0.0))
        )
    };
    let ends: Vec<String> = lines.iter().map(|series| last(series)).collect();
    let range = lines.first().and_then(|series| {
        let (first, last) = (series.points.first()?, series.points.last()?);
        let time = |start| chart::time(start, style.interval);
        Some(format!("{} to {}", time(first.start), time(last.start)))
    });
    format!(
        "Lines from {}, at the end: {}",
        range.unwrap_or_else(|| "nowhere".to_owned()),
        ends.join(", ")
    )
}

/// The numbers, latest first.
fn rows(lines: &[&Series], interval: Interval) -> Vec<Row> {
    let Some(first) = lines.first() else {
        return Vec::new();
    };
    let cell = |series: &&Series, index: usize| {
        let point = series.points.get(index);
        let share = point.and_then(|point| Measure::Share.of(point));
        Cell {
            count: point.map_or_else(String::new, |point| text::number(point.count)),
            share: share.map(text::share).unwrap_or_default(),
        }
    };
    let row = |(index, point): (usize, &heurpipe_core::Point)| Row {
        start: chart::time(point.start, interval),
        total: text::number(point.total),
        cells: lines.iter().map(|series| cell(series, index)).collect(),
    };
    first.points.iter().enumerate().rev().map(row).collect()
}
