//! What outlives a process: documents, what sinks hold, what queues know as acknowledged. And what was seen going wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard};

use heurpipe_core::testkit::canonical;
use heurpipe_core::{
    Annotation, DeadLetter, DeadLetterScan, Documents, Filter, Incoming, Platform, PostId, Record,
    ReviewQueue, Scan, State, Stored, Target, Unreadable, Value,
};
use heurpipe_stores::documents::MemoryDocuments;
use jiff::Timestamp;

use super::case::{Case, USE_CASE};

pub struct World {
    pub case: Case,
    pub documents: Arc<MemoryDocuments>,
    pub shelves: Vec<Arc<Shelf>>,
    /// How far each partition of a queue is acknowledged, in items.
    pub acknowledged: Mutex<BTreeMap<(usize, usize), usize>>,
    /// Items that enrichers were given, over all lives.
    pub enriched: Arc<AtomicU64>,
    violations: Mutex<Vec<String>>,
}

/// What a sink holds.
#[derive(Default)]
pub struct Shelf {
    durable: Mutex<Books>,
    /// Written and not flushed.
    written: Mutex<Books>,
}

type Books = BTreeMap<PostId, Arc<Record>>;

/// All that a run leaves behind, in a form in which runs are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub records: BTreeMap<String, String>,
    pub sinks: Vec<BTreeMap<String, String>>,
    /// Stage, cause and record by post.
    pub letters: BTreeMap<String, String>,
    /// Post and reason by id.
    pub tasks: BTreeMap<String, String>,
}

pub fn post_id(post: u16) -> PostId {
    PostId::new(Platform::new("test"), post.to_string())
}

pub fn unreadable(place: u16) -> Unreadable {
    Unreadable::new(format!("line {place}"), "it is no JSON", "{")
}

impl World {
    pub async fn new(case: &Case) -> Arc<Self> {
        let documents = Arc::new(MemoryDocuments::new());
        let erased: Vec<PostId> = case.erased.iter().copied().map(post_id).collect();
        documents.erase(&erased).await.unwrap();
        Arc::new(Self {
            documents,
            shelves: case.graph.sinks.iter().map(|_| Arc::default()).collect(),
            acknowledged: Mutex::default(),
            enriched: Arc::default(),
            violations: Mutex::default(),
            case: case.clone(),
        })
    }

    /// Notes that something must never happen and did.
    pub fn violated(&self, what: String) {
        self.violations.lock().unwrap().push(what);
    }

    pub fn violations(&self) -> Vec<String> {
        self.violations.lock().unwrap().clone()
    }

    /// The process has ended: what was not durable is gone.
    pub fn process_ended(&self) {
        for shelf in &self.shelves {
            shelf.lose();
        }
    }

    pub async fn stored(&self, id: &PostId) -> Stored {
        let ids = std::slice::from_ref(id);
        self.documents.load(ids).await.unwrap().remove(0)
    }

    pub async fn letters(&self) -> Vec<DeadLetter> {
        let scan = DeadLetterScan::all();
        self.documents.dead_letters(&scan).await.unwrap()
    }

    pub async fn is_buried(&self, id: &PostId) -> bool {
        self.letters().await.iter().any(|letter| letter.post == *id)
    }

    pub async fn is_asked_about(&self, id: &PostId) -> bool {
        let tasks = self.documents.open(Some(USE_CASE), 10_000).await.unwrap();
        tasks.iter().any(|task| task.post == *id)
    }

    /// Whether a sink that counts holds the post for good.
    pub fn is_delivered(&self, id: &PostId) -> bool {
        let sinks = self.case.graph.sinks.iter().zip(&self.shelves);
        sinks
            .into_iter()
            .any(|(sink, shelf)| !sink.tee && shelf.lock().contains_key(id))
    }

    /// Whether a later run would find the item in documents, or documents say that there is nothing left to do about it.
    pub async fn is_kept(&self, item: &Incoming) -> bool {
        let id = item.id();
        if matches!(item, Incoming::Unreadable(_)) {
            return self.is_buried(&id).await;
        }
        match (self.stored(&id).await, item) {
            (Stored::Tombstoned | Stored::Archived { .. }, _) => true,
            (Stored::Known(record), Incoming::Post(post)) => {
                let has_state = record.states.contains_key(USE_CASE);
                has_state && record.post.collected_at >= post.collected_at
            }
            (Stored::Known(record), _) => record.observations.iter().any(|o| o.gone),
            (Stored::Unknown, item) => matches!(item, Incoming::Gone(_)),
        }
    }

    /// Whether documents owe the post an outcome.
    pub async fn is_pending(&self, id: &PostId) -> bool {
        let Stored::Known(record) = self.stored(id).await else {
            return false;
        };
        matches!(record.states.get(USE_CASE), Some(State::Pending { .. }))
    }

    /// Somebody else writes a note on those of these records that the case says, once on each, before they are committed.
    pub async fn writes_notes(&self, records: &[&Record]) {
        let noted = |record: &&&Record| {
            let posts = self.case.noted.iter();
            posts.into_iter().any(|post| post_id(*post) == *record.id())
        };
        for record in records.iter().filter(noted) {
            let Stored::Known(mut stored) = self.stored(record.id()).await else {
                continue;
            };
            if !has_note(&stored) {
                stored.annotations.push(note());
                let committed = self.documents.commit(&[&stored]).await.unwrap();
                assert!(committed[0].is_ok());
            }
        }
    }

    pub async fn records(&self) -> Vec<Record> {
        let scan = Scan::matching(Filter::All).limit(100_000);
        self.documents.scan(&scan).await.unwrap().records
    }

    pub async fn snapshot(&self) -> Snapshot {
        let records = self.records().await;
        let letter = |letter: DeadLetter| {
            let record = letter.record.as_deref().map(canonical);
            let text = format!(
                "{} {} {:?} {record:?}",
                letter.stage, letter.cause, letter.chain
            );
            (letter.post.to_string(), text)
        };
        let tasks = self.documents.open(None, 10_000).await.unwrap();
        let task = |task: heurpipe_core::ReviewTask| {
            let text = format!("{} {} {:?}", task.post, task.reason, task.questions);
            (task.id.to_string(), text)
        };
        Snapshot {
            records: records
                .iter()
                .map(|r| (r.id().to_string(), canonical(r)))
                .collect(),
            sinks: self.shelves.iter().map(|shelf| shelf.content()).collect(),
            letters: self.letters().await.into_iter().map(letter).collect(),
            tasks: tasks.into_iter().map(task).collect(),
        }
    }
}

impl Shelf {
    pub fn write(&self, record: &Arc<Record>, at_flush: bool) {
        let books = if at_flush {
            &self.written
        } else {
            &self.durable
        };
        put(&mut books.lock().unwrap(), record);
    }

    pub fn flush(&self) {
        let written = std::mem::take(&mut *self.written.lock().unwrap());
        let mut durable = self.lock();
        for record in written.values() {
            put(&mut durable, record);
        }
    }

    fn lose(&self) {
        self.written.lock().unwrap().clear();
    }

    /// What is there for good.
    pub fn lock(&self) -> MutexGuard<'_, Books> {
        self.durable.lock().unwrap()
    }

    pub fn ids(&self) -> BTreeSet<String> {
        self.lock().keys().map(ToString::to_string).collect()
    }

    fn content(&self) -> BTreeMap<String, String> {
        let books = self.lock();
        books
            .iter()
            .map(|(id, record)| (id.to_string(), canonical(record)))
            .collect()
    }
}

/// What somebody else says of a post. No enricher and no condition asks for it.
fn note() -> Annotation {
    let value = Value::Text("seen by a person".to_owned());
    Annotation::decided(
        Target::Post,
        "note",
        value,
        "somebody",
        Timestamp::UNIX_EPOCH,
    )
}

pub fn has_note(record: &Record) -> bool {
    record.annotations.contains(&note())
}

/// An older revision never replaces a newer one.
fn put(books: &mut Books, record: &Arc<Record>) {
    let known = books.get(record.id()).map(|known| known.revision);
    if known.is_none_or(|known| known <= record.revision) {
        books.insert(record.id().clone(), Arc::clone(record));
    }
}

impl Snapshot {
    /// How it differs from what it should be, if it does.
    pub fn difference(&self, expected: &Self) -> Option<String> {
        let mut lines = Vec::new();
        differences("record", &self.records, &expected.records, &mut lines);
        for (number, (sink, other)) in self.sinks.iter().zip(&expected.sinks).enumerate() {
            differences(&format!("sink {number}"), sink, other, &mut lines);
        }
        differences("dead letter", &self.letters, &expected.letters, &mut lines);
        differences("review task", &self.tasks, &expected.tasks, &mut lines);
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}

fn differences(
    what: &str,
    is: &BTreeMap<String, String>,
    should: &BTreeMap<String, String>,
    lines: &mut Vec<String>,
) {
    for key in is.keys().chain(should.keys()).collect::<BTreeSet<_>>() {
        let (is, should) = (is.get(key), should.get(key));
        if is != should {
            lines.push(format!(
                "{what} {key}:\n  is     {is:?}\n  should {should:?}"
            ));
        }
    }
}
