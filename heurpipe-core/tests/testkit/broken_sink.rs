//! Each rule of a sink broken by a double, which the suite catches.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use heurpipe_core::testkit::suite::{self, SinkOptions, SuiteReport};
use heurpipe_core::*;

use crate::parts::{assert_caught, assert_made, post};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Flaw {
    None,
    NamedAnew,
    RefusesEmptyBatches,
    LosesTheLastOutcome,
    FlushesOnce,
    Appends,
    KeepsTheFirst,
    KeepsTheLast,
    KeepsTheLastOfABatch,
    DurableAtFlushOnly,
    LosesWhatComesMeanwhile,
    StuckWhenDropped,
    PoisonSpoilsAll,
    TakesPoison,
}

type Rows = Arc<Mutex<Vec<(PostId, u64)>>>;

static INSTANCES: AtomicUsize = AtomicUsize::new(0);

struct Broken {
    flaw: Flaw,
    spec: SinkSpec,
    rows: Rows,
    buffer: Mutex<Vec<Arc<Record>>>,
    busy: AtomicBool,
    flushed: AtomicBool,
}

impl Broken {
    fn make(flaw: Flaw, rows: &Rows) -> Self {
        let instance = INSTANCES.fetch_add(1, SeqCst);
        let name = match flaw {
            Flaw::NamedAnew => format!("sink {instance}"),
            _ => "sink".to_owned(),
        };
        Self {
            flaw,
            spec: SinkSpec::new(name),
            rows: Arc::clone(rows),
            buffer: Mutex::default(),
            busy: AtomicBool::new(false),
            flushed: AtomicBool::new(false),
        }
    }

    fn store(&self, records: &[Arc<Record>]) {
        let mut rows = self.rows.lock().unwrap();
        let before = rows.clone();
        for record in records {
            let (id, revision) = (record.id().clone(), record.revision);
            let known = rows.iter().position(|(row, _)| *row == id);
            let stored = before.iter().find(|(row, _)| *row == id);
            let wins = |known: u64| match self.flaw {
                Flaw::KeepsTheFirst => false,
                Flaw::KeepsTheLast => true,
                // It asks the store, but forgets what else is in the batch.
                Flaw::KeepsTheLastOfABatch => stored.is_none_or(|(_, r)| *r <= revision),
                _ => known <= revision,
            };
            match known {
                Some(place) if self.flaw != Flaw::Appends => {
                    if wins(rows[place].1) {
                        rows[place].1 = revision;
                    }
                }
                _ => rows.push((id, revision)),
            }
        }
    }

    fn take(&self, record: &Record) -> ItemResult<()> {
        match record.post.text == "poison" && self.flaw != Flaw::TakesPoison {
            true => Err(Error::new(ErrorKind::InvalidInput, "broken.write")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Sink for Broken {
    fn spec(&self) -> &SinkSpec {
        &self.spec
    }

    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        if self.flaw == Flaw::RefusesEmptyBatches && records.is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, "broken.write"));
        }
        let meanwhile = self.busy.swap(true, SeqCst);
        match self.flaw {
            Flaw::StuckWhenDropped if meanwhile => {
                return Err(Error::new(ErrorKind::Internal, "broken.write"));
            }
            Flaw::LosesWhatComesMeanwhile if meanwhile => {
                return Ok(records.iter().map(|_| Ok(())).collect());
            }
            _ => {}
        }
        tokio::task::yield_now().await;
        self.busy.store(false, SeqCst);
        let mut outcomes: Vec<_> = records.iter().map(|r| self.take(r)).collect();
        if self.flaw == Flaw::PoisonSpoilsAll && outcomes.iter().any(Result::is_err) {
            let spoilt = |_: &Arc<Record>| Err(Error::new(ErrorKind::InvalidInput, "broken.write"));
            return Ok(records.iter().map(spoilt).collect());
        }
        let taken: Vec<Arc<Record>> = records
            .iter()
            .zip(&outcomes)
            .filter(|(_, outcome)| outcome.is_ok())
            .map(|(record, _)| Arc::clone(record))
            .collect();
        match self.flaw {
            Flaw::DurableAtFlushOnly => self.buffer.lock().unwrap().extend(taken),
            _ => self.store(&taken),
        }
        if self.flaw == Flaw::LosesTheLastOutcome && outcomes.len() > 2 {
            outcomes.pop();
        }
        Ok(outcomes)
    }

    async fn flush(&self) -> Result<()> {
        if self.flaw == Flaw::FlushesOnce && self.flushed.swap(true, SeqCst) {
            return Err(Error::new(ErrorKind::Conflict, "broken.flush"));
        }
        let buffered = std::mem::take(&mut *self.buffer.lock().unwrap());
        self.store(&buffered);
        Ok(())
    }
}

async fn suite_of(flaw: Flaw) -> SuiteReport {
    let rows = Rows::default();
    let store = Arc::clone(&rows);
    let options = SinkOptions::default()
        .poison(Record::new(post(99, "poison")))
        .reader(move || std::future::ready(store.lock().unwrap().clone()));
    suite::sink(|| Broken::make(flaw, &rows), options).await
}

#[tokio::test]
async fn a_sound_one_is_measured_by_every_check() {
    let report = suite_of(Flaw::None).await;
    assert_made(&report, report.checks.len());
}

#[tokio::test]
async fn each_flaw_is_caught() {
    let flaws = [
        (Flaw::NamedAnew, "the spec is stable"),
        (Flaw::RefusesEmptyBatches, "an empty batch is a batch"),
        (Flaw::LosesTheLastOutcome, "one outcome per record"),
        (Flaw::FlushesOnce, "flushing twice harms nothing"),
        (Flaw::Appends, "writing twice is writing once"),
        (Flaw::KeepsTheFirst, "a newer revision replaces an older"),
        (Flaw::KeepsTheLast, "an older revision replaces nothing"),
        (
            Flaw::KeepsTheLastOfABatch,
            "of one batch the newest revision stays",
        ),
        (
            Flaw::DurableAtFlushOnly,
            "what was said to be durable stays",
        ),
        (
            Flaw::LosesWhatComesMeanwhile,
            "batches may be written at once",
        ),
        (Flaw::StuckWhenDropped, "dropping a call harms nothing"),
        (Flaw::PoisonSpoilsAll, "a poison record spoils no other"),
        (Flaw::TakesPoison, "a poison record spoils no other"),
    ];
    for (flaw, check) in flaws {
        println!("{flaw:?}");
        assert_caught(&suite_of(flaw).await, check);
    }
}
