//! What a pipeline consists of, checked and put in order before it runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::filter::{Filter, Predicate};
use crate::flat::{KEYWORD_FIELDS, NUMBER_FIELDS};
use crate::{Enricher, EnricherSpec, Error, ErrorKind, Granularity, Input, Result};

/// Enrichers that may run side by side: what they need was given before.
pub(crate) type Wave = Vec<Arc<dyn Enricher>>;

/// Puts enrichers in order of what they need and give; within that, the cheap before the dear.
///
/// A dear enricher that depends on nothing still waits for the cheap: its wave is the first in which nothing cheaper by ten times is left.
pub(crate) fn waves(enrichers: &[Arc<dyn Enricher>]) -> Result<Vec<Wave>> {
    check_names(enrichers)?;
    let givers = givers(enrichers)?;
    let mut left: Vec<Arc<dyn Enricher>> = enrichers.to_vec();
    left.sort_by(|a, b| {
        let cost = |e: &Arc<dyn Enricher>| e.spec().cost.cpu_ms();
        cost(a).total_cmp(&cost(b))
    });
    let mut done: BTreeSet<String> = BTreeSet::new();
    let mut waves = Vec::new();
    while !left.is_empty() {
        let (ready, blocked): (Vec<_>, Vec<_>) = left
            .into_iter()
            .partition(|e| wanted(e.spec(), &givers).is_subset(&done));
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
fn cheapest_first(ready: Vec<Arc<dyn Enricher>>) -> (Wave, Wave) {
    let cheapest = ready
        .iter()
        .map(|e| e.spec().cost.cpu_ms())
        .fold(f64::INFINITY, f64::min);
    ready
        .into_iter()
        .partition(|e| e.spec().cost.cpu_ms() <= cheapest * 10.0)
}

/// The names of the enrichers that must have run before this one.
fn wanted(spec: &EnricherSpec, givers: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    dependencies(spec)
        .iter()
        .filter_map(|attribute| givers.get(attribute))
        .flatten()
        .filter(|name| **name != spec.name)
        .cloned()
        .collect()
}

/// An enricher with all that depends on it, and all that those need.
pub(crate) fn around(
    enrichers: &[Arc<dyn Enricher>],
    name: &str,
) -> Result<Vec<Arc<dyn Enricher>>> {
    if !enrichers.iter().any(|e| e.spec().name == name) {
        let names: Vec<&str> = enrichers.iter().map(|e| e.spec().name.as_str()).collect();
        return Err(invalid("the pipeline has no enricher of this name")
            .with("enricher", name)
            .with("enrichers", names.join(", ")));
    }
    let givers = givers(enrichers)?;
    let mut kept = BTreeSet::from([name.to_owned()]);
    grow(&mut kept, enrichers, |spec, kept| {
        !wanted(spec, &givers).is_disjoint(kept)
    });
    grow(&mut kept, enrichers, |spec, kept| {
        enrichers
            .iter()
            .filter(|e| kept.contains(&e.spec().name))
            .any(|e| wanted(e.spec(), &givers).contains(&spec.name))
    });
    let is_kept = |e: &&Arc<dyn Enricher>| kept.contains(&e.spec().name);
    Ok(enrichers.iter().filter(is_kept).cloned().collect())
}

/// Adds the names of enricher after enricher that belongs to the set, until none does.
fn grow(
    kept: &mut BTreeSet<String>,
    enrichers: &[Arc<dyn Enricher>],
    belongs: impl Fn(&EnricherSpec, &BTreeSet<String>) -> bool,
) {
    loop {
        let more: Vec<String> = enrichers
            .iter()
            .map(|e| e.spec())
            .filter(|spec| !kept.contains(&spec.name) && belongs(spec, kept))
            .map(|spec| spec.name.clone())
            .collect();
        if more.is_empty() {
            return;
        }
        kept.extend(more);
    }
}

/// The attributes that an enricher's work depends on: its needs and what its condition looks at.
pub(crate) fn dependencies(spec: &EnricherSpec) -> BTreeSet<String> {
    let mut attributes: BTreeSet<String> = spec.needs.iter().cloned().collect();
    if let Some(filter) = &spec.when {
        collect_fields(filter, &mut attributes);
    }
    attributes
}

fn collect_fields(filter: &Filter, fields: &mut BTreeSet<String>) {
    match filter {
        Filter::All => {}
        Filter::Not(inner) => collect_fields(inner, fields),
        Filter::And(parts) | Filter::Or(parts) => {
            for part in parts {
                collect_fields(part, fields);
            }
        }
        Filter::Test(Predicate::Keyword { field, .. } | Predicate::Number { field, .. }) => {
            fields.insert(field.clone());
        }
        Filter::Test(Predicate::Time { .. } | Predicate::Text { .. }) => {}
    }
}

fn check_names(enrichers: &[Arc<dyn Enricher>]) -> Result<()> {
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

fn givers(enrichers: &[Arc<dyn Enricher>]) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut givers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for enricher in enrichers {
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

fn cycle(blocked: &[Arc<dyn Enricher>]) -> Error {
    let names: Vec<&str> = blocked.iter().map(|e| e.spec().name.as_str()).collect();
    invalid("enrichers need one another in a circle").with("enrichers", names.join(", "))
}

pub(crate) fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::Config, "pipeline.build").message(message)
}

/// What a pipeline will do, for people: printed by `heurpipe plan`.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// The pipeline's name.
    pub pipeline: String,
    /// The stages in order.
    pub stages: Vec<PlannedStage>,
}

/// One stage of a plan.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct PlannedStage {
    /// `source`, `media`, `enrich`, `gate` or `sink`.
    pub kind: &'static str,
    /// Its name, as in reports.
    pub name: String,
    /// Enrichers of one wave run side by side.
    pub wave: Option<usize>,
    /// What it does, in a line.
    pub detail: String,
    /// Estimated CPU-milliseconds an item.
    pub cpu_ms: Option<f64>,
}

impl PlannedStage {
    pub(crate) fn new(kind: &'static str, name: &str, detail: String) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            wave: None,
            detail,
            cpu_ms: None,
        }
    }

    pub(crate) fn enricher(spec: &EnricherSpec, wave: usize) -> Self {
        let item = match (spec.granularity, &spec.input) {
            (Granularity::Post, _) => "post".to_owned(),
            (Granularity::Media, Input::Pixels(p)) => {
                format!("picture at {}x{}", p.width, p.height)
            }
            (Granularity::Media, _) => "picture".to_owned(),
            (Granularity::Region, _) => "region".to_owned(),
        };
        let mut detail = format!("each {item} -> {}", spec.gives.join(", "));
        if !spec.needs.is_empty() {
            detail.push_str(&format!(", needs {}", spec.needs.join(", ")));
        }
        if let Some(filter) = &spec.when {
            detail.push_str(&format!(", when {filter}"));
        }
        detail.push_str(&format!(" [{} {}]", spec.version, spec.fingerprint));
        Self {
            wave: Some(wave),
            cpu_ms: Some(spec.cost.cpu_ms()),
            ..Self::new("enrich", &spec.name, detail)
        }
    }
}

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "pipeline {}", self.pipeline)?;
        for stage in &self.stages {
            let wave = stage.wave.map(|w| format!(" {w}")).unwrap_or_default();
            let cost = stage
                .cpu_ms
                .map(|ms| format!("  ~{ms} cpu-ms"))
                .unwrap_or_default();
            let kind = format!("{}{wave}", stage.kind);
            writeln!(f, "  {kind:<9} {:<16} {}{cost}", stage.name, stage.detail)?;
        }
        Ok(())
    }
}
