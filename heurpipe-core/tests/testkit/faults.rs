//! What each fault does, at which calls, and that scripts replay.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use heurpipe_core::testkit::faults::{Fault, Faults, Faulty, Rule, Trigger};
use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;
use heurpipe_stores::documents::MemoryDocuments;
use proptest::prelude::*;
use tokio::time::Instant;

use crate::parts::*;

fn script(when: Trigger, what: Fault) -> Faults {
    Faults::none().rule(Rule::new(when, what))
}

fn fail(when: Trigger) -> Faults {
    script(when, Fault::Fail(ErrorKind::Unavailable))
}

/// Which of ten writes of one record succeed.
async fn writes(faults: Faults) -> String {
    let sink = Faulty::new(Collect::new("out"), faults);
    let mut told = String::new();
    for record in records(10) {
        told.push(match sink.write(&[record]).await {
            Ok(outcomes) if outcomes[0].is_ok() => '.',
            Ok(_) => 'i',
            Err(_) => 'x',
        });
    }
    told
}

#[tokio::test]
async fn triggers_name_calls() {
    assert_eq!(writes(Faults::none()).await, "..........");
    assert_eq!(writes(fail(Trigger::Always)).await, "xxxxxxxxxx");
    assert_eq!(writes(fail(Trigger::nth(3))).await, "..x.......");
    assert_eq!(writes(fail(Trigger::first(2))).await, "xx........");
    assert_eq!(writes(Faults::outage(4, 3)).await, "....xxx...");
    assert_eq!(writes(fail(Trigger::Every(3))).await, "..x..x..x.");
    assert_eq!(writes(fail(Trigger::Every(0))).await, "..........");
    assert_eq!(writes(fail(Trigger::Item(0))).await, "xxxxxxxxxx");
    assert_eq!(writes(fail(Trigger::Item(1))).await, "..........");
    let fifth = "test:4".parse::<PostId>().unwrap();
    assert_eq!(
        writes(fail(Trigger::Post(fifth.clone()))).await,
        "....x....."
    );
    assert_eq!(
        writes(Faults::poison(fifth, ErrorKind::Corrupt)).await,
        "....i....."
    );
}

#[tokio::test]
async fn rules_are_limited_by_times_and_methods() {
    let rule = Rule::new(Trigger::Every(2), Fault::Fail(ErrorKind::Io));
    assert_eq!(
        writes(Faults::none().rule(rule.clone().times(2))).await,
        ".x.x......"
    );
    assert_eq!(
        writes(Faults::none().rule(rule.clone().on("flush"))).await,
        ".........."
    );
    let sink = Faulty::new(Collect::new("out"), Faults::none().rule(rule.on("flush")));
    assert!(sink.flush().await.is_ok());
    assert_eq!(sink.flush().await.unwrap_err().kind(), ErrorKind::Io);
    let both = fail(Trigger::nth(2)).and(fail(Trigger::nth(5)));
    assert_eq!(writes(both).await, ".x..x.....");
}

#[tokio::test(start_paused = true)]
async fn delays_add_up_and_hangs_have_no_end() {
    let late = script(Trigger::nth(1), Fault::Delay(Duration::from_secs(2)));
    let later = script(Trigger::nth(1), Fault::Delay(Duration::from_secs(3)));
    let hang = script(Trigger::nth(2), Fault::Hang);
    let sink = Faulty::new(Collect::new("out"), late.and(later).and(hang));
    let started = Instant::now();
    sink.write(&records(1)).await.unwrap();
    assert_eq!(started.elapsed(), Duration::from_secs(5));
    let day = Duration::from_secs(86_400);
    assert!(
        tokio::time::timeout(day, sink.write(&records(2)))
            .await
            .is_err()
    );
    assert_eq!(sink.part().records().len(), 1);
    let injected = sink.injected();
    assert_eq!((injected.delay, injected.hang, injected.total()), (1, 1, 2));
}

#[tokio::test]
async fn a_lost_answer_comes_after_the_work_and_a_failure_before() {
    let lost = Faulty::new(Collect::new("out"), script(Trigger::Always, Fault::Drop));
    let error = lost.write(&records(3)).await.unwrap_err();
    assert_eq!(
        (error.kind(), lost.part().records().len()),
        (ErrorKind::Unavailable, 3)
    );
    let failed = Faulty::new(Collect::new("out"), fail(Trigger::Always));
    failed.write(&records(3)).await.unwrap_err();
    assert_eq!(failed.part().records().len(), 0);
}

/// Which posts the part within was handed, call by call.
struct Handed(EnricherSpec, std::sync::Mutex<Vec<String>>);

#[async_trait::async_trait]
impl Enricher for Handed {
    fn spec(&self) -> &EnricherSpec {
        &self.0
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        let native = |item: &Item| item.post().id.native.to_string();
        let handed: Vec<String> = batch.items.iter().map(native).collect();
        let found = |id: &String| Ok(vec![Finding::label("id", id.clone())]);
        let outcomes = handed.iter().map(found).collect();
        self.1.lock().unwrap().push(handed.concat());
        Ok(Enriched::new(self.0.fingerprint.clone(), outcomes))
    }
}

/// What the part was handed, and what came back.
async fn enriched(faults: Faults) -> (Vec<String>, String) {
    let spec = EnricherSpec::new("handed", "1").gives(["id"]);
    let part = Faulty::new(Handed(spec, std::sync::Mutex::default()), faults);
    let answer = part.enrich(&Batch::new(items())).await.unwrap();
    let told = |outcome: ItemResult<Vec<Finding>>| match outcome {
        Ok(findings) => findings[0].value.labels().concat(),
        Err(_) => "x".to_owned(),
    };
    let answer = answer.outcomes.into_iter().map(told).collect();
    let handed = part.part().1.lock().unwrap().clone();
    (handed, answer)
}

#[tokio::test]
async fn items_fail_alone_and_unseen() {
    let corrupt = Fault::FailItem(ErrorKind::Corrupt);
    let (handed, answer) = enriched(script(Trigger::Item(2), corrupt)).await;
    assert_eq!((handed, answer.as_str()), (vec!["013".to_owned()], "01x3"));
    let (handed, answer) = enriched(script(Trigger::Always, corrupt)).await;
    assert_eq!((handed, answer.as_str()), (vec![String::new()], "xxxx"));
}

#[tokio::test]
async fn outcomes_come_back_in_the_callers_order() {
    let reverse = script(Trigger::Always, Fault::Reorder(0));
    let (handed, answer) = enriched(reverse.clone()).await;
    assert_eq!((handed, answer.as_str()), (vec!["3210".to_owned()], "0123"));
    let failing = script(Trigger::Item(1), Fault::FailItem(ErrorKind::Io));
    let (handed, answer) = enriched(reverse.and(failing)).await;
    assert_eq!((handed, answer.as_str()), (vec!["320".to_owned()], "0x23"));
    let mut orders = Vec::new();
    for seed in 1..20 {
        let (handed, answer) = enriched(script(Trigger::Always, Fault::Reorder(seed))).await;
        assert_eq!(answer, "0123");
        orders.extend(handed);
    }
    orders.sort();
    orders.dedup();
    assert!(orders.len() > 5, "{orders:?}");
}

#[tokio::test]
async fn work_is_done_twice() {
    let (handed, answer) = enriched(script(Trigger::Always, Fault::Duplicate)).await;
    assert_eq!(handed, ["0123", "0123"]);
    assert_eq!(answer, "0123");
}

/// The pages of a source of five posts, two a page, as text.
async fn pages(faults: Faults) -> String {
    let source = Faulty::new(Posts::texts(["", "", "", "", ""]).page(2), faults);
    let item = |item: &Incoming| match item {
        Incoming::Post(post) => post.id.native.to_string(),
        Incoming::Unreadable(item) => format!("({})", item.place),
        other => panic!("{other:?}"),
    };
    let page = |page: Result<Page>| match page {
        Ok(page) => page.items.iter().map(item).collect(),
        Err(error) => error.kind().to_string(),
    };
    let all = source.read(Partition("all".to_owned()), Checkpoint::default());
    all.map(page).collect::<Vec<String>>().await.join(" ")
}

#[tokio::test]
async fn pages_are_lost_doubled_mixed_and_spoilt() {
    let second = || Trigger::nth(2);
    assert_eq!(pages(Faults::none()).await, "01 23 4");
    let timeout = Fault::Fail(ErrorKind::Timeout);
    assert_eq!(pages(script(second(), timeout)).await, "01 timeout");
    assert_eq!(pages(script(second(), Fault::Drop)).await, "01 unavailable");
    assert_eq!(pages(script(second(), Fault::Duplicate)).await, "01 2323 4");
    assert_eq!(pages(script(second(), Fault::Reorder(0))).await, "01 32 4");
    let post = "test:3".parse().unwrap();
    let poison = Faults::poison(post, ErrorKind::InvalidInput);
    assert_eq!(pages(poison).await, "01 2(test:3) 4");
}

#[tokio::test]
async fn documents_go_down_and_come_back() {
    let documents = Faulty::new(MemoryDocuments::new(), Faults::outage(1, 2));
    assert!(documents.memo("a").await.is_ok());
    let scan = Scan::matching(Filter::All);
    assert_eq!(
        documents.count(&scan).await.unwrap_err().operation(),
        "documents.count"
    );
    assert!(documents.scan(&scan).await.is_err());
    assert_eq!(documents.count(&scan).await.unwrap(), 0);

    let lost = Rule::new(Trigger::first(1), Fault::Drop).on("commit");
    let documents = Faulty::new(MemoryDocuments::new(), Faults::none().rule(lost));
    let record = Record::new(post(1, "a dress"));
    assert!(documents.commit(&[&record]).await.is_err());
    assert_eq!(documents.count(&scan).await.unwrap(), 1);
    let again = documents.commit(&[&record]).await.unwrap().remove(0);
    assert_eq!(again.unwrap_err().kind(), ErrorKind::Conflict);

    let by_post = fail(Trigger::Post(post(7, "").id));
    let documents = Faulty::new(MemoryDocuments::new(), by_post);
    assert!(documents.load(&[post(6, "").id]).await.is_ok());
    assert!(
        documents
            .load(&[post(6, "").id, post(7, "").id])
            .await
            .is_err()
    );
}

#[tokio::test]
async fn shared_stores_and_parts_take_faults_too() {
    let shared: Arc<dyn Documents> = Arc::new(MemoryDocuments::new());
    let faulty = Faulty::new(Arc::clone(&shared), Faults::outage(0, 1));
    let record = Record::new(post(1, "a dress"));
    assert!(faulty.commit(&[&record]).await.is_err());
    faulty.commit(&[&record]).await.unwrap();
    assert_eq!(shared.count(&Scan::matching(Filter::All)).await.unwrap(), 1);

    let source: Arc<dyn Source> = Arc::new(source());
    let gate: Arc<dyn QualityGate> = Arc::new(gate());
    let (source, gate) = (
        Faulty::new(source, Faults::none()),
        Faulty::new(gate, fail(Trigger::Always)),
    );
    assert_eq!(source.partitions().await.unwrap().len(), 1);
    assert_eq!(gate.needs(), ["garment"]);
    assert!(gate.judge(&records(1)).await.is_err());
}

/// A cache with nothing in it.
struct Forgetful;

#[async_trait::async_trait]
impl AnalysisCache for Forgetful {
    async fn recall(&self, keys: &[Digest]) -> Result<Vec<Option<Vec<Finding>>>> {
        Ok(keys.iter().map(|_| None).collect())
    }

    async fn remember(&self, _: &[(Digest, Vec<Finding>)]) -> Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_cache_of_analyses_takes_the_same_faults() {
    let cache = Faulty::new(Arc::new(Forgetful), Faults::outage(1, 1));
    let keys = [Digest::of(b"a"), Digest::of(b"b")];
    assert_eq!(cache.recall(&keys).await.unwrap(), [None, None]);
    assert_eq!(
        cache.recall(&keys).await.unwrap_err().operation(),
        "analyses.recall"
    );
    cache.remember(&[]).await.unwrap();
}

#[tokio::test]
async fn a_review_queue_takes_the_same_faults() {
    let queue = Faulty::new(MemoryDocuments::new(), fail(Trigger::first(1)));
    let held = Record::new(post(1, ""));
    let task = ReviewTask::new(
        "catalog",
        "review",
        &held,
        "why".to_owned(),
        Vec::new(),
        None,
    );
    assert_eq!(
        queue
            .ask(std::slice::from_ref(&task))
            .await
            .unwrap_err()
            .operation(),
        "review.ask"
    );
    queue.ask(&[task]).await.unwrap();
    assert_eq!(queue.open(None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn clones_share_how_far_the_script_was_played() {
    let sink = Faulty::new(Collect::new("out"), fail(Trigger::first(1)));
    assert!(sink.clone().write(&records(1)).await.is_err());
    assert!(sink.write(&records(1)).await.is_ok());
    assert_eq!(sink.clone().injected().fail, 1);
}

#[test]
fn every_kind_of_rule_is_printed_and_read_back() {
    let kinds = [
        script(Trigger::Always, Fault::Delay(Duration::from_millis(1500))),
        script(Trigger::nth(2), Fault::Hang),
        script(Trigger::Every(3), Fault::Drop),
        script(Trigger::Post("weibo:1".parse().unwrap()), Fault::Duplicate),
        script(Trigger::Item(4), Fault::FailItem(ErrorKind::Corrupt)),
        Faults::none().rule(
            Rule::new(Trigger::Always, Fault::Reorder(5))
                .on("write")
                .times(6),
        ),
    ];
    let all = kinds.into_iter().fold(fail(Trigger::first(1)), Faults::and);
    assert_eq!(
        serde_json::from_str::<Faults>(&all.to_string()).unwrap(),
        all
    );
    assert_eq!(
        script(Trigger::Item(4), Fault::FailItem(ErrorKind::Corrupt)).to_string(),
        r#"[{"when":{"item":4},"what":{"fail_item":"corrupt"}}]"#
    );
}

#[test]
fn seeds_give_scripts_of_all_sizes() {
    let sizes: std::collections::BTreeSet<usize> = (0..50)
        .map(|seed| Faults::random(seed).rules.len())
        .collect();
    assert_eq!(sizes, (0..5).collect());
    assert_eq!(Faults::random(9), Faults::random(9));
}

proptest! {
    #[test]
    fn numbers_give_scripts_that_pass_and_replay(numbers in proptest::collection::vec(any::<u64>(), 0..6)) {
        let faults = Faults::of(numbers.clone());
        prop_assert_eq!(faults.rules.len(), numbers.len());
        prop_assert_eq!(&serde_json::from_str::<Faults>(&faults.to_string()).unwrap(), &faults);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let play = || async {
            let (mut told, sink) = (String::new(), Faulty::new(Collect::new("out"), faults.clone()));
            for _ in 0..40 {
                told.push(if sink.write(&records(3)).await.is_ok() { '.' } else { 'x' });
            }
            (told, sink.injected(), sink.part().records().len())
        };
        let first = runtime.block_on(play());
        // Each rule is used up after three times at most, so in forty calls no fault lasts.
        prop_assert!(first.0.ends_with('.'), "{faults}: {}", first.0);
        prop_assert_eq!(first.2, 3);
        prop_assert_eq!(&runtime.block_on(play()), &first);
    }
}
