//! What each use case has made of a post.

use std::fmt;
use std::iter::Map;
use std::ops::Index;
use std::slice::Iter;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::record::State;

/// The state of a record for each use case that knows it, by the use case's name, in order of the names.
///
/// A map for the one or two use cases that a post has: it lies in one piece of memory. Written as a JSON object.
///
/// ```
/// use heurpipe_core::{State, States};
///
/// let mut states = States::default();
/// states.insert("trends".to_owned(), State::Delivered);
/// states.insert("catalog".to_owned(), State::Pending { delivered: false });
/// assert_eq!(states["trends"], State::Delivered);
/// let names: Vec<&str> = states.iter().map(|(name, _)| name.as_str()).collect();
/// assert_eq!(names, ["catalog", "trends"]);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct States(Vec<(String, State)>);

impl States {
    /// No state yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn place(&self, use_case: &str) -> Result<usize, usize> {
        self.0
            .binary_search_by(|(name, _)| name.as_str().cmp(use_case))
    }

    /// The state for a use case.
    pub fn get(&self, use_case: &str) -> Option<&State> {
        self.place(use_case).ok().map(|place| &self.0[place].1)
    }

    /// The state for a use case, to be changed.
    pub fn get_mut(&mut self, use_case: &str) -> Option<&mut State> {
        self.place(use_case).ok().map(|place| &mut self.0[place].1)
    }

    /// Whether a use case knows the record.
    pub fn contains_key(&self, use_case: &str) -> bool {
        self.place(use_case).is_ok()
    }

    /// Enters the state for a use case; gives back the earlier one.
    pub fn insert(&mut self, use_case: String, state: State) -> Option<State> {
        match self.place(&use_case) {
            Ok(place) => Some(std::mem::replace(&mut self.0[place].1, state)),
            Err(place) => {
                // Most records have one state for ever.
                self.0.reserve_exact(1);
                self.0.insert(place, (use_case, state));
                None
            }
        }
    }

    /// Takes the state for a use case away.
    pub fn remove(&mut self, use_case: &str) -> Option<State> {
        self.place(use_case)
            .ok()
            .map(|place| self.0.remove(place).1)
    }

    /// The states with the names of their use cases, in order of these.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &State)> {
        self.into_iter()
    }
}

impl Index<&str> for States {
    type Output = State;

    /// The state for a use case.
    ///
    /// # Panics
    /// When the use case does not know the record.
    fn index(&self, use_case: &str) -> &State {
        match self.get(use_case) {
            Some(state) => state,
            None => panic!("the record has no state for {use_case}"),
        }
    }
}

impl IntoIterator for States {
    type Item = (String, State);
    type IntoIter = std::vec::IntoIter<(String, State)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a States {
    type Item = (&'a String, &'a State);
    type IntoIter = Map<Iter<'a, (String, State)>, fn(&'a (String, State)) -> Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(name, state)| (name, state))
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for States {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for States {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = States;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("states by use case")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<States, A::Error> {
        let mut states = States::default();
        while let Some((use_case, state)) = map.next_entry()? {
            states.insert(use_case, state);
        }
        Ok(states)
    }
}
