//! What SQL sees: rows of both tiers, lists, attributes.

use std::collections::BTreeSet;
use std::sync::Arc;

use heurpipe_core::{Counts, ErrorKind, Record, State};

use super::super::{Check, Failure};
use super::{
    Place, all_records, checks, column, dated, id, number, record, refusal, rows, some_days, texts,
    with, writer,
};
use crate::warehouse::{Warehouse, posts_schema, records};

checks!(
    dyn Place;
    rows_are_chosen_and_ordered,
    rows_hold_what_records_say,
    groups_are_counted,
    lists_are_unnested,
    lists_are_searched,
    attributes_are_found_by_name,
    use_cases_are_a_list,
    every_column_is_there,
    records_are_read_from_rows,
    every_row_says_its_tier,
    hot_rows_count_once,
    hot_rows_alone_are_answered,
    many_hot_rows_are_answered,
    an_answer_says_what_it_covers,
    questions_without_rows_are_answered,
);

async fn rows_are_chosen_and_ordered(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    warehouse.append(some_days()?).await?;
    let query = "SELECT native_id FROM posts WHERE published_at >= '2026-03-03T00:00:00Z' \
        AND native_id <> '10' ORDER BY native_id DESC LIMIT 3";
    assert_eq!(texts(&*warehouse, query, &[]).await?, ["11", "07", "06"]);
    Ok(())
}

async fn rows_hold_what_records_say(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let mut given = record("1", 4, "a look");
    given.post.counts = Counts::new(Some(7), Some(0), None);
    given.post.language_hint = Some("it".to_owned());
    let mut author = heurpipe_core::Author::unknown();
    author.id = Some("100".to_owned());
    author.handle = Some("maison".to_owned());
    author.followers = Some(12);
    author.verified = Some(true);
    given.post.author = Some(author);
    warehouse.append(vec![given]).await?;
    for (name, value) in [
        ("id", "instagram:1"),
        ("platform", "instagram"),
        ("native_id", "1"),
        ("author_id", "100"),
        ("author_handle", "maison"),
        ("followers", "12"),
        ("verified", "true"),
        ("text", "a look"),
        ("language", "it"),
        ("likes", "7"),
        ("comments", "0"),
        ("revision", "4"),
    ] {
        let query = format!("SELECT {name} FROM posts");
        let found = column(&*warehouse, &query, 0, &[]).await?;
        assert_eq!(found, [Some(value.to_owned())], "{name}");
    }
    Ok(())
}

async fn groups_are_counted(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let mut given = some_days()?;
    for (likes, record) in (0..).zip(&mut given) {
        record.post.counts = Counts::new(Some(likes % 3), None, None);
    }
    warehouse.append(given).await?;
    let query = "SELECT likes, count(*) AS posts_with FROM posts GROUP BY likes ORDER BY likes";
    let likes = column(&*warehouse, query, 0, &[]).await?;
    let counts = column(&*warehouse, query, 1, &[]).await?;
    let found: Vec<(String, String)> = likes
        .into_iter()
        .flatten()
        .zip(counts.into_iter().flatten())
        .collect();
    let expected = [("0", "5"), ("1", "4"), ("2", "4")];
    assert_eq!(found, expected.map(|(l, c)| (l.to_owned(), c.to_owned())));
    Ok(())
}

/// Posts with colours and tags.
fn coloured() -> Vec<Record> {
    let mut given = vec![
        with("1", &[("colour", &["Red", "pink"]), ("fabric", &["silk"])]),
        with("2", &[("colour", &["red"]), ("fabric", &["wool", "silk"])]),
        with("3", &[("colour", &[])]),
        record("4", 1, ""),
    ];
    given[0].post.hashtags = vec!["OOTD".to_owned(), "Été".to_owned()];
    given[3].post.hashtags = vec!["ootd".to_owned()];
    given
}

async fn lists_are_unnested(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    warehouse.append(coloured()).await?;
    for (list, expected) in [
        ("colour", vec!["pink", "red", "red"]),
        ("hashtags", vec!["ete", "ootd", "ootd"]),
        ("garment", vec![]),
    ] {
        let query = (place.dialect().unnested)(list);
        let mut found = texts(&*warehouse, &query, &[]).await?;
        found.sort();
        assert_eq!(found, expected, "{list}");
    }
    Ok(())
}

/// The native ids of posts for which a condition holds.
async fn where_(warehouse: &dyn Warehouse, condition: &str) -> Result<Vec<String>, Failure> {
    let query = format!("SELECT native_id FROM posts WHERE {condition} ORDER BY native_id");
    texts(warehouse, &query, &[]).await
}

async fn lists_are_searched(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    warehouse.append(coloured()).await?;
    let has = place.dialect().has;
    for (list, label, expected) in [
        ("colour", "red", vec!["1", "2"]),
        ("colour", "pink", vec!["1"]),
        ("colour", "re", vec![]),
        ("hashtags", "ootd", vec!["1", "4"]),
    ] {
        let found = where_(&*warehouse, &has(list, label)).await?;
        assert_eq!(found, expected, "{list} {label}");
    }
    Ok(())
}

async fn attributes_are_found_by_name(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    warehouse.append(coloured()).await?;
    let attribute = place.dialect().attribute;
    for (name, label, expected) in [
        ("colour", "red", vec!["1", "2"]),
        ("fabric", "silk", vec!["1", "2"]),
        ("fabric", "wool", vec!["2"]),
        ("fabric", "red", vec![]),
        ("absent", "red", vec![]),
    ] {
        let found = where_(&*warehouse, &attribute(name, label)).await?;
        assert_eq!(found, expected, "{name} {label}");
    }
    Ok(())
}

async fn use_cases_are_a_list(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let mut given = vec![record("1", 1, ""), record("2", 1, ""), record("3", 1, "")];
    let states = &mut given[0].states;
    states.insert("catalog".to_owned(), State::Delivered);
    states.insert("trends".to_owned(), State::Delivered);
    given[1]
        .states
        .insert("trends".to_owned(), State::Delivered);
    warehouse.append(given).await?;
    let has = place.dialect().has;
    for (use_case, expected) in [("catalog", vec!["1"]), ("trends", vec!["1", "2"])] {
        let found = where_(&*warehouse, &has("relevant_to", use_case)).await?;
        assert_eq!(found, expected, "{use_case}");
    }
    Ok(())
}

async fn every_column_is_there(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    for filled in [false, true] {
        if filled {
            warehouse.append(some_days()?).await?;
        }
        let answer = warehouse.sql("SELECT * FROM posts", &Vec::new()).await?;
        let found: BTreeSet<&String> = answer.schema.fields().iter().map(|f| f.name()).collect();
        let schema = posts_schema();
        let tier = "tier".to_owned();
        let mut expected: BTreeSet<&String> = schema.fields().iter().map(|f| f.name()).collect();
        expected.insert(&tier);
        assert_eq!(found, expected, "filled: {filled}");
    }
    Ok(())
}

async fn records_are_read_from_rows(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let given = some_days()?;
    warehouse.append(given.clone()).await?;
    let query = "SELECT record FROM posts ORDER BY native_id";
    let mut found = Vec::new();
    for batch in rows(&*warehouse, query, &[]).await? {
        found.extend(records(&batch)?);
    }
    assert_eq!(found, given);
    Ok(())
}

const TIERS: &str = "SELECT tier FROM posts ORDER BY native_id";

async fn every_row_says_its_tier(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    warehouse
        .append(vec![record("1", 1, ""), record("3", 1, "")])
        .await?;
    assert_eq!(texts(&*warehouse, TIERS, &[]).await?, ["cold", "cold"]);
    let hot = [record("2", 1, "")];
    let both = texts(&*warehouse, TIERS, &hot).await?;
    assert_eq!(both, ["cold", "hot", "cold"]);
    Ok(())
}

async fn hot_rows_count_once(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    warehouse.append(some_days()?).await?;
    warehouse.remove(&[id("01")]).await?;
    // Newer than the cold one, older than it, and of a post that was removed: as documents have it.
    let mut hot = vec![
        record("03", 2, "hot"),
        record("04", 0, "hot"),
        record("01", 1, "hot"),
        record("99", 1, "hot"),
    ];
    hot[1].post.published_at = Some("2027-01-01T00:00:00Z".parse()?);
    let count = "SELECT count(*) FROM posts";
    assert_eq!(number(&*warehouse, count, &hot).await?, 14);
    for (tier, expected) in [("hot", 4), ("cold", 10)] {
        let query = format!("{count} WHERE tier = '{tier}'");
        assert_eq!(number(&*warehouse, &query, &hot).await?, expected, "{tier}");
    }
    let distinct = "SELECT count(DISTINCT id) FROM posts";
    assert_eq!(number(&*warehouse, distinct, &hot).await?, 14);
    let query = "SELECT native_id FROM posts WHERE text = 'hot' ORDER BY native_id";
    let found = texts(&*warehouse, query, &hot).await?;
    assert_eq!(found, ["01", "03", "04", "99"]);
    assert_eq!(
        all_records(&*warehouse).await?.len(),
        12,
        "nothing was stored"
    );
    Ok(())
}

async fn hot_rows_alone_are_answered(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let mut hot = coloured();
    hot[0].post.text = "it's \"hot\" 🧥".to_owned();
    let count = "SELECT count(*) FROM posts";
    assert_eq!(number(&*warehouse, count, &hot).await?, 4);
    let query = "SELECT text FROM posts WHERE native_id = '1'";
    let found = texts(&*warehouse, query, &hot).await?;
    assert_eq!(found, ["it's \"hot\" 🧥"]);
    let query = (place.dialect().unnested)("colour");
    assert_eq!(texts(&*warehouse, &query, &hot).await?.len(), 3);
    Ok(())
}

async fn many_hot_rows_are_answered(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    warehouse.append(some_days()?).await?;
    let hot: Vec<Record> = (0..2_100)
        .map(|n| record(&format!("{n:02}"), 2, ""))
        .collect();
    let count = "SELECT count(*) FROM posts";
    assert_eq!(number(&*warehouse, count, &hot).await?, 2_100);
    let cold = "SELECT count(*) FROM posts WHERE tier = 'cold'";
    assert_eq!(number(&*warehouse, cold, &hot).await?, 0);
    Ok(())
}

async fn an_answer_says_what_it_covers(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    warehouse.append(some_days()?).await?;
    let hot = vec![record("03", 2, ""), record("99", 1, "")];
    let answer = warehouse.sql("SELECT id FROM posts", &hot).await?;
    assert_eq!(answer.hot, 2);
    assert_eq!(answer.cold, warehouse.coverage().await?);
    assert_eq!(answer.cold.posts, 13);
    Ok(())
}

async fn questions_without_rows_are_answered(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    assert_eq!(number(&*warehouse, "SELECT 1 + 1", &[]).await?, 2);
    warehouse
        .append(vec![dated("1", 1, "2026-03-01T00:00:00Z")?])
        .await?;
    let none = "SELECT native_id FROM posts WHERE likes > 5";
    assert!(texts(&*warehouse, none, &[]).await?.is_empty());
    let count = "SELECT count(*) FROM posts WHERE likes > 5";
    assert_eq!(number(&*warehouse, count, &[]).await?, 0);
    assert!(refusal(&*warehouse, none).await.is_none());
    let error = refusal(&*warehouse, "SELECT colours FROM posts").await;
    let kind = error.as_ref().map(heurpipe_core::Error::kind);
    assert_eq!(kind, Some(ErrorKind::InvalidInput), "{error:?}");
    Ok(())
}
