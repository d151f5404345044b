//! Cases at random.

use std::collections::BTreeMap;

use heurpipe_core::BatchSize;
use heurpipe_core::testkit::faults::{Fault, Faults, Rule};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::case::*;
use super::scripts::{Part, script};

/// Posts have numbers below this one. Those with an even number are the same wherever they come; the others come in versions, all in one
/// partition, since of two versions the order matters.
const POSTS: u16 = 30;

/// Any case.
pub fn cases() -> impl Strategy<Value = Case> {
    let documents = prop_oneof![4 => Just(true), 1 => Just(false)];
    let others = (vec(0..POSTS, 0..3), vec(0..POSTS, 0..8));
    let limit = option::weighted(0.2, 0..30_u64);
    let crashes = (limit, vec((any::<u16>(), moment()), 1..4));
    let streams = (vec(source(), 1..4), vec(item(), 0..40));
    let stores = (script(Part::Store), script(Part::Store));
    (
        streams,
        graph(),
        options(),
        documents,
        others,
        stores,
        crashes,
    )
        .prop_map(
            |(streams, graph, options, documents, others, stores, crashes)| {
                let graph = wired(graph, documents);
                let (sources, items) = streams;
                let sources = dealt(sources, &items, &graph, documents);
                Case {
                    sources,
                    graph,
                    options,
                    documents,
                    erased: if documents { others.0 } else { Vec::new() },
                    noted: others.1,
                    stores: StoreScripts {
                        documents: stores.0,
                        review: stores.1,
                    },
                    limit: crashes.0,
                    crashes: crashes
                        .1
                        .into_iter()
                        .map(|(share, moment)| CrashCase { share, moment })
                        .collect(),
                }
            },
        )
}

fn moment() -> impl Strategy<Value = Moment> {
    prop_oneof![
        2 => Just(Moment::Before),
        2 => Just(Moment::Half),
        2 => Just(Moment::After),
        1 => Just(Moment::Drain),
        1 => Just(Moment::Stop),
    ]
}

/// A source without items yet: the page size of each partition, whether it is a queue, its faults.
type RawSource = (Vec<usize>, bool, Faults);

fn source() -> impl Strategy<Value = RawSource> {
    let queue = prop::bool::weighted(0.25);
    (vec(1..9_usize, 1..4), queue, script(Part::Source))
}

/// An item as numbers: what it is, which post, which words, which partition, what is wrong with it.
type RawItem = (u8, u16, u8, u8, u8);

fn item() -> impl Strategy<Value = RawItem> {
    (0..100_u8, 0..POSTS, 0..64_u8, any::<u8>(), 0..100_u8)
}

/// Deals items to the partitions, so that a replay of any part of the stream leads to the same end.
fn dealt(
    sources: Vec<RawSource>,
    items: &[RawItem],
    graph: &Graph,
    documents: bool,
) -> Vec<SourceCase> {
    // Where pages come out of order, or where no documents remember the versions, each post has one version.
    let reordered = |rule: &Rule| matches!(rule.what, Fault::Reorder(_));
    let in_order = !sources
        .iter()
        .any(|(_, _, s)| s.rules.iter().any(reordered));
    let versions_matter = in_order && documents;
    let count: usize = sources.iter().map(|(pages, ..)| pages.len()).sum();
    let mut dealt: Vec<Vec<ItemCase>> = vec![Vec::new(); count];
    let mut known: BTreeMap<u16, Known> = BTreeMap::new();
    for (number, (what, post, words, partition, trouble)) in items.iter().copied().enumerate() {
        let changing = versions_matter && post % 2 == 1;
        let drawn = usize::from(partition) % count;
        // A sink that refuses a later version leaves an earlier one in place, and that is forgotten once the post is a dead letter: to no
        // such version is another one added.
        let refusable = post % 2 == 0;
        let text = || text(post, words, trouble, refusable, graph);
        let (place, item) = match what {
            0..=5 => (drawn, ItemCase::Unreadable(number as u16)),
            6..=13 => match known.get(&post).filter(|_| changing) {
                Some(known) => (known.partition, ItemCase::Gone(post)),
                None => (drawn, ItemCase::Gone(1000 + post)),
            },
            _ => {
                let known = known.entry(post).or_insert_with(|| Known {
                    partition: drawn,
                    version: 0,
                    text: text(),
                });
                let place = if changing { known.partition } else { drawn };
                let version = if changing && what % 2 == 0 {
                    text()
                } else {
                    known.text.clone()
                };
                if version != known.text {
                    known.version += 1;
                    known.text = version;
                }
                let item = ItemCase::Post {
                    post,
                    version: known.version,
                    text: known.text.clone(),
                };
                (place, item)
            }
        };
        dealt[place].push(item);
    }
    let mut dealt = dealt.into_iter();
    let source = |(pages, queue, script): RawSource| SourceCase {
        partitions: pages
            .into_iter()
            .zip(dealt.by_ref())
            .map(|(page, items)| PartitionCase { page, items })
            .collect(),
        queue,
        script,
    };
    sources.into_iter().map(source).collect()
}

/// What was dealt of a post so far.
struct Known {
    partition: usize,
    version: u16,
    text: String,
}

fn text(post: u16, words: u8, trouble: u8, refusable: bool, graph: &Graph) -> String {
    let mut text = format!("post{post}");
    for (number, word) in WORDS.iter().enumerate() {
        if words >> number & 1 == 1 {
            text.push(' ');
            text.push_str(word);
        }
    }
    let of = |count: usize| usize::from(trouble) % count.max(1);
    match trouble {
        0..=7 => text.push_str(&format!(" poison{}", of(graph.enrichers.len()))),
        8..=10 if refusable => text.push_str(&format!(" refused{}", of(graph.sinks.len()))),
        11..=13 => text.push_str(" unjudgeable"),
        _ => {}
    }
    text
}

/// A condition as numbers: what it asks for, and whether it is negated.
type RawCondition = (bool, u8, u8, bool);

fn condition() -> impl Strategy<Value = RawCondition> {
    (any::<bool>(), any::<u8>(), 0..3_u8, any::<bool>())
}

/// A condition on one of these enrichers' labels, or on a word.
fn asking((labels, which, label, negated): RawCondition, of: &[usize]) -> Condition {
    let asks = match labels && !of.is_empty() {
        true => Asks::Label {
            enricher: of[usize::from(which) % of.len()],
            label,
        },
        false => Asks::Word(usize::from(which) % WORDS.len()),
    };
    Condition { asks, negated }
}

type RawEnricher = (
    u8,
    u8,
    Option<RawCondition>,
    (bool, bool),
    StageCase,
    Faults,
);
type RawRoute = (Vec<(RawCondition, bool)>, bool);
type RawSink = (u8, Option<RawCondition>, (bool, bool), Faults);
type RawGate = (u8, u8, StageCase, Faults);
type RawGraph = (
    Vec<RawEnricher>,
    Vec<RawRoute>,
    Option<RawGate>,
    Vec<RawSink>,
);

fn graph() -> impl Strategy<Value = RawGraph> {
    let flags = (any::<bool>(), prop::bool::weighted(0.2));
    let enricher = (
        any::<u8>(),
        any::<u8>(),
        option::weighted(0.3, condition()),
        flags,
        stage(),
        script(Part::Stage),
    );
    let route = (vec((condition(), any::<bool>()), 1..3), any::<bool>());
    let gate = (any::<u8>(), any::<u8>(), stage(), script(Part::Stage));
    let kind = (any::<bool>(), prop::bool::weighted(0.25));
    let sink = (
        any::<u8>(),
        option::weighted(0.4, condition()),
        kind,
        script(Part::Sink),
    );
    (
        vec(enricher, 0..6),
        vec(route, 0..3),
        option::weighted(0.4, gate),
        vec(sink, 1..5),
    )
}

/// Puts parts where nothing goes in a circle: what stands on a way builds upon the trunk and upon its own way, the trunk upon itself.
fn wired(raw: RawGraph, documents: bool) -> Graph {
    let (enrichers, routes, gate, sinks) = raw;
    let ways: Vec<Place> = routes
        .iter()
        .enumerate()
        .flat_map(|(route, (tests, otherwise))| {
            let ways = tests.len() + usize::from(*otherwise);
            (0..ways).map(move |way| Place::Way { route, way })
        })
        .collect();
    // Every other draw is the trunk.
    let place = |draw: u8| match ways.is_empty() || draw.is_multiple_of(2) {
        true => Place::Trunk,
        false => ways[usize::from(draw / 2) % ways.len()],
    };
    let mut wired: Vec<EnricherCase> = Vec::new();
    for (draw, needs, when, (fragile, dear), stage, script) in enrichers {
        let place = place(draw);
        let before: Vec<usize> = (0..wired.len())
            .filter(|i| wired[*i].place == Place::Trunk || wired[*i].place == place)
            .collect();
        wired.push(EnricherCase {
            place,
            needs: before
                .iter()
                .copied()
                .filter(|i| needs >> i & 1 == 1)
                .collect(),
            when: when.map(|raw| asking(raw, &before)),
            fragile,
            dear,
            stage,
            script,
        });
    }
    let all: Vec<usize> = (0..wired.len()).collect();
    let trunk: Vec<usize> = all
        .iter()
        .copied()
        .filter(|i| wired[*i].place == Place::Trunk)
        .collect();
    let routes = routes.into_iter().map(|(tests, otherwise)| RouteCase {
        tests: tests
            .into_iter()
            .map(|(raw, closure)| TestCase {
                condition: asking(raw, &trunk),
                closure,
            })
            .collect(),
        otherwise,
    });
    let gate = gate
        .filter(|_| documents)
        .map(|(draw, salt, stage, script)| GateCase {
            place: place(draw),
            salt,
            stage,
            script,
        });
    let mut sinks: Vec<SinkCase> = sinks
        .into_iter()
        .map(|(draw, only, (at_flush, tee), script)| SinkCase {
            place: place(draw),
            only: only.map(|raw| asking(raw, &all)),
            at_flush,
            tee,
            script,
        })
        .collect();
    // A pipeline has at least one sink that counts.
    sinks[0].tee = false;
    for tee in sinks.iter_mut().filter(|sink| sink.tee) {
        // A side output has no say: what it refuses, if only for the moment, is not written again.
        let rules = &mut tee.script.rules;
        rules.retain(|rule| !matches!(rule.what, Fault::FailItem(_)));
    }
    Graph {
        routes: routes.collect(),
        enrichers: wired,
        gate,
        sinks,
    }
}

fn stage() -> impl Strategy<Value = StageCase> {
    let batch = prop_oneof![
        3 => Just(BatchSize::Whole),
        2 => (1..6_usize).prop_map(BatchSize::AtMost),
        1 => (1..3_usize, 1..9_usize).prop_map(|(least, more)| BatchSize::Adaptive {
            least,
            most: least + more,
        }),
    ];
    (batch, option::of(1..4_usize), option::of(1..6_u64)).prop_map(
        |(batch, concurrency, timeout_s)| StageCase {
            batch,
            concurrency,
            timeout_s,
        },
    )
}

fn options() -> impl Strategy<Value = Options> {
    let bytes = prop_oneof![Just(1_usize), 1000..6000_usize, Just(8 << 20)];
    let budget = prop_oneof![1 => 1024..8192_usize, 3 => Just(64_usize << 20)];
    let sizes = (1..17_usize, bytes, budget, 1..21_usize);
    let lanes = (1..5_usize, 1..4_usize, 1..4_usize);
    (sizes, lanes, any::<(bool, bool)>()).prop_map(|(sizes, lanes, keep_order)| Options {
        batch: sizes.0,
        batch_bytes: sizes.1,
        byte_budget: sizes.2,
        settle_every: sizes.3,
        readers: lanes.0,
        fetches: lanes.1,
        workers: lanes.2,
        keep_order,
    })
}
