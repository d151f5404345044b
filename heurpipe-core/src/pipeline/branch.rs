//! Branches: parts of a pipeline that are for some posts only.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::condition::{Condition, Test};
use super::stage::{EnricherStage, GateStage, SinkStage, StageOptions};
use crate::{Enricher, QualityGate, Sink};

/// Sends each post one way of several: the first case whose test it meets, else the rest. After the route the ways are one again.
///
/// ```
/// use heurpipe_core::testkit::{Collect, Posts};
/// use heurpipe_core::{Pipeline, Record, Route, RunOptions};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> heurpipe_core::Result<()> {
/// let (short, long, all) = (Collect::new("short"), Collect::new("long"), Collect::new("all"));
/// let by_length = Route::new("length")
///     .case("short", |record: &Record| record.post.text.len() < 10, |way| way.sink(short.clone()))
///     .otherwise("long", |way| way.sink(long.clone()));
/// let report = Pipeline::builder("sorted")
///     .source(Posts::texts(["a hat", "a long red summer dress"]))
///     .route(by_length)
///     .sink(all.clone())
///     .build()?
///     .run(RunOptions::default())
///     .await?;
/// assert_eq!(report.posts.delivered, 2);
/// assert_eq!((short.records().len(), long.records().len(), all.records().len()), (1, 1, 2));
/// # Ok(()) }
/// ```
#[must_use]
pub struct Route {
    name: String,
    cases: Vec<Case>,
}

/// One way: for whom, and what is on it. Without a test it is for the rest.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) test: Option<Test>,
    pub(super) branch: Branch,
}

impl Route {
    /// A route by this name, as yet without a way.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            cases: Vec::new(),
        }
    }

    /// A way for the posts that no earlier case has taken and that meet the test: a [`Filter`](crate::Filter) or a closure.
    pub fn case(
        mut self,
        name: impl Into<String>,
        test: impl Into<Test>,
        way: impl FnOnce(Branch) -> Branch,
    ) -> Self {
        self.cases.push(Case {
            name: name.into(),
            test: Some(test.into()),
            branch: way(Branch::default()),
        });
        self
    }

    /// The way of the posts that no case has taken.
    pub fn otherwise(
        mut self,
        name: impl Into<String>,
        way: impl FnOnce(Branch) -> Branch,
    ) -> Self {
        self.cases.push(Case {
            name: name.into(),
            test: None,
            branch: way(Branch::default()),
        });
        self
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn cases(&self) -> &[Case] {
        &self.cases
    }
}

/// Enrichers, gates, sinks and further routes in a row: a way of a [`Route`], or the trunk of a pipeline.
#[derive(Default)]
#[must_use]
pub struct Branch {
    parts: Vec<Part>,
}

enum Part {
    Enricher(Arc<dyn Enricher>, StageOptions),
    Gate(Arc<dyn QualityGate>, StageOptions),
    Sink {
        sink: Arc<dyn Sink>,
        options: StageOptions,
        tee: bool,
    },
    Route(Route),
}

impl Branch {
    /// Adds an enricher; the order follows from what each needs and gives.
    pub fn enrich(self, enricher: impl Enricher + 'static) -> Self {
        self.enrich_with(enricher, StageOptions::default())
    }

    /// Adds an enricher that is called in a way of its own.
    pub fn enrich_with(mut self, enricher: impl Enricher + 'static, options: StageOptions) -> Self {
        self.parts.push(Part::Enricher(Arc::new(enricher), options));
        self
    }

    /// Adds a gate; a record passes all of them in order.
    pub fn gate(self, gate: impl QualityGate + 'static) -> Self {
        self.gate_with(gate, StageOptions::default())
    }

    /// Adds a gate that is called in a way of its own.
    pub fn gate_with(mut self, gate: impl QualityGate + 'static, options: StageOptions) -> Self {
        self.parts.push(Part::Gate(Arc::new(gate), options));
        self
    }

    /// Adds a sink. A post is delivered when each sink that wants it has it.
    pub fn sink(self, sink: impl Sink + 'static) -> Self {
        self.sink_with(sink, StageOptions::default())
    }

    /// Adds a sink that is called in a way of its own.
    pub fn sink_with(self, sink: impl Sink + 'static, options: StageOptions) -> Self {
        self.add_sink(Arc::new(sink), options, false)
    }

    /// Adds a side output: it gets every record that settles here, whatever becomes of it, and has no say in that. What it refuses is
    /// counted and logged.
    pub fn tee(self, sink: impl Sink + 'static) -> Self {
        self.add_sink(Arc::new(sink), StageOptions::default(), true)
    }

    /// Adds a route.
    pub fn route(mut self, route: Route) -> Self {
        self.parts.push(Part::Route(route));
        self
    }

    fn add_sink(mut self, sink: Arc<dyn Sink>, options: StageOptions, tee: bool) -> Self {
        self.parts.push(Part::Sink { sink, options, tee });
        self
    }
}

/// All stages of a pipeline, each with the condition of the branch that it stands in.
#[derive(Default)]
pub(super) struct Stages {
    pub(super) enrichers: Vec<Arc<EnricherStage>>,
    pub(super) gates: Vec<GateStage>,
    pub(super) sinks: Vec<SinkStage>,
    /// Routes and their cases, by name, for checking.
    pub(super) routes: Vec<(String, Vec<String>)>,
    known: BTreeSet<String>,
}

impl Stages {
    /// The stages of a trunk.
    pub(super) fn of(trunk: &Branch) -> Self {
        let mut stages = Self::default();
        stages.add(trunk, &Condition::default());
        stages
    }

    fn add(&mut self, branch: &Branch, condition: &Condition) {
        for part in &branch.parts {
            match part {
                Part::Enricher(enricher, options) => {
                    self.known.extend(enricher.spec().gives.iter().cloned());
                    let enricher = Arc::clone(enricher);
                    let stage = EnricherStage::new(enricher, condition, options.clone());
                    self.enrichers.push(Arc::new(stage));
                }
                Part::Gate(gate, options) => self.gates.push(GateStage {
                    gate: Arc::clone(gate),
                    condition: condition.clone(),
                    options: options.clone(),
                }),
                Part::Sink { sink, options, tee } => self.sinks.push(SinkStage {
                    sink: Arc::clone(sink),
                    condition: condition.clone(),
                    options: options.clone(),
                    tee: *tee,
                }),
                Part::Route(route) => self.add_route(route, condition),
            }
        }
    }

    fn add_route(&mut self, route: &Route, condition: &Condition) {
        // What closures may look at: all that was given before the route, on any of its ways the same.
        let known = self.known.clone();
        let mut rest = condition.clone();
        let mut names = Vec::new();
        for case in route.cases() {
            let name = format!("{}/{}", route.name(), case.name);
            match &case.test {
                Some(test) => {
                    let taken = rest.clone().and_test(&name, test.clone(), true, &known);
                    self.add(&case.branch, &taken);
                    rest = rest.and_test(&name, test.clone(), false, &known);
                }
                None => self.add(&case.branch, &rest),
            }
            names.push(case.name.clone());
        }
        self.routes.push((route.name().to_owned(), names));
    }
}
