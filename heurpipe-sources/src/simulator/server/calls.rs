//! What the simulator has been asked, for those who judge a client by its calls.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;

use super::{Shared, bearer};

/// The calls so far; see [`Simulator::calls`](super::Simulator::calls).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Calls {
    /// By path, without the query.
    pub by_path: BTreeMap<String, Tally>,
    /// By access token; under the empty name those that came without one, as pictures are fetched.
    pub by_credential: BTreeMap<String, Tally>,
}

/// How many calls there were, and what came of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// All of them.
    pub calls: u64,
    /// Those refused since an allowance was used up.
    pub over_budget: u64,
    /// Those refused or failed for any other reason, by a fault for one.
    pub failed: u64,
}

impl Calls {
    /// The calls whose path contains this text; all of them for the empty one.
    pub fn of(&self, part_of_path: &str) -> Tally {
        let mut sum = Tally::default();
        for (path, tally) in &self.by_path {
            if path.contains(part_of_path) {
                sum.add(*tally);
            }
        }
        sum
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.over_budget += other.over_budget;
        self.failed += other.failed;
    }
}

/// Marks an answer as a refusal for want of allowance.
#[derive(Debug, Clone, Copy)]
pub(super) struct OverBudget;

/// The calls that are being counted.
#[derive(Default)]
pub(super) struct CallLog(Mutex<Calls>);

impl CallLog {
    pub(super) fn calls(&self) -> Calls {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, path: &str, credential: &str, tally: Tally) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        add(&mut calls.by_path, path, tally);
        add(&mut calls.by_credential, credential, tally);
    }
}

/// Adds to a name's tally; a name that is known already is not copied.
fn add(tallies: &mut BTreeMap<String, Tally>, name: &str, tally: Tally) {
    match tallies.get_mut(name) {
        Some(known) => known.add(tally),
        None => {
            tallies.insert(name.to_owned(), tally);
        }
    }
}

/// Counts a call when it is answered.
pub(super) async fn count(State(service): Shared, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let credential = credential(request.headers(), request.uri().query()).into_owned();
    let response = next.run(request).await;
    let over_budget = response.extensions().get::<OverBudget>().is_some();
    let failed = !over_budget && !response.status().is_success();
    let tally = Tally {
        calls: 1,
        over_budget: over_budget.into(),
        failed: failed.into(),
    };
    service.calls.note(&path, &credential, tally);
    response
}

/// The access token of a request, from the header or the query; empty where there is none.
fn credential<'a>(headers: &'a HeaderMap, query: Option<&'a str>) -> Cow<'a, str> {
    if let Some(token) = bearer(headers) {
        return token.into();
    }
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let token = pairs.into_iter().find(|(name, _)| name == "access_token");
    token.map(|(_, token)| token).unwrap_or_default()
}
