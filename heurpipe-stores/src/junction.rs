//! Filters as a server's queries see them: negations carried inwards, and like joined with like, since servers allow only so many within each other.

use heurpipe_core::Filter;

/// Whether a filter, or its opposite, asks for all of its parts, and not for any.
pub(crate) fn asks_for_all(filter: &Filter, opposite: bool) -> bool {
    matches!(filter, Filter::And(_)) != opposite
}

/// The parts of a filter, and of parts that ask for all or for any as it does; each with whether its opposite is meant.
pub(crate) fn parts(filter: &Filter, opposite: bool, all: bool) -> Vec<(&Filter, bool)> {
    let mut found = Vec::new();
    collect(filter, opposite, all, &mut found);
    found
}

fn collect<'a>(filter: &'a Filter, opposite: bool, all: bool, found: &mut Vec<(&'a Filter, bool)>) {
    match filter {
        Filter::Not(inner) => collect(inner, !opposite, all, found),
        Filter::And(filters) | Filter::Or(filters) if asks_for_all(filter, opposite) == all => {
            filters
                .iter()
                .for_each(|part| collect(part, opposite, all, found));
        }
        _ => found.push((filter, opposite)),
    }
}
