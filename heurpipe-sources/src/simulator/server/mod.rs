//! Both networks' APIs and their picture hosts on one loopback port.

mod calls;
mod faults;
mod fields;
mod graph;
mod passes;
mod pictures;
mod usage;
mod weibo;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use heurpipe_core::Clock;
use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::world::{Present, World};
use calls::CallLog;
use faults::Injector;
use usage::Usage;

pub use calls::{Calls, Tally};
pub use faults::{Fault, FaultControl, FaultRule, FaultTrigger, Faults};
pub use graph::CALLER;
pub use usage::Limits;
pub use weibo::WeiboOptions;

/// Expiry of pictures in a world without a clock (2036-01-01).
const FAR_OFF: Timestamp = Timestamp::constant(2_082_758_400, 0);

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
    /// What Weibo's API grants and withholds.
    pub weibo: WeiboOptions,
    /// What goes wrong on purpose, beside the rates that the world's pictures have.
    pub faults: Faults,
    /// The world's time. With a clock, posts appear as they are published, their counts grow, addresses of pictures expire, and allowances are
    /// by its hours. Without one the whole world is there from the beginning and stays as it is, and allowances go by the machine's clock.
    pub clock: Option<Clock>,
    /// How long addresses of Instagram's pictures last, where there is a clock.
    pub picture_lifetime: Duration,
}

impl Default for SimulatorOptions {
    fn default() -> Self {
        Self {
            port: 0,
            token: "simulated-token".to_owned(),
            limits: Limits::default(),
            weibo: WeiboOptions::default(),
            faults: Faults::default(),
            clock: None,
            // As measured of the real ones.
            picture_lifetime: Duration::from_secs(4 * 86_400),
        }
    }
}

/// A running simulator; it stops when dropped.
pub struct Simulator {
    address: SocketAddr,
    service: Arc<Service>,
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
            world: Present::new(world, options.clock),
            base: format!("http://{address}"),
            usage: Usage::new(options.clock.unwrap_or_default()),
            weibo_usage: weibo::WeiboUsage::default(),
            calls: CallLog::default(),
            faults: Injector::new(options.faults.clone()),
            options,
        });
        let routes = routes(Arc::clone(&service));
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let serving = axum::serve(listener, routes).with_graceful_shutdown(async {
                // A dropped sender stops the server as well as a message does.
                let _ = stopped.await;
            });
            if let Err(error) = serving.await {
                tracing::error!(%error, "the simulator stopped");
            }
        });
        Ok(Self {
            address,
            service,
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

    /// Changes what goes wrong from now on.
    pub fn faults(&self) -> FaultControl {
        FaultControl(Arc::clone(&self.service))
    }

    /// What it has been asked so far, counted as calls are answered.
    pub fn calls(&self) -> Calls {
        self.service.calls.calls()
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
    world: Present,
    options: SimulatorOptions,
    base: String,
    usage: Usage,
    /// Allowances of Weibo's API beside the user's.
    weibo_usage: weibo::WeiboUsage,
    calls: CallLog,
    faults: Injector,
}

impl Service {
    /// Whether the request carries the token, in the header or the query.
    fn authorised(&self, headers: &HeaderMap, query: &HashMap<String, String>) -> bool {
        bearer(headers).or(query.get("access_token").map(String::as_str))
            == Some(self.options.token.as_str())
    }

    /// Until when a picture whose address is given now is served.
    fn picture_expiry(&self) -> Timestamp {
        match self.world.goes_on() {
            true => self.world.now() + self.options.picture_lifetime,
            // The present of a world without a clock has no relation to the reader's, who would take the address for dead.
            false => FAR_OFF,
        }
    }
}

/// The access token in the header, as either API writes it.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    header
        .strip_prefix("Bearer ")
        .or_else(|| header.strip_prefix("OAuth2 "))
}

type Shared = State<Arc<Service>>;

fn routes(service: Arc<Service>) -> Router {
    Router::new()
        .route("/2/{*path}", get(weibo::call))
        .route("/media/{*path}", get(pictures::instagram))
        .route("/sinaimg/{size}/{file}", get(pictures::weibo))
        .route("/{version}/{node}", get(graph::node))
        .route("/{version}/{node}/{edge}", get(graph::edge))
        .layer(from_fn_with_state(Arc::clone(&service), faults::play))
        .layer(from_fn_with_state(Arc::clone(&service), calls::count))
        .with_state(service)
}
