//! Where something of a post or an author is.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use heurpipe_core::filter::{Keyword, Predicate};
use heurpipe_core::{
    AuthorRef, DeadLetterScan, Digest, Documents, Fetched, Filter, PostId, Record, Result, Scan,
    SearchIndex, SearchRequest, Stored, Subject, text,
};
use serde::{Deserialize, Serialize};

use crate::warehouse::Warehouse;

/// Ids asked for at a time: each is a value in a filter.
const IDS_AT_A_TIME: usize = 200;

/// What was found of a subject, by its posts' own ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Found {
    /// Names of the author, where the subject is one.
    pub names: BTreeSet<AuthorRef>,
    /// Posts in documents.
    pub documents: BTreeSet<PostId>,
    /// Posts of which documents know that they were archived.
    pub archived: BTreeSet<PostId>,
    /// Posts in the warehouse.
    pub warehouse: BTreeSet<PostId>,
    /// Posts in the search index.
    pub search: BTreeSet<PostId>,
    /// Further ids of these posts.
    pub aliases: BTreeSet<PostId>,
    /// Their pictures in the blob store.
    pub pictures: BTreeSet<Digest>,
}

impl Found {
    /// All posts, by their own ids.
    pub fn posts(&self) -> BTreeSet<PostId> {
        let places = [
            &self.documents,
            &self.archived,
            &self.warehouse,
            &self.search,
        ];
        places.into_iter().flatten().cloned().collect()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.posts().is_empty()
    }

    /// Adds what else was found.
    pub(super) fn extend(&mut self, other: Self) {
        self.names.extend(other.names);
        self.documents.extend(other.documents);
        self.archived.extend(other.archived);
        self.warehouse.extend(other.warehouse);
        self.search.extend(other.search);
        self.aliases.extend(other.aliases);
        self.pictures.extend(other.pictures);
    }

    fn add(&mut self, record: &Record) {
        self.names.extend(record.post.author_names());
        self.aliases.extend(record.post.aliases.iter().cloned());
        self.pictures.extend(pictures_of(record));
    }
}

/// The stores that are looked through.
pub(super) struct Places<'a> {
    pub(super) documents: &'a dyn Documents,
    pub(super) search: &'a dyn SearchIndex,
    pub(super) warehouse: &'a dyn Warehouse,
}

impl Places<'_> {
    /// What is there of a subject, refused already or not. `known`: ids under which documents have it.
    pub(super) async fn of(&self, subject: &Subject, known: &[PostId]) -> Result<Found> {
        match subject {
            Subject::Post(id) => self.of_post(id, known).await,
            Subject::Author(author) => self.of_author(author).await,
        }
    }

    async fn of_post(&self, id: &PostId, known: &[PostId]) -> Result<Found> {
        let mut found = Found::default();
        let mut ids: BTreeSet<PostId> = known.iter().cloned().collect();
        ids.insert(id.clone());
        match self.documents.load(std::slice::from_ref(id)).await?.pop() {
            Some(Stored::Known(record)) => {
                ids.insert(record.post.id);
            }
            Some(Stored::Archived { post, .. }) => {
                ids.insert(post.clone());
                found.archived.insert(post);
            }
            Some(Stored::Unknown | Stored::Tombstoned) | None => {}
        }
        let ids: Vec<PostId> = ids.into_iter().collect();
        for record in self.records(&ids).await? {
            found.add(&record);
            found.documents.insert(record.post.id);
        }
        for record in self.warehouse.get(&ids).await?.into_iter().flatten() {
            found.add(&record);
            found.warehouse.insert(record.post.id);
        }
        for id in &ids {
            if let Some(record) = self.search.get(id).await? {
                found.add(&record);
                found.search.insert(record.post.id);
            }
        }
        // Its author is not the subject: what else that author has written stays.
        found.names.clear();
        Ok(found)
    }

    /// Records in documents by their own ids, refused or not.
    async fn records(&self, ids: &[PostId]) -> Result<Vec<Record>> {
        let mut records = Vec::new();
        for some in ids.chunks(IDS_AT_A_TIME) {
            let exact = some.iter().map(|id| keyword(&id.to_string())).collect();
            let scan = Scan::matching(any_of("id", exact));
            let page = self.documents.scan(&scan).await?;
            records.extend(page.records.into_iter().filter(|r| some.contains(r.id())));
        }
        Ok(records)
    }

    /// First what bears the given name; then, by the names that those posts give, what else is surely of the same account: for an id the posts
    /// that give a handle of it and no id, for a handle the posts with an id that it belongs to.
    async fn of_author(&self, author: &AuthorRef) -> Result<Found> {
        let mut found = Found::default();
        found.names.insert(author.clone());
        let first = [author.clone()].into();
        self.by_names(&first, &first, &mut found).await?;
        let further: BTreeSet<AuthorRef> = found.names.difference(&first).cloned().collect();
        let further: BTreeSet<AuthorRef> = further
            .into_iter()
            .filter(|name| name.is_id() != author.is_id())
            .collect();
        let theirs = first.union(&further).cloned().collect();
        self.by_names(&further, &theirs, &mut found).await?;
        found.names = theirs;
        Ok(found)
    }

    /// Looks for posts by some names, and takes those whose author goes by names of the account alone.
    async fn by_names(
        &self,
        asked: &BTreeSet<AuthorRef>,
        theirs: &BTreeSet<AuthorRef>,
        found: &mut Found,
    ) -> Result<()> {
        let Some(first) = asked.first() else {
            return Ok(());
        };
        let exact = asked.iter().map(|name| keyword(&name.keyword())).collect();
        let platform = any_of("platform", vec![keyword(first.platform().as_str())]);
        let filter = any_of("author", exact).and(platform);
        let is_theirs = |record: &Record| is_of(record, asked, theirs);

        let mut next = Some(Scan::matching(filter.clone()));
        while let Some(scan) = next.take() {
            let page = self.documents.scan(&scan).await?;
            for record in page.records.into_iter().filter(is_theirs) {
                found.add(&record);
                found.documents.insert(record.post.id);
            }
            next = page.next.map(|id| scan.after(Some(id)));
        }
        let mut pages = self.warehouse.scan(&filter).await?;
        while let Some(page) = pages.try_next().await? {
            for record in page.into_iter().filter(is_theirs) {
                found.add(&record);
                found.warehouse.insert(record.post.id);
            }
        }
        let mut next = Some(SearchRequest::new(filter).limit(500));
        while let Some(request) = next.take() {
            let page = self.search.search(&request).await?;
            for record in page.items.into_iter().filter(is_theirs) {
                found.add(&record);
                found.search.insert(record.post.id);
            }
            next = page.next.map(|cursor| request.cursor(Some(cursor)));
        }
        Ok(())
    }

    /// Those of these pictures to which something still refers: a record of either tier, or one that lies among the dead letters.
    pub(super) async fn still_used(&self, pictures: &BTreeSet<Digest>) -> Result<BTreeSet<Digest>> {
        let mut used = BTreeSet::new();
        if pictures.is_empty() {
            return Ok(used);
        }
        let mut see = |record: &Record| {
            used.extend(pictures_of(record).filter(|picture| pictures.contains(picture)));
        };
        let mut next = Some(Scan::matching(Filter::All));
        while let Some(scan) = next.take() {
            let page = self.documents.scan(&scan).await?;
            page.records.iter().for_each(&mut see);
            next = page.next.map(|id| scan.after(Some(id)));
        }
        let mut pages = self.warehouse.scan(&Filter::All).await?;
        while let Some(page) = pages.try_next().await? {
            page.iter().for_each(&mut see);
        }
        let mut next = Some(DeadLetterScan::all());
        while let Some(scan) = next.take() {
            let letters = self.documents.dead_letters(&scan).await?;
            let records = letters.iter().filter_map(|letter| letter.record.as_deref());
            records.for_each(&mut see);
            next = letters.last().map(|last| scan.after(last));
        }
        Ok(used)
    }
}

/// Whether a record that bears one of the names asked for is the account's. One that gives an id is somebody else's when that is not among the
/// account's: handles change hands.
fn is_of(record: &Record, asked: &BTreeSet<AuthorRef>, theirs: &BTreeSet<AuthorRef>) -> bool {
    let names = record.post.author_names();
    if !names.iter().any(|name| asked.contains(name)) {
        return false;
    }
    let ids_known = theirs.iter().any(AuthorRef::is_id);
    let id = names.iter().find(|name| name.is_id());
    !ids_known || id.is_none_or(|id| theirs.contains(id))
}

/// The pictures of a record that lie in the blob store.
pub(super) fn pictures_of(record: &Record) -> impl Iterator<Item = Digest> {
    record.post.media.iter().filter_map(|m| match &m.fetched {
        Fetched::Stored { digest, .. } => Some(*digest),
        Fetched::Not | Fetched::Gone { .. } => None,
    })
}

fn any_of(field: &str, any_of: Vec<Keyword>) -> Filter {
    let field = field.to_owned();
    Filter::Test(Predicate::Keyword { field, any_of })
}

fn keyword(value: &str) -> Keyword {
    Keyword::Exact(text::keyword(value))
}
