//! What a sink must uphold.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;

use super::probe::{Checked, Flaw, POLLS, Suite, abandon, ensure, ensure_count, ensure_name};
use super::report::SuiteReport;
use crate::{Durable, Platform, Post, PostId, Record, Sink};

type Template = Arc<dyn Fn(PostId) -> Record + Send + Sync>;
type Reader = Arc<dyn Fn() -> BoxFuture<'static, Vec<(PostId, u64)>> + Send + Sync>;

/// How a sink is checked.
#[derive(Clone)]
#[non_exhaustive]
pub struct SinkOptions {
    template: Template,
    reader: Option<Reader>,
    poison: Option<Arc<Record>>,
    limit: Duration,
}

impl Default for SinkOptions {
    /// Records of posts with a text and no more, no way to read them back, no poison, a minute a check.
    fn default() -> Self {
        let template = |id: PostId| {
            let mut post = Post::new(id, Timestamp::UNIX_EPOCH);
            post.text = "a red dress".to_owned();
            Record::new(post)
        };
        Self {
            template: Arc::new(template),
            reader: None,
            poison: None,
            limit: Duration::from_secs(60),
        }
    }
}

impl SinkOptions {
    /// Makes the record of a post; the suite sets the revision.
    pub fn template(mut self, template: impl Fn(PostId) -> Record + Send + Sync + 'static) -> Self {
        self.template = Arc::new(template);
        self
    }

    /// Reads what the sink's store holds: each row's post and revision. A row that is there twice is given twice. Without it, what the sink
    /// stores cannot be seen, and the checks of that are not applicable.
    pub fn reader<F, Fut>(mut self, read: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Vec<(PostId, u64)>> + Send + 'static,
    {
        self.reader = Some(Arc::new(move || read().boxed()));
        self
    }

    /// A record that the sink cannot take, and must say so.
    pub fn poison(mut self, record: Record) -> Self {
        self.poison = Some(Arc::new(record));
        self
    }

    /// How long a check may take.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

/// Checks a sink. `make` opens it anew, as a new run does, over one and the same store, which may hold other records; the suite writes posts
/// of the platform `suite`.
pub async fn sink<S: Sink>(make: impl Fn() -> S, options: SinkOptions) -> SuiteReport {
    let name = format!("sink {}", make().spec().name);
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
        .check("one outcome per record", bench.one_outcome_per_record())
        .await;
    suite
        .check("flushing twice harms nothing", bench.flushing())
        .await;
    suite
        .check("writing twice is writing once", bench.idempotent())
        .await;
    suite
        .check("a newer revision replaces an older", bench.newer())
        .await;
    suite
        .check("an older revision replaces nothing", bench.older())
        .await;
    suite
        .check("of one batch the newest revision stays", bench.one_batch())
        .await;
    suite
        .check("what was said to be durable stays", bench.durable())
        .await;
    suite
        .check("batches may be written at once", bench.at_once())
        .await;
    suite
        .check("dropping a call harms nothing", bench.dropping())
        .await;
    suite
        .check("a poison record spoils no other", bench.poison())
        .await;
    suite.report
}

struct Bench<'a, F> {
    make: &'a F,
    options: &'a SinkOptions,
}

impl<S: Sink, F: Fn() -> S> Bench<'_, F> {
    async fn spec(&self) -> Checked {
        let (first, second) = ((self.make)(), (self.make)());
        ensure_name("name", &first.spec().name)?;
        ensure!(
            first.spec() == second.spec(),
            "made anew, the spec is another: {:?} and {:?}",
            first.spec(),
            second.spec()
        );
        Ok(())
    }

    async fn empty_batch(&self) -> Checked {
        let part = (self.make)();
        ensure_count(0, part.write(&[]).await?.len())?;
        Ok(part.flush().await?)
    }

    async fn one_outcome_per_record(&self) -> Checked {
        let part = (self.make)();
        for count in 1..=5 {
            let records = self.records("outcomes", count, 1);
            ensure_count(count, part.write(&records).await?.len())?;
        }
        Ok(part.flush().await?)
    }

    async fn flushing(&self) -> Checked {
        let part = (self.make)();
        part.flush().await?;
        self.write(&part, &self.records("flushing", 2, 1)).await?;
        part.flush().await?;
        part.flush().await?;
        self.ensure_stored("flushing", &[1, 1]).await
    }

    async fn idempotent(&self) -> Checked {
        let part = (self.make)();
        let records = self.records("twice", 3, 1);
        for _ in 0..2 {
            self.write(&part, &records).await?;
        }
        part.flush().await?;
        self.write(&part, &records).await?;
        let twice_in_one = [&records[..1], &records[..1]].concat();
        self.write(&part, &twice_in_one).await?;
        part.flush().await?;
        let anew = (self.make)();
        self.write(&anew, &records).await?;
        anew.flush().await?;
        self.ensure_stored("twice", &[1, 1, 1]).await
    }

    async fn newer(&self) -> Checked {
        let part = (self.make)();
        for revision in 1..=3 {
            let records = self.records("newer", 2, revision);
            self.write(&part, &records).await?;
            if revision == 1 {
                part.flush().await?;
            }
        }
        part.flush().await?;
        self.ensure_stored("newer", &[3, 3]).await
    }

    async fn older(&self) -> Checked {
        let part = (self.make)();
        self.write(&part, &self.records("older", 2, 5)).await?;
        self.write(&part, &self.records("older", 2, 4)).await?;
        part.flush().await?;
        let anew = (self.make)();
        self.write(&anew, &self.records("older", 2, 3)).await?;
        anew.flush().await?;
        self.ensure_stored("older", &[5, 5]).await
    }

    async fn one_batch(&self) -> Checked {
        let part = (self.make)();
        let of = |revision| self.records("batch", 1, revision).remove(0);
        let records = [of(2), of(4), of(3)];
        self.write(&part, &records).await?;
        part.flush().await?;
        self.ensure_stored("batch", &[4]).await
    }

    async fn durable(&self) -> Checked {
        let part = (self.make)();
        self.write(&part, &self.records("durable", 3, 1)).await?;
        if part.spec().durable == Durable::AtFlush {
            part.flush().await?;
        }
        drop(part);
        self.ensure_stored("durable", &[1, 1, 1]).await
    }

    async fn at_once(&self) -> Checked {
        let part = (self.make)();
        let records = self.records("at-once", 4, 1);
        let (first, second) = records.split_at(2);
        let both = futures::future::try_join(self.write(&part, first), self.write(&part, second));
        both.await?;
        part.flush().await?;
        self.ensure_stored("at-once", &[1; 4]).await
    }

    async fn dropping(&self) -> Checked {
        let part = (self.make)();
        for polls in 0..=POLLS {
            let revision = 1 + polls as u64;
            let records = self.records("dropping", 3, revision);
            abandon(part.write(&records), polls).await;
            self.write(&part, &records).await?;
            abandon(part.flush(), polls).await;
            part.flush().await?;
            self.ensure_stored("dropping", &[revision; 3]).await?;
        }
        Ok(())
    }

    async fn poison(&self) -> Checked {
        let Some(poison) = &self.options.poison else {
            return Err(Flaw::not_applicable("no poison record was given"));
        };
        let part = (self.make)();
        let mut records = self.records("poison", 2, 1);
        records.insert(1, Arc::clone(poison));
        match part.write(&records).await {
            // An error of the whole call is fine too: whoever calls bisects.
            Err(_) => {
                records.remove(1);
                self.write(&part, &records).await?;
            }
            Ok(mut outcomes) => {
                ensure_count(records.len(), outcomes.len())?;
                ensure!(
                    outcomes.remove(1).is_err(),
                    "it took the poison record as if there were nothing wrong"
                );
                for outcome in outcomes {
                    outcome?;
                }
            }
        }
        part.flush().await?;
        self.ensure_stored("poison", &[1, 1]).await
    }

    /// So many records that belong to one check alone.
    fn records(&self, check: &str, count: usize, revision: u64) -> Vec<Arc<Record>> {
        let record = |number| {
            let mut record = (self.options.template)(post_id(check, number));
            record.revision = revision;
            Arc::new(record)
        };
        (0..count).map(record).collect()
    }

    /// Writes records that the sink must take.
    async fn write(&self, part: &S, records: &[Arc<Record>]) -> Checked {
        let outcomes = part.write(records).await?;
        ensure_count(records.len(), outcomes.len())?;
        for outcome in outcomes {
            outcome?;
        }
        Ok(())
    }

    /// The store holds the check's records once each, at these revisions.
    async fn ensure_stored(&self, check: &str, revisions: &[u64]) -> Checked {
        let Some(read) = &self.options.reader else {
            return Err(Flaw::not_applicable(
                "its calls were answered well; without a reader what it stored cannot be seen",
            ));
        };
        let rows = read().await;
        for (number, revision) in revisions.iter().enumerate() {
            let id = post_id(check, number);
            let found: Vec<u64> = rows
                .iter()
                .filter(|(row, _)| *row == id)
                .map(|(_, revision)| *revision)
                .collect();
            ensure!(
                found == [*revision],
                "of {id} it should hold revision {revision}, once; it holds {found:?}"
            );
        }
        Ok(())
    }
}

fn post_id(check: &str, number: usize) -> PostId {
    PostId::new(Platform::new("suite"), format!("{check}-{number}"))
}
