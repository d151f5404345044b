//! The headers that say how much of the allowance is used.

use std::collections::HashMap;
use std::time::Duration;

use reqwest::header::HeaderMap;
use serde::Deserialize;

/// How much of the allowance is used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usage {
    /// The highest of all percentages told.
    pub percent: f64,
    /// When the allowance is given back, while calls are refused.
    pub regain: Option<Duration>,
}

/// Reads `X-App-Usage` and `X-Business-Use-Case-Usage`. None: neither is there, so that the last estimate stands.
pub(super) fn usage(headers: &HeaderMap) -> Option<Usage> {
    let app: Option<Shares> = read(headers, "x-app-usage");
    let cases: Option<HashMap<String, Vec<Shares>>> = read(headers, "x-business-use-case-usage");
    let mut all: Vec<Shares> = app.into_iter().collect();
    all.extend(cases.into_iter().flatten().flat_map(|(_, shares)| shares));
    let percent = all.iter().map(Shares::highest).reduce(f64::max)?;
    let minutes = all
        .iter()
        .map(|shares| shares.estimated_time_to_regain_access)
        .max()
        .filter(|minutes| *minutes > 0);
    Some(Usage {
        percent,
        regain: minutes.map(|minutes| Duration::from_secs(minutes * 60)),
    })
}

/// Percentages of three allowances; the access is throttled when one of them is used up.
#[derive(Debug, Deserialize)]
struct Shares {
    #[serde(default)]
    call_count: f64,
    #[serde(default)]
    total_time: f64,
    #[serde(default)]
    total_cputime: f64,
    /// In minutes.
    #[serde(default)]
    estimated_time_to_regain_access: u64,
}

impl Shares {
    fn highest(&self) -> f64 {
        self.call_count.max(self.total_time).max(self.total_cputime)
    }
}

fn read<T: for<'de> Deserialize<'de>>(headers: &HeaderMap, name: &str) -> Option<T> {
    serde_json::from_slice(headers.get(name)?.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn headers(app: Option<&str>, cases: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(app) = app {
            headers.insert("x-app-usage", app.parse().unwrap());
        }
        if let Some(cases) = cases {
            headers.insert("x-business-use-case-usage", cases.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_highest_share_counts() {
        let app = r#"{"call_count":28,"total_time":91,"total_cputime":25}"#;
        let cases = r#"{"1784":[{"type":"instagram","call_count":5,"total_cputime":1,"total_time":2,"estimated_time_to_regain_access":0}]}"#;
        let usage = usage(&headers(Some(app), Some(cases))).unwrap();
        assert_eq!(usage.percent, 91.0);
        assert_eq!(usage.regain, None);
    }

    #[test]
    fn the_time_to_regain_access_is_in_minutes() {
        let cases = r#"{"1784":[{"call_count":100,"estimated_time_to_regain_access":7}]}"#;
        let usage = usage(&headers(None, Some(cases))).unwrap();
        assert_eq!(usage.regain, Some(Duration::from_secs(420)));
    }

    #[test]
    fn no_header_says_nothing() {
        assert_eq!(usage(&headers(None, None)), None);
        assert_eq!(usage(&headers(Some("soon"), None)), None);
    }
}
