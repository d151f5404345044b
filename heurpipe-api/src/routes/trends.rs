//! `/v1/trends`.

use axum::Json;
use axum::extract::State;
use futures::future;
use heurpipe_core::{Series as CoreSeries, TrendRequest};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::coverage::Coverage;
use crate::params::{self, Moment, Params, Width};
use crate::problem::Problem;
use crate::state::AppState;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TrendsParams {
    /// The attribute or keyword field whose values are counted.
    #[param(required, example = "colour")]
    attribute: Option<String>,
    /// The width of a point.
    #[serde(default)]
    #[param(inline)]
    interval: Width,
    /// Among posts that match this filter.
    filter: Option<String>,
    /// Published at or after this date or time.
    #[serde(default, deserialize_with = "params::optional")]
    #[param(value_type = Option<String>, example = "2026-01-01")]
    from: Option<Moment>,
    /// Published before this date or time.
    #[serde(default, deserialize_with = "params::optional")]
    #[param(value_type = Option<String>, example = "2026-07-01")]
    to: Option<Moment>,
    /// A second field: a series for each pair of values.
    #[serde(default, deserialize_with = "params::optional")]
    #[param(example = "country")]
    split: Option<String>,
    /// At most so many values, the commonest; 12 unless told, 100 at the most.
    #[serde(default, deserialize_with = "params::optional")]
    limit: Option<usize>,
}

impl TrendsParams {
    fn request(&self) -> Result<TrendRequest, Problem> {
        let Some(attribute) = self.attribute.as_deref().filter(|a| !a.is_empty()) else {
            return Err(Problem::bad_request(
                "attribute: name the attribute to plot, as in attribute=colour",
            ));
        };
        let split = self.split.as_deref();
        Ok(TrendRequest {
            interval: self.interval.into(),
            filter: params::filter(self.filter.as_deref())?,
            from: self.from.map(|moment| moment.0),
            to: self.to.map(|moment| moment.0),
            split: split.map(|s| params::field("split", s)).transpose()?,
            limit: params::limit(self.limit, 12, 100)?,
            ..TrendRequest::new(params::field("attribute", attribute)?)
        })
    }
}

/// Counts over time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Trends {
    /// What was counted.
    attribute: String,
    /// The width of a point.
    interval: Width,
    /// A series for each value, the commonest first.
    series: Vec<Series>,
    coverage: Coverage,
}

/// The counts of one value over time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Series {
    /// The value.
    value: String,
    /// The value of the second field, if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    split: Option<String>,
    /// In order of time, without gaps.
    points: Vec<Point>,
}

/// A point of a series.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Point {
    /// The beginning of the interval.
    start: Timestamp,
    /// Posts published in it with this value.
    count: u64,
    /// Posts published in it that match, with or without this value.
    total: u64,
}

/// How many posts of each value were published in each interval.
#[utoipa::path(
    get,
    path = "/v1/trends",
    tag = "trends",
    params(TrendsParams),
    responses(
        (status = 200, description = "The series", body = Trends),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn trends(
    State(state): State<AppState>,
    Params(params): Params<TrendsParams>,
) -> Result<Json<Trends>, Problem> {
    let request = params.request()?;
    let (series, coverage) = future::try_join(
        state.search().trends(&request),
        Coverage::of(state.search(), request.from, request.to),
    )
    .await?;
    Ok(Json(Trends {
        attribute: request.attribute,
        interval: params.interval,
        series: series.into_iter().map(Series::from).collect(),
        coverage,
    }))
}

impl From<CoreSeries> for Series {
    fn from(series: CoreSeries) -> Self {
        let point = |point: heurpipe_core::Point| Point {
            start: point.start,
            count: point.count,
            total: point.total,
        };
        Self {
            value: series.value,
            split: series.split,
            points: series.points.into_iter().map(point).collect(),
        }
    }
}
