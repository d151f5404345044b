use heurpipe_core::{ErrorKind, Record};
use heurpipe_stores::warehouse::{NoHotRows, ParquetWarehouse, Warehouse, output, records};

use super::fixture::{ask, hot_rows_win, number, record, refusal, some};
use super::folder::in_folder;

#[tokio::test]
async fn a_query_sees_both_tiers_and_hot_rows_win() {
    let warehouse = ParquetWarehouse::in_memory();
    hot_rows_win(&warehouse).await;

    // Only hot rows, and no rows at all.
    let empty = ParquetWarehouse::in_memory();
    let count = "SELECT count(*) FROM posts";
    let hot = [record(20, None), record(21, None), record(22, None)];
    assert_eq!(number(&empty, count, &hot).await, 3);
    assert_eq!(number(&empty, count, &[]).await, 0);
}

#[tokio::test]
async fn attributes_and_times_can_be_asked_for() {
    let warehouse = ParquetWarehouse::in_memory();
    warehouse.append(some(20)).await.unwrap();
    for (query, expected) in [
        (
            "SELECT count(*) FROM posts WHERE array_has(colour, 'red')",
            10,
        ),
        (
            "SELECT count(*) FROM posts WHERE array_has(attributes['colour'], 'red')",
            10,
        ),
        (
            "SELECT count(*) FROM (SELECT unnest(hashtags) AS h FROM posts) WHERE h = 'ete'",
            20,
        ),
        (
            "SELECT count(*) FROM posts WHERE published_at >= '2026-03-02T00:00:00Z'",
            11,
        ),
        (
            "SELECT count(DISTINCT date_trunc('day', published_at)) FROM posts",
            3,
        ),
        ("SELECT sum(likes) FROM posts", 210),
        ("SELECT count(*) FROM posts WHERE comments IS NULL", 20),
    ] {
        assert_eq!(number(&warehouse, query, &[]).await, expected, "{query}");
    }
    let rows = ask(
        &warehouse,
        "SELECT record FROM posts WHERE id = 'weibo:5'",
        &[],
    )
    .await;
    let found: Vec<Record> = rows.iter().flat_map(|b| records(b).unwrap()).collect();
    assert_eq!(found, [some(5).remove(4)]);
}

#[tokio::test]
async fn only_reading_statements_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = in_folder(folder.path()).await;
    warehouse.append(some(2)).await.unwrap();
    for query in [
        "DROP TABLE posts",
        "INSERT INTO posts SELECT * FROM posts",
        "DELETE FROM posts",
        "UPDATE posts SET text = ''",
        "CREATE TABLE t AS SELECT * FROM posts",
        "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '/etc'",
        "COPY posts TO '/tmp/stolen.parquet'",
        "EXPLAIN COPY posts TO '/tmp/stolen.parquet'",
        "SET datafusion.execution.batch_size = 1",
        "EXPLAIN ANALYZE INSERT INTO posts SELECT * FROM posts",
    ] {
        let error = refusal(&warehouse, query).await;
        assert_eq!(
            error.kind(),
            ErrorKind::PermissionDenied,
            "{query}: {error}"
        );
        assert!(error.to_string().contains("read-only"), "{error}");
    }
    for query in [
        "EXPLAIN SELECT * FROM posts",
        "SHOW TABLES",
        "DESCRIBE posts",
    ] {
        assert!(!ask(&warehouse, query, &[]).await.is_empty(), "{query}");
    }
    for query in [
        "",
        "SELECT 1; SELECT 2",
        "SELECT FROM WHERE",
        "SELECT * FROM '/etc/passwd'",
    ] {
        let error = refusal(&warehouse, query).await;
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{query}: {error}");
    }
    let error = refusal(&warehouse, "SELECT colours FROM posts")
        .await
        .to_string();
    assert!(
        error.contains(r#"no column "colours"; did you mean "colour"?"#),
        "{error}"
    );
    let error = refusal(&warehouse, "SELECT zzz FROM posts")
        .await
        .to_string();
    assert!(error.contains("published_at"), "{error}");
    let error = refusal(&warehouse, "SELECT 1 / (likes - likes) FROM posts").await;
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
}

#[tokio::test]
async fn answers_are_written_in_every_format() {
    let warehouse = ParquetWarehouse::in_memory();
    warehouse.append(some(12)).await.unwrap();
    let query =
        "SELECT id, likes, comments, hashtags, attributes, published_at FROM posts ORDER BY likes";
    let mut written = std::collections::BTreeMap::new();
    for (name, format) in output::Format::NAMES {
        let answer = warehouse.sql(query, &NoHotRows).await.unwrap();
        let mut bytes = Vec::new();
        let rows = output::write(*format, answer.schema, answer.batches, &mut bytes)
            .await
            .unwrap();
        assert_eq!(rows, 12, "{name}");
        assert_eq!(name.parse::<output::Format>().unwrap(), *format);
        written.insert(*name, bytes);
    }
    let text = |name: &str| String::from_utf8(written[name].clone()).unwrap();
    let csv = text("csv");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 13);
    assert_eq!(
        lines[0],
        "id,likes,comments,hashtags,attributes,published_at"
    );
    assert_eq!(
        lines[1],
        r#"weibo:1,1,,"[""ete"",""ootd""]","{""colour"":[""blue""]}",2026-03-01T12:00:01Z"#
    );
    let first: serde_json::Value =
        serde_json::from_str(text("ndjson").lines().next().unwrap()).unwrap();
    assert_eq!(first["hashtags"], serde_json::json!(["ete", "ootd"]));
    assert_eq!(first["comments"], serde_json::Value::Null);
    assert!(text("table").contains("| weibo:1 "), "{}", text("table"));

    let arrow = arrow::ipc::reader::StreamReader::try_new(written["arrow"].as_slice(), None);
    let counted: usize = arrow.unwrap().map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(counted, 12);
    let parquet = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(
        bytes::Bytes::from(written["parquet"].clone()),
    );
    let counted: usize = parquet
        .unwrap()
        .build()
        .unwrap()
        .map(|b| b.unwrap().num_rows())
        .sum();
    assert_eq!(counted, 12);
    assert!(
        "xlsx"
            .parse::<output::Format>()
            .unwrap_err()
            .to_string()
            .contains("ndjson")
    );
}
