//! What broken attempts have brought of a body, and how the rest is asked for.

use reqwest::Response;
use reqwest::header::{
    ACCEPT_RANGES, CONTENT_RANGE, DATE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_RANGE,
    LAST_MODIFIED, RANGE,
};

/// The beginning of a body.
#[derive(Debug, Default)]
pub(super) struct Partial {
    pub(super) bytes: Vec<u8>,
    /// What the host calls the version that the bytes are of; none: the rest cannot be asked for.
    version: Option<HeaderValue>,
    /// How many bytes the whole has, where the host says so.
    total: Option<u64>,
}

impl Partial {
    /// The headers that ask for the rest, if it is still of the same version. None, when all of it has to be asked for.
    pub(super) fn asks_for_rest(&self) -> Option<[(HeaderName, HeaderValue); 2]> {
        let version = self.version.clone().filter(|_| !self.bytes.is_empty())?;
        let range = HeaderValue::try_from(format!("bytes={}-", self.bytes.len())).ok()?;
        Some([(RANGE, range), (IF_RANGE, version)])
    }

    /// Begins anew with a whole body.
    pub(super) fn begin(&mut self, whole: &Response) {
        self.bytes.clear();
        self.version = version(whole.headers());
        self.total = whole.content_length();
    }

    /// Forgets what is there.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether a part is the one that follows on what is there; notes how long the whole is.
    pub(super) fn is_continued_by(&mut self, part: &Response) -> bool {
        let range = part.headers().get(CONTENT_RANGE);
        let Some(range) = range.and_then(|value| ContentRange::parse(value.to_str().ok()?)) else {
            return false;
        };
        let is_same = match (self.total, range.total) {
            (Some(known), Some(told)) => known == told,
            _ => true,
        };
        self.total = self.total.or(range.total);
        is_same && range.first == self.bytes.len() as u64
    }

    /// Whether the whole is there, as far as its length is known.
    pub(super) fn is_whole(&self) -> bool {
        self.total
            .is_none_or(|total| total == self.bytes.len() as u64)
    }
}

/// A name of the version that two bodies share only if they are the same byte for byte (RFC 9110, 8.8): a strong entity tag, else a time
/// of change that lies before the answer, so that it cannot have changed once more within the same second.
fn version(headers: &HeaderMap) -> Option<HeaderValue> {
    let refuses_ranges = headers
        .get(ACCEPT_RANGES)
        .is_some_and(|unit| unit.as_bytes().eq_ignore_ascii_case(b"none"));
    if refuses_ranges {
        return None;
    }
    if let Some(tag) = headers.get(ETAG) {
        let is_strong = tag.as_bytes().starts_with(b"\"");
        return is_strong.then(|| tag.clone());
    }
    let changed = headers.get(LAST_MODIFIED)?;
    let is_settled = time(changed)? < time(headers.get(DATE)?)?;
    is_settled.then(|| changed.clone())
}

fn time(value: &HeaderValue) -> Option<jiff::Timestamp> {
    let time = jiff::fmt::rfc2822::parse(value.to_str().ok()?).ok()?;
    Some(time.timestamp())
}

/// `bytes 100-199/200`, or with `*` for an unknown total.
struct ContentRange {
    first: u64,
    total: Option<u64>,
}

impl ContentRange {
    fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
        let (first, _) = range.split_once('-')?;
        let total = match total {
            "*" => None,
            total => Some(total.parse().ok()?),
        };
        Some(Self {
            first: first.trim().parse().ok()?,
            total,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(HeaderName, &'static str)| {
            (name.clone(), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn only_a_version_that_vouches_for_every_byte_counts() {
        let changed = (LAST_MODIFIED, "Fri, 01 May 2026 10:00:00 GMT");
        for (given, expected) in [
            (vec![(ETAG, "\"a\"")], Some("\"a\"")),
            (vec![(ETAG, "W/\"a\"")], None),
            (vec![(ETAG, "\"a\""), (ACCEPT_RANGES, "none")], None),
            (
                vec![(ETAG, "\"a\""), (ACCEPT_RANGES, "bytes")],
                Some("\"a\""),
            ),
            (vec![(ACCEPT_RANGES, "bytes")], None),
            (vec![changed.clone()], None),
            (
                vec![changed.clone(), (DATE, "Fri, 01 May 2026 10:00:00 GMT")],
                None,
            ),
            (
                vec![changed.clone(), (DATE, "Fri, 01 May 2026 10:00:02 GMT")],
                Some("Fri, 01 May 2026 10:00:00 GMT"),
            ),
        ] {
            let version = version(&headers(&given));
            let version = version.as_ref().map(|v| v.to_str().unwrap());
            assert_eq!(version, expected, "{given:?}");
        }
    }

    #[test]
    fn ranges_are_read() {
        let read = |text| ContentRange::parse(text).map(|range| (range.first, range.total));
        assert_eq!(read("bytes 100-199/200"), Some((100, Some(200))));
        assert_eq!(read("bytes 0-9/*"), Some((0, None)));
        for text in [
            "bytes */200",
            "items 0-9/10",
            "bytes 0-9",
            "bytes a-9/10",
            "",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
