//! A case: a stream of items, a graph, options and fault scripts. Plain data, so that it prints, shrinks and replays.

use std::time::Duration;

use heurpipe_core::testkit::faults::Faults;
use heurpipe_core::{BatchSize, Filter, Order, RunOptions, StageOptions};

/// Words that posts are made of. Conditions ask for them.
pub const WORDS: [&str; 6] = ["alder", "birch", "cedar", "dogwood", "elm", "fir"];

/// The pipeline's name.
pub const USE_CASE: &str = "properties";

#[derive(Debug, Clone)]
pub struct Case {
    pub sources: Vec<SourceCase>,
    pub graph: Graph,
    pub options: Options,
    /// Whether the pipeline has documents.
    pub documents: bool,
    /// Numbers of posts that were erased before.
    pub erased: Vec<u16>,
    /// Numbers of posts on which somebody else writes a note while the run is settling them.
    pub noted: Vec<u16>,
    pub stores: StoreScripts,
    /// A run before all others reads so many items and no more.
    pub limit: Option<u64>,
    /// Where the run is killed or stopped, one life after the other.
    pub crashes: Vec<CrashCase>,
}

/// The faults of the stores that are not sinks.
#[derive(Debug, Clone)]
pub struct StoreScripts {
    pub documents: Faults,
    pub review: Faults,
}

#[derive(Debug, Clone)]
pub struct SourceCase {
    pub partitions: Vec<PartitionCase>,
    /// Whether it is a queue: it yields what was not acknowledged, whatever the checkpoint.
    pub queue: bool,
    pub script: Faults,
}

#[derive(Debug, Clone)]
pub struct PartitionCase {
    /// Items a page.
    pub page: usize,
    pub items: Vec<ItemCase>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemCase {
    /// A version of a post. A higher version was collected later.
    Post {
        post: u16,
        version: u16,
        text: String,
    },
    Gone(u16),
    Unreadable(u16),
}

#[derive(Debug, Clone)]
pub struct Graph {
    pub enrichers: Vec<EnricherCase>,
    pub routes: Vec<RouteCase>,
    pub gate: Option<GateCase>,
    pub sinks: Vec<SinkCase>,
}

/// Where a part stands: on the trunk, or on a way of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Trunk,
    Way { route: usize, way: usize },
}

/// A route: its cases in order and, perhaps, a way for the rest.
#[derive(Debug, Clone)]
pub struct RouteCase {
    pub tests: Vec<TestCase>,
    pub otherwise: bool,
}

#[derive(Debug, Clone)]
pub struct TestCase {
    pub condition: Condition,
    /// Asked by a closure, not by a filter.
    pub closure: bool,
}

/// Asks for a word of the text, or for a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub asks: Asks,
    pub negated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    Word(usize),
    Label { enricher: usize, label: u8 },
}

/// The enricher with index n gives the attribute `a<n>`.
#[derive(Debug, Clone)]
pub struct EnricherCase {
    pub place: Place,
    /// Enrichers whose attributes it needs.
    pub needs: Vec<usize>,
    pub when: Option<Condition>,
    /// Whether poison spoils the whole call, not the item.
    pub fragile: bool,
    pub dear: bool,
    pub stage: StageCase,
    pub script: Faults,
}

#[derive(Debug, Clone)]
pub struct GateCase {
    pub place: Place,
    /// Makes one gate decide otherwise than another.
    pub salt: u8,
    pub stage: StageCase,
    pub script: Faults,
}

#[derive(Debug, Clone)]
pub struct SinkCase {
    pub place: Place,
    pub only: Option<Condition>,
    pub at_flush: bool,
    pub tee: bool,
    pub script: Faults,
}

#[derive(Debug, Clone)]
pub struct StageCase {
    pub batch: BatchSize,
    pub concurrency: Option<usize>,
    pub timeout_s: Option<u64>,
}

#[derive(Debug, Clone)]
pub struct Options {
    pub batch: usize,
    pub batch_bytes: usize,
    pub byte_budget: usize,
    pub settle_every: usize,
    pub readers: usize,
    pub fetches: usize,
    pub workers: usize,
    pub keep_order: (bool, bool),
}

/// Where a run is killed: at which share of the calls that an unbroken run makes, in 65,536ths, and when in the call.
#[derive(Debug, Clone, Copy)]
pub struct CrashCase {
    pub share: u16,
    pub moment: Moment,
}

/// When in a call of a store the process is killed, or how it is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before it has done anything.
    Before,
    /// When it has done half of its items, where it has items; else before.
    Half,
    /// When all is done, and the answer has not arrived.
    After,
    /// It is not killed: at this call it is asked to settle what is on its way and end.
    Drain,
    /// It is not killed: at this call it is asked to end at once.
    Stop,
}

impl Case {
    /// All items of all partitions.
    pub fn items(&self) -> impl Iterator<Item = &ItemCase> {
        let partitions = self.sources.iter().flat_map(|s| &s.partitions);
        partitions.flat_map(|p| &p.items)
    }

    /// The scripts of all parts.
    pub fn scripts(&self) -> impl Iterator<Item = &Faults> {
        let graph = &self.graph;
        let stores = [&self.stores.documents, &self.stores.review];
        let sources = self.sources.iter().map(|source| &source.script);
        let enrichers = graph.enrichers.iter().map(|enricher| &enricher.script);
        let gate = graph.gate.iter().map(|gate| &gate.script);
        let sinks = graph.sinks.iter().map(|sink| &sink.script);
        stores
            .into_iter()
            .chain(sources)
            .chain(enrichers)
            .chain(gate)
            .chain(sinks)
    }

    /// Whether a post comes in several versions, or is said to be gone after it came: a settled one is taken up again.
    pub fn changes(&self, id: &str) -> bool {
        self.items().any(|item| match item {
            ItemCase::Post { post, version, .. } => post.to_string() == id && *version > 0,
            ItemCase::Gone(post) => post.to_string() == id,
            ItemCase::Unreadable(_) => false,
        })
    }
}

impl Condition {
    /// Whether it holds for a post with this text and these labels.
    pub fn holds(&self, text: &str, label: impl Fn(usize) -> Option<u8>) -> bool {
        let met = match self.asks {
            Asks::Word(word) => text.contains(WORDS[word]),
            Asks::Label {
                enricher,
                label: wanted,
            } => label(enricher) == Some(wanted),
        };
        met != self.negated
    }

    pub fn filter(&self) -> Filter {
        let not = if self.negated { "-" } else { "" };
        let text = match self.asks {
            Asks::Word(word) => format!("{not}{}", WORDS[word]),
            Asks::Label { enricher, label } => format!("{not}a{enricher}:x{label}"),
        };
        text.parse().unwrap()
    }
}

impl StageCase {
    pub fn options(&self) -> StageOptions {
        let mut options = StageOptions::default().batch(self.batch);
        if let Some(calls) = self.concurrency {
            options = options.concurrency(calls);
        }
        if let Some(seconds) = self.timeout_s {
            options = options.timeout(Duration::from_secs(seconds));
        }
        options
    }
}

impl Options {
    pub fn run_options(&self) -> RunOptions {
        let order = |kept| if kept { Order::Kept } else { Order::Free };
        let mut options = RunOptions::default();
        options.batch = self.batch;
        options.batch_bytes = self.batch_bytes;
        options.byte_budget = self.byte_budget;
        options.settle_every = self.settle_every;
        options.readers = self.readers;
        options.fetches = self.fetches;
        options.workers = self.workers;
        options.fetch_order = order(self.keep_order.0);
        options.enrich_order = order(self.keep_order.1);
        options.timeout = Duration::from_secs(8);
        // More attempts than all rules of a script together have faults: whatever fails for the moment succeeds in the end.
        options.retry = options
            .retry
            .attempts(30)
            .first(Duration::from_millis(10))
            .ceiling(Duration::from_millis(200));
        options
    }
}
