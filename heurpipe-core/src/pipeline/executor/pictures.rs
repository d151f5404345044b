//! The pictures of a parcel: loaded and decoded once, whatever the number of enrichers.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use futures::future::join_all;

use super::super::MediaAccess;
use super::enrich::Job;
use super::meter::Meter;
use super::shared::{Envelope, Shared};
use crate::{
    Digest, EnricherSpec, Error, ErrorKind, Input, ItemResult, PixelRequest, Pixels, Result,
};

/// Decoded pictures of one parcel, by content.
pub(super) struct Pictures<'a> {
    shared: &'a Shared,
    meter: &'a Meter,
    /// All sizes that any enricher of the pipeline asks for: one decode gives them all.
    sizes: Vec<PixelRequest>,
    decoded: HashMap<Digest, ItemResult<Vec<Arc<Pixels>>>>,
}

impl<'a> Pictures<'a> {
    pub(super) fn new(shared: &'a Shared, meter: &'a Meter) -> Self {
        let mut sizes = Vec::new();
        for enricher in shared.pipeline.enrichers() {
            if let Input::Pixels(request) = enricher.spec().input
                && !sizes.contains(&request)
            {
                sizes.push(request);
            }
        }
        Self {
            shared,
            meter,
            sizes,
            decoded: HashMap::new(),
        }
    }

    /// Gives each job the bytes or pixels that its enricher asks for, or the error why there are none.
    pub(super) async fn fill(
        &mut self,
        envelopes: &mut [Envelope],
        jobs: &mut [Job],
        spec: &EnricherSpec,
    ) {
        match spec.input {
            Input::Record => {}
            Input::Bytes => {
                for job in jobs {
                    let bytes = self.bytes(&envelopes[job.envelope], job).await;
                    give(job, bytes.map(|b| (Some(b), None)));
                }
            }
            Input::Pixels(request) => {
                self.decode(envelopes, jobs).await;
                let size = self.sizes.iter().position(|s| *s == request);
                for job in jobs {
                    let pixels = self.pixels(&envelopes[job.envelope], job, size);
                    give(job, pixels.map(|p| (None, Some(p))));
                }
            }
        }
    }

    /// Decodes what the jobs want and was not decoded before, several pictures at a time.
    async fn decode(&mut self, envelopes: &[Envelope], jobs: &[Job]) {
        let mut wanted: BTreeSet<Digest> = BTreeSet::new();
        let mut decoding = Vec::new();
        for job in jobs {
            let Some(digest) = digest(&envelopes[job.envelope], job) else {
                continue;
            };
            if !self.decoded.contains_key(&digest) && wanted.insert(digest) {
                decoding.push((digest, self.decode_one(&envelopes[job.envelope], job)));
            }
        }
        self.meter.entered(decoding.len());
        let (digests, work): (Vec<Digest>, Vec<_>) = decoding.into_iter().unzip();
        let decoded = self.meter.measure(join_all(work)).await;
        for (digest, pixels) in digests.into_iter().zip(decoded) {
            match pixels {
                Ok(_) => self.meter.left(1),
                Err(_) => self.meter.failed(1),
            }
            self.decoded.insert(digest, pixels);
        }
    }

    async fn decode_one(&self, envelope: &Envelope, job: &Job) -> Result<Vec<Arc<Pixels>>> {
        let decoder = self.shared.pipeline.decoder.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Internal, "pipeline.decode").message("there is no decoder")
        })?;
        let bytes = self.bytes(envelope, job).await?;
        let decoded = decoder.decode(&bytes, &self.sizes).await?;
        self.meter.cpu(decoded.cpu);
        Ok(decoded.pixels.into_iter().map(Arc::new).collect())
    }

    async fn bytes(&self, envelope: &Envelope, job: &Job) -> Result<Bytes> {
        let fetched = job.target.media().and_then(|id| envelope.bytes.get(id));
        if let Some(bytes) = fetched {
            return Ok(bytes.clone());
        }
        let digest = digest(envelope, job).ok_or_else(|| {
            Error::new(ErrorKind::Internal, "pipeline.picture")
                .message("the picture was never fetched")
                .with("target", &job.target)
        })?;
        match &self.shared.pipeline.media {
            Some(MediaAccess::Fetch(fetcher)) => fetcher.load(&digest).await,
            Some(MediaAccess::Stored(blobs)) => blobs.get(&digest).await,
            None => Err(Error::new(ErrorKind::Internal, "pipeline.picture")
                .message("the pipeline has no media access")),
        }
    }

    fn pixels(&self, envelope: &Envelope, job: &Job, size: Option<usize>) -> Result<Arc<Pixels>> {
        let missing = || {
            Error::new(ErrorKind::Internal, "pipeline.picture")
                .message("the decoder left out a size")
                .with("target", &job.target)
        };
        let decoded = digest(envelope, job).and_then(|digest| self.decoded.get(&digest));
        match (decoded, size) {
            (Some(Ok(sizes)), Some(size)) => sizes.get(size).cloned().ok_or_else(missing),
            (Some(Err(error)), _) => Err(error.replica()),
            _ => Err(missing()),
        }
    }
}

fn digest(envelope: &Envelope, job: &Job) -> Option<Digest> {
    let id = job.target.media()?;
    envelope.record.post.medium(id)?.digest()
}

fn give(job: &mut Job, seen: Result<(Option<Bytes>, Option<Arc<Pixels>>)>) {
    match seen {
        Ok((bytes, pixels)) => {
            if let Ok(item) = &mut job.item {
                item.bytes = bytes;
                item.pixels = pixels;
            }
        }
        Err(error) => job.item = Err(error),
    }
}
