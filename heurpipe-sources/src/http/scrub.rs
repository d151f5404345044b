//! Keeping credentials out of what is logged, shown or stored.

use std::borrow::Cow;

use heurpipe_core::Raw;
use serde_json::value::RawValue;

/// Names whose values are secret, as they stand in queries and bodies.
const SECRET: [&str; 4] = [
    "access_token",
    "client_secret",
    "appsecret_proof",
    "fb_exchange_token",
];
const HIDDEN: &str = "***";

/// The text with the value of every secret parameter replaced by `***`, in queries (`access_token=…`, also percent-encoded) and in JSON
/// (`"access_token":"…"`). A text without any is given back as it is.
pub(crate) fn scrubbed(text: &str) -> Cow<'_, str> {
    if !SECRET.iter().any(|name| text.contains(name)) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, name)) = next_secret(rest) {
        let (before, after) = rest.split_at(at + name.len());
        clean.push_str(before);
        let assign = assignment(after);
        let (assign, value) = after.split_at(assign);
        clean.push_str(assign);
        if assign.is_empty() {
            rest = value;
            continue;
        }
        clean.push_str(HIDDEN);
        rest = &value[value_length(value)..];
    }
    clean.push_str(rest);
    Cow::Owned(clean)
}

/// A payload untouched, but for a token, should one stand in it.
pub(crate) fn scrubbed_payload(payload: &RawValue) -> Raw {
    let text = scrubbed(payload.get());
    let clean = RawValue::from_string(text.into_owned()).unwrap_or_else(|_| payload.to_owned());
    Raw::new(clean)
}

fn next_secret(text: &str) -> Option<(usize, &'static str)> {
    SECRET
        .iter()
        .filter_map(|name| text.find(name).map(|at| (at, *name)))
        .min()
}

/// The length of what stands between a name and its value.
fn assignment(after: &str) -> usize {
    for sign in ["=", "%3D", "%3d", "\":\"", "\": \"", "\\u003d"] {
        if after.starts_with(sign) {
            return sign.len();
        }
    }
    0
}

/// A value ends where no token goes on.
fn value_length(value: &str) -> usize {
    value
        .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.~|+/".contains(c)))
        .unwrap_or(value.len())
}

#[cfg(test)]
mod tests {
    use super::scrubbed;

    #[test]
    fn tokens_vanish_from_queries_and_json() {
        assert_eq!(
            scrubbed("https://host/v25.0/1/media?access_token=EAA_b-c|1&after=QV"),
            "https://host/v25.0/1/media?access_token=***&after=QV"
        );
        assert_eq!(
            scrubbed(r#"{"access_token": "EAAb", "next":"x?access_token=EAAb"}"#),
            r#"{"access_token": "***", "next":"x?access_token=***"}"#
        );
        assert_eq!(
            scrubbed("u=%3Faccess_token%3DEAAb%26limit"),
            "u=%3Faccess_token%3D***%26limit"
        );
    }

    #[test]
    fn other_texts_stay_as_they_are() {
        for text in ["", "no secret", "an access_token is missing"] {
            assert_eq!(scrubbed(text), text);
        }
    }
}
