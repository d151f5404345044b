//! The keys that occur at the beginning of a JSON text, as far as it goes.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Deeper keys tell nothing more.
const DEPTH: usize = 8;

/// Paths of keys, as `data.cards[].mblog.id`; `[]` stands for any element of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Keys(BTreeSet<String>);

impl Keys {
    /// Those of a text's first value. That the text ends in its midst is no matter.
    pub(crate) fn of(text: &str) -> Self {
        let found = RefCell::new(BTreeSet::new());
        let seed = Collect {
            path: String::new(),
            depth: 0,
            found: &found,
        };
        // How it ends says nothing about the keys that came before.
        let _ = seed.deserialize(&mut serde_json::Deserializer::from_str(text));
        Self(found.into_inner())
    }

    /// Those of the elements of a list.
    pub(crate) fn of_elements(text: &str) -> Self {
        let of_list = Self::of(text);
        let inner = |path: &String| path.strip_prefix("[].").map(str::to_owned);
        Self(of_list.0.iter().filter_map(inner).collect())
    }

    /// Whether all of these paths occur.
    pub(crate) fn have(&self, paths: &[&str]) -> bool {
        paths.iter().all(|path| self.0.contains(*path))
    }

    /// Whether one of these names occurs as a key, at whatever depth.
    pub(crate) fn mention(&self, names: &[&str]) -> bool {
        self.0.iter().any(|path| {
            let last = path.rsplit('.').next().unwrap_or(path);
            names.contains(&last.trim_end_matches("[]"))
        })
    }
}

struct Collect<'a> {
    path: String,
    depth: usize,
    found: &'a RefCell<BTreeSet<String>>,
}

impl Collect<'_> {
    fn below(&self, path: String) -> Self {
        Self {
            path,
            depth: self.depth + 1,
            found: self.found,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Collect<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.depth > DEPTH {
            return deserializer.deserialize_ignored_any(IgnoredAny).map(drop);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Collect<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let path = match self.path.as_str() {
                "" => key,
                above => format!("{above}.{key}"),
            };
            self.found.borrow_mut().insert(path.clone());
            map.next_value_seed(self.below(path))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let path = format!("{}[]", self.path);
        while list.next_element_seed(self.below(path.clone()))?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
