//! Records by the set of enrichers that made them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heurpipe_core::{
    Filter, Fingerprint, Flat, InputDigest, LedgerEntry, LedgerOutcome, PostId, Record, Scan,
    State, Target,
};
use jiff::Timestamp;

use super::{Check, checks, commit, pending, record};
use crate::documents::DocumentStore;
use crate::suite::Failure;
use crate::suite::corpus::{self, Dice};

checks!(
    dyn DocumentStore;
    analyses_group_records,
    analyses_narrow_scans,
);

/// Enters that an enricher was done with a record.
fn done(record: &mut Record, enricher: &str) {
    let entry = LedgerEntry::new(
        enricher,
        Fingerprint::of([enricher]),
        Target::Post,
        InputDigest::of(b"input"),
        LedgerOutcome::Done,
        Timestamp::UNIX_EPOCH,
    );
    record.enter(entry, Vec::new());
}

async fn analyses_group_records(store: Arc<dyn DocumentStore>) -> Check {
    let mut records = Vec::new();
    for (native, enrichers, use_cases) in [
        ("1", vec![], vec!["catalog"]),
        ("2", vec!["brand"], vec!["catalog"]),
        ("3", vec!["brand"], vec!["catalog", "trends"]),
        ("4", vec!["brand", "colour"], vec!["trends"]),
        ("5", vec!["colour"], vec![]),
    ] {
        let mut record = record(native);
        enrichers.iter().for_each(|name| done(&mut record, name));
        for use_case in use_cases {
            record.states.insert(use_case.to_owned(), pending());
        }
        commit(&*store, &mut record).await?;
        records.push(record);
    }
    agree(&*store, &records).await?;

    done(&mut records[1], "colour");
    records[2].states.remove("catalog");
    records[4].states.insert("catalog".to_owned(), pending());
    for changed in [1, 2, 4] {
        commit(&*store, &mut records[changed]).await?;
    }
    agree(&*store, &records).await
}

/// Compares a store's groups with those of the records in it.
async fn agree(store: &dyn DocumentStore, records: &[Record]) -> Check {
    for use_case in ["catalog", "trends", "absent"] {
        let mut expected: BTreeMap<Fingerprint, BTreeSet<&PostId>> = BTreeMap::new();
        for record in records {
            if record.states.contains_key(use_case) {
                let group = expected.entry(record.analysis()).or_default();
                group.insert(record.id());
            }
        }
        let groups = store.analyses(use_case).await?;
        assert_eq!(groups.len(), expected.len(), "{use_case}: {groups:?}");
        for group in groups {
            let expected = expected.remove(&group.analysis).unwrap_or_default();
            assert_eq!(group.records, expected.len() as u64, "{group:?}");
            assert!(expected.contains(&group.sample), "{group:?}");
        }
    }
    Ok(())
}

/// Random records and filters, with every choice of analyses among a few.
async fn analyses_narrow_scans(store: Arc<dyn DocumentStore>) -> Check {
    let mut dice = Dice::new(11);
    let mut records = Vec::new();
    for number in 0..80 {
        let mut record = corpus::record(&mut dice, number);
        for enricher in ["brand", "colour"] {
            if dice.once_in(2) {
                done(&mut record, enricher);
            }
        }
        commit(&*store, &mut record).await?;
        records.push(record);
    }
    for changed in records.iter_mut().step_by(7) {
        done(changed, "garment");
        changed.states.insert("trends".to_owned(), State::Delivered);
        commit(&*store, changed).await?;
    }
    agree(&*store, &records).await?;

    let known: BTreeSet<Fingerprint> = records.iter().map(Record::analysis).collect();
    assert!(known.len() > 4, "the records are too much alike");
    for round in 0..120 {
        let filter = match round % 3 {
            0 => Filter::All,
            _ => corpus::filter(&mut dice, 2),
        };
        let mut analyses: Vec<Fingerprint> =
            known.iter().filter(|_| dice.once_in(2)).cloned().collect();
        // One that nothing has, and one twice, change nothing.
        analyses.push(Fingerprint::of(["absent"]));
        analyses.extend(analyses.first().cloned());
        let mut scan = Scan::matching(filter).with_analyses(analyses).limit(5);
        if dice.once_in(2) {
            scan = scan.of_use_case("catalog");
        }
        if dice.once_in(3) {
            scan = scan.in_state("trends", "delivered");
        }
        same(&*store, scan, &records).await?;
    }
    let nothing = Scan::matching(Filter::All).with_analyses(Vec::new());
    same(&*store, nothing, &records).await
}

/// Compares a scan with the records that it asks for.
async fn same(store: &dyn DocumentStore, scan: Scan, records: &[Record]) -> Check {
    let mut expected: Vec<&PostId> = records
        .iter()
        .filter(|record| asked_for(&scan, record))
        .map(Record::id)
        .collect();
    expected.sort();
    let count = store.count(&scan).await?;
    assert_eq!(count, expected.len() as u64, "{scan:?}");
    let found = pages(store, scan.clone()).await?;
    assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{scan:?}");
    Ok(())
}

fn asked_for(scan: &Scan, record: &Record) -> bool {
    let analysed = scan
        .analyses
        .as_ref()
        .is_none_or(|analyses| analyses.contains(&record.analysis()));
    let known = scan
        .use_case
        .as_ref()
        .is_none_or(|use_case| record.states.contains_key(use_case));
    let in_state = scan.state.as_ref().is_none_or(|(use_case, name)| {
        let state = record.states.get(use_case);
        state.is_some_and(|state| state.name() == name)
    });
    analysed && known && in_state && scan.filter.matches(&Flat::of(record))
}

async fn pages(store: &dyn DocumentStore, mut scan: Scan) -> Result<Vec<PostId>, Failure> {
    let mut found = Vec::new();
    loop {
        let page = store.scan(&scan).await?;
        assert!(page.records.len() <= scan.limit, "at most so many");
        found.extend(page.records.iter().map(|r| r.id().clone()));
        if page.next.is_none() {
            return Ok(found);
        }
        scan = scan.after(page.next);
    }
}
