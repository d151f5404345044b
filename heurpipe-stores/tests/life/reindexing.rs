//! The search index anew, from documents and the warehouse.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use heurpipe_core::*;
use heurpipe_stores::life::{Reindex, ReindexReport};
use heurpipe_stores::search::{self, Rebuild};
use heurpipe_stores::{Mode, search::TantivyIndex};

use super::world::{World, id};

/// A world whose search index lies in a folder.
async fn world(folder: &Path) -> (World, String, BTreeSet<(PostId, u64)>) {
    let url = format!("tantivy:{}", folder.display());
    let mut world = World::empty().await;
    world.search = search::open(&url, Mode::ReadWrite).await.unwrap();
    let posts = world.fill(11).await;
    world.archive().run().await.unwrap();
    assert!(!world.cold().await.is_empty() && !world.hot().await.is_empty());
    let relevant = posts
        .values()
        .filter(|record| record.relevant_to().next().is_some())
        .map(|record| (record.id().clone(), record.revision));
    let relevant = relevant.collect();
    // The lock goes with whoever has written.
    world.search = search::open("memory:", Mode::ReadWrite).await.unwrap();
    (world, url, relevant)
}

async fn found(index: &dyn SearchIndex) -> BTreeSet<(PostId, u64)> {
    let everything = SearchRequest::default().limit(10_000);
    let page = index.search(&everything).await.unwrap();
    let items = page.items.into_iter();
    items.map(|r| (r.id().clone(), r.revision)).collect()
}

async fn reindex(world: &World, rebuild: Arc<dyn Rebuild>) -> ReindexReport {
    let reindex = Reindex::from(world.documents.clone(), world.warehouse.clone());
    reindex.run(&*rebuild).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_both_tiers_hold_is_in_the_new_index() {
    let folder = tempfile::tempdir().unwrap();
    let (world, url, relevant) = world(folder.path()).await;
    let reader = search::open(&url, Mode::ReadOnly).await.unwrap();
    let before = found(&*reader).await;
    assert_ne!(
        before, relevant,
        "the old one holds what is not relevant, too"
    );

    let rebuild = search::rebuild(&url).await.unwrap();
    assert_eq!(found(&*rebuild.index()).await, BTreeSet::new());
    assert_eq!(found(&*reader).await, before, "the old one serves");
    let report = reindex(&world, rebuild).await;
    assert_eq!(found(&*reader).await, relevant, "whoever had it open");
    assert_eq!(report.documents + report.warehouse, relevant.len() as u64);
    assert!(report.documents > 0 && report.warehouse > 0);
    assert_eq!((report.again, report.refused.len()), (0, 0));
    let counted = Reindex::from(world.documents.clone(), world.warehouse.clone());
    let counted = counted.survey().await.unwrap();
    assert_eq!(
        (counted.documents, counted.warehouse),
        (report.documents, report.warehouse)
    );
}

/// The folder of an index that version 1 made, which had no vectors.
fn first_version() -> tempfile::TempDir {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tantivy-1");
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("index")).unwrap();
    for within in [".", "index"] {
        for entry in std::fs::read_dir(made.join(within)).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                let copy = folder.path().join(within).join(entry.file_name());
                std::fs::copy(entry.path(), copy).unwrap();
            }
        }
    }
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_without_vectors_is_refused_until_it_is_rebuilt() {
    let folder = first_version();
    let url = format!("tantivy:{}", folder.path().display());
    for mode in [Mode::ReadOnly, Mode::ReadWrite] {
        let error = search::open(&url, mode).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Config);
        let said = error.to_string();
        assert!(said.contains("heurpipe reindex"), "{said}");
        assert!(said.contains("format=1 (known: 3)"), "{said}");
    }

    let world = World::empty().await;
    world.fill(11).await;
    let mut hot = world.hot().await.into_values();
    let mut shown = hot.find(|r| r.relevant_to().next().is_some()).unwrap();
    let vector = Value::Vector(vec![0.6, 0.8]);
    let (at, target) = (jiff::Timestamp::UNIX_EPOCH, Target::Post);
    let decided = Annotation::decided(target, "look", vector, "ann", at);
    shown.annotations.push(decided);
    world.documents.commit(&[&shown]).await.unwrap();

    let report = reindex(&world, search::rebuild(&url).await.unwrap()).await;
    let reader = search::open(&url, Mode::ReadOnly).await.unwrap();
    assert_eq!(found(&*reader).await.len() as u64, report.documents);
    let request = SimilarRequest::new("look", [0.8, 0.6]);
    let similar = reader.similar(&request).await.unwrap();
    let similar: Vec<(&PostId, f32)> = similar.iter().map(|s| (s.record.id(), s.score)).collect();
    assert_eq!(similar, [(shown.id(), 0.96)]);
}

/// A row of the warehouse counts only while documents know nothing of the post.
#[tokio::test(flavor = "multi_thread")]
async fn what_documents_say_of_a_post_counts() {
    let folder = tempfile::tempdir().unwrap();
    let (world, url, relevant) = world(folder.path()).await;
    let archived = world.cold().await.into_values().next().unwrap();
    let mut back = archived.clone();
    back.states
        .insert("catalog".to_owned(), State::Pending { delivered: false });
    world.documents.commit(&[&back]).await.unwrap();

    reindex(&world, search::rebuild(&url).await.unwrap()).await;
    let mut expected = relevant;
    expected.remove(&(archived.id().clone(), archived.revision));
    let reader = search::open(&url, Mode::ReadOnly).await.unwrap();
    assert_eq!(found(&*reader).await, expected);
}

/// Changes documents between the building of an index and its publication.
struct Meanwhile {
    inner: Arc<dyn Rebuild>,
    documents: Arc<dyn Documents>,
    changed: Record,
}

#[async_trait]
impl Rebuild for Meanwhile {
    fn index(&self) -> Arc<dyn SearchIndex> {
        self.inner.index()
    }

    async fn publish(&self) -> Result<()> {
        let outcomes = self.documents.commit(&[&self.changed]).await?;
        outcomes.into_iter().collect::<Result<Vec<_>>>()?;
        self.inner.publish().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_meanwhile_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let (world, url, relevant) = world(folder.path()).await;
    let mut hot = world.hot().await.into_values();
    let mut changed = hot.rfind(|r| r.relevant_to().next().is_some()).unwrap();
    changed.post.text = "a new text".to_owned();
    let rebuild = Meanwhile {
        inner: search::rebuild(&url).await.unwrap(),
        documents: world.documents.clone(),
        changed: changed.clone(),
    };
    let report = reindex(&world, Arc::new(rebuild)).await;
    assert_eq!(report.again, 1);
    let mut expected = relevant;
    expected.remove(&(changed.id().clone(), changed.revision));
    expected.insert((changed.id().clone(), changed.revision + 1));
    let reader = search::open(&url, Mode::ReadOnly).await.unwrap();
    assert_eq!(found(&*reader).await, expected);
}

/// What an erasure refuses while the index is built does not come into it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_meanwhile_is_not_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let (world, url, relevant) = world(folder.path()).await;
    let erased = world.cold().await.into_keys().next().unwrap();
    // An erasure that has come as far as refusing the post: both stores still hold it.
    let refused = world
        .documents
        .refuse(&[Subject::Post(erased.clone())])
        .await
        .unwrap();
    assert_eq!(refused, std::slice::from_ref(&erased));
    reindex(&world, search::rebuild(&url).await.unwrap()).await;
    let reader = search::open(&url, Mode::ReadOnly).await.unwrap();
    let expected: BTreeSet<_> = relevant
        .into_iter()
        .filter(|(id, _)| *id != erased)
        .collect();
    assert_eq!(found(&*reader).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_ends_early_leaves_the_index_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (world, url, _) = world(folder.path()).await;
    let reader = search::open(&url, Mode::ReadOnly).await.unwrap();
    let before = found(&*reader).await;
    let abandoned = search::rebuild(&url).await.unwrap();
    let record = Arc::new(world.hot().await.into_values().next().unwrap());
    abandoned.index().write(&[record]).await.unwrap();
    abandoned.index().flush().await.unwrap();

    let busy = search::rebuild(&url).await.map(drop).unwrap_err();
    assert_eq!(busy.kind(), ErrorKind::Conflict, "one at a time");
    let writer = search::open(&url, Mode::ReadWrite).await.unwrap();
    let busy = writer.remove(&[id(1)]).await.unwrap_err();
    assert_eq!(
        busy.kind(),
        ErrorKind::Conflict,
        "nobody writes to the old one"
    );
    drop(abandoned);
    assert_eq!(found(&*reader).await, before);

    reindex(&world, search::rebuild(&url).await.unwrap()).await;
    let folders = std::fs::read_dir(folder.path()).unwrap();
    let folders = folders.filter(|entry| entry.as_ref().unwrap().path().is_dir());
    assert_eq!(folders.count(), 1, "what was left is gone");
    writer.remove(&[id(1)]).await.unwrap();
    writer.flush().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_other_words_is_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let (world, url, relevant) = world(folder.path()).await;
    let made = folder.path().join("index.json");
    std::fs::write(&made, r#"{"format":1,"analyser":0}"#).unwrap();
    let error = search::open(&url, Mode::ReadOnly)
        .await
        .map(drop)
        .unwrap_err();
    assert!(error.to_string().contains("heurpipe reindex"), "{error}");
    reindex(&world, search::rebuild(&url).await.unwrap()).await;
    let reader = search::open(&url, Mode::ReadOnly).await.unwrap();
    assert_eq!(found(&*reader).await, relevant);
}

#[tokio::test]
async fn what_is_no_index_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("index-1/notes.txt");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "mine").unwrap();
    let error = TantivyIndex::rebuild(folder.path()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(file.exists());

    let error = search::rebuild("memory:").await.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}
