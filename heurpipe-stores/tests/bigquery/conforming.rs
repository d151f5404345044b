use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use heurpipe_stores::suite::warehouse::{Dialect, InMemoryPlace, Place};
use heurpipe_stores::suite::{self, Backend, Failure};
use heurpipe_stores::warehouse::Warehouse;
use heurpipe_stores::{Mode, warehouse};

use super::emulator::Alone;

/// Why nobody can look into the files of a table.
const NO_FILES: &str = "rows lie in tables, of which nobody sees a file";

/// What the emulator does otherwise than BigQuery: it reads Parquet into maps of Go, whose fields come in an order by chance.
const RECORDS_SHUFFLED: &str =
    "the emulator loads the two fields of an attribute in an order by chance";

const EMULATOR: Backend = Backend {
    name: "bigquery-emulator",
    lacks: &[
        ("attributes_are_found_by_name", RECORDS_SHUFFLED),
        (
            "coverage_says_what_there_is",
            "the emulator says of every table that it has no bytes",
        ),
        (
            "times_before_the_year_one_come_back",
            "bigquery has no such times: they are refused, and the post is named",
        ),
        ("erased_is_in_no_file", NO_FILES),
        ("what_no_longer_counts_is_erased_from_files_too", NO_FILES),
    ],
};

const GOOGLE_SQL: Dialect = Dialect {
    has: |column, label| format!("'{label}' IN UNNEST({column})"),
    attribute: |name, label| {
        format!(
            "EXISTS (SELECT 1 FROM UNNEST(attributes) a WHERE a.keys = '{name}' AND '{label}' IN UNNEST(a.values))"
        )
    },
    unnested: |column| format!("SELECT label FROM posts, UNNEST({column}) AS label"),
};

/// The emulator becomes slower with each, and after some fifty of them has no memory left.
const CHECKS_A_LIFE: usize = 4;

/// A table of BigQuery, by the URL that opens it.
struct Table(String);

#[async_trait]
impl Place for Table {
    async fn open(&self, mode: Mode) -> Result<Arc<dyn Warehouse>, Failure> {
        Ok(warehouse::open(&self.0, mode).await?)
    }

    async fn files(&self) -> Result<Vec<Bytes>, Failure> {
        Err(NO_FILES.into())
    }

    fn dialect(&self) -> Dialect {
        GOOGLE_SQL
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_what_every_warehouse_must() {
    if std::env::var_os("HEURPIPE_TEST_BQ_SUITE").is_none() {
        println!(
            "skipped: HEURPIPE_TEST_BQ_SUITE is not set; the suite takes minutes on the emulator, and restarts it"
        );
        return;
    }
    let Some(emulator) = Alone::named().await else {
        return;
    };
    let memory = suite::warehouse::run(Backend::named("memory"), async || {
        Ok(Arc::new(InMemoryPlace::default()) as _)
    })
    .await
    .unwrap();
    let opened = AtomicUsize::new(0);
    let there = suite::warehouse::run(EMULATOR, async || {
        let number = opened.fetch_add(1, Ordering::Relaxed);
        if number.is_multiple_of(CHECKS_A_LIFE) {
            emulator.restart();
        }
        Ok(Arc::new(Table(emulator.server.fresh())) as _)
    })
    .await
    .unwrap();
    print!("{}", suite::table(&[memory, there]));
}
