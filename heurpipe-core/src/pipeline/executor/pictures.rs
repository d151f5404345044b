//! The pictures of a parcel: recalled where they were analysed before, else loaded and decoded once, whatever the number of enrichers.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use futures::future::join_all;

use super::super::MediaAccess;
use super::jobs::{Given, Job, item};
use super::meter::Meter;
use super::shared::{Envelope, Shared};
use super::stages::EnricherRun;
use crate::{
    Digest, EnricherSpec, Error, ErrorKind, Finding, Fingerprint, Input, InputDigest, Item,
    ItemResult, PixelRequest, Pixels, Result, Target,
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
        Self {
            shared,
            meter,
            sizes: sizes(shared),
            decoded: HashMap::new(),
        }
    }

    /// Gives each job what is known of its picture, or an item that shows it, or the error why there is none. Each distinct picture
    /// comes once.
    pub(super) async fn show(
        &mut self,
        run: &EnricherRun,
        envelopes: &[Envelope],
        jobs: &mut [Job],
    ) -> Vec<Item> {
        let spec = run.stage.spec();
        if !run.forced {
            self.recall(spec, envelopes, jobs).await;
        }
        let size = match spec.input {
            Input::Pixels(request) => {
                self.decode(envelopes, jobs).await;
                self.sizes.iter().position(|size| *size == request)
            }
            Input::Record | Input::Bytes => None,
        };
        let mut items = Vec::new();
        let mut shown: HashMap<InputDigest, usize> = HashMap::new();
        for job in jobs {
            if !matches!(job.given, Given::Item(_)) {
                continue;
            }
            if let Some(index) = shown.get(&job.input) {
                job.given = Given::Item(*index);
                continue;
            }
            job.given = match self.item(spec, envelopes, job, size).await {
                Ok(item) => {
                    shown.insert(job.input, items.len());
                    items.push(item);
                    Given::Item(items.len() - 1)
                }
                Err(error) => Given::Nothing(error),
            };
        }
        items
    }

    async fn item(
        &self,
        spec: &EnricherSpec,
        envelopes: &[Envelope],
        job: &Job,
        size: Option<usize>,
    ) -> Result<Item> {
        let envelope = &envelopes[job.envelope];
        let mut item = item(envelopes, job);
        match spec.input {
            Input::Record => {}
            Input::Bytes => item.bytes = Some(self.bytes(envelope, job).await?),
            Input::Pixels(_) => item.pixels = Some(self.pixels(envelope, job, size)?),
        }
        Ok(item)
    }

    /// Decodes what the jobs want and was not decoded before, several pictures at a time.
    async fn decode(&mut self, envelopes: &[Envelope], jobs: &[Job]) {
        let mut wanted: BTreeSet<Digest> = BTreeSet::new();
        let mut decoding = Vec::new();
        for job in jobs.iter().filter(|j| matches!(j.given, Given::Item(_))) {
            let Some(digest) = digest(&envelopes[job.envelope], &job.target) else {
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
        let decoder = self.shared.pipeline.parts.decoder.as_ref();
        let decoder = decoder.ok_or_else(|| {
            Error::new(ErrorKind::Internal, "pipeline.decode").message("there is no decoder")
        })?;
        let bytes = self.bytes(envelope, job).await?;
        let decoded = decoder.decode(&bytes, &self.sizes).await?;
        self.meter.cpu(decoded.cpu);
        Ok(decoded.pixels.into_iter().map(Arc::new).collect())
    }

    async fn bytes(&self, envelope: &Envelope, job: &Job) -> Result<Bytes> {
        let id = job.target.media();
        let mut fetched = envelope.pictures.iter();
        if let Some((_, bytes)) = fetched.find(|(picture, _)| Some(picture.as_str()) == id) {
            return Ok(bytes.clone());
        }
        let digest = digest(envelope, &job.target).ok_or_else(|| {
            Error::new(ErrorKind::Internal, "pipeline.picture")
                .message("the picture was never fetched")
                .with("target", &job.target)
        })?;
        match &self.shared.pipeline.parts.media {
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
        let digest = digest(envelope, &job.target);
        let decoded = digest.and_then(|digest| self.decoded.get(&digest));
        match (decoded, size) {
            (Some(Ok(sizes)), Some(size)) => sizes.get(size).cloned().ok_or_else(missing),
            (Some(Err(error)), _) => Err(error.replica()),
            _ => Err(missing()),
        }
    }

    /// Gives jobs what was found in their pictures before. A cache that does not answer is done without.
    async fn recall(&self, spec: &EnricherSpec, envelopes: &[Envelope], jobs: &mut [Job]) {
        let Some(cache) = &self.shared.pipeline.parts.analyses else {
            return;
        };
        let keyed: Vec<(usize, Digest)> = jobs
            .iter()
            .enumerate()
            .filter_map(|(index, job)| {
                let envelope = &envelopes[job.envelope];
                let key = key(&spec.fingerprint, envelope, &job.target, job.input)?;
                Some((index, key))
            })
            .collect();
        if keyed.is_empty() {
            return;
        }
        let keys: Vec<Digest> = keyed.iter().map(|(_, key)| *key).collect();
        match cache.recall(&keys).await {
            Ok(recalled) => {
                for ((index, _), findings) in keyed.into_iter().zip(recalled) {
                    if let Some(findings) = findings {
                        jobs[index].given = Given::Recalled(findings);
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "what was found before cannot be looked up"),
        }
    }
}

/// The sizes at which the pipeline's enrichers want pictures.
pub(super) fn sizes(shared: &Shared) -> Vec<PixelRequest> {
    let mut sizes = Vec::new();
    for stage in shared.pipeline.enrichers() {
        if let Input::Pixels(request) = stage.spec().input
            && !sizes.contains(&request)
        {
            sizes.push(request);
        }
    }
    sizes
}

/// Keeps what was found in pictures, under what it was made of.
pub(super) async fn remember(shared: &Shared, found: Vec<(Digest, Vec<Finding>)>) {
    let Some(cache) = &shared.pipeline.parts.analyses else {
        return;
    };
    if found.is_empty() {
        return;
    }
    if let Err(error) = cache.remember(&found).await {
        tracing::warn!(%error, "what was found cannot be kept for another time");
    }
}

/// What an enricher's findings on a picture are kept under: its fingerprint, the picture's content, and the rest of its input.
pub(super) fn key(
    fingerprint: &Fingerprint,
    envelope: &Envelope,
    target: &Target,
    input: InputDigest,
) -> Option<Digest> {
    let digest = digest(envelope, target)?;
    Some(Digest::of_parts([
        fingerprint.as_str().as_bytes(),
        digest.as_bytes(),
        input.as_bytes(),
    ]))
}

fn digest(envelope: &Envelope, target: &Target) -> Option<Digest> {
    envelope.record.post.medium(target.media()?)?.digest()
}
