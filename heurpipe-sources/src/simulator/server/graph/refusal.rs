//! How the Graph API says no.

use axum::http::StatusCode;
use serde_json::{Value, json};

/// An error as the Graph API words it.
pub(super) struct Refusal {
    code: u32,
    subcode: Option<u32>,
    message: String,
}

pub(super) fn refuse<T>(
    code: u32,
    subcode: Option<u32>,
    message: impl Into<String>,
) -> Result<T, Refusal> {
    Err(Refusal {
        code,
        subcode,
        message: message.into(),
    })
}

impl Refusal {
    /// 400 for nearly everything.
    pub(super) fn status(&self) -> StatusCode {
        match self.code {
            4 | 80_002 => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// Whether it is for want of allowance: of calls or of hashtags.
    pub(super) fn is_over_budget(&self) -> bool {
        matches!(self.code, 4 | 18 | 80_002)
    }

    pub(super) fn body(self) -> Value {
        let mut error = json!({"message": self.message, "type": "OAuthException", "code": self.code,
            "fbtrace_id": "A7OjVVCXwSdfpIERKqntSKo"});
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = subcode.into();
        }
        json!({"error": error})
    }
}
