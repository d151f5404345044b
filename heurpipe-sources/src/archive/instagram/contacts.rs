//! Keeps payloads without the ways to reach an author: mail, telephone, street.

use std::borrow::Cow;

use heurpipe_core::Raw;
use serde_json::value::RawValue;

use super::super::format::{Options, raw};
use super::json;

/// Removed wherever they stand.
const CONTACTS: &[&str] = &[
    "address_street",
    "business_address_json",
    "business_email",
    "business_phone_number",
    "contact_phone_number",
    "public_email",
    "public_phone_country_code",
    "public_phone_number",
];

/// Removed from accounts: elsewhere they tell of the place that is tagged.
const WHEREABOUTS: &[&str] = &["city_name", "latitude", "longitude", "zip"];

/// Deeper than any payload nests its accounts.
const DEPTH: usize = 64;

/// What is kept of a payload: all of it, untouched, unless it holds contacts that the operator does not want.
pub(super) fn kept(json: &RawValue, options: &Options) -> Raw {
    let without = (!options.keeps_contacts).then(|| without_contacts(json, 0));
    match without.flatten().map(RawValue::from_string) {
        Some(Ok(clean)) => Raw::new(clean),
        _ => raw(json),
    }
}

/// The text without contacts; none when there are none in it.
fn without_contacts(json: &RawValue, depth: usize) -> Option<String> {
    let mentions = |keys: &[&str]| keys.iter().any(|key| json.get().contains(key));
    if depth > DEPTH || !(mentions(CONTACTS) || mentions(WHEREABOUTS)) {
        return None;
    }
    let cleaned = |json| cleaned(json, depth + 1);
    if let Some(members) = json::members(json) {
        let is_account = members.iter().any(|(key, _)| key == "username");
        let is_kept =
            |key: &str| !CONTACTS.contains(&key) && !(is_account && WHEREABOUTS.contains(&key));
        let cleaned: Vec<_> = members
            .iter()
            .filter(|(key, _)| is_kept(key))
            .map(|(key, value)| (key.as_ref(), cleaned(value)))
            .collect();
        let changes = cleaned.len() < members.len()
            || cleaned
                .iter()
                .any(|(_, value)| matches!(value, Cow::Owned(_)));
        return changes.then(|| json::object(cleaned.iter().map(|(k, v)| (*k, v.as_ref()))));
    }
    let cleaned: Vec<_> = json::elements(json)?.into_iter().map(cleaned).collect();
    let changes = cleaned.iter().any(|value| matches!(value, Cow::Owned(_)));
    changes.then(|| format!("[{}]", cleaned.join(",")))
}

fn cleaned(json: &RawValue, depth: usize) -> Cow<'_, str> {
    without_contacts(json, depth).map_or(Cow::Borrowed(json.get()), Cow::Owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn kept_of(json: &str, keeps_contacts: bool) -> String {
        let json: Box<RawValue> = serde_json::from_str(json).unwrap();
        let options = Options {
            keeps_contacts,
            ..Options::default()
        };
        kept(&json, &options).as_str().to_owned()
    }

    #[test]
    fn contacts_go_and_all_else_stays_as_it_is_written() {
        let json = r#"{"pk": 3123724930722523505.0,"users":[{"username":"mara","latitude":45.1,"public_email":"m@example.org","b":1e2}],"location":{"latitude":1.50}}"#;
        assert_eq!(
            kept_of(json, false),
            r#"{"pk":3123724930722523505.0,"users":[{"username":"mara","b":1e2}],"location":{"latitude":1.50}}"#
        );
        assert_eq!(kept_of(json, true), json);
    }

    #[test]
    fn what_has_none_stays_byte_for_byte() {
        let json = r#"{ "text":"write to public_email" , "location":{"city_name":"Lund"} }"#;
        assert_eq!(kept_of(json, false), json);
    }
}
