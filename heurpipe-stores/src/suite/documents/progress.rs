//! What is kept beside records: checkpoints, memos, runs, questions.

use std::sync::Arc;

use heurpipe_core::{Checkpoint, CheckpointKey, Partition, ReviewTask, RunRecord, RunReport};
use jiff::{Timestamp, ToSpan};

use super::{Check, checks, record};
use crate::documents::DocumentStore;
use crate::suite::Failure;

checks!(
    dyn DocumentStore;
    checkpoints_and_memos_are_replaced,
    runs_come_newest_first,
    a_task_is_asked_once,
    checkpoints_are_told_apart,
    memos_hold_any_text,
    runs_that_began_together_come_in_order,
    questions_come_oldest_first,
);

async fn checkpoints_and_memos_are_replaced(store: Arc<dyn DocumentStore>) -> Check {
    let key = |part: &str| CheckpointKey {
        pipeline: "catalog".to_owned(),
        source: "graph".to_owned(),
        partition: Partition(part.to_owned()),
    };
    assert_eq!(store.checkpoint(&key("a")).await?, None);
    let first = Checkpoint::at("page 1");
    let watermark = Some((Timestamp::UNIX_EPOCH, "12".to_owned()));
    let second = Checkpoint::at("page 2").with_watermark(watermark);
    store.save_checkpoint(&key("a"), &first).await?;
    store.save_checkpoint(&key("b"), &first).await?;
    store.save_checkpoint(&key("a"), &second).await?;
    assert_eq!(store.checkpoint(&key("a")).await?, Some(second));
    assert_eq!(store.checkpoint(&key("b")).await?, Some(first));

    assert_eq!(store.memo("budget").await?, None);
    store.save_memo("budget", "1").await?;
    store.save_memo("budget", "2").await?;
    assert_eq!(store.memo("budget").await?.as_deref(), Some("2"));
    Ok(())
}

async fn runs_come_newest_first(store: Arc<dyn DocumentStore>) -> Check {
    let run = |name: &str, minute: i64| RunRecord {
        started_at: Timestamp::UNIX_EPOCH + minute.minutes(),
        ended_at: None,
        report: RunReport::begun(name, "catalog"),
    };
    let (old, new) = (run("old", 1), run("new", 2));
    store.save_run(&new).await?;
    store.save_run(&old).await?;
    let mut ended = old.clone();
    ended.ended_at = Some(new.started_at);
    store.save_run(&ended).await?;
    assert_eq!(store.runs(10).await?, [new.clone(), ended]);
    assert_eq!(store.runs(1).await?, [new]);
    Ok(())
}

async fn a_task_is_asked_once(store: Arc<dyn DocumentStore>) -> Check {
    let task = |use_case: &str, native: &str, minute: i64| {
        let reason = "unsure".to_owned();
        let mut task = ReviewTask::new(use_case, "gate", &record(native), reason, vec![], None);
        task.asked_at = Timestamp::UNIX_EPOCH + minute.minutes();
        task
    };
    let (first, second, other) = (
        task("catalog", "1", 2),
        task("catalog", "2", 1),
        task("trends", "1", 3),
    );
    store.ask(&[first.clone(), second.clone()]).await?;
    let again = task("catalog", "1", 9);
    store.ask(&[again, other.clone()]).await?;
    let open = store.open(None, 10).await?;
    assert_eq!(open, [second.clone(), first.clone(), other], "oldest first");
    assert_eq!(store.open(Some("catalog"), 1).await?, [second]);
    Ok(())
}

/// Names that would be one if they were only put side by side.
async fn checkpoints_are_told_apart(store: Arc<dyn DocumentStore>) -> Check {
    let key = |pipeline: &str, source: &str, part: &str| CheckpointKey {
        pipeline: pipeline.to_owned(),
        source: source.to_owned(),
        partition: Partition(part.to_owned()),
    };
    let keys = [
        key("a", "b", "c"),
        key("a/b", "", "c"),
        key("a", "b/c", ""),
        key("", "a/b", "c"),
        key("a", "b", ""),
        key("$a", "b.c", "优衣库"),
    ];
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(store.checkpoint(key).await?, None, "{key}");
        let checkpoint = Checkpoint::at(format!("page {number}"));
        store.save_checkpoint(key, &checkpoint).await?;
    }
    for (number, key) in keys.iter().enumerate() {
        let expected = Checkpoint::at(format!("page {number}"));
        assert_eq!(store.checkpoint(key).await?, Some(expected), "{key}");
    }
    Ok(())
}

async fn memos_hold_any_text(store: Arc<dyn DocumentStore>) -> Check {
    let great = "重".repeat(300_000);
    let memos = [
        ("plain", "{\"a\": 1}"),
        ("with.dot", ""),
        ("$dollar", "\u{1f9e5} \"quoted\"\n"),
        ("名", "名"),
        ("Plain", "another name"),
        ("great", &great),
    ];
    for (name, value) in memos {
        store.save_memo(name, value).await?;
    }
    for (name, value) in memos {
        assert_eq!(store.memo(name).await?.as_deref(), Some(value), "{name}");
    }
    assert_eq!(store.memo("plai").await?, None);
    Ok(())
}

async fn runs_that_began_together_come_in_order(store: Arc<dyn DocumentStore>) -> Check {
    let run = |name: &str, second: i64| RunRecord {
        started_at: Timestamp::UNIX_EPOCH + second.seconds(),
        ended_at: None,
        report: RunReport::begun(name, "catalog"),
    };
    let runs = [
        run("b", 1),
        run("a", 1),
        run("c", 1),
        run("z", 0),
        run("0", -5),
    ];
    for run in &runs {
        store.save_run(run).await?;
    }
    let names = async |most: usize| -> Result<Vec<String>, Failure> {
        let runs = store.runs(most).await?;
        Ok(runs.into_iter().map(|run| run.report.run).collect())
    };
    assert_eq!(names(usize::MAX).await?, ["c", "b", "a", "z", "0"]);
    assert_eq!(names(2).await?, ["c", "b"]);
    assert_eq!(names(0).await?, [""; 0]);
    Ok(())
}

/// A question comes back as it was asked, and those of one moment always in the same order.
async fn questions_come_oldest_first(store: Arc<dyn DocumentStore>) -> Check {
    let mut tasks: Vec<ReviewTask> = (0..30_i64)
        .map(|number| {
            let use_case = if number % 3 == 0 { "trends" } else { "catalog" };
            let mut task = ReviewTask::new(
                use_case,
                "gate",
                &record(&number.to_string()),
                format!("because of {number} — 因为"),
                vec![],
                (number % 2 == 0).then(|| "group".to_owned()),
            );
            task.asked_at = Timestamp::UNIX_EPOCH + (number * 7 % 5).minutes();
            task
        })
        .collect();
    store.ask(&tasks).await?;
    tasks.sort_by_key(|task| (task.asked_at, task.id));
    assert_eq!(store.open(None, 100).await?, tasks);
    assert_eq!(store.open(None, 7).await?, tasks[..7]);
    for use_case in ["catalog", "trends", "absent"] {
        let wanted = tasks.iter().filter(|task| task.use_case == use_case);
        let expected: Vec<ReviewTask> = wanted.cloned().collect();
        assert_eq!(store.open(Some(use_case), 100).await?, expected);
    }
    Ok(())
}
