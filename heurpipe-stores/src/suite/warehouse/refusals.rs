//! What a query may not do.

use std::sync::Arc;

use heurpipe_core::{Error, ErrorKind};

use super::super::Check;
use super::{Place, all_records, checks, refusal, some_days, writer};

checks!(
    dyn Place;
    sql_does_not_insert,
    sql_does_not_update,
    sql_does_not_delete,
    sql_does_not_drop,
    sql_does_not_create,
    sql_does_not_copy,
    sql_does_not_set,
    sql_does_not_attach,
    sql_does_not_hide_a_change,
    one_statement_is_one_query,
    what_is_no_sql_is_invalid,
    unknown_columns_are_named,
    other_tables_are_not_there,
);

/// None of these is answered, as not permitted, or, where the dialect has no such statement, as not understood; and nothing changes.
async fn refuses(place: &dyn Place, kinds: &[ErrorKind], queries: &[&str]) -> Check {
    let warehouse = writer(place).await?;
    warehouse.append(some_days()?).await?;
    let before = all_records(&*warehouse).await?;
    for query in queries {
        let error = refusal(&*warehouse, query).await;
        let Some(error) = error else {
            panic!("this was answered: {query}");
        };
        assert!(kinds.contains(&error.kind()), "{query}: {error}");
    }
    assert_eq!(all_records(&*warehouse).await?, before);
    Ok(())
}

const NOT_PERMITTED: &[ErrorKind] = &[ErrorKind::PermissionDenied];
const NOT_PERMITTED_OR_UNKNOWN: &[ErrorKind] = &[
    ErrorKind::PermissionDenied,
    ErrorKind::InvalidInput,
    ErrorKind::Unsupported,
];

async fn sql_does_not_insert(place: Arc<dyn Place>) -> Check {
    let queries = [
        "INSERT INTO posts SELECT * FROM posts",
        "INSERT INTO posts (id) VALUES ('x')",
    ];
    refuses(&*place, NOT_PERMITTED, &queries).await
}

async fn sql_does_not_update(place: Arc<dyn Place>) -> Check {
    let queries = ["UPDATE posts SET text = '' WHERE true"];
    refuses(&*place, NOT_PERMITTED, &queries).await
}

async fn sql_does_not_delete(place: Arc<dyn Place>) -> Check {
    refuses(
        &*place,
        NOT_PERMITTED,
        &["DELETE FROM posts WHERE true", "TRUNCATE TABLE posts"],
    )
    .await
}

async fn sql_does_not_drop(place: Arc<dyn Place>) -> Check {
    let queries = ["DROP TABLE posts", "DROP VIEW posts"];
    refuses(&*place, NOT_PERMITTED, &queries).await
}

async fn sql_does_not_create(place: Arc<dyn Place>) -> Check {
    let queries = [
        "CREATE TABLE t AS SELECT * FROM posts",
        "CREATE VIEW v AS SELECT * FROM posts",
        "CREATE OR REPLACE VIEW posts AS SELECT 1 AS id",
    ];
    refuses(&*place, NOT_PERMITTED, &queries).await
}

async fn sql_does_not_copy(place: Arc<dyn Place>) -> Check {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("stolen.parquet");
    let queries = [
        format!("COPY posts TO '{}'", file.display()),
        format!("COPY (SELECT * FROM posts) TO '{}'", file.display()),
        "EXPORT DATA OPTIONS (uri = 'gs://elsewhere/*.csv', format = 'CSV') AS SELECT * FROM posts"
            .to_owned(),
    ];
    let queries: Vec<&str> = queries.iter().map(String::as_str).collect();
    refuses(&*place, NOT_PERMITTED_OR_UNKNOWN, &queries).await?;
    assert!(!file.exists(), "nothing was written");
    Ok(())
}

async fn sql_does_not_set(place: Arc<dyn Place>) -> Check {
    let queries = [
        "SET datafusion.execution.batch_size = 1",
        "SET @@dataset_id = 'other'",
    ];
    refuses(&*place, NOT_PERMITTED_OR_UNKNOWN, &queries).await
}

async fn sql_does_not_attach(place: Arc<dyn Place>) -> Check {
    let queries = [
        "ATTACH DATABASE '/tmp/other.db' AS other",
        "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '/etc'",
        "LOAD DATA INTO t FROM FILES (uris = ['gs://elsewhere/x'], format = 'CSV')",
    ];
    refuses(&*place, NOT_PERMITTED_OR_UNKNOWN, &queries).await
}

async fn sql_does_not_hide_a_change(place: Arc<dyn Place>) -> Check {
    let queries = [
        "EXPLAIN COPY posts TO '/tmp/stolen.parquet'",
        "EXPLAIN ANALYZE INSERT INTO posts SELECT * FROM posts",
        "WITH gone AS (DELETE FROM posts WHERE true RETURNING id) SELECT * FROM gone",
        "BEGIN TRANSACTION",
        "CALL anything()",
        "EXECUTE IMMEDIATE 'DROP TABLE posts'",
    ];
    refuses(&*place, NOT_PERMITTED_OR_UNKNOWN, &queries).await
}

async fn one_statement_is_one_query(place: Arc<dyn Place>) -> Check {
    let queries = [
        "SELECT 1; SELECT 2",
        "SELECT id FROM posts; DROP TABLE posts",
        "",
        " ; ",
        "-- nothing",
    ];
    refuses(&*place, NOT_PERMITTED_OR_UNKNOWN, &queries).await
}

const INVALID: &[ErrorKind] = &[ErrorKind::InvalidInput];

async fn what_is_no_sql_is_invalid(place: Arc<dyn Place>) -> Check {
    let queries = [
        "SELECT FROM WHERE",
        "hello",
        "SELECT * FROM posts WHERE text = 'open",
        "SELECT count( FROM posts",
        "SELECT 'no number' + likes FROM posts",
    ];
    refuses(&*place, INVALID, &queries).await
}

async fn unknown_columns_are_named(place: Arc<dyn Place>) -> Check {
    let queries = [
        "SELECT colours FROM posts",
        "SELECT nothing_of_the_kind(id) FROM posts",
    ];
    refuses(&*place, INVALID, &queries).await?;
    let warehouse = writer(&*place).await?;
    let error = refusal(&*warehouse, queries[0]).await;
    let said = error.as_ref().map(Error::to_string).unwrap_or_default();
    assert!(said.contains("colours"), "{said}");
    Ok(())
}

async fn other_tables_are_not_there(place: Arc<dyn Place>) -> Check {
    let queries = [
        "SELECT * FROM elsewhere",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_csv('/etc/passwd')",
    ];
    refuses(&*place, NOT_PERMITTED_OR_UNKNOWN, &queries).await
}
