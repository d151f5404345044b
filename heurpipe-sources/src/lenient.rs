//! Reading fields whose JSON type varies from answer to answer.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// Reads an item that must be an object: a list of values would pass for one whose fields stand in order.
pub(crate) fn object<T: DeserializeOwned>(item: &RawValue) -> Result<T, String> {
    if !item.get().starts_with('{') {
        return Err("not an object".to_owned());
    }
    serde_json::from_str(item.get()).map_err(|error| error.to_string())
}

/// An id written as a string or as a number; empty and null are absent. Numbers are read as integers: 19 digits do not survive a double.
pub(crate) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Option::<Value>::deserialize(deserializer)? {
        Some(Value::String(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Some(Value::Number(number)) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    })
}

/// A count written as a number or as a text such as `123`, `100万+` or `1.2亿`. A negative one stands for hidden and is absent.
pub(crate) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(match Option::<Value>::deserialize(deserializer)? {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => count_of(&text),
        _ => None,
    })
}

/// A count written as a text; see [`count`].
pub(crate) fn count_of(text: &str) -> Option<u64> {
    let text = text.trim().trim_end_matches('+').replace(',', "");
    let (digits, unit) = match text.strip_suffix('万') {
        Some(digits) => (digits, 1e4),
        None => match text.strip_suffix('亿') {
            Some(digits) => (digits, 1e8),
            None => return text.parse().ok(),
        },
    };
    let number: f64 = digits.parse().ok()?;
    (number >= 0.0 && number.is_finite()).then(|| (number * unit).round() as u64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[derive(Deserialize)]
    struct Sample {
        #[serde(default, deserialize_with = "id")]
        id: Option<String>,
        #[serde(default, deserialize_with = "count")]
        count: Option<u64>,
    }

    fn read(json: &str) -> Sample {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn ids_keep_all_their_digits() {
        assert_eq!(
            read(r#"{"id":3123724930722523505}"#).id.as_deref(),
            Some("3123724930722523505")
        );
        assert_eq!(
            read(r#"{"id":" 4383183661430868 "}"#).id.as_deref(),
            Some("4383183661430868")
        );
        for absent in [
            r#"{}"#,
            r#"{"id":null}"#,
            r#"{"id":""}"#,
            r#"{"id":1.5}"#,
            r#"{"id":{}}"#,
        ] {
            assert_eq!(read(absent).id, None, "{absent}");
        }
    }

    #[test]
    fn counts_come_in_several_spellings() {
        for (json, count) in [
            (r#"{"count":31}"#, Some(31)),
            (r#"{"count":"31"}"#, Some(31)),
            (r#"{"count":"1,234"}"#, Some(1234)),
            (r#"{"count":"100万+"}"#, Some(1_000_000)),
            (r#"{"count":"123.4万"}"#, Some(1_234_000)),
            (r#"{"count":"1.2亿"}"#, Some(120_000_000)),
            (r#"{"count":-1}"#, None),
            (r#"{"count":"-3万"}"#, None),
            (r#"{"count":"many"}"#, None),
            (r#"{"count":null}"#, None),
        ] {
            assert_eq!(read(json).count, count, "{json}");
        }
    }
}
