//! To the server and from it, interrupted at each step.

use std::sync::Arc;

use heurpipe_core::testkit::faults::{Fault, Faults, Faulty, Rule, Trigger};
use heurpipe_core::{
    Documents, ErrorKind, Filter, PostId, ReviewQueue, ReviewTask, Scan, Stored, Subject,
};
use heurpipe_stores::documents::{DocumentStore, MemoryDocuments};
use heurpipe_stores::{Mode, copy, documents};

use super::server::{Server, id, record};

/// The store in a process that ends at a call, after its work.
fn fused(store: &Arc<dyn DocumentStore>, last: u64) -> Arc<dyn DocumentStore> {
    let later = Trigger::Calls {
        first: last + 1,
        count: u64::MAX / 2,
    };
    let faults = Faults::none()
        .rule(Rule::new(Trigger::nth(last), Fault::Drop))
        .rule(Rule::new(later, Fault::Fail(ErrorKind::Unavailable)));
    Arc::new(Faulty::new(store.clone(), faults))
}

fn between(source: &Arc<dyn DocumentStore>, target: &Arc<dyn DocumentStore>) -> copy::Documents {
    copy::Documents::between(source.clone(), target.clone()).at_a_time(4)
}

/// Twelve posts, of which one was archived and one erased, and a question.
async fn filled() -> Arc<dyn DocumentStore> {
    let store = MemoryDocuments::new();
    for number in 0..12 {
        let mut kept = record(&number.to_string());
        kept.post.aliases = vec![id(&format!("graph:{number}"))];
        store.commit(&[&kept]).await.unwrap();
    }
    store.remove(&[(id("3"), 1)]).await.unwrap();
    store.refuse(&[Subject::Post(id("4"))]).await.unwrap();
    store.erase(&[id("4")]).await.unwrap();
    let reason = "unsure".to_owned();
    let task = ReviewTask::new("catalog", "gate", &record("5"), reason, vec![], None);
    store.ask(&[task]).await.unwrap();
    Arc::new(store)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_to_the_server_that_ends_at_any_step_is_completed_by_the_next() {
    let Some(server) = Server::named().await else {
        return;
    };
    let source = filled().await;
    let mut ended = 0;
    for step in (1..200).step_by(2) {
        let (name, target) = server.fresh().await;
        let target: Arc<dyn DocumentStore> = Arc::new(target);
        let run = between(&source, &fused(&target, step)).run(&|_| ()).await;
        let is_done = run.is_ok();
        // The next process, which knows nothing but what the server does.
        drop(target);
        let opened = documents::open(&server.url(&name), Mode::ReadWrite).await;
        let target = opened.unwrap();
        between(&source, &target).run(&|_| ()).await.unwrap();
        let ids: Vec<PostId> = ["3", "graph:4", "5"].map(id).into();
        let loaded = target.load(&ids).await.unwrap();
        assert_eq!(loaded, source.load(&ids).await.unwrap());
        assert_eq!(loaded[1], Stored::Tombstoned);
        let all = Scan::matching(Filter::All);
        let records = target.scan(&all).await.unwrap().records;
        assert_eq!(records, source.scan(&all).await.unwrap().records);

        let back: Arc<dyn DocumentStore> = Arc::new(MemoryDocuments::new());
        between(&target, &back).run(&|_| ()).await.unwrap();
        assert_eq!(back.load(&ids).await.unwrap(), loaded);
        if is_done {
            break;
        }
        ended += 1;
    }
    assert!(ended >= 8, "{ended}");
    println!("{ended} copies ended early: all completed");
    server.clear().await;
}
