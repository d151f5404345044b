//! `/explore`: narrowing down, looking, going on.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use futures::future;
use heurpipe_core::{FacetCount, FacetRequest, Filter, SearchPage, SearchRequest};
use serde::Deserialize;

use super::card::Card;
use super::{Page, colour, conditions, links, render, text};
use crate::params::{self, Order, Params};
use crate::problem::Problem;
use crate::state::AppState;

/// Posts a page.
const POSTS: usize = 48;

/// Values a facet.
const VALUES: usize = 10;

#[derive(Debug, Deserialize)]
pub(super) struct ExploreParams {
    #[serde(default)]
    filter: String,
    #[serde(default)]
    sort: Order,
    #[serde(default, deserialize_with = "params::optional")]
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "explore.html")]
struct ExplorePage {
    section: &'static str,
    filter: String,
    mistake: Option<Mistake>,
    orders: Vec<Choice>,
    chips: Vec<Chip>,
    facets: Vec<Facet>,
    cards: Vec<Card>,
    total: String,
    first: Option<String>,
    next: Option<String>,
    trends: String,
    json: String,
    is_empty_store: bool,
}

/// A filter that cannot be read, taken apart at the place where it goes wrong.
pub(super) struct Mistake {
    pub(super) message: String,
    pub(super) before: String,
    pub(super) at: String,
    pub(super) after: String,
}

/// An option of a form.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) selected: bool,
}

struct Chip {
    text: String,
    remove: String,
}

struct Facet {
    field: String,
    heading: String,
    values: Vec<FacetValue>,
}

struct FacetValue {
    value: String,
    count: String,
    selected: bool,
    href: String,
    swatch: Option<&'static str>,
}

pub(super) async fn page(
    State(state): State<AppState>,
    params: Result<Params<ExploreParams>, Problem>,
) -> Page {
    let Params(params) = params?;
    match params::filter(Some(&params.filter)) {
        Ok(filter) => found(&state, &params, &filter).await,
        Err(problem) => {
            let page = mistaken(&params, &problem);
            Ok((StatusCode::BAD_REQUEST, render(&page)?).into_response())
        }
    }
}

async fn found(state: &AppState, params: &ExploreParams, filter: &Filter) -> Page {
    let request = SearchRequest::new(filter.clone())
        .sort(params.sort.into())
        .limit(POSTS)
        .cursor(params.cursor.clone());
    let (page, facets) = future::try_join(
        state.search().search(&request),
        facets(state, filter, params.sort),
    )
    .await?;
    render(&filled(state, params, filter, page, facets))
}

fn filled(
    state: &AppState,
    params: &ExploreParams,
    filter: &Filter,
    page: SearchPage,
    facets: Vec<Facet>,
) -> ExplorePage {
    let text = filter.to_string();
    let sort = sort_parameter(params.sort);
    let here = |cursor: &str| {
        let parameters = [
            ("filter", text.as_str()),
            ("sort", sort),
            ("cursor", cursor),
        ];
        links::link("/explore", &parameters)
    };
    let chips = conditions::conditions(filter)
        .iter()
        .enumerate()
        .map(|(index, condition)| Chip {
            text: condition.to_string(),
            remove: explore(&conditions::without(filter, index), params.sort),
        })
        .collect();
    let cards = page.items.iter().map(|r| Card::of(r, state.facets()));
    ExplorePage {
        section: "explore",
        mistake: None,
        orders: orders(params.sort),
        chips,
        facets,
        cards: cards.collect(),
        total: text::posts(page.total),
        first: params.cursor.is_some().then(|| here("")),
        next: page.next.as_deref().map(here),
        trends: links::link("/trends", &[("filter", &text)]),
        json: links::link("/v1/posts", &[("filter", &text), ("sort", sort)]),
        is_empty_store: page.total.value == 0 && *filter == Filter::All,
        filter: params.filter.clone(),
    }
}

fn mistaken(params: &ExploreParams, problem: &Problem) -> ExplorePage {
    ExplorePage {
        section: "explore",
        filter: params.filter.clone(),
        mistake: Some(Mistake::new(&params.filter, problem)),
        orders: orders(params.sort),
        chips: Vec::new(),
        facets: Vec::new(),
        cards: Vec::new(),
        total: String::new(),
        first: None,
        next: None,
        trends: "/trends".to_owned(),
        json: "/v1/posts".to_owned(),
        is_empty_store: false,
    }
}

impl Mistake {
    pub(super) fn new(filter: &str, problem: &Problem) -> Self {
        let wrong = problem.position().unwrap_or(1).saturating_sub(1);
        let mut characters = filter.chars();
        Self {
            message: problem.explanation().to_owned(),
            before: characters.by_ref().take(wrong).collect(),
            at: characters.next().unwrap_or(' ').to_string(),
            after: characters.collect(),
        }
    }
}

/// The values of every facet. Those of a field that the filter already has a condition on are counted without that condition, since its values are
/// alternatives to the chosen ones.
async fn facets(
    state: &AppState,
    filter: &Filter,
    sort: Order,
) -> heurpipe_core::Result<Vec<Facet>> {
    let (chosen, open): (Vec<&String>, Vec<&String>) = state
        .facets()
        .iter()
        .partition(|field| conditions::has_field(filter, field));
    let mut requests = vec![request(filter.clone(), open)];
    for field in chosen {
        requests.push(request(
            conditions::without_field(filter, field),
            vec![field],
        ));
    }
    let answers = future::try_join_all(requests.iter().map(|r| state.search().facets(r))).await?;
    let counts = |field: &String| answers.iter().find_map(|answer| answer.get(field));
    Ok(state
        .facets()
        .iter()
        .filter_map(|field| Some(facet(filter, field, counts(field)?, sort)))
        .filter(|facet| !facet.values.is_empty())
        .collect())
}

fn request(filter: Filter, fields: Vec<&String>) -> FacetRequest {
    FacetRequest {
        filter,
        fields: fields.into_iter().cloned().collect(),
        limit: VALUES,
    }
}

fn facet(filter: &Filter, field: &str, counts: &[FacetCount], sort: Order) -> Facet {
    let value = |count: &FacetCount| FacetValue {
        value: count.value.clone(),
        count: text::number(count.count),
        selected: conditions::accepts(filter, field, &count.value),
        href: explore(&conditions::toggled(filter, field, &count.value), sort),
        swatch: colour::swatch(field, &count.value),
    };
    Facet {
        field: field.to_owned(),
        heading: text::heading(field),
        values: counts.iter().map(value).collect(),
    }
}

fn explore(filter: &Filter, sort: Order) -> String {
    let text = filter.to_string();
    links::link(
        "/explore",
        &[("filter", &text), ("sort", sort_parameter(sort))],
    )
}

/// The order as a parameter; the usual one needs none.
fn sort_parameter(sort: Order) -> &'static str {
    if sort == Order::default() {
        ""
    } else {
        sort.name()
    }
}

fn orders(chosen: Order) -> Vec<Choice> {
    let choice = |order: Order| Choice {
        value: order.name().to_owned(),
        label: format!("{} first", text::heading(order.name())),
        selected: order == chosen,
    };
    Order::ALL.into_iter().map(choice).collect()
}
