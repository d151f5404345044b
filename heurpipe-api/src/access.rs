//! Who may ask.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use heurpipe_core::{Error, ErrorKind, Result};

use crate::problem::Problem;
use crate::state::AppState;

/// Who may ask. Keys with roles are further variants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// No keys are configured: programs on this machine, and nobody else.
    #[default]
    Loopback,
}

impl Access {
    /// Whether listening on this address keeps to the rule.
    ///
    /// # Errors
    /// `Config` when others could reach it.
    pub(crate) fn permits(&self, address: SocketAddr) -> Result<()> {
        match self {
            Self::Loopback if address.ip().is_loopback() => Ok(()),
            Self::Loopback => Err(Error::new(ErrorKind::Config, "api.serve")
                .message("without keys the API listens on a loopback address only, such as 127.0.0.1 or [::1]")
                .with("address", address)),
        }
    }
}

/// Refuses requests that name another host. A page on the web can point a host name of its own at 127.0.0.1 and then read, with the visitor's
/// browser, what only programs on this machine may; its requests still carry that name.
pub(crate) async fn guard(State(state): State<AppState>, request: Request, next: Next) -> Response {
    match state.access() {
        Access::Loopback => {
            let host = request
                .headers()
                .get(header::HOST)
                .and_then(|host| host.to_str().ok());
            if host.is_some_and(|host| !is_loopback_host(host)) {
                return Problem::new(StatusCode::MISDIRECTED_REQUEST)
                    .detail("without keys the API answers to localhost, 127.0.0.1 and [::1] only")
                    .into_response();
            }
            next.run(request).await
        }
    }
}

fn is_loopback_host(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_this_machine_are_told_from_others() {
        for host in [
            "localhost",
            "LOCALHOST:80",
            "127.0.0.1:8080",
            "[::1]",
            "[::1]:80",
        ] {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in ["example.org", "127.0.0.1.example.org:80", "10.0.0.1", ""] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }
}
