//! Running the router on a listener.

use std::future::Future;

use heurpipe_core::{Error, ErrorKind, Result};
use tokio::net::TcpListener;

use crate::router::router;
use crate::state::AppState;

/// Listens on an address such as `127.0.0.1:8080`; port 0 lets the system choose.
///
/// # Errors
/// `Io` when the address cannot be had.
pub async fn bind(address: &str) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|error| io("api.bind", error).with("address", address))
}

/// Serves until `shutdown` ends, then lets the requests under way finish.
///
/// # Errors
/// `Config` when the state configures no keys and the listener is not on a loopback address; `Io` when accepting connections fails for good.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let address = listener
        .local_addr()
        .map_err(|error| io("api.serve", error))?;
    state.access().permits(address)?;
    tracing::info!(%address, "serving");
    axum::serve(listener, router(state))
        .with_graceful_shutdown(shutdown)
        .await
        .map_err(|error| io("api.serve", error))
}

fn io(operation: &'static str, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, operation)
        .message(error.to_string())
        .cause(error)
}
