//! Random corpora on every store: each finds what core's own evaluation finds, so all find the same.
//!
//! `HEURPIPE_TEST_CORPORA` says on how many corpora, of 100 filters each. Stores on servers take part where the environment names them; see
//! `scripts/services/services.sh`.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, LazyLock};
use std::time::Instant;

#[cfg(feature = "bigquery")]
use heurpipe_core::filter::{Filter, Predicate};
use heurpipe_stores::documents::MemoryDocuments;
use heurpipe_stores::search::MemorySearch;
use heurpipe_stores::suite::Check;
use heurpipe_stores::suite::differential::{self, Corpus, Extent};
use heurpipe_stores::suite::kinds::Kinds;
#[cfg(feature = "bigquery")]
use heurpipe_stores::suite::service::Service;
use heurpipe_stores::{Mode, documents, search, warehouse};

const RECORDS: u64 = 120;
const FILTERS: u64 = 100;
/// Without the variable.
const CORPORA: u64 = 5;

/// The same for all stores.
static CORPORA_MADE: LazyLock<Vec<Corpus>> = LazyLock::new(|| {
    let count = std::env::var("HEURPIPE_TEST_CORPORA");
    let count = count.map_or(CORPORA, |count| count.parse().unwrap());
    (1..=count)
        .map(|seed| {
            Corpus::made(Extent {
                seed,
                records: RECORDS,
                filters: FILTERS,
            })
        })
        .collect()
});

/// Compares a store with core on every corpus, each time an empty one, and prints what was compared.
async fn agrees(name: &str, on: impl AsyncFn(usize, &Corpus) -> Check) {
    let compared = agrees_on(name, &CORPORA_MADE, on).await;
    assert_eq!(compared as u64, CORPORA_MADE.len() as u64 * FILTERS);
}

/// Likewise with these; says how many filters were asked.
async fn agrees_on(
    name: &str,
    corpora: &[Corpus],
    on: impl AsyncFn(usize, &Corpus) -> Check,
) -> usize {
    let began = Instant::now();
    let mut compared = 0;
    for (number, corpus) in corpora.iter().enumerate() {
        on(number, corpus)
            .await
            .unwrap_or_else(|error| panic!("{name}, corpus {}: {error}", number + 1));
        compared += corpus.filters();
    }
    println!(
        "{name}: {} corpora of {RECORDS} records, {compared} filters, every set of ids as core has it, in {:.1} s",
        corpora.len(),
        began.elapsed().as_secs_f64()
    );
    compared
}

#[test]
fn every_kind_is_asked() {
    let mut kinds = Kinds::default();
    CORPORA_MADE.iter().for_each(|c| kinds.add(c.kinds()));
    print!("{kinds}");
    assert_eq!(kinds.missing(), [""; 0], "kinds that were never made");
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_in_memory() {
    agrees("documents in memory", async |_, corpus| {
        differential::documents(Arc::new(MemoryDocuments::new()), corpus).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn search_in_memory() {
    agrees("search in memory", async |_, corpus| {
        differential::search(Arc::new(MemorySearch::new()), corpus).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    let folder = tempfile::tempdir().unwrap();
    agrees("sqlite", async |number, corpus| {
        let url = format!("sqlite:{}/{number}.db", folder.path().display());
        let store = documents::open(&url, Mode::ReadWrite).await?;
        differential::documents(store, corpus).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tantivy() {
    let folder = tempfile::tempdir().unwrap();
    agrees("tantivy", async |number, corpus| {
        let url = format!("tantivy:{}/{number}", folder.path().display());
        let index = search::open(&url, Mode::ReadWrite).await?;
        differential::search(index, corpus).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parquet() {
    agrees("parquet", async |_, corpus| {
        let store = warehouse::open("memory:", Mode::ReadWrite).await?;
        differential::warehouse(store, corpus).await
    })
    .await;
}

/// The value of a variable that names a server; says when there is none.
#[cfg(any(feature = "mongodb", feature = "elasticsearch", feature = "bigquery"))]
fn server(variable: &str) -> Option<String> {
    let named = std::env::var(variable).ok();
    if named.is_none() {
        println!("skipped: {variable} is not set; see scripts/services/services.sh");
    }
    named
}

#[cfg(feature = "mongodb")]
#[tokio::test(flavor = "multi_thread")]
async fn mongodb() {
    let Some(uri) = server("HEURPIPE_TEST_MONGO_URI") else {
        return;
    };
    let client = ::mongodb::Client::with_uri_str(&uri).await.unwrap();
    let (place, options) = uri.split_once('?').unwrap_or((&uri, ""));
    agrees("mongodb", async |number, corpus| {
        let name = format!("differential-{}-{number}", std::process::id());
        let url = format!("{}/{name}?{options}", place.trim_end_matches('/'));
        let store = documents::open(&url, Mode::ReadWrite).await?;
        differential::documents(store, corpus).await?;
        Ok(client.database(&name).drop().await?)
    })
    .await;
}

/// On Elasticsearch or OpenSearch.
#[cfg(feature = "elasticsearch")]
async fn search_server(product: &str, variable: &str) {
    let Some(url) = server(variable) else {
        return;
    };
    let (url, http) = (url.trim_end_matches('/'), reqwest::Client::new());
    agrees(product, async |number, corpus| {
        let name = format!("differential-{}-{number}", std::process::id());
        let index = search::open(&format!("{url}/{name}"), Mode::ReadWrite).await?;
        differential::search(index, corpus).await?;
        // Both products refuse to delete by pattern unless told to allow it: by name.
        let indices: serde_json::Value = http
            .get(format!("{url}/{name}/_mapping"))
            .send()
            .await?
            .json()
            .await?;
        for index in indices.as_object().into_iter().flatten() {
            http.delete(format!("{url}/{}", index.0)).send().await?;
        }
        http.delete(format!("{url}/_index_template/{name}"))
            .send()
            .await?;
        Ok(())
    })
    .await;
}

#[cfg(feature = "elasticsearch")]
#[tokio::test(flavor = "multi_thread")]
async fn elasticsearch() {
    search_server("elasticsearch", "HEURPIPE_TEST_ES_URL").await;
}

#[cfg(feature = "elasticsearch")]
#[tokio::test(flavor = "multi_thread")]
async fn opensearch() {
    search_server("opensearch", "HEURPIPE_TEST_OPENSEARCH_URL").await;
}

/// The emulator reads Parquet into maps of Go, so that name and values of an attribute come in an order by chance: filters on attributes without a column
/// of their own are not asked of it.
#[cfg(feature = "bigquery")]
const WITHOUT_A_COLUMN: [&str; 2] = ["score", "absent"];

#[cfg(feature = "bigquery")]
fn names_an_attribute_without_a_column(filter: &Filter) -> bool {
    match filter {
        Filter::Test(Predicate::Keyword { field, .. }) => {
            WITHOUT_A_COLUMN.contains(&field.as_str())
        }
        Filter::Not(inner) => names_an_attribute_without_a_column(inner),
        Filter::And(parts) | Filter::Or(parts) => {
            parts.iter().any(names_an_attribute_without_a_column)
        }
        Filter::All | Filter::Test(_) => false,
    }
}

#[cfg(feature = "bigquery")]
#[tokio::test(flavor = "multi_thread")]
async fn bigquery() {
    let (Some(bigquery), Some(service)) =
        (server("HEURPIPE_TEST_BQ_URL"), Service::named("bigquery"))
    else {
        return;
    };
    if std::env::var_os("HEURPIPE_TEST_BQ_SUITE").is_none() {
        println!(
            "skipped: HEURPIPE_TEST_BQ_SUITE is not set; the emulator takes a while for a corpus, and is restarted"
        );
        return;
    }
    let variable = |name| std::env::var(name).unwrap();
    let dataset = format!(
        "bigquery://{}/{}",
        variable("HEURPIPE_TEST_BQ_PROJECT"),
        variable("HEURPIPE_TEST_BQ_DATASET")
    );
    let places = format!(
        "bucket={}/differential&endpoint={bigquery}&bucket_endpoint={}",
        variable("HEURPIPE_TEST_BUCKET"),
        variable("HEURPIPE_TEST_GCS_URL")
    );
    let corpora: Vec<Corpus> = CORPORA_MADE
        .iter()
        .map(|corpus| corpus.asking(|filter| !names_an_attribute_without_a_column(filter)))
        .collect();
    let run = std::process::id();
    let asked = agrees_on("bigquery-emulator", &corpora, async |number, corpus| {
        // Of each question the emulator keeps some memory, of which it can have 2 GiB.
        service.restart(&[])?;
        let url = format!("{dataset}/differential_{run}_{number}?{places}");
        let store = warehouse::open(&url, Mode::ReadWrite).await?;
        differential::warehouse(store, corpus).await
    })
    .await;
    assert!(asked > 50 * corpora.len(), "{asked} filters were asked");
}
