//! Adding and taking away the conditions of a filter, as the links on pages do.

use heurpipe_core::Filter;
use heurpipe_core::filter::{Keyword, Predicate};

/// The conditions that all must hold.
pub(super) fn conditions(filter: &Filter) -> Vec<Filter> {
    match filter {
        Filter::All => Vec::new(),
        Filter::And(all) => all.clone(),
        one => vec![one.clone()],
    }
}

/// The filter without one of its [`conditions`].
pub(super) fn without(filter: &Filter, index: usize) -> Filter {
    let mut left = conditions(filter);
    if index < left.len() {
        left.remove(index);
    }
    together(left)
}

/// The filter without its condition on the values of a field.
pub(super) fn without_field(filter: &Filter, field: &str) -> Filter {
    match on_field(filter, field) {
        Some((index, _)) => without(filter, index),
        None => filter.clone(),
    }
}

/// Whether the filter accepts this very value of the field, among others.
pub(super) fn accepts(filter: &Filter, field: &str, value: &str) -> bool {
    let exact = Keyword::Exact(value.to_owned());
    on_field(filter, field).is_some_and(|(_, any_of)| any_of.contains(&exact))
}

/// Whether the filter has a condition on the values of a field.
pub(super) fn has_field(filter: &Filter, field: &str) -> bool {
    on_field(filter, field).is_some()
}

/// The filter that accepts the value too, or, where it did, no longer. Values of one field are alternatives.
pub(super) fn toggled(filter: &Filter, field: &str, value: &str) -> Filter {
    let exact = Keyword::Exact(value.to_owned());
    let mut all = conditions(filter);
    let Some((index, mut any_of)) = on_field(filter, field) else {
        return filter.clone().and(one_of(field, vec![exact]));
    };
    match any_of.iter().position(|keyword| *keyword == exact) {
        Some(known) => {
            any_of.remove(known);
        }
        None => any_of.push(exact),
    }
    if any_of.is_empty() {
        return without(filter, index);
    }
    all[index] = one_of(field, any_of);
    together(all)
}

/// The filter for one value of a field alone.
pub(super) fn only(field: &str, value: &str) -> Filter {
    one_of(field, vec![Keyword::Exact(value.to_owned())])
}

fn one_of(field: &str, any_of: Vec<Keyword>) -> Filter {
    Filter::Test(Predicate::Keyword {
        field: field.to_owned(),
        any_of,
    })
}

fn on_field(filter: &Filter, wanted: &str) -> Option<(usize, Vec<Keyword>)> {
    conditions(filter)
        .into_iter()
        .enumerate()
        .find_map(|(index, condition)| match condition {
            Filter::Test(Predicate::Keyword { field, any_of }) if field == wanted => {
                Some((index, any_of))
            }
            _ => None,
        })
}

fn together(conditions: Vec<Filter>) -> Filter {
    conditions.into_iter().fold(Filter::All, Filter::and)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn toggle(filter: &str, field: &str, value: &str) -> String {
        toggled(&filter.parse().unwrap(), field, value).to_string()
    }

    #[test]
    fn values_of_a_field_are_alternatives_and_toggling_twice_changes_nothing() {
        assert_eq!(toggle("", "brand", "miu miu"), "brand:\"miu miu\"");
        assert_eq!(
            toggle("colour:red likes:>=5", "colour", "pink"),
            "colour:pink,red likes:>=5"
        );
        assert_eq!(
            toggle("colour:pink,red likes:>=5", "colour", "pink"),
            "colour:red likes:>=5"
        );
        assert_eq!(toggle("colour:red likes:>=5", "colour", "red"), "likes:>=5");
        assert_eq!(toggle("colour:red", "colour", "red"), "");
    }

    #[test]
    fn alternatives_between_conditions_are_kept_whole() {
        assert_eq!(toggle("a:1 OR b:2", "a", "1"), "(a:1 OR b:2) a:1");
    }

    #[test]
    fn a_condition_is_taken_away_by_its_place_or_its_field() {
        let filter: Filter = "colour:red -garment:hat likes:>=5".parse().unwrap();
        assert_eq!(without(&filter, 1).to_string(), "colour:red likes:>=5");
        assert_eq!(
            without_field(&filter, "colour").to_string(),
            "-garment:hat likes:>=5"
        );
        assert_eq!(without_field(&filter, "garment"), filter);
    }
}
