//! Pages and their cursors.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Parameters;
use super::refusal::{Refusal, refuse};
use crate::simulator::server::Service;

const MAX_PAGE: usize = 50;

/// How many posts a page is to have.
pub(super) fn limit(asked: Option<&str>) -> usize {
    asked
        .and_then(|text| text.parse().ok())
        .unwrap_or(25)
        .clamp(1, MAX_PAGE)
}

/// The part of a list that a page shows.
pub(super) struct Part {
    pub(super) from: usize,
    pub(super) to: usize,
    /// How many the list has.
    pub(super) of: usize,
}

impl Part {
    /// The part after a cursor.
    pub(super) fn after(cursor: Option<&str>, limit: usize, of: usize) -> Result<Self, Refusal> {
        let from = cursor.map_or(Ok(0), offset)?;
        Ok(Self {
            from,
            to: (from + limit).min(of),
            of,
        })
    }

    pub(super) fn within<'a>(&self, list: &'a [usize]) -> &'a [usize] {
        list.get(self.from..self.to).unwrap_or_default()
    }

    fn is_last(&self) -> bool {
        self.to >= self.of
    }

    /// A page with cursors and no address of the next one: the last has no `after`.
    pub(super) fn with_cursors(&self, data: Vec<Value>) -> Value {
        let mut page = json!({"data": data});
        if !data.is_empty() {
            page["paging"]["cursors"]["before"] = cursor(self.from).into();
            if !self.is_last() {
                page["paging"]["cursors"]["after"] = cursor(self.to).into();
            }
        }
        page
    }

    /// A page with the address of the next one, if there is one.
    pub(super) fn with_next(&self, data: Vec<Value>, next: &Next<'_>) -> Value {
        let mut page = json!({"data": data});
        if !data.is_empty() {
            page["paging"]["cursors"] =
                json!({"before": cursor(self.from), "after": cursor(self.to)});
        }
        if !self.is_last() {
            page["paging"]["next"] = next.address(&cursor(self.to)).into();
        }
        page
    }
}

/// The call that a page answers, for the address of the next page. As the real API does, it puts the token there.
pub(super) struct Next<'a> {
    pub(super) service: &'a Service,
    pub(super) path: String,
    pub(super) query: &'a Parameters,
}

impl Next<'_> {
    pub(super) fn address(&self, after: &str) -> String {
        let kept = ["user_id", "fields", "limit"]
            .into_iter()
            .filter_map(|name| Some((name, self.query.get(name)?.as_str())));
        let pairs = kept.chain([
            ("access_token", self.service.options.token.as_str()),
            ("after", after),
        ]);
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        format!("{}/{}?{query}", self.service.base, self.path)
    }
}

fn cursor(offset: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("AQHS:{offset:08}"))
}

fn offset(cursor: &str) -> Result<usize, Refusal> {
    let decoded = URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let offset = decoded
        .as_deref()
        .and_then(|text| text.strip_prefix("AQHS:")?.parse().ok());
    offset.map_or_else(|| refuse(100, None, "(#100) Invalid cursor"), Ok)
}
