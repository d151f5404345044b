//! One JSON value, cut into the elements of its lists while it is read.

use std::fmt;
use std::io::{BufReader, Read};
use std::ops::ControlFlow;

use heurpipe_core::Result;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::super::container::{Guard, TOO_LONG, io};
use super::{Cut, Item, Role, Take};

const BUFFER: usize = 64 * 1024;

/// Cuts a list into its elements.
pub(super) fn cut_list(reader: &mut dyn Read, limit: u64, take: &mut Take<'_>) -> Result<()> {
    run(reader, limit, take, |cutter, value| {
        value.deserialize_any(List { cutter, path: None })
    })
}

/// Cuts an object into the elements of some of its lists and some of its members; with no lists it is one item.
pub(super) fn cut_object(
    reader: &mut dyn Read,
    lists: &'static [&'static str],
    members: &'static [&'static str],
    limit: u64,
    take: &mut Take<'_>,
) -> Result<()> {
    run(reader, limit, take, |cutter, value| {
        if lists.is_empty() {
            let whole = Box::<RawValue>::deserialize(value)?;
            return cutter.give(String::new(), Role::Whole, &whole);
        }
        value.deserialize_any(Object {
            cutter,
            lists,
            members,
            path: String::new(),
        })
    })
}

/// Gives what stands under some keys of an object, and passes over the rest.
pub(super) fn cut_members(
    reader: &mut dyn Read,
    members: &'static [&'static str],
    limit: u64,
    take: &mut Take<'_>,
) -> Result<()> {
    run(reader, limit, take, |cutter, value| {
        value.deserialize_any(Object {
            cutter,
            lists: &[],
            members,
            path: String::new(),
        })
    })
}

type Value<'r> = serde_json::Deserializer<serde_json::de::IoRead<Box<dyn Read + 'r>>>;

fn run(
    reader: &mut dyn Read,
    limit: u64,
    take: &mut Take<'_>,
    cutting: impl FnOnce(&mut Cutter<'_, '_>, &mut Value<'_>) -> serde_json::Result<()>,
) -> Result<()> {
    let guard = Guard::new(limit);
    let guarded = BufReader::with_capacity(BUFFER, guard.reader(reader));
    let mut value = serde_json::Deserializer::from_reader(Box::new(guarded) as Box<dyn Read>);
    let mut cutter = Cutter {
        guard: guard.clone(),
        take,
        is_enough: false,
    };
    let outcome = cutting(&mut cutter, &mut value).and_then(|()| {
        cutter.guard.pass_over();
        value.end()
    });
    let Err(error) = outcome else {
        return Ok(());
    };
    if cutter.is_enough {
        return Ok(());
    }
    let place = format!("{}:{}", error.line(), error.column());
    let reason = format!("the JSON cannot be read any further: {error}");
    if error.is_io() && !error.to_string().contains(TOO_LONG) {
        return Err(io(
            "archive.read",
            "the file cannot be read on",
            error.into(),
        ));
    }
    // What came before has been given; after the place where the value breaks off nothing can be made out.
    let _ = (cutter.take)(Cut::Unreadable {
        place,
        reason,
        payload: "",
    });
    Ok(())
}

struct Cutter<'c, 't> {
    guard: Guard,
    take: &'c mut Take<'t>,
    /// Whoever takes the items wants no more.
    is_enough: bool,
}

impl Cutter<'_, '_> {
    fn give<E: serde::de::Error>(
        &mut self,
        place: String,
        role: Role<'_>,
        json: &RawValue,
    ) -> std::result::Result<(), E> {
        self.hand_on(Cut::Item(Item { place, role, json }))
    }

    fn hand_on<E: serde::de::Error>(&mut self, cut: Cut<'_>) -> std::result::Result<(), E> {
        match (self.take)(cut) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => {
                self.is_enough = true;
                Err(E::custom("no more is wanted"))
            }
        }
    }
}

/// An object whose lists are cut.
struct Object<'v, 'c, 't> {
    cutter: &'v mut Cutter<'c, 't>,
    lists: &'static [&'static str],
    members: &'static [&'static str],
    /// The keys that led here, with a dot after each.
    path: String,
}

impl<'de> Visitor<'de> for Object<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let path = format!("{}{key}", self.path);
            self.cutter.guard.begin();
            if let Some(list) = known(self.lists, &path) {
                map.next_value_seed(List {
                    cutter: &mut *self.cutter,
                    path: Some(list),
                })?;
            } else if let Some(member) = known(self.members, &path) {
                let value = map.next_value::<Box<RawValue>>()?;
                let role = Role::Member(member);
                self.cutter.give(member.to_owned(), role, &value)?;
            } else if self.lists.iter().any(|list| leads_to(&path, list)) {
                map.next_value_seed(Object {
                    cutter: &mut *self.cutter,
                    lists: self.lists,
                    members: self.members,
                    path: format!("{path}."),
                })?;
            } else {
                self.cutter.guard.pass_over();
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Object<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> std::result::Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// A list that is cut into its elements.
struct List<'v, 'c, 't> {
    cutter: &'v mut Cutter<'c, 't>,
    /// Where it stands; none: it is the whole.
    path: Option<&'static str>,
}

impl<'de> Visitor<'de> for List<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<(), A::Error> {
        let role = self.path.map_or(Role::Whole, Role::Element);
        let path = self.path.unwrap_or_default();
        for number in 0_usize.. {
            self.cutter.guard.begin();
            let Some(element) = list.next_element::<Box<RawValue>>()? else {
                break;
            };
            let place = format!("{path}[{number}]");
            self.cutter.give(place, role, &element)?;
        }
        Ok(())
    }

    // Where a list may be missing.
    fn visit_unit<E>(self) -> std::result::Result<(), E> {
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for List<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> std::result::Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

fn known(paths: &[&'static str], path: &str) -> Option<&'static str> {
    paths.iter().find(|known| **known == path).copied()
}

fn leads_to(path: &str, list: &str) -> bool {
    list.strip_prefix(path)
        .is_some_and(|rest| rest.starts_with('.'))
}
