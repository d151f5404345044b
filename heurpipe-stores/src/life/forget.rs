//! Erasing a post or an author everywhere.

use std::collections::BTreeSet;
use std::sync::Arc;

use heurpipe_core::{
    Blobs, Digest, Erased, Error, ErrorKind, PostId, Result, SearchIndex, Subject,
};
use jiff::Timestamp;
use serde::Serialize;

use super::journal::Work;
use super::traces::{Found, Places};
use crate::documents::DocumentStore;
use crate::warehouse::{Purged, Warehouse};

/// Posts erased at a time.
const ERASED_AT_A_TIME: usize = 500;

/// Erases what is known of a post or an author.
///
/// First it is refused: from then on neither a crawl nor a queue nor a dead letter brings it back. Then it goes from documents (with dead letters
/// and review tasks), the search index, the warehouse, the blob store and the cache of analyses. What was found is remembered until all
/// of it is gone, so that after an interruption the same call does the rest.
pub struct Forget {
    documents: Arc<dyn DocumentStore>,
    search: Arc<dyn SearchIndex>,
    warehouse: Arc<dyn Warehouse>,
    blobs: Arc<dyn Blobs>,
}

/// What was erased, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Receipt {
    /// A post or an author.
    pub subject: Subject,
    /// When the erasure began.
    pub began_at: Timestamp,
    /// When nothing was left.
    pub ended_at: Timestamp,
    /// Posts found, wherever they were.
    pub posts: u64,
    /// What went from where.
    pub removed: Removed,
    /// The warehouse's manifest from which on nothing leads back to the posts.
    pub manifest: u64,
}

/// What went from where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Removed {
    /// Records in documents.
    pub documents: u64,
    /// Dead letters.
    pub dead_letters: u64,
    /// Review tasks.
    pub review_tasks: u64,
    /// Posts in the search index.
    pub search: u64,
    /// Posts in the warehouse.
    pub warehouse: u64,
    /// Pictures in the blob store.
    pub pictures: u64,
    /// Pictures that stay, since other posts have them too.
    pub pictures_shared: u64,
    /// Findings in the cache of analyses.
    pub findings: u64,
}

impl Forget {
    /// Erases from these stores.
    pub fn from(
        documents: Arc<dyn DocumentStore>,
        search: Arc<dyn SearchIndex>,
        warehouse: Arc<dyn Warehouse>,
        blobs: Arc<dyn Blobs>,
    ) -> Self {
        Self {
            documents,
            search,
            warehouse,
            blobs,
        }
    }

    /// What is there of a subject; changes nothing.
    ///
    /// # Errors
    /// Those of the stores.
    pub async fn survey(&self, subject: &Subject) -> Result<Found> {
        self.places().of(subject, &[]).await
    }

    /// Erases a subject.
    ///
    /// # Errors
    /// `NotFound` when nothing is known of it, nothing of it was erased before, and it is not to be refused `unseen`. Else those of the
    /// stores; what is left to do then is done by the next call.
    pub async fn run(&self, subject: &Subject, unseen: bool) -> Result<Receipt> {
        let documents = &*self.documents;
        let mut work = Work::resume(documents, subject).await?;
        let found = self.survey(subject).await?;
        let was_refused = documents.refused(std::slice::from_ref(subject)).await?;
        let is_known = !found.is_empty() || !work.found.is_empty() || was_refused.contains(&true);
        if !is_known && !unseen {
            return Err(unknown(subject));
        }
        work.found.extend(found);
        let known = documents.refuse(&refusals(subject, &work.found)).await?;
        // What came in between, and posts that only documents know by the id that was given.
        work.found
            .extend(self.places().of(subject, &own(subject, known)).await?);
        documents.refuse(&refusals(subject, &work.found)).await?;
        work.save(documents, subject).await?;

        let posts: Vec<PostId> = work.found.posts().into_iter().collect();
        for some in posts.chunks(ERASED_AT_A_TIME) {
            work.erased += documents.erase(some).await?;
            work.save(documents, subject).await?;
        }
        self.erase_aliases(subject, &mut work).await?;
        self.search.remove(&posts).await?;
        self.search.flush().await?;
        let purged = self.warehouse.erase(&posts).await?;
        let mut receipt = receipt(subject, &work, &purged);
        self.erase_pictures(&work.found.pictures, &mut receipt.removed)
            .await?;
        Work::done(documents, subject).await?;
        receipt.ended_at = Timestamp::now();
        Ok(receipt)
    }

    /// Dead letters and tasks may stand under an id that the post had before, and only the warehouse knows it by.
    async fn erase_aliases(&self, subject: &Subject, work: &mut Work) -> Result<()> {
        let mut aliases = work.found.aliases.clone();
        if let Subject::Post(id) = subject {
            aliases.insert(id.clone());
        }
        let aliases: Vec<PostId> = aliases.into_iter().collect();
        for some in aliases.chunks(ERASED_AT_A_TIME) {
            work.erased += self.documents.erase(some).await?;
        }
        work.save(&*self.documents, subject).await
    }

    async fn erase_pictures(
        &self,
        pictures: &BTreeSet<Digest>,
        removed: &mut Removed,
    ) -> Result<()> {
        let used = self.places().still_used(pictures).await?;
        let unused: Vec<Digest> = pictures.difference(&used).copied().collect();
        for picture in &unused {
            self.blobs.delete(picture).await?;
        }
        removed.pictures = unused.len() as u64;
        removed.pictures_shared = used.len() as u64;
        removed.findings = self.documents.forget(&unused).await?;
        Ok(())
    }

    fn places(&self) -> Places<'_> {
        Places {
            documents: &*self.documents,
            search: &*self.search,
            warehouse: &*self.warehouse,
        }
    }
}

/// All names under which the subject must not come back.
fn refusals(subject: &Subject, found: &Found) -> Vec<Subject> {
    let mut all = BTreeSet::from([subject.clone()]);
    all.extend(found.posts().into_iter().map(Subject::Post));
    all.extend(found.aliases.iter().cloned().map(Subject::Post));
    all.extend(found.names.iter().cloned().map(Subject::Author));
    all.into_iter().collect()
}

/// Of the posts that documents know those that are the subject: a name of an author may be others' too.
fn own(subject: &Subject, known: Vec<PostId>) -> Vec<PostId> {
    match subject {
        Subject::Post(_) => known,
        Subject::Author(_) => Vec::new(),
    }
}

fn receipt(subject: &Subject, work: &Work, purged: &Purged) -> Receipt {
    let found = &work.found;
    let Erased {
        dead_letters,
        tasks,
        ..
    } = work.erased;
    Receipt {
        subject: subject.clone(),
        began_at: work.began_at,
        ended_at: work.began_at,
        posts: found.posts().len() as u64,
        removed: Removed {
            documents: found.documents.len() as u64,
            dead_letters,
            review_tasks: tasks,
            search: found.search.len() as u64,
            warehouse: found.warehouse.len() as u64,
            ..Removed::default()
        },
        manifest: purged.manifest,
    }
}

fn unknown(subject: &Subject) -> Error {
    Error::new(ErrorKind::NotFound, "forget").message(format!("nothing is known of the {subject}"))
}
