//! JSON pointers (RFC 6901) in which `*` stands for every element of a list.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A place, or places, within a JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// The member of an object, or the element of a list by its number.
    Key(String),
    /// Every element of a list.
    Each,
}

impl Pointer {
    fn parse(text: &str) -> Option<Self> {
        let steps = text.strip_prefix('/')?.split('/').map(|step| match step {
            "*" => Step::Each,
            key => Step::Key(key.replace("~1", "/").replace("~0", "~")),
        });
        Some(Self(steps.collect()))
    }

    /// What stands there, in order. Nothing and null are nothing.
    pub(super) fn all<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        let mut found = vec![value];
        for step in &self.0 {
            found = match step {
                Step::Each => {
                    let lists = found.into_iter().filter_map(Value::as_array);
                    lists.flatten().collect()
                }
                Step::Key(key) => found.into_iter().filter_map(|at| child(at, key)).collect(),
            };
        }
        found.retain(|value| !value.is_null());
        found
    }

    /// The first thing that stands there.
    pub(super) fn first<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.all(value).into_iter().next()
    }

    /// As paths of keys are written by who looks at files: `post.images[].url`.
    pub(super) fn key_path(&self) -> String {
        let mut path = String::new();
        for step in &self.0 {
            match step {
                Step::Each => path.push_str("[]"),
                Step::Key(key) if path.is_empty() => path.push_str(key),
                Step::Key(key) => {
                    path.push('.');
                    path.push_str(key);
                }
            }
        }
        path
    }

    /// The column of a table that it names.
    pub(super) fn column(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Step::Key(key)] => Some(key),
            _ => None,
        }
    }
}

fn child<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => members.get(key),
        Value::Array(elements) => elements.get(key.parse::<usize>().ok()?),
        _ => None,
    }
}

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("a pointer begins with /, as /post/id: {text}"))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn pointers_find_members_elements_and_all_of_a_list() {
        let value = json!({"a/b": [{"c": 1}, {"c": null}, {"c": 3}], "n": null});
        let all = |text: &str| {
            let found = Pointer::parse(text).unwrap();
            found.all(&value).into_iter().cloned().collect::<Vec<_>>()
        };
        assert_eq!(all("/a~1b/*/c"), [json!(1), json!(3)]);
        assert_eq!(all("/a~1b/2/c"), [json!(3)]);
        assert_eq!(all("/n"), [json!(null); 0]);
        assert_eq!(all("/a~1b/c"), [json!(null); 0], "a list has no names");
        assert_eq!(Pointer::parse("a"), None);
        assert_eq!(Pointer::parse("/p/*/url").unwrap().key_path(), "p[].url");
    }
}
