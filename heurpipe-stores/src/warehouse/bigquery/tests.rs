//! Recorded replies of the service: what it says where no emulator does. Their form is that of <https://cloud.google.com/bigquery/docs/reference/rest/v2/Job>,
//! <https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query> and <https://cloud.google.com/bigquery/docs/error-messages>.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::TryStreamExt;
use heurpipe_core::{ErrorKind, Filter, Platform, Post, PostId, Record, Retry};
use object_store::StaticCredentialProvider;
use object_store::gcp::GcpCredential;
use object_store::path::Path;
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::address::Address;
use super::change::Change;
use super::client::Client;
use super::service::Service;
use super::{BigQueryWarehouse, guard, job, sql, table};
use crate::Mode;
use crate::warehouse::bucket::Bucket;
use crate::warehouse::{NoHotRows, Warehouse};

/// What the service remembers.
#[derive(Default)]
struct World {
    /// Jobs by name, with how often each was looked at since it began.
    jobs: BTreeMap<String, (Value, usize)>,
    /// Names of jobs that were begun, in order, with what they do.
    begun: Vec<(String, String)>,
    /// What was refused since a job of the name was there.
    refused: usize,
    /// How jobs of these kinds end, first to last; all others end well.
    ends: Vec<(&'static str, Value)>,
    /// Rows of `posts` as answers give them: id and revision.
    rows: Vec<(String, u64)>,
    /// What questions asked, and what every other call was.
    asked: Vec<Value>,
    other: Vec<String>,
    /// Whether the answer to the first insertion of a job is lost.
    loses_an_answer: bool,
    tables: Vec<String>,
}

/// The service, as far as it is documented: a job's name is taken for ever, a job ends after it was looked at twice, and errors are told by its status.
#[derive(Clone, Default)]
struct BigQuery(Arc<Mutex<World>>);

impl BigQuery {
    async fn serve(&self) -> MockServer {
        let server = MockServer::start().await;
        Mock::given(any())
            .respond_with(self.clone())
            .mount(&server)
            .await;
        server
    }

    fn begun(&self, kind: &str) -> Vec<String> {
        let world = self.0.lock().unwrap();
        let begun = world.begun.iter().filter(|(_, k)| k == kind);
        begun.map(|(name, _)| name.clone()).collect()
    }
}

fn error(status: u16, reason: &str, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({"error": {
        "code": status, "message": message,
        "errors": [{"domain": "global", "reason": reason, "message": message}],
    }}))
}

impl Respond for BigQuery {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        assert_eq!(request.headers["authorization"], "Bearer token-1");
        let mut world = self.0.lock().unwrap();
        let path = request.url.path().replace("/bigquery/v2/projects/p/", "");
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        match (request.method.as_str(), path.as_str()) {
            ("POST", "jobs") => world.insert(&body),
            ("POST", "queries") => world.query(&body),
            ("POST", "datasets/d/tables") => {
                let name = body["tableReference"]["tableId"]
                    .as_str()
                    .unwrap()
                    .to_owned();
                if world.tables.contains(&name) {
                    return error(409, "duplicate", "Already Exists");
                }
                world.tables.push(name);
                ResponseTemplate::new(200).set_body_json(body)
            }
            ("GET", "datasets/d/tables") => {
                let tables = world
                    .tables
                    .iter()
                    .map(|name| json!({"tableReference": {"tableId": name}}));
                let tables: Vec<Value> = tables.collect();
                ResponseTemplate::new(200).set_body_json(json!({"tables": tables}))
            }
            ("DELETE", path) => {
                let name = path.rsplit('/').next().unwrap().to_owned();
                let known = world.tables.contains(&name);
                world.tables.retain(|table| *table != name);
                match known {
                    true => ResponseTemplate::new(204),
                    false => error(404, "notFound", "Not found: Table"),
                }
            }
            ("GET", path) if path.starts_with("jobs/") => world.look(&path["jobs/".len()..]),
            (method, path) => {
                world.other.push(format!("{method} {path}"));
                error(404, "notFound", "Not found")
            }
        }
    }
}

impl World {
    fn insert(&mut self, body: &Value) -> ResponseTemplate {
        let configuration = &body["configuration"];
        if configuration["dryRun"] == true {
            return ResponseTemplate::new(200).set_body_json(json!({
                "status": {"state": "DONE"},
                "statistics": {"query": {"statementType": "SELECT", "totalBytesProcessed": "5000"}},
            }));
        }
        let name = body["jobReference"]["jobId"].as_str().unwrap().to_owned();
        if self.jobs.contains_key(&name) {
            self.refused += 1;
            return error(409, "duplicate", "Already Exists: Job p:US.x");
        }
        let text = configuration["query"]["query"]
            .as_str()
            .unwrap_or("LOAD")
            .to_owned();
        let kind = text.split(' ').next().unwrap().to_owned();
        let end = match self.ends.iter().position(|(k, _)| *k == kind) {
            Some(place) => self.ends.remove(place).1,
            None => json!({"state": "DONE"}),
        };
        self.jobs.insert(name.clone(), (end, 0));
        self.begun.push((name, kind));
        if std::mem::take(&mut self.loses_an_answer) {
            return error(503, "backendError", "try again");
        }
        ResponseTemplate::new(200).set_body_json(json!({"status": {"state": "PENDING"}}))
    }

    fn look(&mut self, name: &str) -> ResponseTemplate {
        let Some((end, looks)) = self.jobs.get_mut(name) else {
            return error(404, "notFound", "Not found: Job");
        };
        *looks += 1;
        let status = if *looks < 2 {
            json!({"state": "RUNNING"})
        } else {
            end.clone()
        };
        ResponseTemplate::new(200).set_body_json(json!({"status": status}))
    }

    fn query(&mut self, body: &Value) -> ResponseTemplate {
        self.asked.push(body.clone());
        let text = body["query"].as_str().unwrap();
        let cell = |text: String| json!({"v": text});
        let rows: Vec<Value> = match text {
            text if text.starts_with("SELECT COUNT(*)") => {
                vec![json!({"f": [cell("1".to_owned())]})]
            }
            text if text.starts_with("SELECT id, revision") => {
                let rows = self.rows.iter();
                rows.map(|(id, r)| json!({"f": [cell(id.clone()), cell(r.to_string())]}))
                    .collect()
            }
            _ => Vec::new(),
        };
        ResponseTemplate::new(200).set_body_json(json!({
            "jobReference": {"jobId": "q"}, "jobComplete": true, "schema": {"fields": []}, "rows": rows,
        }))
    }
}

fn service(server: &MockServer, bucket: &Bucket, parameters: &str) -> Arc<Service> {
    let url = format!(
        "bigquery://p/d?bucket=b&endpoint={}{parameters}",
        server.uri()
    );
    let address = Address::parse(&url).unwrap();
    let credential = GcpCredential {
        bearer: "token-1".to_owned(),
    };
    let credentials = Arc::new(StaticCredentialProvider::new(credential));
    let client = Client::new(&address, credentials).unwrap();
    Arc::new(Service::new(client, address, bucket.clone()))
}

fn warehouse(service: &Arc<Service>) -> BigQueryWarehouse {
    BigQueryWarehouse {
        service: Arc::clone(service),
        mode: Mode::ReadWrite,
    }
}

fn record(number: u32, revision: u64) -> Record {
    let id = PostId::new(Platform::weibo(), number.to_string());
    let published = "2026-03-01T12:00:00Z".parse().unwrap();
    let mut record = Record::new(Post::new(id, published));
    record.post.published_at = Some(published);
    record.revision = revision;
    record
}

async fn paths(bucket: &Bucket, folder: &str) -> Vec<String> {
    let objects = bucket.objects(&Path::from(folder)).await.unwrap();
    objects
        .into_iter()
        .map(|object| object.path.to_string())
        .collect()
}

#[tokio::test]
async fn rows_are_loaded_and_merged_once_each() {
    let bigquery = BigQuery::default();
    let server = bigquery.serve().await;
    let bucket = Bucket::in_memory();
    let service = service(&server, &bucket, "");
    let appended = warehouse(&service)
        .append(vec![record(1, 1), record(2, 1)])
        .await
        .unwrap();
    assert_eq!(
        (appended.manifest, appended.written, appended.superseded),
        (1, 2, 0)
    );
    assert_eq!(bigquery.begun("LOAD").len(), 1);
    assert_eq!(bigquery.begun("MERGE").len(), 1);
    assert!(paths(&bucket, "staging").await.is_empty());
    assert!(bigquery.0.lock().unwrap().tables.is_empty());
    assert_eq!(Change::latest(&bucket).await.unwrap().number, 1);
}

#[tokio::test]
async fn a_job_whose_answer_was_lost_is_waited_for() {
    let bigquery = BigQuery::default();
    bigquery.0.lock().unwrap().loses_an_answer = true;
    let server = bigquery.serve().await;
    let service = service(&server, &Bucket::in_memory(), "");
    warehouse(&service)
        .append(vec![record(1, 1)])
        .await
        .unwrap();
    assert_eq!(bigquery.begun("LOAD").len(), 1, "it was loaded once");
    assert_eq!(
        bigquery.0.lock().unwrap().refused,
        1,
        "and asked for twice: 409"
    );
}

#[tokio::test]
async fn a_killed_load_is_found_again_and_not_done_twice() {
    let bigquery = BigQuery::default();
    // As if the process had died while its rows entered the table: the statement fails, and the error leaves all as it is.
    let stopped = json!({"state": "DONE", "errorResult": {"reason": "stopped", "message": "Job execution was cancelled"}});
    bigquery.0.lock().unwrap().ends = vec![("MERGE", stopped)];
    let server = bigquery.serve().await;
    let bucket = Bucket::in_memory();
    let first = service(&server, &bucket, "");
    let error = warehouse(&first)
        .append(vec![record(1, 1)])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
    assert!(error.to_string().contains("job=heurpipe-merge-"), "{error}");

    // The same rows again are another change; what was loaded for the first is loaded for the second under another name.
    let again = service(&server, &bucket, "");
    let appended = warehouse(&again).append(vec![record(1, 1)]).await.unwrap();
    assert_eq!((appended.manifest, appended.written), (2, 1));
    let merges = bigquery.begun("MERGE");
    assert_eq!(merges.len(), 2);
    assert!(
        merges[0].contains("-00000001-") && merges[1].contains("-00000002-"),
        "{merges:?}"
    );
}

#[tokio::test]
async fn a_killed_writers_rows_enter_before_the_next_ones() {
    let bigquery = BigQuery::default();
    let server = bigquery.serve().await;
    let bucket = Bucket::in_memory();
    // As if the process had died between taking its number and beginning its job.
    let nothing = Change::latest(&bucket).await.unwrap();
    nothing
        .next(&bucket, "posts_staging_x")
        .await
        .unwrap()
        .unwrap();
    let service = service(&server, &bucket, "");
    let appended = warehouse(&service)
        .append(vec![record(1, 1)])
        .await
        .unwrap();
    assert_eq!(appended.manifest, 2);
    let merges = bigquery.begun("MERGE");
    assert!(merges[0].contains("-00000001-"), "{merges:?}");
    // Whoever comes later finds the job, and begins none.
    Change::latest(&bucket)
        .await
        .unwrap()
        .settle(&service, "test.settle")
        .await
        .unwrap();
    assert_eq!(bigquery.begun("MERGE").len(), 2);
}

#[tokio::test]
async fn what_is_there_already_is_not_loaded() {
    let bigquery = BigQuery::default();
    bigquery.0.lock().unwrap().rows = vec![("weibo:1".to_owned(), 3), ("weibo:2".to_owned(), 1)];
    let server = bigquery.serve().await;
    let service = service(&server, &Bucket::in_memory(), "");
    let warehouse = warehouse(&service);
    let appended = warehouse
        .append(vec![record(1, 3), record(1, 2)])
        .await
        .unwrap();
    assert_eq!(
        (appended.manifest, appended.written, appended.unchanged),
        (0, 0, 2)
    );
    assert!(bigquery.begun("LOAD").is_empty());
    let appended = warehouse
        .append(vec![record(1, 3), record(2, 2), record(3, 1)])
        .await
        .unwrap();
    assert_eq!(
        (appended.written, appended.superseded, appended.unchanged),
        (2, 1, 1)
    );
}

#[tokio::test]
async fn a_load_that_fails_is_told_in_one_sentence_and_may_be_tried_again() {
    let bigquery = BigQuery::default();
    let bad = json!({
        "state": "DONE",
        "errorResult": {"reason": "invalid", "message": "Error while reading data, error message: Input file is not in Parquet format"},
        "errors": [{"reason": "invalid", "location": "gs://b/x", "message": "Input file is not in Parquet format"}],
    });
    bigquery.0.lock().unwrap().ends = vec![("LOAD", bad)];
    let server = bigquery.serve().await;
    let service = service(&server, &Bucket::in_memory(), "");
    let warehouse = warehouse(&service);
    let error = warehouse.append(vec![record(1, 1)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let text = error.to_string();
    for part in [
        "reason=invalid",
        "said=Error while reading data",
        "job=heurpipe-load-",
        "also=invalid: Input file",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(
        warehouse.append(vec![record(1, 1)]).await.unwrap().written,
        1
    );
    let loads = bigquery.begun("LOAD");
    assert_eq!(loads.len(), 2);
    assert!(
        loads[0].ends_with("-0-0") && loads[1].ends_with("-0-1"),
        "{loads:?}"
    );
}

#[tokio::test]
async fn a_statement_that_another_came_in_the_way_of_is_done_again() {
    let bigquery = BigQuery::default();
    let clash = json!({"state": "DONE", "errorResult": {"reason": "invalidQuery",
        "message": "Could not serialize access to table p:d.posts due to concurrent update"}});
    bigquery.0.lock().unwrap().ends = vec![("MERGE", clash)];
    let server = bigquery.serve().await;
    let service = service(&server, &Bucket::in_memory(), "");
    let appended = warehouse(&service)
        .append(vec![record(1, 1)])
        .await
        .unwrap();
    assert_eq!((appended.manifest, appended.written), (2, 1));
}

#[tokio::test]
async fn writers_take_turns() {
    let bigquery = BigQuery::default();
    let server = bigquery.serve().await;
    let bucket = Bucket::in_memory();
    let writers = (0..4).map(|number| {
        let warehouse = warehouse(&service(&server, &bucket, ""));
        async move { warehouse.append(vec![record(number, 1)]).await }
    });
    let appended = futures::future::try_join_all(writers).await.unwrap();
    let mut numbers: Vec<u64> = appended.iter().map(|a| a.manifest).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4]);
    assert_eq!(bigquery.begun("MERGE").len(), 4);
    assert!(bigquery.0.lock().unwrap().tables.is_empty());
    assert!(paths(&bucket, "staging").await.is_empty());
}

#[tokio::test]
async fn an_erasure_takes_files_and_tables_on_their_way() {
    let bigquery = BigQuery::default();
    bigquery.0.lock().unwrap().tables = vec!["posts_staging_a".to_owned(), "mine".to_owned()];
    let server = bigquery.serve().await;
    let bucket = Bucket::in_memory();
    let file = |records: &[Record]| super::file::encode(records).unwrap();
    for (path, bytes) in [
        (
            "staging/a/000000.parquet",
            file(&[record(1, 1), record(2, 1)]),
        ),
        ("staging/b/000000.parquet", file(&[record(3, 1)])),
        ("staging/c/000000.parquet", "half a file".into()),
    ] {
        bucket.create(&Path::from(path), bytes).await.unwrap();
    }
    let service = service(&server, &bucket, "");
    let erased = warehouse(&service)
        .erase(&[record(1, 1).id().clone()])
        .await
        .unwrap();
    assert_eq!((erased.manifest, erased.posts, erased.deleted), (1, 1, 2));
    assert_eq!(
        paths(&bucket, "staging").await,
        ["staging/b/000000.parquet"]
    );
    assert_eq!(bigquery.0.lock().unwrap().tables, ["mine"]);
    let deletes = bigquery.begun("DELETE");
    assert_eq!(deletes.len(), 1);
    assert!(!paths(&bucket, "changes").await.is_empty());
}

#[tokio::test]
async fn a_query_is_looked_at_first_and_bounded() {
    let bigquery = BigQuery::default();
    let server = bigquery.serve().await;
    let bucket = Bucket::in_memory();
    let narrow = service(&server, &bucket, "&max_bytes=4999");
    let error = match warehouse(&narrow)
        .sql("SELECT * FROM posts", &NoHotRows)
        .await
    {
        Err(error) => error,
        Ok(_) => panic!("it reads too much"),
    };
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(
        error.to_string().contains("bytes=5000, max_bytes=4999"),
        "{error}"
    );
    assert!(
        bigquery.0.lock().unwrap().asked.is_empty(),
        "nothing was read"
    );

    let wide = service(&server, &bucket, "&max_bytes=5000");
    assert_eq!(
        warehouse(&wide)
            .estimate("SELECT * FROM posts")
            .await
            .unwrap(),
        5000
    );
    // The answer has no columns here, and the coverage that follows no row.
    let answer = warehouse(&wide)
        .sql("SELECT * FROM posts -- all", &NoHotRows)
        .await;
    assert_eq!(answer.err().unwrap().kind(), ErrorKind::Corrupt);
    let asked = bigquery.0.lock().unwrap().asked[0].clone();
    assert_eq!(asked["maximumBytesBilled"], "5000");
    let text = asked["query"].as_str().unwrap();
    assert!(
        text.starts_with("WITH posts AS (SELECT `id`, `platform`"),
        "{text}"
    );
    assert!(
        text.ends_with("'cold' AS tier FROM `p.d.posts`) SELECT * FROM posts -- all"),
        "{text}"
    );
    assert!(
        guard::checked(text).is_err(),
        "of our own names nothing passes for a query"
    );
}

#[tokio::test]
async fn answers_come_by_pages_and_late() {
    let server = MockServer::start().await;
    let json = serde_json::to_string(&record(1, 1)).unwrap();
    let other = serde_json::to_string(&record(2, 1)).unwrap();
    let row = |text: &str| json!([{"f": [{"v": text}]}]);
    let late = json!({"jobReference": {"jobId": "q1", "location": "EU"}, "jobComplete": false});
    let first = json!({"jobComplete": true, "schema": {"fields": [{"name": "record", "type": "STRING"}]}, "rows": row(&json), "pageToken": "a+b="});
    let second = json!({"jobComplete": true, "rows": row(&other)});
    let answers = Mutex::new(vec![second, first, late]);
    let calls = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&calls);
    let reply = move |request: &Request| {
        let url = request.url.clone();
        seen.lock().unwrap().push((
            request.method.to_string(),
            url.path().to_owned(),
            url.query().unwrap_or_default().to_owned(),
        ));
        ResponseTemplate::new(200).set_body_json(answers.lock().unwrap().pop().unwrap())
    };
    Mock::given(any()).respond_with(reply).mount(&server).await;
    let service = service(&server, &Bucket::in_memory(), "");
    let pages = warehouse(&service).scan(&Filter::All).await.unwrap();
    let found: Vec<Vec<Record>> = pages.try_collect().await.unwrap();
    assert_eq!(found.concat(), [record(1, 1), record(2, 1)]);
    let calls = calls.lock().unwrap();
    assert_eq!(calls.len(), 3);
    assert_eq!(
        (&*calls[1].0, &*calls[1].1),
        ("GET", "/bigquery/v2/projects/p/queries/q1")
    );
    assert!(
        calls[2].2.contains("location=EU") && calls[2].2.contains("pageToken=a%2Bb%3D"),
        "{}",
        calls[2].2
    );
}

#[tokio::test]
async fn what_is_wrong_on_the_server_is_said() {
    for (status, body, kind, message) in [
        (
            401,
            json!({"error": {"errors": [{"reason": "authError", "message": "Invalid Credentials"}]}}),
            ErrorKind::Unauthenticated,
            "refuses the credentials",
        ),
        (
            403,
            json!({"error": {"errors": [{"reason": "accessDenied", "message": "Access Denied"}]}}),
            ErrorKind::PermissionDenied,
            "do not permit",
        ),
        (
            404,
            json!({"error": {"errors": [{"reason": "notFound", "message": "Not found: Dataset p:d"}]}}),
            ErrorKind::Config,
            "no such dataset",
        ),
        (
            200,
            json!({"cluster_name": "elasticsearch"}),
            ErrorKind::Config,
            "the server is not bigquery",
        ),
    ] {
        let server = MockServer::start().await;
        Mock::given(any())
            .respond_with(ResponseTemplate::new(status).set_body_json(&body))
            .mount(&server)
            .await;
        let service = service(&server, &Bucket::in_memory(), "");
        let error = service.find_dataset().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.retry()),
            (kind, Retry::NeedsOperator),
            "{error}"
        );
        assert!(error.to_string().contains(message), "{error}");
    }
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_string("<html>"))
        .mount(&server)
        .await;
    let error = service(&server, &Bucket::in_memory(), "")
        .find_dataset()
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("the server is not bigquery"),
        "{error}"
    );
}

#[tokio::test]
async fn a_table_of_somebody_else_is_left_alone() {
    let partitions = json!({"type": "DAY", "field": "published_at"});
    let clusters = json!({"fields": ["platform", "author_id", "id"]});
    let mut fewer = table::columns();
    fewer
        .as_array_mut()
        .unwrap()
        .retain(|column| column["name"] != "likes");
    let mut more = table::columns();
    more.as_array_mut()
        .unwrap()
        .push(json!({"name": "x", "type": "STRING", "mode": "REQUIRED"}));
    for (body, message) in [
        (
            json!({"schema": {"fields": fewer}, "timePartitioning": partitions, "clustering": clusters}),
            "column=likes",
        ),
        (
            json!({"schema": {"fields": more}, "timePartitioning": partitions, "clustering": clusters}),
            "column=x",
        ),
        (
            json!({"schema": {"fields": table::columns()}, "clustering": clusters}),
            "not divided by the day",
        ),
        (
            json!({"schema": {"fields": table::columns()}, "timePartitioning": partitions}),
            "not clustered",
        ),
    ] {
        let server = MockServer::start().await;
        let calls = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&calls);
        let reply = move |request: &Request| {
            seen.lock().unwrap().push(request.method.to_string());
            ResponseTemplate::new(200).set_body_json(&body)
        };
        Mock::given(any()).respond_with(reply).mount(&server).await;
        let service = service(&server, &Bucket::in_memory(), "");
        let error = table::ensure(&service, Mode::ReadWrite).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(*calls.lock().unwrap(), ["GET"], "nothing was written");
    }
}

#[tokio::test]
async fn a_dry_run_of_what_is_no_question_is_refused() {
    let server = MockServer::start().await;
    let script =
        json!({"status": {"state": "DONE"}, "statistics": {"query": {"statementType": "SCRIPT"}}});
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_json(script))
        .mount(&server)
        .await;
    let service = service(&server, &Bucket::in_memory(), "");
    let error = sql::estimate(&service, guard::checked("SELECT 1").unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    let run = job::dry_run(&service, "test.dry", &json!({"query": "x"}))
        .await
        .unwrap();
    assert_eq!(run.statement_type(), "SCRIPT");
}
