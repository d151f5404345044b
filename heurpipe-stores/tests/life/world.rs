//! Stores with posts in them, and what must hold of them at any time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use bytes::Bytes;
use futures::TryStreamExt;
use heurpipe_core::*;
use heurpipe_stores::documents::DocumentStore;
use heurpipe_stores::life::{Archive, Forget};
use heurpipe_stores::warehouse::{DocumentRows, ParquetWarehouse, Warehouse, records};
use heurpipe_stores::{Mode, blobs, documents, search};
use jiff::{Timestamp, ToSpan};
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// The day before which posts are archived; those of a world are from three days before it and one after.
pub const CUT: &str = "2026-03-04";

/// What every text of an author of interest holds.
pub const MARKER: &str = "unmistakable";

/// The stores of one process.
#[derive(Clone)]
pub struct World {
    pub documents: Arc<dyn DocumentStore>,
    pub search: Arc<dyn SearchIndex>,
    pub warehouse: Arc<dyn Warehouse>,
    pub blobs: Arc<dyn Blobs>,
    pub objects: Arc<dyn ObjectStore>,
}

impl World {
    /// Empty stores in memory.
    pub async fn empty() -> Self {
        let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        Self {
            documents: documents::open("memory:", Mode::ReadWrite).await.unwrap(),
            search: search::open("memory:", Mode::ReadWrite).await.unwrap(),
            warehouse: Arc::new(ParquetWarehouse::on(Arc::clone(&objects), Mode::ReadWrite)),
            blobs: blobs::open("memory:", Mode::ReadWrite).await.unwrap(),
            objects,
        }
    }

    /// Stores with posts by chance, and these posts.
    pub async fn random(seed: u64) -> (Self, BTreeMap<PostId, Record>) {
        let world = Self::empty().await;
        let posts = world.fill(seed).await;
        (world, posts)
    }

    /// Stores posts by chance: on four days, by four authors, in all states, with pictures that some of them share.
    pub async fn fill(&self, seed: u64) -> BTreeMap<PostId, Record> {
        let mut dice = Dice(seed | 1);
        let mut posts = BTreeMap::new();
        for number in 0..24 + dice.below(16) {
            let mut record = self.post(number, &mut dice).await;
            for _ in 0..=dice.below(2) {
                record.revision = self.documents.commit(&[&record]).await.unwrap()[0]
                    .as_ref()
                    .copied()
                    .unwrap();
            }
            self.search
                .write(&[Arc::new(record.clone())])
                .await
                .unwrap();
            posts.insert(record.id().clone(), record);
        }
        self.search.flush().await.unwrap();
        posts
    }

    async fn post(&self, number: u64, dice: &mut Dice) -> Record {
        let published: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let hours = i64::try_from(dice.below(96)).unwrap();
        let mut post = Post::new(id(number), "2026-03-05T00:00:00Z".parse().unwrap());
        post.published_at = Some(published + hours.hours());
        post.aliases = vec![PostId::new(
            Platform::instagram(),
            format!("graph:{number}"),
        )];
        post.counts.likes = Some(number);
        let whose = dice.below(4);
        post.text = match whose {
            0 => format!("{MARKER} {number}"),
            _ => format!("ordinary {number}"),
        };
        post.author = Some(author(whose, dice.below(3) > 0));
        for _ in 0..dice.below(3) {
            let bytes = Bytes::from(format!("picture {}", dice.below(12)));
            let digest = self.blobs.put(bytes).await.unwrap();
            let mut picture = Media::image(format!("m{digest}"), "https://example.com/m");
            picture.fetched = Fetched::Stored {
                digest,
                bytes: 9,
                content_type: "image/jpeg".to_owned(),
            };
            post.media.push(picture);
        }
        let mut record = Record::new(post);
        let state = match dice.below(8) {
            0 => State::Pending { delivered: false },
            1 => State::Held {
                reason: "unsure".to_owned(),
            },
            _ => State::Delivered,
        };
        record.states.insert("catalog".to_owned(), state);
        record
    }

    /// Moves a day or two at a time.
    pub fn archive(&self) -> Archive {
        let documents = self.documents.clone();
        Archive::before(documents, self.warehouse.clone(), CUT.parse().unwrap()).at_a_time(8)
    }

    pub fn forget(&self) -> Forget {
        Forget::from(
            self.documents.clone(),
            self.search.clone(),
            self.warehouse.clone(),
            self.blobs.clone(),
        )
    }

    pub async fn hot(&self) -> BTreeMap<PostId, Record> {
        let scan = Scan::matching(Filter::All).limit(usize::MAX);
        let page = self.documents.scan(&scan).await.unwrap();
        let records = page.records.into_iter();
        records.map(|r| (r.id().clone(), r)).collect()
    }

    pub async fn cold(&self) -> BTreeMap<PostId, Record> {
        let pages = self.warehouse.scan(&Filter::All).await.unwrap();
        let pages: Vec<Vec<Record>> = pages.try_collect().await.unwrap();
        let mut cold = BTreeMap::new();
        for record in pages.into_iter().flatten() {
            let double = cold.insert(record.id().clone(), record);
            assert_eq!(double, None, "doubled in the warehouse");
        }
        cold
    }

    /// Nothing is lost, nothing is doubled in what queries see, and each post is as it was; whether or not a step is half done.
    pub async fn check(&self, posts: &BTreeMap<PostId, Record>) {
        let mut both = self.cold().await;
        both.extend(self.hot().await);
        assert_eq!(&both, posts);
        let counted = self.count().await;
        let expected = i64::try_from(posts.len()).unwrap();
        assert_eq!(counted, (expected, expected), "rows and distinct posts");
    }

    async fn count(&self) -> (i64, i64) {
        let hot = DocumentRows::new(self.documents.clone());
        let query = "SELECT count(*), count(DISTINCT id) FROM posts";
        let answer = self.warehouse.sql(query, &hot).await.unwrap();
        let rows: Vec<_> = answer.batches.try_collect().await.unwrap();
        let number = |column: usize| rows[0].column(column).as_primitive::<Int64Type>().value(0);
        (number(0), number(1))
    }

    /// After archiving no post is in both tiers, and in documents are only posts that are young or not settled.
    pub async fn check_archived(&self, posts: &BTreeMap<PostId, Record>) {
        self.check(posts).await;
        let (hot, cold) = (self.hot().await, self.cold().await);
        assert!(hot.keys().all(|id| !cold.contains_key(id)), "in both tiers");
        let old = |r: &Record| r.post.published_at.unwrap().to_string().as_str() < CUT;
        for record in posts.values() {
            let settled = record.states.iter().all(|(_, state)| state.is_settled());
            assert_eq!(cold.contains_key(record.id()), settled && old(record));
        }
    }

    /// No store and no file of the warehouse holds anything of these posts; all others are as they were.
    pub async fn check_forgotten(&self, gone: &BTreeSet<PostId>, posts: &BTreeMap<PostId, Record>) {
        let mut left = posts.clone();
        left.retain(|id, _| !gone.contains(id));
        self.check(&left).await;
        for id in gone {
            let ids = [id.clone()];
            assert_eq!(
                self.documents.load(&ids).await.unwrap(),
                [Stored::Tombstoned]
            );
            assert_eq!(self.search.get(id).await.unwrap(), None);
        }
        for record in self.rows_in_files().await {
            assert!(!gone.contains(record.id()), "{} is in a file", record.id());
        }
        for text in self.manifests().await {
            let named = |id: &&PostId| text.contains(&format!("\"{id}\""));
            assert_eq!(gone.iter().find(named), None, "a manifest leads back");
        }
        let pictures = |record: &Record| {
            let media = record.post.media.clone().into_iter();
            media.filter_map(|m| match m.fetched {
                Fetched::Stored { digest, .. } => Some(digest),
                _ => None,
            })
        };
        let used: BTreeSet<Digest> = left.values().flat_map(pictures).collect();
        for picture in posts.values().flat_map(pictures) {
            let kept = self.blobs.contains(&picture).await.unwrap();
            assert_eq!(kept, used.contains(&picture), "picture {picture}");
        }
        let under_way = self.documents.memo("erasures").await.unwrap();
        assert_eq!(under_way.as_deref().unwrap_or("{}"), "{}");
    }

    /// The rows of all files of the warehouse, whether or not a manifest lists them.
    pub async fn rows_in_files(&self) -> Vec<Record> {
        let mut rows = Vec::new();
        for (name, bytes) in self.files().await {
            if name.ends_with(".parquet") {
                let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
                for batch in reader.build().unwrap() {
                    rows.extend(records(&batch.unwrap()).unwrap());
                }
            }
        }
        rows
    }

    async fn manifests(&self) -> Vec<String> {
        let files = self.files().await.into_iter();
        let manifests = files.filter(|(name, _)| name.ends_with(".json"));
        manifests
            .map(|(_, bytes)| String::from_utf8(bytes.to_vec()).unwrap())
            .collect()
    }

    async fn files(&self) -> Vec<(String, Bytes)> {
        let listed: Vec<_> = self.objects.list(None).try_collect().await.unwrap();
        let mut files = Vec::new();
        for meta in listed {
            let bytes = self.objects.get(&meta.location).await.unwrap();
            files.push((meta.location.to_string(), bytes.bytes().await.unwrap()));
        }
        files
    }
}

pub fn id(number: u64) -> PostId {
    PostId::new(Platform::instagram(), number.to_string())
}

/// The authors have ids and handles; some calls give the handle alone.
fn author(whose: u64, with_id: bool) -> Author {
    let mut author = Author::unknown();
    author.id = with_id.then(|| (100 + whose).to_string());
    author.handle = Some(format!("author.{whose}"));
    author
}

/// The posts whose text says that they are by the author of interest.
pub fn marked(posts: &BTreeMap<PostId, Record>) -> BTreeSet<PostId> {
    let marked = posts.values().filter(|r| r.post.text.contains(MARKER));
    marked.map(|record| record.id().clone()).collect()
}

/// Chance by a seed.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % limit
    }
}
