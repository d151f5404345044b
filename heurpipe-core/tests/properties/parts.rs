//! The parts that pipelines under test are made of. What they say follows from what they are shown.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use async_trait::async_trait;
use futures::future::ready;
use futures::stream::{self, BoxStream, StreamExt};
use heurpipe_core::*;
use jiff::Timestamp;

use super::case::{EnricherCase, GateCase, ItemCase};
use super::fuse::Fuse;
use super::world::{Shelf, World, post_id, unreadable};

/// When a version of a post is collected: long before any run.
pub fn collected_at(version: u16) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + 60 * i64::from(version)).unwrap()
}

pub fn incoming(item: &ItemCase) -> Incoming {
    match item {
        ItemCase::Post {
            post,
            version,
            text,
        } => {
            let mut given = Post::new(post_id(*post), collected_at(*version));
            given.text.clone_from(text);
            given.counts.likes = Some(u64::from(*version));
            Incoming::Post(Box::new(given))
        }
        ItemCase::Gone(post) => Incoming::Gone(post_id(*post)),
        ItemCase::Unreadable(place) => Incoming::Unreadable(Box::new(unreadable(*place))),
    }
}

/// The partitions of a source of the case. The cursor is the number of items before it.
pub struct Listed {
    spec: SourceSpec,
    number: usize,
    world: Arc<World>,
}

impl Listed {
    pub fn new(number: usize, world: &Arc<World>) -> Self {
        Self {
            spec: SourceSpec::new(format!("source{number}"), "items of the case"),
            number,
            world: Arc::clone(world),
        }
    }

    /// Where to begin: a queue knows what was acknowledged, anybody else goes by the checkpoint.
    fn start(&self, partition: usize, from: &Checkpoint) -> usize {
        if self.world.case.sources[self.number].queue {
            let acknowledged = self.world.acknowledged.lock().unwrap();
            return acknowledged
                .get(&(self.number, partition))
                .copied()
                .unwrap_or(0);
        }
        offset(from)
    }
}

/// How many items a checkpoint speaks for.
pub fn offset(checkpoint: &Checkpoint) -> usize {
    checkpoint
        .resume
        .as_ref()
        .map_or(0, |cursor| cursor.0.parse().unwrap())
}

/// The number in the name of a source or a partition.
pub fn number(name: &str) -> usize {
    name.trim_start_matches(|c: char| c.is_alphabetic())
        .parse()
        .unwrap()
}

#[async_trait]
impl Source for Listed {
    fn spec(&self) -> &SourceSpec {
        &self.spec
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        let partitions = self.world.case.sources[self.number].partitions.len();
        Ok((0..partitions)
            .map(|n| Partition(format!("part{n}")))
            .collect())
    }

    fn read(&self, partition: Partition, from: Checkpoint) -> BoxStream<'static, Result<Page>> {
        let partition = number(&partition.0);
        let start = self.start(partition, &from);
        let given = &self.world.case.sources[self.number].partitions[partition];
        let mut at = start;
        let pages: Vec<Page> = given.items[start.min(given.items.len())..]
            .chunks(given.page)
            .map(|items| {
                at += items.len();
                Page {
                    items: items.iter().map(incoming).collect(),
                    checkpoint: Checkpoint::at(at.to_string()),
                }
            })
            .collect();
        stream::iter(pages).map(Ok).boxed()
    }

    async fn settled(
        &self,
        partition: &Partition,
        upto: &Checkpoint,
        _outcomes: &[(PostId, Outcome)],
    ) -> Result<()> {
        let key = (self.number, number(&partition.0));
        let mut acknowledged = self.world.acknowledged.lock().unwrap();
        let before = acknowledged.entry(key).or_default();
        *before = offset(upto).max(*before);
        Ok(())
    }
}

/// What the enricher with this index says of a text and of the labels that it needs.
pub fn label(index: usize, text: &str, needed: &BTreeMap<usize, u8>) -> Option<u8> {
    let hash = hash(format!("{index} {text} {needed:?}").as_bytes());
    let label = (hash % 4) as u8;
    (label < 3).then_some(label)
}

fn hash(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
    let hash = bytes.iter().fold(0xCBF2_9CE4_8422_2325, step);
    // The low bits of this hash are poor.
    hash >> 24
}

/// The label that a record has of the enricher with this index.
pub fn label_of(record: &Record, enricher: usize) -> Option<u8> {
    let effective = record.effective();
    let labels = effective.get(&format!("a{enricher}"))?;
    labels.first()?.trim_start_matches('x').parse().ok()
}

pub struct Reads {
    spec: EnricherSpec,
    index: usize,
    case: EnricherCase,
    /// Items that it was given, over all lives.
    given: Arc<AtomicU64>,
}

impl Reads {
    pub fn new(index: usize, case: &EnricherCase, given: &Arc<AtomicU64>) -> Self {
        let attribute = |index: &usize| format!("a{index}");
        let spec = EnricherSpec::new(&format!("reads{index}"), "1")
            .needs(case.needs.iter().map(attribute))
            .gives([attribute(&index)])
            .cost(if case.dear {
                Cost::CpuMs(20.0)
            } else {
                Cost::Cheap
            });
        Self {
            spec,
            index,
            case: case.clone(),
            given: Arc::clone(given),
        }
    }

    fn read(&self, item: &Item) -> ItemResult<Vec<Finding>> {
        if self.is_poison(item) {
            return Err(Error::new(ErrorKind::Corrupt, "test.enrich").message("it is poison"));
        }
        let needed = self.case.needs.iter();
        let needed = needed.filter_map(|i| Some((*i, label_of(&item.record, *i)?)));
        let label = label(self.index, &item.post().text, &needed.collect());
        let finding = |label| Finding::label(format!("a{}", self.index), format!("x{label}"));
        Ok(label.map(finding).into_iter().collect())
    }

    fn is_poison(&self, item: &Item) -> bool {
        is_poison(&item.post().text, self.index)
    }
}

pub fn is_poison(text: &str, enricher: usize) -> bool {
    text.contains(&format!("poison{enricher}"))
}

#[async_trait]
impl Enricher for Reads {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        self.given.fetch_add(batch.len() as u64, SeqCst);
        if self.case.fragile && batch.items.iter().any(|item| self.is_poison(item)) {
            return Err(Error::new(ErrorKind::Corrupt, "test.enrich").message("it is poison"));
        }
        let outcomes = batch.items.iter().map(|item| self.read(item)).collect();
        Ok(Enriched::new(self.spec.fingerprint.clone(), outcomes))
    }
}

/// Decides by the text.
pub struct Decides(pub GateCase);

/// What the gate says of a text. None: it cannot tell, for good.
pub fn verdict(gate: &GateCase, text: &str) -> Option<Verdict> {
    if text.contains("unjudgeable") {
        return None;
    }
    Some(match hash(format!("{} {text}", gate.salt).as_bytes()) % 8 {
        0 | 1 => Verdict::Hold {
            reason: "who knows".to_owned(),
            tasks: Vec::new(),
            group: None,
        },
        2 => Verdict::Reject {
            reason: "no".to_owned(),
        },
        3 | 4 => Verdict::Withhold(vec!["a0".to_owned()]),
        _ => Verdict::Accept,
    })
}

#[async_trait]
impl QualityGate for Decides {
    fn name(&self) -> &str {
        "decides"
    }

    fn describe(&self) -> String {
        "by the text".to_owned()
    }

    async fn judge(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<Verdict>>> {
        let judge = |record: &Arc<Record>| {
            verdict(&self.0, &record.post.text).ok_or_else(|| {
                Error::new(ErrorKind::Corrupt, "test.judge").message("nobody can tell")
            })
        };
        Ok(records.iter().map(judge).collect())
    }
}

/// Puts records on a shelf, and refuses some for good.
pub struct Shelves {
    pub spec: SinkSpec,
    pub shelf: Arc<Shelf>,
    pub fuse: Arc<Fuse>,
    /// Records whose text has this are refused.
    pub refuses: Option<String>,
}

impl Shelves {
    fn write_some(&self, records: &[Arc<Record>]) -> Vec<ItemResult<()>> {
        let at_flush = self.spec.durable == Durable::AtFlush;
        let write = |record: &Arc<Record>| {
            if self
                .refuses
                .as_ref()
                .is_some_and(|word| record.post.text.contains(word))
            {
                let error = Error::new(ErrorKind::InvalidInput, "test.write");
                return Err(error.message("not on this shelf"));
            }
            self.shelf.write(record, at_flush);
            Ok(())
        };
        records.iter().map(write).collect()
    }
}

pub fn refused_by(sink: usize) -> String {
    format!("refused{sink}")
}

#[async_trait]
impl Sink for Shelves {
    fn spec(&self) -> &SinkSpec {
        &self.spec
    }

    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        let whole = async { self.write_some(records) };
        let half = async { drop(self.write_some(&records[..records.len() / 2])) };
        Ok(self.fuse.call(whole, half).await)
    }

    async fn flush(&self) -> Result<()> {
        self.fuse
            .call(async { self.shelf.flush() }, ready(()))
            .await;
        Ok(())
    }
}
