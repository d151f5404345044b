//! Reading fields whose JSON type varies from answer to answer.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

#[cfg(feature = "weibo")]
use crate::place;

/// Reads an item that must be an object: a list of values would pass for one whose fields stand in order.
pub(crate) fn object<T: DeserializeOwned>(item: &RawValue) -> Result<T, String> {
    if !item.get().starts_with('{') {
        return Err("not an object".to_owned());
    }
    serde_json::from_str(item.get()).map_err(|error| error.to_string())
}

/// An id written as a string or as a number; empty and null are absent. Numbers are read as integers: 19 digits do not survive a double.
pub(crate) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Value::deserialize(deserializer).map(id_of)
}

fn id_of(value: Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}

/// An id, and how it was written.
#[cfg(feature = "weibo")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Id {
    /// As a text: nobody on its way can have rounded it.
    Text(String),
    /// As a number.
    Number(String),
}

#[cfg(feature = "weibo")]
impl Id {
    /// The one to believe of several spellings of one id, the more trusted first: texts go before numbers.
    pub(crate) fn of<'a>(spellings: &[&'a Option<Self>]) -> Option<&'a str> {
        let spellings = || spellings.iter().copied().flatten();
        let text = spellings().find(|id| matches!(id, Self::Text(_)));
        text.or_else(|| spellings().next()).map(Self::as_str)
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Text(id) | Self::Number(id) => id,
        }
    }
}

/// An id as [`id`] reads it, with how it was written.
#[cfg(feature = "weibo")]
pub(crate) fn spelt_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Id>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let is_text = value.is_string();
    let written = if is_text { Id::Text } else { Id::Number };
    Ok(id_of(value).map(written))
}

/// A whole number written as a number or as a text.
#[cfg(feature = "weibo")]
pub(crate) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    })
}

/// A point on earth, latitude and longitude each written as a number or as a text.
#[cfg(feature = "weibo")]
pub(crate) fn point(latitude: &Value, longitude: &Value) -> Option<(f64, f64)> {
    place::point(number(latitude)?, number(longitude)?)
}

/// A number written as a number or as a text.
#[cfg(feature = "weibo")]
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A count written as a number or as a text such as `123`, `100万+` or `1.2亿`. A negative one stands for hidden and is absent.
pub(crate) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(match Option::<Value>::deserialize(deserializer)? {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => count_of(&text),
        _ => None,
    })
}

/// A yes or no written as a boolean, as 0 or 1, or as a text of these, in whatever case (`"1"`, `True`).
#[cfg(feature = "weibo")]
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(match Option::<Value>::deserialize(deserializer)? {
        Some(Value::Bool(yes)) => Some(yes),
        Some(Value::Number(number)) => number.as_i64().map(|number| number != 0),
        Some(Value::String(text)) => match text.trim().to_ascii_lowercase().as_str() {
            "1" | "true" => Some(true),
            "0" | "false" => Some(false),
            _ => None,
        },
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

    #[cfg(feature = "weibo")]
    #[test]
    fn the_text_is_believed_where_spellings_contradict() {
        let text = |id: &str| Some(Id::Text(id.to_owned()));
        let number = |id: &str| Some(Id::Number(id.to_owned()));
        for (spellings, believed) in [
            ([text("3"), text("2"), number("1")], Some("3")),
            ([None, text("2"), number("1")], Some("2")),
            ([number("3"), text("2"), number("1")], Some("2")),
            ([number("3"), None, text("1")], Some("1")),
            ([None, None, number("1")], Some("1")),
            ([None, None, None], None),
        ] {
            let [mid, idstr, id] = &spellings;
            assert_eq!(Id::of(&[mid, idstr, id]), believed, "{spellings:?}");
        }
    }

    #[cfg(feature = "weibo")]
    #[test]
    fn integers_may_be_texts() {
        #[derive(Deserialize)]
        struct Sample {
            #[serde(default, deserialize_with = "integer")]
            n: Option<i64>,
        }
        for (json, expected) in [
            (r#"{"n":-3}"#, Some(-3)),
            (r#"{"n":" 12 "}"#, Some(12)),
            (r#"{"n":"soon"}"#, None),
            (r#"{"n":1.5}"#, None),
            (r#"{"n":null}"#, None),
            (r#"{}"#, None),
        ] {
            let sample: Sample = serde_json::from_str(json).unwrap();
            assert_eq!(sample.n, expected, "{json}");
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

    #[cfg(feature = "weibo")]
    #[test]
    fn flags_come_in_several_spellings() {
        #[derive(Deserialize)]
        struct Flagged {
            #[serde(default, deserialize_with = "flag")]
            flag: Option<bool>,
        }
        for (json, expected) in [
            (r#"{"flag":true}"#, Some(true)),
            (r#"{"flag":"1"}"#, Some(true)),
            (r#"{"flag":"True"}"#, Some(true)),
            (r#"{"flag":0}"#, Some(false)),
            (r#"{"flag":"False"}"#, Some(false)),
            (r#"{"flag":"soon"}"#, None),
            (r#"{"flag":""}"#, None),
            (r#"{}"#, None),
        ] {
            let flagged: Flagged = serde_json::from_str(json).unwrap();
            assert_eq!(flagged.flag, expected, "{json}");
        }
    }
}
