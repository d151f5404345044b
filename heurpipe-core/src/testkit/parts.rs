//! A source and a sink without a service behind them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use jiff::Timestamp;

use crate::{
    Checkpoint, Incoming, ItemResult, Page, Partition, Platform, Post, PostId, Record, Result,
    Sink, SinkSpec, Source, SourceSpec,
};

/// A source of given posts: one partition, a page per so many posts, the cursor a post's number.
#[derive(Debug, Clone)]
pub struct Posts {
    spec: SourceSpec,
    posts: Arc<Vec<Post>>,
    page: usize,
}

impl Posts {
    /// These posts, 100 a page.
    pub fn new(posts: Vec<Post>) -> Self {
        Self {
            spec: SourceSpec::new("posts", format!("{} given posts", posts.len())),
            posts: Arc::new(posts),
            page: 100,
        }
    }

    /// Posts with these texts, named `test:0`, `test:1` and so on, collected at the epoch.
    pub fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        let post = |(number, text): (usize, T)| {
            let id = PostId::new(Platform::new("test"), number.to_string());
            let mut post = Post::new(id, Timestamp::UNIX_EPOCH);
            post.text = text.into();
            post
        };
        Self::new(texts.into_iter().enumerate().map(post).collect())
    }

    /// So many posts a page.
    pub fn page(mut self, page: usize) -> Self {
        self.page = page.max(1);
        self
    }
}

#[async_trait]
impl Source for Posts {
    fn spec(&self) -> &SourceSpec {
        &self.spec
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        Ok(vec![Partition("all".to_owned())])
    }

    fn read(&self, _partition: Partition, from: Checkpoint) -> BoxStream<'static, Result<Page>> {
        let start = from.resume.and_then(|c| c.0.parse().ok()).unwrap_or(0);
        let posts = Arc::clone(&self.posts);
        let page = self.page;
        stream::iter((start..self.posts.len()).step_by(page))
            .map(move |first| {
                let end = (first + page).min(posts.len());
                let item = |post: &Post| Incoming::Post(Box::new(post.clone()));
                Ok(Page {
                    items: posts[first..end].iter().map(item).collect(),
                    checkpoint: Checkpoint::at(end.to_string()),
                })
            })
            .boxed()
    }
}

/// A sink that keeps the newest revision of every record in memory.
#[derive(Debug, Clone)]
pub struct Collect {
    spec: SinkSpec,
    records: Arc<Mutex<BTreeMap<PostId, Arc<Record>>>>,
}

impl Collect {
    /// An empty collection under this name. Clones share what they collect.
    pub fn new(name: &str) -> Self {
        Self {
            spec: SinkSpec::new(name),
            records: Arc::default(),
        }
    }

    /// What was collected, in order of ids.
    pub fn records(&self) -> Vec<Arc<Record>> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.values().cloned().collect()
    }
}

#[async_trait]
impl Sink for Collect {
    fn spec(&self) -> &SinkSpec {
        &self.spec
    }

    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        let mut kept = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        for record in records {
            let newer = kept
                .get(record.id())
                .is_none_or(|known| known.revision <= record.revision);
            if newer {
                kept.insert(record.id().clone(), Arc::clone(record));
            }
        }
        Ok(records.iter().map(|_| Ok(())).collect())
    }
}
