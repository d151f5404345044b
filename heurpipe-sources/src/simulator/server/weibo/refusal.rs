//! How the API refuses.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::simulator::server::calls::OverBudget;

/// An error code with its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    code: u32,
    text: &'static str,
}

impl Refusal {
    pub(super) const NO_TOKEN: Self = Self::new(10006, "Source paramter (appkey) is missing");
    pub(super) const LACKS_PERMISSION: Self = Self::new(10014, "Insufficient app permissions!");
    pub(super) const NO_SUCH_CALL: Self = Self::new(10020, "request api not found!");
    pub(super) const ADDRESS_OUT_OF_RATE: Self = Self::new(10022, "IP requests out of rate limit!");
    pub(super) const USER_OUT_OF_RATE: Self = Self::new(10023, "User requests out of rate limit!");
    pub(super) const CALL_OUT_OF_RATE: Self =
        Self::new(10024, "User requests for this api out of rate limit!");
    pub(super) const NO_SUCH_USER: Self = Self::new(20003, "User does not exists!");
    pub(super) const NO_SUCH_STATUS: Self = Self::new(20101, "target weibo does not exist!");
    pub(super) const EXPIRED_TOKEN: Self = Self::new(21327, "expired_token");
    pub(super) const NOT_THE_CALLER: Self =
        Self::new(21335, "uid's value must be the current user");

    /// A parameter that is missing, or has no value that the call takes.
    pub(super) const fn parameter(text: &'static str) -> Self {
        Self::new(10016, text)
    }

    const fn new(code: u32, text: &'static str) -> Self {
        Self { code, text }
    }

    /// The answer to a call. Some calls give the code as a text, as the real ones do; that of a token is of OAuth's form.
    pub(super) fn response(self, path: &str) -> Response {
        let code = match path {
            "statuses/home_timeline" => json!(self.code.to_string()),
            _ => json!(self.code),
        };
        let request = format!("/2/{path}.json");
        let body = match self {
            Self::EXPIRED_TOKEN => {
                json!({"error": self.text, "error_code": code, "request": request, "error_description": "the token is over"})
            }
            _ => json!({"request": request, "error_code": code, "error": self.text}),
        };
        let status = match self {
            Self::EXPIRED_TOKEN => StatusCode::FORBIDDEN,
            _ if self.is_for_want_of_allowance() => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        };
        let mut response = (status, axum::Json(body)).into_response();
        if self.is_for_want_of_allowance() {
            response.extensions_mut().insert(OverBudget);
        }
        response
    }

    fn is_for_want_of_allowance(self) -> bool {
        matches!(self.code, 10022..=10024)
    }
}
