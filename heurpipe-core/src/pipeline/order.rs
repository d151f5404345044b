//! In which order enrichers run: checked, and put into waves, before anything does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::near::NearDuplicates;
use super::stage::EnricherStage;
use crate::flat::{KEYWORD_FIELDS, NUMBER_FIELDS};
use crate::{Error, ErrorKind, Result};

/// Enrichers that may run side by side: what they need was given before.
pub(crate) type Wave = Vec<Arc<EnricherStage>>;

/// Puts enrichers in order of what they need and give; within that, the cheap before the dear.
///
/// A dear enricher that depends on nothing still waits for the cheap: its wave is the first in which nothing cheaper by ten times is left. What may
/// take over findings from near-duplicates waits until it is known what its picture looks like.
pub(crate) fn waves(
    enrichers: &[Arc<EnricherStage>],
    near: Option<&NearDuplicates>,
) -> Result<Vec<Wave>> {
    check_names(enrichers)?;
    let givers = givers(enrichers)?;
    let mut left: Vec<Arc<EnricherStage>> = enrichers.to_vec();
    left.sort_by(|a, b| {
        let cost = |e: &Arc<EnricherStage>| e.spec().cost.cpu_ms();
        cost(a).total_cmp(&cost(b))
    });
    let mut done: BTreeSet<String> = BTreeSet::new();
    let mut waves = Vec::new();
    while !left.is_empty() {
        let (ready, blocked): (Vec<_>, Vec<_>) = left
            .into_iter()
            .partition(|e| awaited(e, &givers, near).is_subset(&done));
        if ready.is_empty() {
            return Err(cycle(&blocked));
        }
        let (wave, later) = cheapest_first(ready);
        done.extend(wave.iter().map(|e| e.spec().name.clone()));
        left = later;
        left.extend(blocked);
        waves.push(wave);
    }
    Ok(waves)
}

/// Of the enrichers that could run, those that cost about as little as the cheapest.
fn cheapest_first(ready: Vec<Arc<EnricherStage>>) -> (Wave, Wave) {
    let cheapest = ready
        .iter()
        .map(|e| e.spec().cost.cpu_ms())
        .fold(f64::INFINITY, f64::min);
    ready
        .into_iter()
        .partition(|e| e.spec().cost.cpu_ms() <= cheapest * 10.0)
}

/// The names of the enrichers that must have run before this one.
fn wanted(stage: &EnricherStage, givers: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    stage
        .dependencies()
        .iter()
        .filter_map(|attribute| givers.get(attribute))
        .flatten()
        .filter(|name| **name != stage.spec().name)
        .cloned()
        .collect()
}

/// As [`wanted`], and those that say what its picture looks like, where it takes part in that.
fn awaited(
    stage: &EnricherStage,
    givers: &BTreeMap<String, BTreeSet<String>>,
    near: Option<&NearDuplicates>,
) -> BTreeSet<String> {
    let mut names = wanted(stage, givers);
    if let Some(near) = near.filter(|near| near.concerns(stage.spec())) {
        names.extend(givers.get(near.attribute()).into_iter().flatten().cloned());
    }
    names
}

/// An enricher with all that depends on it, and all that those wait for.
pub(crate) fn around(
    enrichers: &[Arc<EnricherStage>],
    near: Option<&NearDuplicates>,
    name: &str,
) -> Result<Vec<Arc<EnricherStage>>> {
    if !enrichers.iter().any(|e| e.spec().name == name) {
        let names: Vec<&str> = enrichers.iter().map(|e| e.spec().name.as_str()).collect();
        return Err(invalid("the pipeline has no enricher of this name")
            .with("enricher", name)
            .with("enrichers", names.join(", ")));
    }
    let givers = givers(enrichers)?;
    let mut kept = BTreeSet::from([name.to_owned()]);
    grow(&mut kept, enrichers, |stage, kept| {
        !wanted(stage, &givers).is_disjoint(kept)
    });
    grow(&mut kept, enrichers, |stage, kept| {
        enrichers
            .iter()
            .filter(|e| kept.contains(&e.spec().name))
            .any(|e| awaited(e, &givers, near).contains(&stage.spec().name))
    });
    let is_kept = |e: &&Arc<EnricherStage>| kept.contains(&e.spec().name);
    Ok(enrichers.iter().filter(is_kept).cloned().collect())
}

/// Adds the names of enricher after enricher that belongs to the set, until none does.
fn grow(
    kept: &mut BTreeSet<String>,
    enrichers: &[Arc<EnricherStage>],
    belongs: impl Fn(&EnricherStage, &BTreeSet<String>) -> bool,
) {
    loop {
        let more: Vec<String> = enrichers
            .iter()
            .filter(|stage| !kept.contains(&stage.spec().name) && belongs(stage, kept))
            .map(|stage| stage.spec().name.clone())
            .collect();
        if more.is_empty() {
            return;
        }
        kept.extend(more);
    }
}

fn check_names(enrichers: &[Arc<EnricherStage>]) -> Result<()> {
    let mut seen = BTreeSet::new();
    for enricher in enrichers {
        let spec = enricher.spec();
        if !seen.insert(&spec.name) {
            return Err(invalid("two enrichers have one name").with("enricher", &spec.name));
        }
        for attribute in &spec.gives {
            let reserved = KEYWORD_FIELDS.contains(&attribute.as_str())
                || NUMBER_FIELDS.contains(&attribute.as_str());
            if reserved {
                return Err(invalid(
                    "an enricher gives an attribute whose name is a field of every post",
                )
                .with("enricher", &spec.name)
                .with("attribute", attribute));
            }
        }
    }
    Ok(())
}

fn givers(enrichers: &[Arc<EnricherStage>]) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut givers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    // What shadows say counts for nobody, so nobody waits for them.
    for enricher in enrichers.iter().filter(|e| !e.spec().shadow) {
        for attribute in &enricher.spec().gives {
            givers
                .entry(attribute.clone())
                .or_default()
                .insert(enricher.spec().name.clone());
        }
    }
    for enricher in enrichers {
        let spec = enricher.spec();
        for attribute in &spec.needs {
            if !givers.contains_key(attribute) {
                return Err(invalid("an enricher needs an attribute that none gives")
                    .with("enricher", &spec.name)
                    .with("missing", attribute));
            }
        }
    }
    Ok(givers)
}

fn cycle(blocked: &[Arc<EnricherStage>]) -> Error {
    let names: Vec<&str> = blocked.iter().map(|e| e.spec().name.as_str()).collect();
    invalid("enrichers need one another in a circle").with("enrichers", names.join(", "))
}

pub(crate) fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::Config, "pipeline.build").message(message)
}
