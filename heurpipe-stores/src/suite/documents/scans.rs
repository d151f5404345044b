//! Scans: their order, their pages, what they ask for beside a filter.

use std::sync::Arc;

use heurpipe_core::{Filter, Post, PostId, Record, Result, Scan, State};
use jiff::Timestamp;

use super::{Check, checks, commit, id, natives, pending, record};
use crate::documents::DocumentStore;

checks!(
    dyn DocumentStore;
    filters_may_nest_deeply,
    scans_go_by_id_page_by_page,
    scans_know_states,
    pages_end_where_the_records_do,
    pages_begin_after_ids_that_are_not_there,
    pages_go_on_while_records_change,
    ids_stand_in_the_order_of_their_characters,
    conditions_of_a_scan_are_joined,
);

async fn scans_go_by_id_page_by_page(store: Arc<dyn DocumentStore>) -> Check {
    // As texts these would stand in another order than as ids.
    let ids: Vec<PostId> = ["we-ibo:2", "weibo:10", "we:3", "weibo:9", "we-ibo:1"]
        .iter()
        .map(|text| text.parse())
        .collect::<Result<_>>()?;
    for id in &ids {
        let mut record = Record::new(Post::new(id.clone(), Timestamp::UNIX_EPOCH));
        commit(&*store, &mut record).await?;
    }
    let mut sorted = ids;
    sorted.sort();
    let mut found = Vec::new();
    let mut scan = Scan::matching(Filter::All).limit(2);
    loop {
        let page = store.scan(&scan).await?;
        assert!(page.records.len() <= 2);
        found.extend(page.records.iter().map(|r| r.id().clone()));
        if page.next.is_none() {
            break;
        }
        scan = scan.after(page.next);
    }
    assert_eq!(found, sorted);
    let page = store.scan(&Scan::matching(Filter::All).limit(5)).await?;
    assert_eq!(page.next, None, "a full last page is the last");
    let rest = Scan::default().after(Some(sorted[1].clone()));
    assert_eq!(store.count(&rest).await?, 3, "whatever the limit");
    Ok(())
}

async fn scans_know_states(store: Arc<dyn DocumentStore>) -> Check {
    let held = || State::Held {
        reason: "unsure".to_owned(),
    };
    for (native, states) in [
        ("1", vec![("catalog", pending())]),
        ("2", vec![("catalog", held()), ("trends", pending())]),
        ("3", vec![]),
    ] {
        let mut record = record(native);
        for (use_case, state) in states {
            record.states.insert(use_case.to_owned(), state);
        }
        commit(&*store, &mut record).await?;
    }
    let all = || Scan::matching(Filter::All);
    for (scan, expected) in [
        (all().in_state("catalog", "pending"), vec!["1"]),
        (all().in_state("catalog", "held"), vec!["2"]),
        (all().in_state("catalog", "dead"), vec![]),
        (all().of_use_case("catalog"), vec!["1", "2"]),
        (
            all().of_use_case("trends").in_state("catalog", "held"),
            vec!["2"],
        ),
        (all(), vec!["1", "2", "3"]),
    ] {
        let page = store.scan(&scan).await?;
        let found: Vec<&str> = page.records.iter().map(|r| &*r.id().native).collect();
        assert_eq!(found, expected, "{scan:?}");
        assert_eq!(store.count(&scan).await?, expected.len() as u64);
    }
    let mut settled = record("1");
    settled.revision = 1;
    settled
        .states
        .insert("catalog".to_owned(), State::Delivered);
    commit(&*store, &mut settled).await?;
    let owed = all().in_state("catalog", "pending");
    assert_eq!(store.count(&owed).await?, 0, "the earlier state is gone");
    Ok(())
}

async fn pages_end_where_the_records_do(store: Arc<dyn DocumentStore>) -> Check {
    for native in ["1", "2", "3", "4"] {
        commit(&*store, &mut record(native)).await?;
    }
    let all = Scan::matching(Filter::All);
    for (limit, found, next) in [
        (0, 0, None),
        (1, 1, Some("1")),
        (3, 3, Some("3")),
        (4, 4, None),
        (5, 4, None),
        (usize::MAX, 4, None),
    ] {
        let page = store.scan(&all.clone().limit(limit)).await?;
        assert_eq!(page.records.len(), found, "{limit}");
        assert_eq!(page.next, next.map(id), "{limit}");
    }
    let rest = all.clone().after(Some(id("3"))).limit(1);
    let page = store.scan(&rest).await?;
    assert_eq!((page.records.len(), page.next), (1, None));
    let nothing = all.after(Some(id("4")));
    assert_eq!(store.scan(&nothing).await?.records, []);
    assert_eq!(store.count(&nothing).await?, 0);
    Ok(())
}

/// A page begins after an id, whether or not there is such a record, on its platform or before another.
async fn pages_begin_after_ids_that_are_not_there(store: Arc<dyn DocumentStore>) -> Check {
    for text in ["instagram:1", "instagram:3", "weibo:1", "weibo:3"] {
        let mut record = Record::new(Post::new(text.parse()?, Timestamp::UNIX_EPOCH));
        commit(&*store, &mut record).await?;
    }
    for (after, expected) in [
        (
            "a:1",
            vec!["instagram:1", "instagram:3", "weibo:1", "weibo:3"],
        ),
        ("instagram:2", vec!["instagram:3", "weibo:1", "weibo:3"]),
        ("instagram:4", vec!["weibo:1", "weibo:3"]),
        ("tiktok:9", vec!["weibo:1", "weibo:3"]),
        ("weibo:2", vec!["weibo:3"]),
        ("x:1", vec![]),
    ] {
        let scan = Scan::matching(Filter::All).after(Some(after.parse()?));
        let page = store.scan(&scan).await?;
        let found: Vec<String> = page.records.iter().map(|r| r.id().to_string()).collect();
        assert_eq!(found, expected, "{after}");
        assert_eq!(store.count(&scan).await?, expected.len() as u64, "{after}");
    }
    Ok(())
}

/// What is written between two pages neither hides nor doubles what was there.
async fn pages_go_on_while_records_change(store: Arc<dyn DocumentStore>) -> Check {
    let mut records = Vec::new();
    for number in 10..30 {
        let mut record = record(&number.to_string());
        commit(&*store, &mut record).await?;
        records.push(record);
    }
    let mut found = Vec::new();
    let mut scan = Scan::matching(Filter::All).limit(3);
    for (turn, changed) in records.iter_mut().enumerate() {
        let page = store.scan(&scan).await?;
        found.extend(page.records.iter().map(|r| r.id().native.to_string()));
        let Some(next) = page.next else { break };
        scan = scan.after(Some(next));
        changed.post.text = format!("changed in turn {turn}");
        commit(&*store, changed).await?;
        // This one stands before all that is still to come.
        commit(&*store, &mut record(&format!("0{turn}"))).await?;
    }
    let expected: Vec<String> = (10..30).map(|n| n.to_string()).collect();
    assert_eq!(found, expected);
    Ok(())
}

/// Not by their numbers, nor as UTF-16 has it.
async fn ids_stand_in_the_order_of_their_characters(store: Arc<dyn DocumentStore>) -> Check {
    let natives = [
        "!",
        "10",
        "9",
        "A",
        "a",
        "aa",
        "é",
        "优",
        "\u{e000}",
        "\u{ffee}",
        "\u{10000}",
        "🧥",
    ];
    for native in natives.iter().rev() {
        commit(&*store, &mut record(native)).await?;
    }
    let mut found = Vec::new();
    let mut scan = Scan::matching(Filter::All).limit(1);
    loop {
        let page = store.scan(&scan).await?;
        found.extend(page.records.iter().map(|r| r.id().native.to_string()));
        if page.next.is_none() {
            break;
        }
        scan = scan.after(page.next);
    }
    assert_eq!(found, natives);
    Ok(())
}

/// All that a scan can ask for at once.
async fn conditions_of_a_scan_are_joined(store: Arc<dyn DocumentStore>) -> Check {
    let states = [pending(), State::Delivered];
    for number in 0..32_usize {
        let mut record = record(&format!("{number:02}"));
        let bit = |place: usize| number >> place & 1;
        record
            .states
            .insert("catalog".to_owned(), states[bit(0)].clone());
        if bit(1) == 1 {
            record
                .states
                .insert("trends".to_owned(), states[bit(2)].clone());
        }
        if bit(3) == 1 {
            record.post.hashtags = vec!["red".to_owned()];
        }
        if bit(4) == 1 {
            record.post.text = "summer look".to_owned();
        }
        commit(&*store, &mut record).await?;
    }
    let filter: Filter = "hashtag:red -\"summer look\"".parse()?;
    let all = || Scan::matching(filter.clone());
    let catalog = || all().in_state("catalog", "pending");
    for (scan, expected) in [
        (all(), vec!["08", "09", "10", "11", "12", "13", "14", "15"]),
        (catalog(), vec!["08", "10", "12", "14"]),
        (catalog().of_use_case("trends"), vec!["10", "14"]),
        (all().settled(), vec!["09", "13", "15"]),
        (all().settled().of_use_case("trends"), vec!["15"]),
        (catalog().settled(), vec![]),
        (catalog().after(Some(id("10"))), vec!["12", "14"]),
    ] {
        assert_eq!(natives(&*store, &scan).await?, expected, "{scan:?}");
    }
    Ok(())
}

/// Deeper than a server takes a query.
async fn filters_may_nest_deeply(store: Arc<dyn DocumentStore>) -> Check {
    for number in 0..40 {
        let mut record = record(&format!("{number:02}"));
        record.post.hashtags = vec![format!("size {number}")];
        commit(&*store, &mut record).await?;
    }
    let size = |number: u32| -> Result<Filter> { format!("hashtag:\"size {number}\"").parse() };
    // Of each two turns one adds a size, and one takes none away.
    let mut filter = size(0)?;
    let mut expected = vec!["00".to_owned()];
    for number in 1..40 {
        filter = match number % 2 {
            0 => Filter::Or(vec![filter, size(number)?]),
            _ => Filter::And(vec![filter, size(number)?.negated()]),
        };
        if number % 2 == 0 {
            expected.push(format!("{number:02}"));
        }
    }
    // And in the end the last one is in, and out, and in.
    for _ in 0..12 {
        let without = Filter::And(vec![filter, size(38)?.negated()]);
        filter = Filter::Or(vec![without, size(38)?]);
    }
    let scan = |filter: &Filter| Scan::matching(filter.clone());
    assert_eq!(natives(&*store, &scan(&filter)).await?, expected);
    let others = scan(&filter.negated());
    assert_eq!(store.count(&others).await?, 20);
    let page = store.scan(&others.limit(7)).await?;
    assert_eq!((page.records.len(), page.next), (7, Some(id("13"))));
    Ok(())
}
