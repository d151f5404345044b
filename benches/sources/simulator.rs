//! How many calls a second the simulator answers, beside a server that says the same number of bytes without making them.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::routing::get;
use heurpipe_benches::{Effort, Row, in_turns};
use heurpipe_sources::simulator::{Simulator, SimulatorOptions, World, WorldOptions};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::{AnyResult, load};

/// Calls a second that the simulator is meant to answer.
const GOAL: f64 = 2000.0;
const POSTS: usize = 10_000;

pub fn rows(runtime: &Runtime, effort: Effort) -> AnyResult<Vec<Row>> {
    let world = World::new(WorldOptions::new(7, POSTS));
    let mut options = SimulatorOptions::default();
    options.limits.graph_calls_per_hour = usize::MAX;
    options.limits.weibo_calls_per_hour = usize::MAX;
    let token = options.token.clone();
    let account = world.instagram_accounts().remove(0);
    let uids = world.weibo_uids()[..20].join(",");
    let simulator = runtime.block_on(Simulator::start(world, options))?;
    let fields = "id,caption,media_type,media_url,permalink,timestamp,like_count,comments_count,children{id,media_type,media_url}";
    let cases = [
        (
            "simulator: an account, 25 posts a page",
            format!(
                "/v25.0/me?fields=business_discovery.username({account}){{id,username,media.limit(25){{{fields}}}}}"
            ),
        ),
        (
            "simulator: 20 users, 20 posts a page",
            format!("/2/statuses/timeline_batch.json?uids={uids}&count=20"),
        ),
    ];
    let mut rows = Vec::new();
    for (case, path) in cases {
        let size = runtime.block_on(load::ask(simulator.address(), &path, &token, 8))?;
        let bare = runtime.block_on(constant(size))?;
        let times = effort.choose(8_000, 40_000);
        let measure = |server, path: &str| runtime.block_on(load::ask(server, path, &token, times));
        let (ours, reference) = in_turns(
            effort.choose(3, 9),
            &mut || measure(simulator.address(), &path),
            &mut || measure(bare, "/"),
        )?;
        let made = load::made(times);
        let name = format!("axum, {size} bytes");
        let row = Row::rate(
            case,
            "calls/s",
            ours.per_second(made),
            &name,
            reference.per_second(made),
        );
        rows.push(row.goal(GOAL));
    }
    runtime.block_on(simulator.shutdown());
    Ok(rows)
}

/// A server that answers every call with the same bytes, as JSON. It lives as long as the runtime.
async fn constant(size: usize) -> AnyResult<SocketAddr> {
    let body = Bytes::from(vec![b'x'; size]);
    let answer = move || async move { ([(header::CONTENT_TYPE, "application/json")], body) };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let serving = axum::serve(listener, Router::new().route("/", get(answer)));
    tokio::spawn(async move { serving.await });
    Ok(address)
}
