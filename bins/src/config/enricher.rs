//! The enrichers of a use case: a name, or a name with settings.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

/// An enricher as a use case names it: `"garment"`, or `{ name = "style", when = "garment:dress" }`.
#[derive(Debug, Clone, PartialEq)]
pub struct EnricherUse {
    /// The enricher's name: a ready one's, or a model's.
    pub name: String,
    /// Only on posts that match this filter, which may speak of what other enrichers give. So a dear model runs only where a cheap one saw something.
    pub when: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    when: Option<String>,
}

impl From<&str> for EnricherUse {
    fn from(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            when: None,
        }
    }
}

impl Serialize for EnricherUse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.when.is_none() {
            return serializer.serialize_str(&self.name);
        }
        let settings = Settings {
            name: self.name.clone(),
            when: self.when.clone(),
        };
        settings.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for EnricherUse {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrSettings)
    }
}

struct NameOrSettings;

impl<'de> Visitor<'de> for NameOrSettings {
    type Value = EnricherUse;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an enricher's name, or a table with name and when")
    }

    fn visit_str<E>(self, name: &str) -> Result<EnricherUse, E> {
        Ok(name.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<EnricherUse, A::Error> {
        let settings = Settings::deserialize(MapAccessDeserializer::new(map))?;
        Ok(EnricherUse {
            name: settings.name,
            when: settings.when,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder {
        enrichers: Vec<EnricherUse>,
    }

    #[test]
    fn a_name_and_a_table_are_read_and_written_back() {
        let text = "enrichers = [\"garment\", { name = \"style\", when = \"garment:dress\" }]";
        let read: Holder = toml::from_str(text).unwrap();
        assert_eq!(read.enrichers[0], "garment".into());
        assert_eq!(read.enrichers[1].when.as_deref(), Some("garment:dress"));
        let written = toml::to_string(&read).unwrap();
        assert_eq!(toml::from_str::<Holder>(&written).unwrap(), read);
    }

    #[test]
    fn another_key_is_an_error_that_names_the_known_ones() {
        let text = "enrichers = [{ name = \"style\", wen = \"garment:dress\" }]";
        let error = toml::from_str::<Holder>(text).unwrap_err().to_string();
        assert!(
            error.contains("`wen`") && error.contains("`when`"),
            "{error}"
        );
    }
}
