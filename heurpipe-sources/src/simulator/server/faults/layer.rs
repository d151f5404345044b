//! Does to requests and answers what the script says.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use futures::stream::{self, StreamExt};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::call::{Call, Host};
use super::script::Fault;
use crate::simulator::server::{Shared, pictures};

/// Answers are a few hundred kilobytes; nothing that is served here comes near.
const BODY_LIMIT: usize = 256 * 1024 * 1024;
/// No post has this cursor.
const DEAD: &str = "QVFIUdeadcursor";

/// The last page of each stream, so that it can be given once more.
#[derive(Default)]
pub(super) struct Pages(Mutex<HashMap<String, Value>>);

impl Pages {
    fn remember(&self, call: &Call, page: &Value) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages.insert(call.stream(), page.clone());
    }

    /// The last page of the stream that the call is about.
    fn last(&self, call: &Call) -> Option<Value> {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages.get(&call.stream()).cloned()
    }
}

/// Plays the script around whatever answers.
pub(in crate::simulator::server) async fn play(
    State(service): Shared,
    mut request: Request,
    next: Next,
) -> Response {
    let injector = &service.faults;
    if injector.is_idle() {
        return next.run(request).await;
    }
    let call = Call::of(request.uri());
    let due = injector.due(&call);
    if !due.delay.is_zero() {
        tokio::time::sleep(due.delay).await;
    }
    if let Some(refusal) = due.faults.iter().find_map(|fault| refusal(*fault)) {
        injector.injected(1);
        return refusal;
    }
    let before = injector.pages.last(&call).filter(|_| due.remembers);
    if let Some(page) = &before
        && due.faults.contains(&Fault::Repeated)
        && leads_to(page, &call)
    {
        injector.injected(1);
        return axum::Json(page).into_response();
    }
    for fault in &due.faults {
        injector.injected(usize::from(spoil(&mut request, &call, *fault)));
    }
    let mut response = next.run(request).await;
    if due.remembers || due.faults.contains(&Fault::Shuffled) {
        response = changed(response, |page| {
            if due.remembers {
                injector.pages.remember(&call, page);
            }
            for fault in &due.faults {
                let is_changed = match fault {
                    Fault::Shuffled => shuffle(page, due.shuffle),
                    Fault::Repeated if call.host == Host::Weibo => {
                        before.as_ref().is_some_and(|last| prepend(page, last))
                    }
                    _ => false,
                };
                injector.injected(usize::from(is_changed));
            }
        })
        .await;
    }
    for fault in &due.faults {
        // A refusal stays as it is: it would pass for another one.
        if matches!(fault, Fault::CutShort | Fault::CutJson) && response.status().is_success() {
            injector.injected(1);
            response = cut(response, *fault).await;
        }
    }
    response
}

/// The answer of a fault that lets no call through.
fn refusal(fault: Fault) -> Option<Response> {
    Some(match fault {
        Fault::TooManyRequests { retry_after } => {
            let wait = [(header::RETRY_AFTER, retry_after.as_secs().to_string())];
            (StatusCode::TOO_MANY_REQUESTS, wait).into_response()
        }
        Fault::ServerError(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            let page = format!(
                "<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
            );
            (status, Html(page)).into_response()
        }
        Fault::PictureExpired => pictures::expired(),
        Fault::PictureGone => pictures::gone(),
        _ => return None,
    })
}

/// Changes a request so that it is refused by whoever answers it. Says whether it did.
fn spoil(request: &mut Request, call: &Call, fault: Fault) -> bool {
    match fault {
        Fault::ExpiredToken => {
            let token = HeaderValue::from_static("Bearer expired");
            request.headers_mut().insert(header::AUTHORIZATION, token);
            true
        }
        Fault::DeadCursor => match call.with_cursor(DEAD) {
            Some(address) => {
                *request.uri_mut() = address;
                true
            }
            None => false,
        },
        _ => false,
    }
}

/// An answer whose page has been changed; one that is no page stays as it is.
async fn changed(response: Response, change: impl FnOnce(&mut Value)) -> Response {
    let (head, body) = response.into_parts();
    let bytes = whole(body).await;
    let page = serde_json::from_slice::<Value>(&bytes).ok();
    let page = page.filter(|page| rows_at(page).is_some());
    let bytes = page.map_or(bytes, |mut page| {
        change(&mut page);
        page.to_string().into()
    });
    with_body(Response::from_parts(head, Body::empty()), bytes)
}

/// Ends an answer early: within its announced length, or as if it had been shorter.
async fn cut(response: Response, fault: Fault) -> Response {
    let (head, body) = response.into_parts();
    let bytes = whole(body).await;
    let length = bytes.len();
    let begun = bytes.slice(..length / 2);
    let response = Response::from_parts(head, Body::empty());
    if fault == Fault::CutJson {
        return with_body(response, begun);
    }
    let (mut head, _) = response.into_parts();
    head.headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    let breaks = stream::once(async {
        // What has been said so far is sent before the connection ends.
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionAborted))
    });
    let said = stream::iter([Ok(begun)]);
    Response::from_parts(head, Body::from_stream(said.chain(breaks)))
}

fn with_body(response: Response, bytes: Bytes) -> Response {
    let (mut head, _) = response.into_parts();
    head.headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    Response::from_parts(head, Body::from(bytes))
}

/// All of a body that was made in this process.
async fn whole(body: Body) -> Bytes {
    to_bytes(body, BODY_LIMIT).await.unwrap_or_else(|error| {
        tracing::error!(%error, "an answer of the simulator could not be changed");
        Bytes::new()
    })
}

/// The posts of a page.
fn rows(page: &mut Value) -> Option<&mut Vec<Value>> {
    let path = rows_at(page)?;
    page.pointer_mut(path)?.as_array_mut()
}

/// Where a page has its posts: each API has them somewhere else.
fn rows_at(page: &Value) -> Option<&'static str> {
    ["/data", "/business_discovery/media/data", "/statuses"]
        .into_iter()
        .find(|path| page.pointer(path).is_some_and(Value::is_array))
}

/// Whether a page of the Graph API leads to the one that a call asks for.
fn leads_to(page: &Value, call: &Call) -> bool {
    let next = ["/paging", "/business_discovery/media/paging"]
        .into_iter()
        .find_map(|path| page.pointer(path)?.pointer("/cursors/after")?.as_str());
    call.host == Host::Graph && next.is_some() && next == call.cursor()
}

fn shuffle(page: &mut Value, seed: u64) -> bool {
    let Some(rows) = rows(page) else {
        return false;
    };
    rows.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    true
}

/// Puts the rows of the page before in front.
fn prepend(page: &mut Value, before: &Value) -> bool {
    let mut before = before.clone();
    match (rows(page), rows(&mut before)) {
        (Some(rows), Some(again)) => {
            rows.splice(..0, again.drain(..));
            true
        }
        _ => false,
    }
}
