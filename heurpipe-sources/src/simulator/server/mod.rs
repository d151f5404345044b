//! Both networks' APIs and their picture hosts on one loopback port.

mod fields;
mod graph;
mod passes;
mod weibo;

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::world::World;

pub use graph::CALLER;

/// How a simulator behaves.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SimulatorOptions {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The access token that both APIs accept.
    pub token: String,
    /// Allowances.
    pub limits: Limits,
    /// What goes wrong on purpose, beside the rates that the world's pictures have.
    pub faults: Faults,
}

impl Default for SimulatorOptions {
    fn default() -> Self {
        Self {
            port: 0,
            token: "simulated-token".to_owned(),
            limits: Limits::default(),
            faults: Faults::default(),
        }
    }
}

/// Allowances of the APIs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// Graph calls in a rolling hour.
    pub graph_calls_per_hour: usize,
    /// Distinct hashtags in seven days.
    pub hashtags_per_week: usize,
    /// Weibo calls in a rolling hour.
    pub weibo_calls_per_hour: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            graph_calls_per_hour: 100_000,
            hashtags_per_week: 30,
            weibo_calls_per_hour: 100_000,
        }
    }
}

/// What goes wrong on purpose.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Faults {
    /// Added to every answer, in milliseconds.
    pub latency_ms: u64,
}

/// A running simulator; it stops when dropped.
pub struct Simulator {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Serves a world until dropped or shut down. Needs a tokio runtime.
    ///
    /// # Errors
    /// Fails where the port cannot be bound.
    pub async fn start(world: Arc<World>, options: SimulatorOptions) -> io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", options.port)).await?;
        let address = listener.local_addr()?;
        let service = Arc::new(Service {
            world,
            options,
            base: format!("http://{address}"),
            usage: Mutex::default(),
        });
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let serving = axum::serve(listener, routes(service)).with_graceful_shutdown(async {
                // A dropped sender stops the server as well as a message does.
                let _ = stopped.await;
            });
            if let Err(error) = serving.await {
                tracing::error!(%error, "the simulator stopped");
            }
        });
        Ok(Self {
            address,
            stop: Some(stop),
            task: Some(task),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The Graph API's host, without a version: `http://127.0.0.1:PORT`.
    pub fn graph_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The Weibo API's host, without `/2`.
    pub fn weibo_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The host of pictures, which stand under `/media/` and `/sinaimg/`.
    pub fn media_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops and waits until open answers are given.
    pub async fn shutdown(mut self) {
        drop(self.stop.take());
        if let Some(task) = self.task.take() {
            // The task ends by itself; a join error could only tell of a panic that is already logged.
            let _ = task.await;
        }
    }
}

/// What every handler shares.
struct Service {
    world: Arc<World>,
    options: SimulatorOptions,
    base: String,
    usage: Mutex<Usage>,
}

/// What has been used up so far.
#[derive(Default)]
struct Usage {
    graph: Calls,
    weibo: Calls,
    hashtags: HashSet<String>,
    passes: passes::Passes,
}

/// Calls of the last hour.
#[derive(Default)]
struct Calls(std::collections::VecDeque<Instant>);

impl Calls {
    /// Counts one call and says how many the last hour had.
    fn count(&mut self) -> usize {
        let now = Instant::now();
        while self
            .0
            .front()
            .is_some_and(|at| now.duration_since(*at) > Duration::from_secs(3600))
        {
            self.0.pop_front();
        }
        self.0.push_back(now);
        self.0.len()
    }
}

impl Service {
    fn usage(&self) -> MutexGuard<'_, Usage> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the request carries the token, in the header or the query.
    fn authorised(&self, headers: &HeaderMap, query: &HashMap<String, String>) -> bool {
        let header = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let from_header = header
            .strip_prefix("Bearer ")
            .or_else(|| header.strip_prefix("OAuth2 "));
        from_header.or(query.get("access_token").map(String::as_str))
            == Some(self.options.token.as_str())
    }
}

type Shared = State<Arc<Service>>;

fn routes(service: Arc<Service>) -> Router {
    let delay = Duration::from_millis(service.options.faults.latency_ms);
    Router::new()
        .route("/2/{*path}", get(weibo::call))
        .route("/media/{*path}", get(cdn_picture))
        .route("/sinaimg/{size}/{file}", get(weibo_picture))
        .route("/{version}/{node}", get(graph::node))
        .route("/{version}/{node}/{edge}", get(graph::edge))
        .layer(axum::middleware::from_fn(
            move |request, next: axum::middleware::Next| async move {
                if !delay.is_zero() {
                    tokio::time::sleep(delay).await;
                }
                next.run(request).await
            },
        ))
        .with_state(service)
}

async fn cdn_picture(State(service): Shared, Path(path): Path<String>) -> Response {
    let file = path.rsplit('/').next().unwrap_or_default().to_owned();
    picture(service, file, None).await
}

async fn weibo_picture(
    State(service): Shared,
    Path((size, file)): Path<(String, String)>,
) -> Response {
    let width = match size.as_str() {
        "thumb150" => Some(150),
        "thumbnail" => Some(120),
        "orj360" => Some(360),
        "bmiddle" => Some(440),
        "orj960" | "mw690" | "mw1024" | "mw2000" | "large" | "original" | "woriginal" => None,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    picture(service, file, width).await
}

/// Renders on the blocking pool, since a picture takes milliseconds of pure computing.
async fn picture(service: Arc<Service>, file: String, width: Option<u32>) -> Response {
    let rendered = tokio::task::spawn_blocking(move || {
        let key = file.strip_suffix(".jpg").unwrap_or(&file);
        service.world.picture(key, width)
    });
    match rendered.await {
        Ok(Ok(Some(bytes))) => ([(header::CONTENT_TYPE, "image/jpeg")], bytes).into_response(),
        Ok(Ok(None)) => (StatusCode::NOT_FOUND, "not found").into_response(),
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
