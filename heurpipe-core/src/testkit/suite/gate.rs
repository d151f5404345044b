//! What a quality gate must uphold.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join;

use super::probe::{
    Checked, Flaw, POLLS, Suite, abandon, ensure, ensure_count, ensure_name, is_share,
};
use super::report::SuiteReport;
use crate::{ItemResult, QualityGate, Question, Record, Verdict};

/// How a gate is checked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GateOptions {
    /// What it judges: records that get different verdicts, and one at least of each kind that the gate knows.
    pub records: Vec<Arc<Record>>,
    /// How long a check may take.
    pub limit: Duration,
}

impl GateOptions {
    /// These records, a minute a check.
    pub fn new(records: impl IntoIterator<Item = Record>) -> Self {
        Self {
            records: records.into_iter().map(Arc::new).collect(),
            limit: Duration::from_secs(60),
        }
    }

    /// How long a check may take.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

/// Checks a gate; `make` gives a new one, as a new process would.
pub async fn gate<G: QualityGate>(make: impl Fn() -> G, options: GateOptions) -> SuiteReport {
    let mut suite = Suite::new(format!("gate {}", make().name()), options.limit);
    let bench = Bench {
        make: &make,
        records: &options.records,
    };
    suite.check("the spec is stable", bench.spec()).await;
    suite
        .check("an empty batch is a batch", bench.empty_batch())
        .await;
    suite
        .check("one verdict per record", bench.one_verdict_per_record())
        .await;
    suite.check("the same verdicts twice", bench.pure()).await;
    suite
        .check("verdicts are in the order of the records", bench.in_order())
        .await;
    suite.check("alone as in the batch", bench.alone()).await;
    suite
        .check("batches may be judged at once", bench.at_once())
        .await;
    suite
        .check("withheld attributes are named", bench.withheld())
        .await;
    suite.check("rejections say why", bench.rejected()).await;
    suite.check("holds ask questions", bench.held()).await;
    suite
        .check("dropping a call harms nothing", bench.dropping())
        .await;
    suite.report
}

struct Bench<'a, F> {
    make: &'a F,
    records: &'a [Arc<Record>],
}

impl<G: QualityGate, F: Fn() -> G> Bench<'_, F> {
    async fn spec(&self) -> Checked {
        let (first, second) = ((self.make)(), (self.make)());
        ensure_name("name", first.name())?;
        ensure_name("description", &first.describe())?;
        for need in first.needs() {
            ensure_name("name of an attribute that it needs", need)?;
        }
        let spec = |gate: &G| {
            let needs = gate.needs().to_vec();
            (gate.name().to_owned(), gate.describe(), needs)
        };
        let (first, second) = (spec(&first), spec(&second));
        ensure!(
            first == second,
            "made anew, it says of itself {second:?}, before {first:?}"
        );
        Ok(())
    }

    async fn empty_batch(&self) -> Checked {
        ensure_count(0, (self.make)().judge(&[]).await?.len())
    }

    async fn one_verdict_per_record(&self) -> Checked {
        let part = (self.make)();
        for count in 1..=self.records.len() {
            let verdicts = part.judge(&self.records[..count]).await?;
            ensure_count(count, verdicts.len())?;
        }
        Ok(())
    }

    async fn pure(&self) -> Checked {
        let part = (self.make)();
        let expected = self.judge(&part, self.records).await?;
        let again = self.judge(&part, self.records).await?;
        ensure_same(&expected, &again, "asked again")?;
        let anew = self.judge(&(self.make)(), self.records).await?;
        ensure_same(&expected, &anew, "made anew")
    }

    async fn in_order(&self) -> Checked {
        let part = (self.make)();
        let mut records = self.records.to_vec();
        let expected = self.judge(&part, &records).await?;
        records.reverse();
        let mut reversed = self.judge(&part, &records).await?;
        reversed.reverse();
        ensure_same(&expected, &reversed, "with the records reversed")
    }

    async fn alone(&self) -> Checked {
        let part = (self.make)();
        let together = self.judge(&part, self.records).await?;
        let mut alone = Vec::new();
        for record in self.records {
            alone.extend(self.judge(&part, std::slice::from_ref(record)).await?);
        }
        ensure_same(&together, &alone, "each alone")
    }

    async fn at_once(&self) -> Checked {
        let part = (self.make)();
        let one_by_one = self.judge(&part, self.records).await?;
        let (first, second) = self.records.split_at(self.records.len() / 2);
        let both = try_join(part.judge(second), part.judge(first));
        let (second, mut at_once) = both.await?;
        at_once.extend(second);
        ensure_same(&one_by_one, &at_once, "in two batches at once")
    }

    async fn withheld(&self) -> Checked {
        let verdicts = self.verdicts().await?;
        let withheld = verdicts.iter().filter_map(|(_, verdict)| match verdict {
            Verdict::Withhold(attributes) => Some(attributes),
            _ => None,
        });
        for attributes in one_at_least(withheld, "it withholds nothing from the records given")? {
            ensure!(
                !attributes.is_empty(),
                "it withholds, but names no attribute"
            );
            let distinct: BTreeSet<&String> = attributes.iter().collect();
            ensure!(
                distinct.len() == attributes.len(),
                "it withholds one attribute twice: {attributes:?}"
            );
            for attribute in attributes {
                ensure_name("name of a withheld attribute", attribute)?;
            }
        }
        Ok(())
    }

    async fn rejected(&self) -> Checked {
        let verdicts = self.verdicts().await?;
        let reasons = verdicts.iter().filter_map(|(_, verdict)| match verdict {
            Verdict::Reject { reason } => Some(reason),
            _ => None,
        });
        for reason in one_at_least(reasons, "it rejects none of the records given")? {
            ensure_name("reason of a rejection", reason)?;
        }
        Ok(())
    }

    async fn held(&self) -> Checked {
        let verdicts = self.verdicts().await?;
        let holds = verdicts
            .iter()
            .filter_map(|(record, verdict)| match verdict {
                Verdict::Hold { reason, tasks, .. } => Some((record, reason, tasks)),
                _ => None,
            });
        for (record, reason, tasks) in one_at_least(holds, "it holds none of the records given")? {
            ensure_name("reason of a hold", reason)?;
            ensure!(
                !tasks.is_empty(),
                "it holds {} and asks nothing, so nobody can decide",
                record.id()
            );
            for question in tasks {
                ensure_question(record, question)?;
            }
        }
        Ok(())
    }

    async fn dropping(&self) -> Checked {
        let part = (self.make)();
        let expected = self.judge(&(self.make)(), self.records).await?;
        for polls in 0..=POLLS {
            abandon(part.judge(self.records), polls).await;
            let after = self.judge(&part, self.records).await?;
            ensure_same(&expected, &after, "after a call was dropped")?;
        }
        Ok(())
    }

    async fn judge(&self, part: &G, records: &[Arc<Record>]) -> Checked<Vec<ItemResult<Verdict>>> {
        if records.is_empty() {
            return Err(Flaw::not_applicable("no records were given"));
        }
        let verdicts = part.judge(records).await?;
        ensure_count(records.len(), verdicts.len())?;
        Ok(verdicts)
    }

    async fn verdicts(&self) -> Checked<Vec<(Arc<Record>, Verdict)>> {
        let verdicts = self.judge(&(self.make)(), self.records).await?;
        let of = |(record, verdict): (&Arc<Record>, ItemResult<Verdict>)| {
            Some((Arc::clone(record), verdict.ok()?))
        };
        Ok(self.records.iter().zip(verdicts).filter_map(of).collect())
    }
}

fn one_at_least<T>(found: impl Iterator<Item = T>, why_none: &str) -> Checked<Vec<T>> {
    let found: Vec<T> = found.collect();
    match found.is_empty() {
        true => Err(Flaw::not_applicable(why_none)),
        false => Ok(found),
    }
}

fn ensure_question(record: &Record, question: &Question) -> Checked {
    ensure_name("attribute of a question", &question.attribute)?;
    if let Some(medium) = question.target.media() {
        ensure!(
            record.post.medium(medium).is_some(),
            "it asks about the medium {medium:?}, which {} does not have",
            record.id()
        );
    }
    let confidences: Vec<Option<f32>> = question.suggestions.iter().map(|s| s.1).collect();
    ensure!(
        confidences.iter().flatten().all(|c| is_share(*c)),
        "the confidences {confidences:?} are not all between 0 and 1"
    );
    let falling = confidences
        .iter()
        .flatten()
        .is_sorted_by(|better, worse| better >= worse);
    ensure!(
        falling,
        "the suggestions are not best first: {confidences:?}"
    );
    for (label, _) in &question.suggestions {
        ensure_name("label of a suggestion", label)?;
    }
    Ok(())
}

fn ensure_same(
    expected: &[ItemResult<Verdict>],
    given: &[ItemResult<Verdict>],
    how: &str,
) -> Checked {
    ensure_count(expected.len(), given.len())?;
    for (place, (expected, given)) in expected.iter().zip(given).enumerate() {
        let same = match (expected, given) {
            (Ok(expected), Ok(given)) => expected == given,
            (Err(expected), Err(given)) => expected.kind() == given.kind(),
            _ => false,
        };
        ensure!(
            same,
            "record {place} got {expected:?}, {how} it got {given:?}"
        );
    }
    Ok(())
}
