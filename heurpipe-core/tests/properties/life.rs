//! One process: a pipeline over the world, run until it ends or is killed.

use std::sync::Arc;
use std::time::Duration;

use heurpipe_core::testkit::VirtualClock;
use heurpipe_core::testkit::faults::Faulty;
use heurpipe_core::*;
use jiff::Timestamp;

use super::case::{Case, Place, TestCase, USE_CASE};
use super::fuse::{Crash, Fuse};
use super::parts::{Decides, Listed, Reads, Shelves, label_of, refused_by};
use super::reading::{Log, Reading};
use super::stores::Watched;
use super::world::World;

/// How a life ended, and what was seen of it.
pub struct Life {
    pub end: End,
    pub log: Arc<Log>,
    /// Calls of stores and sinks.
    pub calls: u64,
}

pub enum End {
    Done(Box<RunReport>),
    Crashed,
    Failed(Error),
    /// It waits, and nothing comes.
    Hangs,
}

/// Virtual time after which a run will not end any more.
const TOO_LONG: Duration = Duration::from_secs(3600);

/// Lives once, in a runtime of its own, with all that time standing still. Each life begins later than the one before.
pub fn live(world: &Arc<World>, number: i64, crash: Option<Crash>) -> Life {
    live_with(world, number, crash, None)
}

/// The same, reading at most so many items.
pub fn live_with(
    world: &Arc<World>,
    number: i64,
    crash: Option<Crash>,
    limit: Option<u64>,
) -> Life {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let log = Arc::new(Log::default());
    let fuse = Arc::new(Fuse::new(crash));
    let end = runtime.block_on(async {
        let morning = Timestamp::from_second(1_800_000_000 + number * 86_400).unwrap();
        let time = VirtualClock::start(morning);
        let pipeline = pipeline(world, &fuse, &log);
        let mut options = world.case.options.run_options();
        options.clock = time.clock();
        options.stop = Some(fuse.signal());
        options.limit = limit;
        tokio::select! {
            biased;
            () = fuse.blown() => End::Crashed,
            ended = tokio::time::timeout(TOO_LONG, pipeline.run(options)) => match ended {
                Ok(Ok(report)) => End::Done(Box::new(report)),
                Ok(Err(error)) => End::Failed(error),
                Err(_) => End::Hangs,
            }
        }
    });
    drop(runtime);
    world.process_ended();
    Life {
        end,
        log,
        calls: fuse.calls(),
    }
}

fn pipeline(world: &Arc<World>, fuse: &Arc<Fuse>, log: &Arc<Log>) -> Pipeline {
    let case = &world.case;
    let mut builder = Pipeline::builder(USE_CASE);
    if case.documents {
        let watched = Arc::new(Watched::new(world, fuse));
        let review = Faulty::new(Arc::clone(&watched), case.stores.review.clone());
        let documents = Faulty::new(watched, case.stores.documents.clone());
        builder = builder
            .documents(Arc::new(documents))
            .review(Arc::new(review));
    }
    for (number, source) in case.sources.iter().enumerate() {
        let faulty = Faulty::new(Listed::new(number, world), source.script.clone());
        builder = builder.source(Reading::new(number, faulty, world, log));
    }
    // The whole stands on the only way of a route, so that trunk and ways are furnished alike.
    let furnisher = Furnisher { world, fuse };
    let whole = Route::new("whole").otherwise("all", |trunk| {
        let trunk = furnisher.enrichers(trunk, Place::Trunk);
        let trunk = furnisher.routes(trunk);
        furnisher.ends(trunk, Place::Trunk)
    });
    builder.route(whole).build().unwrap()
}

struct Furnisher<'a> {
    world: &'a Arc<World>,
    fuse: &'a Arc<Fuse>,
}

impl Furnisher<'_> {
    fn case(&self) -> &Case {
        &self.world.case
    }

    fn routes(&self, mut trunk: Branch) -> Branch {
        for (number, given) in self.case().graph.routes.iter().enumerate() {
            let mut route = Route::new(format!("route{number}"));
            let place = |way| Place::Way { route: number, way };
            for (way, case) in given.tests.iter().enumerate() {
                let furnish = |branch| self.furnish(branch, place(way));
                route = route.case(format!("way{way}"), test(case), furnish);
            }
            if given.otherwise {
                let furnish = |branch| self.furnish(branch, place(given.tests.len()));
                route = route.otherwise("rest", furnish);
            }
            trunk = trunk.route(route);
        }
        trunk
    }

    fn furnish(&self, branch: Branch, place: Place) -> Branch {
        self.ends(self.enrichers(branch, place), place)
    }

    fn enrichers(&self, mut branch: Branch, place: Place) -> Branch {
        for (index, case) in self.case().graph.enrichers.iter().enumerate() {
            if case.place != place {
                continue;
            }
            let reads = Reads::new(index, case, &self.world.enriched);
            let faulty = Faulty::new(reads, case.script.clone());
            let options = case.stage.options();
            branch = match &case.when {
                Some(when) => branch.enrich_with(faulty.when(when.filter()), options),
                None => branch.enrich_with(faulty, options),
            };
        }
        branch
    }

    fn ends(&self, mut branch: Branch, place: Place) -> Branch {
        let graph = &self.case().graph;
        if let Some(gate) = graph.gate.as_ref().filter(|gate| gate.place == place) {
            let faulty = Faulty::new(Decides(gate.clone()), gate.script.clone());
            branch = branch.gate_with(faulty, gate.stage.options());
        }
        for (number, case) in graph.sinks.iter().enumerate() {
            if case.place != place {
                continue;
            }
            let spec = SinkSpec::new(format!("sink{number}"));
            let shelves = Shelves {
                spec: if case.at_flush {
                    spec.durable_at_flush()
                } else {
                    spec
                },
                shelf: Arc::clone(&self.world.shelves[number]),
                fuse: Arc::clone(self.fuse),
                refuses: (!case.tee).then(|| refused_by(number)),
            };
            let only = case.only.as_ref().map_or(Filter::All, |only| only.filter());
            let sink = Faulty::new(shelves, case.script.clone()).only(only);
            branch = if case.tee {
                branch.tee(sink)
            } else {
                branch.sink(sink)
            };
        }
        branch
    }
}

fn test(case: &TestCase) -> Test {
    let condition = case.condition.clone();
    if !case.closure {
        return condition.filter().into();
    }
    Test::from(move |record: &Record| {
        condition.holds(&record.post.text, |enricher| label_of(record, enricher))
    })
}
