//! JSON taken apart without being read: the pieces stay the text that they were, so that no number loses a digit.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object, in order; none when it is no object.
pub(super) fn members(json: &RawValue) -> Option<Vec<(Cow<'_, str>, &RawValue)>> {
    let members: Members<'_> = serde_json::from_str(json.get()).ok()?;
    Some(members.0)
}

/// The elements of a list; none when it is no list.
pub(super) fn elements(json: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(json.get()).ok()
}

/// The member of an object that stands under a key.
pub(super) fn member<'j>(json: &'j RawValue, key: &str) -> Option<&'j RawValue> {
    let (_, value) = members(json)?.into_iter().find(|(name, _)| name == key)?;
    (value.get() != "null").then_some(value)
}

/// An object of these members.
pub(super) fn object<'m>(members: impl Iterator<Item = (&'m str, &'m str)>) -> String {
    let members: Vec<String> = members
        .map(|(key, value)| format!("{}:{value}", serde_json::Value::from(key)))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// The object without some of its members.
///
/// # Errors
/// A sentence when it is no object.
pub(super) fn without(
    json: &RawValue,
    is_left_out: impl Fn(&str, &RawValue) -> bool,
) -> Result<Box<RawValue>, String> {
    let members = members(json).ok_or("not an object")?;
    let kept = members
        .iter()
        .filter(|(key, value)| !is_left_out(key, value))
        .map(|(key, value)| (key.as_ref(), value.get()));
    RawValue::from_string(object(kept)).map_err(|error| error.to_string())
}

struct Members<'j>(Vec<(Cow<'j, str>, &'j RawValue)>);

impl<'de: 'j, 'j> Deserialize<'de> for Members<'j> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    members.push((key, map.next_value()?));
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(InOrder).map(Self)
    }
}

/// Borrowed where the text has no escapes.
#[derive(Deserialize)]
struct Key<'j>(#[serde(borrow)] Cow<'j, str>);
