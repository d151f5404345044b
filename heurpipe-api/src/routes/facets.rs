//! `/v1/facets`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use futures::future;
use heurpipe_core::FacetRequest;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::coverage::Coverage;
use crate::params::{self, Params};
use crate::problem::Problem;
use crate::state::AppState;

/// How many fields one call may ask for.
const MOST_FIELDS: usize = 20;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FacetsParams {
    /// Among posts that match this filter.
    filter: Option<String>,
    /// Attributes and keyword fields, separated by commas.
    #[param(required, example = "brand,colour")]
    fields: Option<String>,
    /// At most so many values a field, 20 unless told, 1000 at the most.
    #[serde(default, deserialize_with = "params::optional")]
    limit: Option<usize>,
}

/// The commonest values of each field.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Facets {
    /// By field; commonest first.
    facets: BTreeMap<String, Vec<ValueCount>>,
    coverage: Coverage,
}

/// A value and how many posts have it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ValueCount {
    /// The value, in lower case and without diacritics.
    value: String,
    /// So many posts.
    count: u64,
}

/// The commonest values of fields among the posts that match.
#[utoipa::path(
    get,
    path = "/v1/facets",
    tag = "posts",
    params(FacetsParams),
    responses(
        (status = 200, description = "The values", body = Facets),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn facets(
    State(state): State<AppState>,
    Params(params): Params<FacetsParams>,
) -> Result<Json<Facets>, Problem> {
    let request = FacetRequest {
        filter: params::filter(params.filter.as_deref())?,
        fields: fields(params.fields.as_deref().unwrap_or_default())?,
        limit: params::limit(params.limit, 20, 1000)?,
    };
    let (counts, coverage) = future::try_join(
        state.search().facets(&request),
        Coverage::of(state.search(), None, None),
    )
    .await?;
    let facets = counts
        .into_iter()
        .map(|(field, counts)| (field, counts.into_iter().map(value_count).collect()))
        .collect();
    Ok(Json(Facets { facets, coverage }))
}

fn fields(text: &str) -> Result<Vec<String>, Problem> {
    let names = text.split(',').map(str::trim).filter(|n| !n.is_empty());
    let fields: Vec<String> = names
        .map(|name| params::field("fields", name))
        .collect::<Result<_, _>>()?;
    match fields.len() {
        0 => Err(Problem::bad_request(
            "fields: name the fields to count, separated by commas, as in fields=brand,colour",
        )),
        count if count > MOST_FIELDS => Err(Problem::bad_request(format!(
            "fields: at most {MOST_FIELDS}"
        ))),
        _ => Ok(fields),
    }
}

fn value_count(count: heurpipe_core::FacetCount) -> ValueCount {
    ValueCount {
        value: count.value,
        count: count.count,
    }
}
