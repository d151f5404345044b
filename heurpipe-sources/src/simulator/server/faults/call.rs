//! A request as faults see it.

use axum::http::Uri;
use url::form_urlencoded;

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Host {
    Graph,
    Weibo,
    Pictures,
}

/// A request's address, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) host: Host,
    path: String,
    parameters: Vec<(String, String)>,
}

impl Call {
    pub(super) fn of(uri: &Uri) -> Self {
        let path = uri.path().to_owned();
        let host = match path.split('/').nth(1) {
            Some("2") => Host::Weibo,
            Some("media" | "sinaimg") => Host::Pictures,
            _ => Host::Graph,
        };
        let query = uri.query().unwrap_or_default();
        Self {
            host,
            path,
            parameters: form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        }
    }

    /// Path and query, decoded.
    pub(super) fn address(&self) -> String {
        let pairs = self.parameters.iter();
        let query: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        format!("{}?{}", self.path, query.join("&"))
    }

    /// What says which page of its stream the call asks for: an earlier answer's cursor, the largest id, or a number; none: the first.
    pub(super) fn cursor(&self) -> Option<&str> {
        self.parameters
            .iter()
            .find_map(|(name, value)| match (self.host, name.as_str()) {
                (Host::Graph, "after") => Some(value.as_str()),
                (Host::Graph, "fields") => nested_cursor(value).map(|(_, cursor, _)| cursor),
                (Host::Weibo, "max_id") => Some(value.as_str()).filter(|id| *id != "0"),
                (Host::Weibo, "page") => Some(value.as_str()).filter(|page| *page != "1"),
                _ => None,
            })
    }

    /// Names the stream: the address without the cursor.
    pub(super) fn stream(&self) -> String {
        let mut whole = self.clone();
        whole.parameters.retain(|(name, _)| {
            !matches!(
                (self.host, name.as_str()),
                (Host::Graph, "after") | (Host::Weibo, "max_id" | "page")
            )
        });
        for (name, value) in &mut whole.parameters {
            if name == "fields"
                && let Some((before, _, after)) = nested_cursor(value)
            {
                *value = format!("{before}{after}");
            }
        }
        whole.address()
    }

    /// The address of the same Graph call with another cursor in the place of its own.
    pub(super) fn with_cursor(&self, cursor: &str) -> Option<Uri> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.parameters {
            let value = match name.as_str() {
                "after" => cursor.to_owned(),
                "fields" => match nested_cursor(value) {
                    Some((before, _, after)) => format!("{before}.after({cursor}){after}"),
                    None => value.clone(),
                },
                _ => value.clone(),
            };
            query.append_pair(name, &value);
        }
        format!("{}?{}", self.path, query.finish()).parse().ok()
    }
}

/// The cursor within a `fields` parameter, with what stands before and after `.after(CURSOR)`.
fn nested_cursor(fields: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = fields.split_once(".after(")?;
    let (cursor, after) = rest.split_once(')')?;
    Some((before, cursor, after))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn call(address: &str) -> Call {
        Call::of(&address.parse().unwrap())
    }

    #[test]
    fn cursors_are_found_wherever_each_api_has_them() {
        for (address, cursor) in [
            ("/v25.0/17/top_media?after=QV%3D", Some("QV=")),
            (
                "/v25.0/1?fields=business_discovery.username(a){media.limit(3).after(QVE){id}}",
                Some("QVE"),
            ),
            ("/2/statuses/home_timeline.json?max_id=7", Some("7")),
            ("/2/search/topics.json?q=a&page=3", Some("3")),
            ("/2/search/topics.json?q=a&page=1", None),
            ("/2/search/topics.json?q=a", None),
        ] {
            assert_eq!(call(address).cursor(), cursor, "{address}");
        }
    }

    #[test]
    fn pages_of_one_stream_have_its_name() {
        for (first, other) in [
            (
                "/v25.0/17/top_media?limit=3",
                "/v25.0/17/top_media?limit=3&after=QV",
            ),
            (
                "/v25.0/1?fields=business_discovery.username(a){media.limit(3){id}}",
                "/v25.0/1?fields=business_discovery.username(a){media.limit(3).after(QV){id}}",
            ),
            (
                "/2/search/topics.json?q=a",
                "/2/search/topics.json?q=a&page=3",
            ),
        ] {
            assert_eq!(call(first).stream(), call(other).stream());
        }
        let stream = |q: &str| call(&format!("/2/search/topics.json?q={q}")).stream();
        assert_ne!(stream("a"), stream("b"));
    }

    #[test]
    fn another_cursor_takes_the_place_of_the_first() {
        let nested = call("/v25.0/1?fields=business_discovery.username(a){media.after(QV){id}}");
        let changed = Call::of(&nested.with_cursor("dead").unwrap());
        assert_eq!(changed.cursor(), Some("dead"));
        assert_eq!(changed.stream(), nested.stream());
    }
}
