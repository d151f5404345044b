//! Pictures without a network or a codec: a URL's text is the picture.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use heurpipe_core::*;

use super::post;

/// A post with pictures of this content.
pub fn pictured(number: usize, pictures: &[&str]) -> Post {
    let mut post = post(number, &format!("post {number}"));
    for (index, content) in pictures.iter().enumerate() {
        post.media
            .push(Media::image(format!("m{index}"), content.to_owned()));
    }
    post
}

type Latency = dyn Fn(&PostId) -> Duration + Send + Sync;

/// Gives as a picture's bytes the text of its URL, repeated up to the size that is wanted. Counts the bytes fetched.
#[derive(Clone)]
pub struct Fetcher {
    size: usize,
    latency: Arc<Latency>,
    stored: Arc<Mutex<Vec<Bytes>>>,
    fetched: Arc<AtomicUsize>,
}

impl Fetcher {
    pub fn new() -> Self {
        Self {
            size: 0,
            latency: Arc::new(|_| Duration::ZERO),
            stored: Arc::default(),
            fetched: Arc::default(),
        }
    }

    /// Every picture has at least so many bytes.
    pub fn size(mut self, bytes: usize) -> Self {
        self.size = bytes;
        self
    }

    /// A post's pictures take so long.
    pub fn takes(mut self, latency: impl Fn(&PostId) -> Duration + Send + Sync + 'static) -> Self {
        self.latency = Arc::new(latency);
        self
    }

    /// Bytes fetched so far.
    pub fn fetched(&self) -> usize {
        self.fetched.load(SeqCst)
    }
}

#[async_trait]
impl FetchMedia for Fetcher {
    async fn fetch(&self, requests: &[MediaRequest]) -> Vec<ItemResult<MediaOutcome>> {
        let mut outcomes = Vec::new();
        for request in requests {
            tokio::time::sleep((self.latency)(&request.post.id)).await;
            let url = request.media.url.clone().unwrap();
            let times = self.size.div_ceil(url.len()).max(1);
            let bytes = Bytes::from(url.repeat(times));
            self.fetched.fetch_add(bytes.len(), SeqCst);
            self.stored.lock().unwrap().push(bytes.clone());
            outcomes.push(Ok(MediaOutcome::Stored {
                digest: Digest::of(&bytes),
                bytes,
                content_type: "image/test".to_owned(),
            }));
        }
        outcomes
    }

    async fn load(&self, digest: &Digest) -> Result<Bytes> {
        let stored = self.stored.lock().unwrap();
        let found = stored.iter().find(|bytes| Digest::of(bytes) == *digest);
        found
            .cloned()
            .ok_or_else(|| Error::new(ErrorKind::NotFound, "test.load"))
    }
}

/// Makes one pixel of a picture's first bytes, or of those at a region's left edge; counts the pictures decoded.
#[derive(Clone, Default)]
pub struct FirstPixel {
    decoded: Arc<AtomicUsize>,
}

impl FirstPixel {
    pub fn decoded(&self) -> usize {
        self.decoded.load(SeqCst)
    }
}

#[async_trait]
impl Decoder for FirstPixel {
    async fn decode(&self, bytes: &Bytes, requests: &[PixelRequest]) -> Result<Decoded> {
        self.decoded.fetch_add(1, SeqCst);
        let pixels = requests.iter().map(|request| {
            let left = request.region.map_or(0.0, |region| region.x);
            let first = (left * bytes.len() as f32) as usize;
            Pixels::rgb(1, 1, bytes.slice(first..first + 3))
        });
        Ok(Decoded {
            pixels: pixels.collect(),
            cpu: Duration::ZERO,
        })
    }
}
