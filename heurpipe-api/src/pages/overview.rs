//! `/`: what there is, what ran last, what is most common.

use askama::Template;
use axum::extract::State;
use futures::future;
use heurpipe_core::{
    FacetCount, FacetRequest, Filter, PostCounts, RunRecord, RunStatus, Scan, SearchRequest,
    StageReport,
};

use super::card::Card;
use super::{Page, colour, conditions, links, render, text};
use crate::coverage::Coverage;
use crate::state::AppState;

/// Runs shown.
const RUNS: usize = 6;

/// Pictures shown, of so many posts looked at.
const PICTURES: usize = 12;
const LOOKED_AT: usize = 48;

/// Values of each field shown, and fields.
const VALUES: usize = 6;
const FIELDS: usize = 6;

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    section: &'static str,
    version: String,
    tiles: Vec<Tile>,
    pictures: Vec<Card>,
    tops: Vec<Top>,
    runs: Vec<Run>,
    stages: Option<Stages>,
}

struct Tile {
    label: &'static str,
    value: String,
    note: String,
}

struct Top {
    heading: String,
    trend: String,
    values: Vec<TopValue>,
}

struct TopValue {
    value: String,
    count: String,
    /// Of the commonest, 0 to 100.
    width: String,
    href: String,
    swatch: Option<&'static str>,
}

struct Run {
    use_case: String,
    status: &'static str,
    started: String,
    took: String,
    read: String,
    rate: String,
    bar: Vec<Segment>,
    summary: String,
    errors: Vec<String>,
}

/// A part of an outcome bar, in percent of its width.
struct Segment {
    class: &'static str,
    x: String,
    width: String,
    title: String,
}

struct Stages {
    use_case: String,
    started: String,
    rows: Vec<StageRow>,
}

struct StageRow {
    name: String,
    entered: String,
    left: String,
    skipped: String,
    failed: String,
    has_failed: bool,
    cpu: String,
    busy: String,
    /// Share of the run in which it was busy, 0 to 100.
    busy_width: String,
    is_bottleneck: bool,
}

pub(super) async fn page(State(state): State<AppState>) -> Page {
    let everything = SearchRequest::new(Filter::All).limit(LOOKED_AT);
    let values = FacetRequest {
        filter: Filter::All,
        fields: state.facets().iter().take(FIELDS).cloned().collect(),
        limit: VALUES,
    };
    let (newest, counts, coverage) = future::try_join3(
        state.search().search(&everything),
        state.search().facets(&values),
        Coverage::of(state.search(), None, None),
    )
    .await?;
    let known = Scan::matching(Filter::All);
    let (known, runs) = future::try_join(
        state.documents().count(&known),
        state.documents().runs(RUNS),
    )
    .await?;
    let held = held(&state, &runs).await?;

    let top = |field: &String| Some(top(field, counts.get(field)?));
    let cards = newest.items.iter().map(|r| Card::of(r, state.facets()));
    render(&OverviewPage {
        section: "overview",
        version: state.version().to_owned(),
        tiles: tiles(newest.total.value, known, held, &coverage),
        pictures: cards
            .filter(|card| card.picture.is_some())
            .take(PICTURES)
            .collect(),
        tops: values
            .fields
            .iter()
            .filter_map(top)
            .filter(|top| !top.values.is_empty())
            .collect(),
        stages: runs.first().map(stages),
        runs: runs.iter().map(run).collect(),
    })
}

/// How many posts wait for people, over all use cases that ran lately.
async fn held(state: &AppState, runs: &[RunRecord]) -> heurpipe_core::Result<u64> {
    let mut use_cases: Vec<&str> = runs.iter().map(|r| r.report.use_case.as_str()).collect();
    use_cases.sort_unstable();
    use_cases.dedup();
    let mut held = 0;
    for use_case in use_cases {
        let waiting = Scan::matching(Filter::All).in_state(use_case, "held");
        held += state.documents().count(&waiting).await?;
    }
    Ok(held)
}

fn tiles(searchable: u64, known: u64, held: u64, coverage: &Coverage) -> Vec<Tile> {
    let range = match (coverage.from, coverage.to) {
        (Some(from), Some(to)) => format!("published {} to {}", text::date(from), text::date(to)),
        _ => "nothing delivered yet".to_owned(),
    };
    vec![
        Tile {
            label: "Relevant posts",
            value: text::number(searchable),
            note: range,
        },
        Tile {
            label: "Posts gathered",
            value: text::number(known),
            note: "with full history".to_owned(),
        },
        Tile {
            label: "Held for people",
            value: text::number(held),
            note: "the models were unsure".to_owned(),
        },
    ]
}

fn top(field: &str, counts: &[FacetCount]) -> Top {
    let most = counts.iter().map(|c| c.count).max().unwrap_or(1).max(1);
    let value = |count: &FacetCount| TopValue {
        value: count.value.clone(),
        count: text::number(count.count),
        width: format!("{:.1}", count.count as f64 / most as f64 * 100.0),
        href: links::explore(&conditions::only(field, &count.value)),
        swatch: colour::swatch(field, &count.value),
    };
    Top {
        heading: text::heading(field),
        trend: links::link("/trends", &[("attribute", field)]),
        values: counts.iter().map(value).collect(),
    }
}

fn run(run: &RunRecord) -> Run {
    let report = &run.report;
    let outcomes = outcomes(&report.posts);
    let told = outcomes.iter().filter(|(_, _, count)| *count > 0);
    Run {
        use_case: report.use_case.clone(),
        status: match report.status {
            RunStatus::Running => "running",
            RunStatus::Paused => "paused",
            RunStatus::Done => "done",
            RunStatus::Partial => "partial",
            RunStatus::Stopped => "stopped",
            RunStatus::Failed => "failed",
        },
        started: text::minute(run.started_at),
        took: text::duration(report.seconds),
        read: text::number(report.posts.read),
        rate: format!("{:.1}", report.posts_per_second),
        bar: segments(&outcomes),
        summary: told
            .map(|(_, name, count)| format!("{} {name}", text::number(*count)))
            .collect::<Vec<_>>()
            .join(", "),
        errors: report.errors.clone(),
    }
}

fn outcomes(posts: &PostCounts) -> [(&'static str, &'static str, u64); 5] {
    [
        ("delivered", "delivered", posts.delivered),
        ("filtered", "filtered", posts.filtered),
        ("held", "held", posts.held),
        ("rejected", "rejected", posts.rejected),
        ("dead", "dead letters", posts.dead_lettered),
    ]
}

fn segments(outcomes: &[(&'static str, &'static str, u64)]) -> Vec<Segment> {
    let total = outcomes.iter().map(|(_, _, count)| count).sum::<u64>();
    let mut x = 0.0;
    let mut segments = Vec::new();
    for (class, name, count) in outcomes.iter().filter(|(_, _, count)| *count > 0) {
        let width = *count as f64 / total as f64 * 100.0;
        segments.push(Segment {
            class,
            x: format!("{x:.2}"),
            width: format!("{width:.2}"),
            title: format!("{} {name}", text::number(*count)),
        });
        x += width;
    }
    segments
}

fn stages(run: &RunRecord) -> Stages {
    let bottleneck = run.report.bottleneck.as_deref();
    let row = |stage: &StageReport| StageRow {
        name: stage.name.clone(),
        entered: text::number(stage.entered),
        left: text::number(stage.left),
        skipped: text::number(stage.skipped),
        failed: text::number(stage.failed),
        has_failed: stage.failed > 0,
        cpu: text::duration(stage.cpu_ms / 1000.0),
        busy: text::share(stage.busy),
        busy_width: format!("{:.1}", stage.busy.clamp(0.0, 1.0) * 100.0),
        is_bottleneck: bottleneck == Some(&stage.name),
    };
    Stages {
        use_case: run.report.use_case.clone(),
        started: text::minute(run.started_at),
        rows: run.report.stages.iter().map(row).collect(),
    }
}
