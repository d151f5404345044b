//! Each rule of a gate broken by a double, which the suite catches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use heurpipe_core::testkit::suite::{self, GateOptions, SuiteReport};
use heurpipe_core::*;

use crate::parts::{assert_caught, assert_made, judged};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Flaw {
    None,
    DescribedAnew,
    NoName,
    RefusesEmptyBatches,
    LosesTheLast,
    DependsOnTheCall,
    AnswersInItsOwnOrder,
    AcceptsTheFirst,
    OneBatchAtATime,
    WithholdsNothing,
    WithholdsTwice,
    RejectsWithoutReason,
    AsksNothing,
    AsksAboutAnotherMedium,
    WorstFirst,
    StuckWhenDropped,
}

static INSTANCES: AtomicUsize = AtomicUsize::new(0);

struct Broken {
    flaw: Flaw,
    description: String,
    calls: AtomicUsize,
    busy: AtomicBool,
}

impl Broken {
    fn make(flaw: Flaw) -> Self {
        let instance = INSTANCES.fetch_add(1, SeqCst);
        let description = match flaw {
            Flaw::DescribedAnew => format!("gate {instance}"),
            _ => "by the number of annotations".to_owned(),
        };
        Self {
            flaw,
            description,
            calls: AtomicUsize::new(0),
            busy: AtomicBool::new(false),
        }
    }

    fn judge_one(&self, record: &Record, call: usize, place: usize) -> Verdict {
        if self.flaw == Flaw::AcceptsTheFirst && place == 0 {
            return Verdict::Accept;
        }
        if self.flaw == Flaw::DependsOnTheCall && call % 2 == 1 {
            return Verdict::Accept;
        }
        match record.annotations.len() {
            0 => Verdict::Reject {
                reason: match self.flaw {
                    Flaw::RejectsWithoutReason => String::new(),
                    _ => "nothing was found".to_owned(),
                },
            },
            1 => Verdict::Withhold(match self.flaw {
                Flaw::WithholdsNothing => Vec::new(),
                Flaw::WithholdsTwice => vec!["garment".to_owned(); 2],
                _ => vec!["garment".to_owned()],
            }),
            2 => Verdict::Hold {
                reason: "two were found".to_owned(),
                tasks: self.questions(),
                group: None,
            },
            _ => Verdict::Accept,
        }
    }

    fn questions(&self) -> Vec<Question> {
        let mut suggestions = vec![
            ("dress".to_owned(), Some(0.6)),
            ("coat".to_owned(), Some(0.4)),
        ];
        if self.flaw == Flaw::WorstFirst {
            suggestions.reverse();
        }
        if self.flaw == Flaw::AsksNothing {
            return Vec::new();
        }
        vec![Question {
            attribute: "garment".to_owned(),
            target: match self.flaw {
                Flaw::AsksAboutAnotherMedium => Target::Media("elsewhere".to_owned()),
                _ => Target::Post,
            },
            suggestions,
        }]
    }
}

#[async_trait]
impl QualityGate for Broken {
    fn name(&self) -> &str {
        match self.flaw {
            Flaw::NoName => "",
            _ => "broken",
        }
    }

    fn describe(&self) -> String {
        self.description.clone()
    }

    async fn judge(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<Verdict>>> {
        if self.flaw == Flaw::RefusesEmptyBatches && records.is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, "broken.judge"));
        }
        let call = self.calls.fetch_add(1, SeqCst);
        let meanwhile = self.busy.swap(true, SeqCst);
        if meanwhile && matches!(self.flaw, Flaw::StuckWhenDropped | Flaw::OneBatchAtATime) {
            return Err(Error::new(ErrorKind::Internal, "broken.judge"));
        }
        tokio::task::yield_now().await;
        self.busy.store(false, SeqCst);
        let mut records: Vec<&Arc<Record>> = records.iter().collect();
        if self.flaw == Flaw::AnswersInItsOwnOrder {
            records.sort_by_key(|record| record.id().clone());
        }
        let judge =
            |(place, record): (usize, &Arc<Record>)| Ok(self.judge_one(record, call, place));
        let mut verdicts: Vec<_> = records.into_iter().enumerate().map(judge).collect();
        if self.flaw == Flaw::LosesTheLast && verdicts.len() > 2 {
            verdicts.pop();
        }
        Ok(verdicts)
    }
}

async fn suite_of(flaw: Flaw) -> SuiteReport {
    let options = GateOptions::new([
        judged(0, &[("dress", 0.9)]),
        judged(1, &[]),
        judged(2, &[("dress", 0.9), ("coat", 0.5)]),
        judged(3, &[("dress", 0.9), ("coat", 0.5), ("hat", 0.2)]),
    ]);
    suite::gate(|| Broken::make(flaw), options).await
}

#[tokio::test]
async fn a_sound_one_is_measured_by_every_check() {
    let report = suite_of(Flaw::None).await;
    assert_made(&report, report.checks.len());
}

#[tokio::test]
async fn each_flaw_is_caught() {
    let flaws = [
        (Flaw::DescribedAnew, "the spec is stable"),
        (Flaw::NoName, "the spec is stable"),
        (Flaw::RefusesEmptyBatches, "an empty batch is a batch"),
        (Flaw::LosesTheLast, "one verdict per record"),
        (Flaw::DependsOnTheCall, "the same verdicts twice"),
        (
            Flaw::AnswersInItsOwnOrder,
            "verdicts are in the order of the records",
        ),
        (Flaw::AcceptsTheFirst, "alone as in the batch"),
        (Flaw::OneBatchAtATime, "batches may be judged at once"),
        (Flaw::WithholdsNothing, "withheld attributes are named"),
        (Flaw::WithholdsTwice, "withheld attributes are named"),
        (Flaw::RejectsWithoutReason, "rejections say why"),
        (Flaw::AsksNothing, "holds ask questions"),
        (Flaw::AsksAboutAnotherMedium, "holds ask questions"),
        (Flaw::WorstFirst, "holds ask questions"),
        (Flaw::StuckWhenDropped, "dropping a call harms nothing"),
    ];
    for (flaw, check) in flaws {
        println!("{flaw:?}");
        assert_caught(&suite_of(flaw).await, check);
    }
}
