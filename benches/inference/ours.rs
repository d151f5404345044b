//! Our side: a pipeline from posts to a sink.

use std::sync::Arc;

use heurpipe_benches::Nowhere;
use heurpipe_core::testkit::Posts;
use heurpipe_core::{
    Blobs, Enricher, Fetched, Media, Pipeline, PipelineBuilder, Platform, Post, PostId, RunOptions,
};
use heurpipe_models::{
    Classify, Detect, PictureDecoder, Runtime, RuntimeKind, RuntimeStatus, Tuned,
};
use heurpipe_stores::blobs::MemoryBlobs;
use jiff::Timestamp;
use tokio::runtime::Runtime as Tokio;

use crate::AnyResult;
use crate::jobs::THREADS;
use crate::subjects::Subject;

/// The native runtime. Nothing, with a printed reason, where models would run on tract: peers have it not.
///
/// # Errors
/// When the runtime that is asked for cannot be loaded.
pub fn native() -> AnyResult<Option<&'static RuntimeStatus>> {
    let status = Runtime::get()?.status();
    match status.kind {
        RuntimeKind::Native => Ok(Some(status)),
        RuntimeKind::Tract => {
            eprintln!("models are skipped: {status}; `heurpipe setup` installs the native library");
            Ok(None)
        }
    }
}

/// The subject's enricher, with so many pictures a call.
///
/// # Errors
/// When the model cannot be loaded.
pub fn enricher(subject: &Subject, batch: usize) -> AnyResult<Arc<dyn Enricher>> {
    if subject.is_detector {
        return Ok(Arc::new(Detect::load(&subject.folder)?));
    }
    let setting = Tuned { batch, threads: 1 };
    Ok(Arc::new(Classify::load(&subject.folder)?.tuned(setting)?))
}

/// Posts that are run through an enricher time and again.
pub struct Posted {
    posts: Posts,
    count: u64,
    blobs: Arc<MemoryBlobs>,
}

impl Posted {
    /// A post a picture; the pictures lie in a store of blobs.
    ///
    /// # Errors
    /// When the store does not take one.
    pub async fn of_pictures(pictures: &[Vec<u8>]) -> AnyResult<Self> {
        let blobs = Arc::new(MemoryBlobs::new());
        let mut posts = Vec::with_capacity(pictures.len());
        for (number, bytes) in pictures.iter().enumerate() {
            let mut medium = Media::image("0", "https://example.org/0.jpg");
            medium.fetched = Fetched::Stored {
                digest: blobs.put(bytes.clone().into()).await?,
                bytes: bytes.len() as u64,
                content_type: "image/jpeg".to_owned(),
            };
            let mut post = post(number);
            post.media.push(medium);
            posts.push(post);
        }
        Ok(Self::of(posts, blobs))
    }

    /// A post a text.
    pub fn of_texts(texts: &[String]) -> Self {
        let with_text = |(number, text): (usize, &String)| {
            let mut post = post(number);
            post.text.clone_from(text);
            post
        };
        let posts = texts.iter().enumerate().map(with_text).collect();
        Self::of(posts, Arc::new(MemoryBlobs::new()))
    }

    fn of(posts: Vec<Post>, blobs: Arc<MemoryBlobs>) -> Self {
        Self {
            count: posts.len() as u64,
            posts: Posts::new(posts),
            blobs,
        }
    }

    /// Runs all posts through the enricher; batches are large enough to give every thread a full call.
    ///
    /// # Errors
    /// When not every post is delivered with something found.
    pub fn run(&self, tokio: &Tokio, enricher: &Arc<dyn Enricher>, batch: usize) -> AnyResult<()> {
        let mut options = RunOptions::default();
        options.batch = options.batch.max(batch * THREADS);
        let pipeline = self.pipeline().enrich_arc(Arc::clone(enricher)).build()?;
        let report = tokio.block_on(pipeline.run(options))?;
        match report.posts.delivered == self.count {
            true => Ok(()),
            false => Err(format!("not every post was delivered: {report:?}").into()),
        }
    }

    fn pipeline(&self) -> PipelineBuilder {
        Pipeline::builder("bench")
            .source(self.posts.clone().page(32))
            .stored_media(self.blobs.clone())
            .decode_with(PictureDecoder::default())
            .sink(Nowhere::new())
    }
}

fn post(number: usize) -> Post {
    let id = PostId::new(Platform::instagram(), format!("{number:012}"));
    Post::new(id, Timestamp::UNIX_EPOCH)
}
