#![allow(clippy::unwrap_used)]

use heurpipe_core::{DeadLetterScan, Filter, Fingerprint, PostId, Scan};
use jiff::Timestamp;
use rusqlite::{Connection, params_from_iter};

use super::filter::Condition;
use super::{analyses, erasure, letters, scan, schema};

/// How SQLite would answer, a step a line.
fn plan(query: &Condition) -> String {
    let mut connection = Connection::open_in_memory().unwrap();
    schema::create(&mut connection).unwrap();
    let mut statement = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {}", query.sql))
        .unwrap();
    let steps = statement
        .query_map(params_from_iter(&query.values), |row| row.get(3))
        .unwrap();
    steps
        .collect::<Result<Vec<String>, _>>()
        .unwrap()
        .join("\n")
}

#[test]
fn analyses_are_counted_in_order_by_an_index_alone() {
    let mut query = Condition::default();
    query.sql.push_str(analyses::GROUPS);
    query.values.push("catalog".to_owned().into());
    let plan = plan(&query);
    let expected = "SEARCH states USING COVERING INDEX states_by_analysis (use_case=?)";
    assert!(plan.contains(expected), "{plan}");
    assert!(!plan.contains("TEMP B-TREE FOR GROUP BY"), "{plan}");
}

#[test]
fn the_next_record_of_an_analysis_is_found_by_an_index_alone() {
    let after: PostId = "instagram:1".parse().unwrap();
    let scan = Scan::matching(Filter::All).after(Some(after));
    let plan = plan(&analyses::of_one(&scan, &Fingerprint::of(["x"])));
    let expected = "SEARCH r USING COVERING INDEX records_by_analysis (analysis=? AND (platform,native)>(?,?))";
    assert_eq!(plan, expected, "and nothing is sorted");
}

#[test]
fn records_of_some_analyses_are_counted_by_an_index() {
    let some = vec![Fingerprint::of(["x"]), Fingerprint::of(["y"])];
    let scan = Scan::matching(Filter::All).with_analyses(some);
    let plan = plan(&scan::count_query(&scan, None).unwrap());
    let expected = "SEARCH r USING COVERING INDEX records_by_analysis (analysis=?)";
    assert!(plan.contains(expected), "{plan}");
}

#[test]
fn what_is_of_an_author_is_found_by_an_index() {
    let mut query = Condition::default();
    query.sql.push_str(erasure::BY_AUTHOR);
    query
        .values
        .extend(["zoe", "instagram"].map(|value| value.to_owned().into()));
    let plan = plan(&query);
    let expected = "INDEX keywords_by_value (field=? AND value=?)";
    assert!(plan.contains(expected), "{plan}");
    assert!(!plan.contains("SCAN"), "{plan}");
}

#[test]
fn the_records_of_a_day_are_found_by_an_index() {
    let day = "published:2026-03-01".parse().unwrap();
    let scan = Scan::matching(day).settled();
    let few = scan::candidates(&scan).pop();
    let plan = plan(&scan::count_query(&scan, few).unwrap());
    let expected = "INDEX records_by_time (published>? AND published<?)";
    assert!(plan.contains(expected), "{plan}");
}

#[test]
fn dead_letters_are_found_in_order_by_an_index() {
    let mut wanted = DeadLetterScan::of_use_case("catalog");
    wanted.cause = Some("corrupt".to_owned());
    wanted.after = Some((Timestamp::UNIX_EPOCH, "catalog/test:1".to_owned()));
    let plan = plan(&letters::page_query(&wanted));
    let expected = "SEARCH dead_letters USING INDEX dead_letters_by_time ((at,key)>(?,?))";
    assert_eq!(plan, expected, "and nothing is sorted");
}
