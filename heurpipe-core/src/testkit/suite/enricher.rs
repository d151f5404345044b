//! What an enricher must uphold.

use std::time::Duration;

use futures::future::try_join;

use super::probe::{
    Checked, Flaw, POLLS, Suite, abandon, ensure, ensure_count, ensure_name, is_share,
};
use super::report::SuiteReport;
use crate::{Batch, Enriched, Enricher, Finding, Input, Item, ItemResult, Region, Value};

/// How an enricher is checked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EnricherOptions {
    /// What it reads, with bytes or pixels where it asks for them.
    pub items: Vec<Item>,
    /// What it cannot read.
    pub poison: Option<Item>,
    /// By how much numbers of equal findings may differ: models compute batches of different sizes in different order.
    pub tolerance: f32,
    /// How long a check may take.
    pub limit: Duration,
}

impl EnricherOptions {
    /// These items, no poison, findings equal to the bit, a minute a check. A few different items are enough.
    pub fn new(items: impl IntoIterator<Item = Item>) -> Self {
        Self {
            items: items.into_iter().collect(),
            poison: None,
            tolerance: 0.0,
            limit: Duration::from_secs(60),
        }
    }

    /// An item that it cannot read, and must say so.
    pub fn poison(mut self, item: Item) -> Self {
        self.poison = Some(item);
        self
    }

    /// Numbers of equal findings may differ by so much.
    pub fn tolerance(mut self, tolerance: f32) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// How long a check may take.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

/// Checks an enricher; `make` gives a new one, as a new process would.
pub async fn enricher<E: Enricher>(make: impl Fn() -> E, options: EnricherOptions) -> SuiteReport {
    let name = format!("enricher {}", make().spec().name);
    let mut suite = Suite::new(name, options.limit);
    let bench = Bench {
        make: &make,
        options: &options,
    };
    suite.check("the spec is stable", bench.spec()).await;
    suite
        .check("an empty batch is a batch", bench.empty_batch())
        .await;
    suite
        .check("one outcome per item", bench.one_outcome_per_item())
        .await;
    suite.check("the same findings twice", bench.pure()).await;
    suite
        .check("outcomes are in the order of the batch", bench.in_order())
        .await;
    suite.check("alone as in the batch", bench.alone()).await;
    suite
        .check("batches may be read at once", bench.at_once())
        .await;
    suite
        .check("one fingerprint for all calls", bench.fingerprint())
        .await;
    suite
        .check("findings are of attributes it gives", bench.gives())
        .await;
    suite
        .check("findings are well-formed", bench.well_formed())
        .await;
    suite
        .check("dropping a call harms nothing", bench.dropping())
        .await;
    suite
        .check("a poison item spoils no other", bench.poison())
        .await;
    suite
        .check("an item without its input fails", bench.without_input())
        .await;
    suite.report
}

struct Bench<'a, F> {
    make: &'a F,
    options: &'a EnricherOptions,
}

impl<E: Enricher, F: Fn() -> E> Bench<'_, F> {
    async fn spec(&self) -> Checked {
        let (first, second) = ((self.make)(), (self.make)());
        let spec = first.spec();
        ensure_name("name", &spec.name)?;
        ensure_name("fingerprint", spec.fingerprint.as_str())?;
        ensure!(
            spec == second.spec(),
            "made anew, the spec is another: {spec:?} and {:?}",
            second.spec()
        );
        ensure!(!spec.gives.is_empty(), "it gives no attribute");
        ensure!(
            spec.threshold.is_none_or(is_share),
            "the threshold {:?} is not between 0 and 1",
            spec.threshold
        );
        let cost = spec.cost.cpu_ms();
        ensure!(
            cost.is_finite() && cost >= 0.0,
            "the cost {cost} is no time"
        );
        Ok(())
    }

    async fn empty_batch(&self) -> Checked {
        let enriched = (self.make)().enrich(&Batch::default()).await?;
        ensure_count(0, enriched.outcomes.len())
    }

    async fn one_outcome_per_item(&self) -> Checked {
        let part = (self.make)();
        let items = &self.options.items;
        for count in 1..=items.len() {
            let batch = Batch::new(items[..count].to_vec());
            ensure_count(count, part.enrich(&batch).await?.outcomes.len())?;
        }
        Ok(())
    }

    async fn pure(&self) -> Checked {
        let part = (self.make)();
        let expected = self.read(&part, &self.options.items).await?;
        let again = self.read(&part, &self.options.items).await?;
        self.ensure_same(&expected, &again, "asked again")?;
        let anew = self.read(&(self.make)(), &self.options.items).await?;
        self.ensure_same(&expected, &anew, "made anew")
    }

    async fn in_order(&self) -> Checked {
        let part = (self.make)();
        let mut items = self.options.items.clone();
        let expected = self.read(&part, &items).await?;
        items.reverse();
        let mut reversed = self.read(&part, &items).await?;
        reversed.reverse();
        self.ensure_same(&expected, &reversed, "with the batch reversed")
    }

    async fn alone(&self) -> Checked {
        let part = (self.make)();
        let together = self.read(&part, &self.options.items).await?;
        let mut alone = Vec::new();
        for item in &self.options.items {
            alone.extend(self.read(&part, std::slice::from_ref(item)).await?);
        }
        self.ensure_same(&together, &alone, "each alone")
    }

    async fn at_once(&self) -> Checked {
        let part = (self.make)();
        let items = &self.options.items;
        let one_by_one = self.read(&part, items).await?;
        let (first, second) = items.split_at(items.len() / 2);
        let both = try_join(self.read(&part, second), self.read(&part, first));
        let (second, mut at_once) = both.await?;
        at_once.extend(second);
        self.ensure_same(&one_by_one, &at_once, "in two batches at once")
    }

    async fn fingerprint(&self) -> Checked {
        let part = (self.make)();
        let batch = Batch::new(self.options.items.clone());
        let declared = &part.spec().fingerprint;
        for _ in 0..2 {
            let ran_with = part.enrich(&batch).await?.fingerprint;
            ensure!(
                ran_with == *declared,
                "its spec says {declared}, but it ran with {ran_with}"
            );
        }
        Ok(())
    }

    async fn gives(&self) -> Checked {
        let part = (self.make)();
        let gives = &part.spec().gives;
        for finding in self.findings(&part).await? {
            ensure!(
                gives.contains(&finding.attribute),
                "it found {:?}, but says that it gives {gives:?}",
                finding.attribute
            );
        }
        Ok(())
    }

    async fn well_formed(&self) -> Checked {
        for finding in self.findings(&(self.make)()).await? {
            ensure!(
                finding.confidence.is_none_or(is_share),
                "the confidence of {finding:?} is not between 0 and 1"
            );
            ensure!(
                finding.region.is_none_or(is_within),
                "the region of {finding:?} is not within its picture"
            );
            ensure!(
                is_value(&finding.value),
                "the value of {finding:?} is none: labels have letters, numbers are finite, shares are between 0 and 1"
            );
        }
        Ok(())
    }

    async fn dropping(&self) -> Checked {
        let part = (self.make)();
        let expected = self.read(&(self.make)(), &self.options.items).await?;
        let batch = Batch::new(self.options.items.clone());
        for polls in 0..=POLLS {
            abandon(part.enrich(&batch), polls).await;
            let after = self.read(&part, &self.options.items).await?;
            self.ensure_same(&expected, &after, "after a call was dropped")?;
        }
        Ok(())
    }

    async fn poison(&self) -> Checked {
        let Some(poison) = &self.options.poison else {
            return Err(Flaw::not_applicable("no poison item was given"));
        };
        let part = (self.make)();
        let expected = self.read(&part, &self.options.items).await?;
        let place = self.options.items.len() / 2;
        let mut items = self.options.items.clone();
        items.insert(place, poison.clone());
        // An error of the whole call is fine too: whoever calls bisects.
        if let Ok(enriched) = part.enrich(&Batch::new(items.clone())).await {
            ensure_count(items.len(), enriched.outcomes.len())?;
            let mut outcomes = enriched.outcomes;
            ensure!(
                outcomes.remove(place).is_err(),
                "it read the poison item in a batch as if there were nothing wrong"
            );
            self.ensure_same(&expected, &outcomes, "beside the poison item")?;
        }
        let alone = part.enrich(&Batch::new(vec![poison.clone()])).await;
        ensure!(
            alone.is_err() || alone.is_ok_and(|e| e.outcomes.iter().any(Result::is_err)),
            "it read the poison item alone as if there were nothing wrong"
        );
        let after = self.read(&part, &self.options.items).await?;
        self.ensure_same(&expected, &after, "after the poison item")
    }

    async fn without_input(&self) -> Checked {
        let part = (self.make)();
        if part.spec().input == Input::Record {
            return Err(Flaw::not_applicable("it asks for nothing but the record"));
        }
        let Some(item) = self.options.items.first() else {
            return Err(Flaw::not_applicable("no items were given"));
        };
        let bare = Item::new(item.record.clone(), item.target.clone());
        let answer = part.enrich(&Batch::new(vec![bare])).await;
        ensure!(
            answer.is_err() || answer.is_ok_and(|e| e.outcomes.iter().any(Result::is_err)),
            "it found something in an item that came without the input it asks for"
        );
        Ok(())
    }

    async fn read(&self, part: &E, items: &[Item]) -> Checked<Vec<ItemResult<Vec<Finding>>>> {
        if self.options.items.is_empty() {
            return Err(Flaw::not_applicable("no items were given"));
        }
        let Enriched { outcomes, .. } = part.enrich(&Batch::new(items.to_vec())).await?;
        ensure_count(items.len(), outcomes.len())?;
        Ok(outcomes)
    }

    async fn findings(&self, part: &E) -> Checked<Vec<Finding>> {
        let outcomes = self.read(part, &self.options.items).await?;
        let findings: Vec<Finding> = outcomes.into_iter().flatten().flatten().collect();
        match findings.is_empty() {
            true => Err(Flaw::not_applicable("it finds nothing in the items given")),
            false => Ok(findings),
        }
    }

    fn ensure_same(
        &self,
        expected: &[ItemResult<Vec<Finding>>],
        found: &[ItemResult<Vec<Finding>>],
        how: &str,
    ) -> Checked {
        ensure_count(expected.len(), found.len())?;
        for (place, (expected, found)) in expected.iter().zip(found).enumerate() {
            let same = match (expected, found) {
                (Ok(expected), Ok(found)) => alike(expected, found, self.options.tolerance),
                (Err(expected), Err(found)) => expected.kind() == found.kind(),
                _ => false,
            };
            ensure!(
                same,
                "item {place} gave {expected:?}, {how} it gave {found:?}"
            );
        }
        Ok(())
    }
}

/// Whether findings are the same but for so much in numbers.
fn alike(a: &[Finding], b: &[Finding], tolerance: f32) -> bool {
    let near = |a: f32, b: f32| a == b || (a - b).abs() <= tolerance;
    let confident = |a: Option<f32>, b: Option<f32>| match (a, b) {
        (Some(a), Some(b)) => near(a, b),
        (a, b) => a == b,
    };
    let placed = |a: Option<Region>, b: Option<Region>| match (a, b) {
        (Some(a), Some(b)) => bounds(a)
            .into_iter()
            .zip(bounds(b))
            .all(|(a, b)| near(a, b)),
        (a, b) => a == b,
    };
    let valued = |a: &Value, b: &Value| match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || (a - b).abs() <= f64::from(tolerance),
        (Value::Vector(a), Value::Vector(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(*a, *b))
        }
        (Value::Colours(a), Value::Colours(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|(a, b)| a.name == b.name && a.rgb == b.rgb && near(a.share, b.share))
        }
        (a, b) => a == b,
    };
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| {
            a.attribute == b.attribute
                && confident(a.confidence, b.confidence)
                && placed(a.region, b.region)
                && valued(&a.value, &b.value)
        })
}

fn bounds(region: Region) -> [f32; 4] {
    [region.x, region.y, region.width, region.height]
}

/// Whether a region lies within its picture, but for what rounding adds.
fn is_within(region: Region) -> bool {
    const ROUNDING: f32 = 1e-4;
    bounds(region).into_iter().all(is_share)
        && region.x + region.width <= 1.0 + ROUNDING
        && region.y + region.height <= 1.0 + ROUNDING
}

fn is_value(value: &Value) -> bool {
    match value {
        Value::Label(label) => !label.is_empty(),
        Value::Labels(labels) => labels.iter().all(|label| !label.is_empty()),
        Value::Number(number) => number.is_finite(),
        Value::Text(_) => true,
        Value::Vector(vector) => !vector.is_empty() && vector.iter().all(|x| x.is_finite()),
        Value::Colours(colours) => colours
            .iter()
            .all(|colour| !colour.name.is_empty() && is_share(colour.share)),
    }
}
