//! What random cases have found, in the smallest case that shows it, where that is rare among random ones.

use std::collections::BTreeMap;

use heurpipe_core::BatchSize;
use heurpipe_core::testkit::faults::Faults;

use super::case::*;
use super::check;
use super::parts::label;

/// Texts of one post, one version after the other, each a page, through enrichers on the trunk into one sink.
fn versions(texts: &[&str], enrichers: Vec<EnricherCase>) -> Case {
    let version = |(version, text): (usize, &&str)| ItemCase::Post {
        post: 1,
        version: version as u16,
        text: (*text).to_owned(),
    };
    let partition = PartitionCase {
        page: 1,
        items: texts.iter().enumerate().map(version).collect(),
    };
    let source = SourceCase {
        partitions: vec![partition],
        queue: false,
        script: Faults::none(),
    };
    let sink = SinkCase {
        place: Place::Trunk,
        only: None,
        at_flush: false,
        tee: false,
        script: Faults::none(),
    };
    Case {
        sources: vec![source],
        graph: Graph {
            enrichers,
            routes: Vec::new(),
            gate: None,
            sinks: vec![sink],
        },
        options: Options {
            batch: 4,
            batch_bytes: 1 << 20,
            byte_budget: 1 << 20,
            settle_every: 4,
            readers: 1,
            fetches: 1,
            workers: 1,
            keep_order: (false, false),
        },
        documents: true,
        erased: Vec::new(),
        noted: Vec::new(),
        stores: StoreScripts {
            documents: Faults::none(),
            review: Faults::none(),
        },
        limit: None,
        crashes: Vec::new(),
    }
}

fn enricher_when(asks: Asks) -> EnricherCase {
    EnricherCase {
        place: Place::Trunk,
        needs: Vec::new(),
        when: Some(Condition {
            asks,
            negated: false,
        }),
        fragile: false,
        dear: false,
        stage: StageCase {
            batch: BatchSize::Whole,
            concurrency: None,
            timeout_s: None,
        },
        script: Faults::none(),
    }
}

/// An enricher that is skipped on a later version loses its label, and whoever asks for that label in the same run is skipped too.
#[test]
fn what_a_skip_takes_away_is_gone_for_the_enrichers_after_it() {
    let texts = (0..).map(|number| format!("post{number} alder"));
    let mut labelled = texts.filter_map(|text| Some((label(0, &text, &BTreeMap::new())?, text)));
    let (label, text) = labelled.next().unwrap();
    let first = enricher_when(Asks::Word(0));
    let second = enricher_when(Asks::Label { enricher: 0, label });
    for third in ["post birch", "post cedar", "post elm", "post fir"] {
        let case = versions(&[&text, third], vec![first.clone(), second.clone()]);
        check::killed_everywhere(&case).unwrap_or_else(|why| panic!("{third}: {why}"));
    }
}

/// A post that one sink refuses and on which somebody writes before it is committed: the other sink has it as it is in the end.
#[test]
fn a_refused_post_is_written_again_when_its_record_changed_meanwhile() {
    let mut case = versions(&["post refused0"], Vec::new());
    let second = case.graph.sinks[0].clone();
    case.graph.sinks.push(second);
    case.noted = vec![1];
    check::killed_everywhere(&case).unwrap();
}
