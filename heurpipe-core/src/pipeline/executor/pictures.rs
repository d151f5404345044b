//! The pictures of a parcel: recalled where they were analysed before, else loaded and decoded once, whatever the number of enrichers.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use futures::future::join_all;

use super::super::MediaAccess;
use super::super::near::Appearance;
use super::super::need::digest_beside_picture;
use super::jobs::{Given, Job, item};
use super::meter::Meter;
use super::shared::{Envelope, Shared};
use super::stages::EnricherRun;
use crate::{
    Analysed, Digest, EnricherSpec, Error, ErrorKind, Finding, Fingerprint, Granularity, Input,
    InputDigest, Item, ItemResult, Likeness, PixelRequest, Pixels, Result, Target,
};

/// Decoded pictures of one parcel, by content.
pub(super) struct Pictures<'a> {
    shared: &'a Shared,
    meter: &'a Meter,
    /// All sizes at which any enricher of the pipeline asks for whole pictures: one decode gives them all.
    sizes: Vec<PixelRequest>,
    decoded: HashMap<Digest, ItemResult<Vec<Arc<Pixels>>>>,
    /// Parts of pictures, for the enricher that is shown items just now.
    cut: HashMap<InputDigest, ItemResult<Arc<Pixels>>>,
}

impl<'a> Pictures<'a> {
    pub(super) fn new(shared: &'a Shared, meter: &'a Meter) -> Self {
        Self {
            shared,
            meter,
            sizes: sizes(shared),
            decoded: HashMap::new(),
            cut: HashMap::new(),
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
        self.look(spec, envelopes, jobs);
        if !run.forced {
            self.recall(spec, envelopes, jobs).await;
            self.recall_near(spec, envelopes, jobs).await;
        }
        let size = match spec.input {
            Input::Pixels(request) if spec.granularity == Granularity::Region => {
                self.cut(request, envelopes, jobs).await;
                None
            }
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
        let (digests, work): (Vec<Digest>, Vec<_>) = decoding.into_iter().unzip();
        let decoded = metered(self.meter, work).await;
        self.decoded.extend(digests.into_iter().zip(decoded));
    }

    /// Cuts out the parts of pictures that the jobs want. A picture is decoded once for all of its parts; once more, that is, than for the enrichers that
    /// see it whole, since nobody knew of the parts when that was done.
    async fn cut(&mut self, request: PixelRequest, envelopes: &[Envelope], jobs: &[Job]) {
        let mut parts: Vec<(Digest, Vec<&Job>)> = Vec::new();
        for job in jobs.iter().filter(|j| matches!(j.given, Given::Item(_))) {
            let Some(digest) = digest(&envelopes[job.envelope], &job.target) else {
                continue;
            };
            match parts.iter_mut().find(|(known, _)| *known == digest) {
                Some((_, jobs)) => jobs.push(job),
                None => parts.push((digest, vec![job])),
            }
        }
        let work = parts.iter().map(|(_, jobs)| {
            let requests = jobs.iter().map(|job| match &job.target {
                Target::Region { region, .. } => request.region(*region),
                Target::Post | Target::Media(_) => request,
            });
            self.decoded_as(&envelopes[jobs[0].envelope], jobs[0], requests.collect())
        });
        let decoded = metered(self.meter, work.collect()).await;
        self.cut.clear();
        for ((_, jobs), pixels) in parts.into_iter().zip(decoded) {
            for (index, job) in jobs.into_iter().enumerate() {
                let part = match &pixels {
                    Ok(pixels) => pixels
                        .get(index)
                        .cloned()
                        .ok_or_else(|| missing(&job.target)),
                    Err(error) => Err(error.replica()),
                };
                self.cut.insert(job.input, part);
            }
        }
    }

    async fn decode_one(&self, envelope: &Envelope, job: &Job) -> Result<Vec<Arc<Pixels>>> {
        self.decoded_as(envelope, job, self.sizes.clone()).await
    }

    async fn decoded_as(
        &self,
        envelope: &Envelope,
        job: &Job,
        requests: Vec<PixelRequest>,
    ) -> Result<Vec<Arc<Pixels>>> {
        let decoder = self.shared.pipeline.parts.decoder.as_ref();
        let decoder = decoder.ok_or_else(|| {
            Error::new(ErrorKind::Internal, "pipeline.decode").message("there is no decoder")
        })?;
        let bytes = self.bytes(envelope, job).await?;
        let decoded = decoder.decode(&bytes, &requests).await?;
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
        if let Some(part) = self.cut.get(&job.input)
            && matches!(job.target, Target::Region { .. })
        {
            return match part {
                Ok(pixels) => Ok(Arc::clone(pixels)),
                Err(error) => Err(error.replica()),
            };
        }
        let digest = digest(envelope, &job.target);
        let decoded = digest.and_then(|digest| self.decoded.get(&digest));
        match (decoded, size) {
            (Some(Ok(sizes)), Some(size)) => {
                sizes.get(size).cloned().ok_or_else(|| missing(&job.target))
            }
            (Some(Err(error)), _) => Err(error.replica()),
            _ => Err(missing(&job.target)),
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
                let picture = digest(envelope, &job.target)?;
                Some((index, key(&spec.fingerprint, picture, job.input)))
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
                        jobs[index].given = Given::Recalled(findings, None);
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "what was found before cannot be looked up"),
        }
    }

    /// Says of each job what its picture looks like, where that may stand for another.
    fn look(&self, spec: &EnricherSpec, envelopes: &[Envelope], jobs: &mut [Job]) {
        let near = self.shared.pipeline.parts.near.as_ref();
        let Some(near) = near.filter(|near| near.concerns(spec)) else {
            return;
        };
        for job in jobs {
            let record = &envelopes[job.envelope].record;
            job.appearance = near.appearance(record, &job.target).map(|(hash, by)| {
                let beside = digest_beside_picture(spec, record, &job.target);
                Appearance::new(hash, by, beside)
            });
        }
    }

    /// Gives jobs of which nothing is known what was found in the nearest picture that looks like theirs. A cache that does not answer is done without.
    async fn recall_near(&self, spec: &EnricherSpec, envelopes: &[Envelope], jobs: &mut [Job]) {
        let parts = &self.shared.pipeline.parts;
        let (Some(near), Some(cache)) = (&parts.near, &parts.analyses) else {
            return;
        };
        let unknown = jobs.iter().enumerate();
        let (places, likenesses): (Vec<usize>, Vec<Likeness>) = unknown
            .filter(|(_, job)| matches!(job.given, Given::Item(_)))
            .filter_map(|(place, job)| Some((place, job.appearance?.to(&spec.fingerprint))))
            .unzip();
        if places.is_empty() {
            return;
        }
        match cache.recall_near(&likenesses, near.distance()).await {
            Ok(recalled) => {
                for (place, found) in places.into_iter().zip(recalled) {
                    if let Some(found) = found {
                        let job = &mut jobs[place];
                        let own = digest(&envelopes[job.envelope], &job.target);
                        let origin = Some(found.picture).filter(|picture| Some(*picture) != own);
                        job.given = Given::Recalled(found.findings, origin);
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "pictures that look alike cannot be looked up"),
        }
    }
}

fn missing(target: &Target) -> Error {
    Error::new(ErrorKind::Internal, "pipeline.picture")
        .message("the decoder left out a size")
        .with("target", target)
}

/// Decodes several pictures at a time, and counts them.
async fn metered<T>(meter: &Meter, work: Vec<impl Future<Output = Result<T>>>) -> Vec<Result<T>> {
    meter.entered(work.len());
    let decoded = meter.measure(join_all(work)).await;
    for pixels in &decoded {
        match pixels {
            Ok(_) => meter.left(1),
            Err(_) => meter.failed(1),
        }
    }
    decoded
}

/// The sizes at which the pipeline's enrichers want whole pictures.
pub(super) fn sizes(shared: &Shared) -> Vec<PixelRequest> {
    let mut sizes = Vec::new();
    for stage in shared.pipeline.enrichers() {
        let spec = stage.spec();
        if let Input::Pixels(request) = spec.input
            && spec.granularity != Granularity::Region
            && !sizes.contains(&request)
        {
            sizes.push(request);
        }
    }
    sizes
}

/// What was found in pictures just now.
#[derive(Default)]
pub(super) struct Found {
    findings: Vec<(Digest, Vec<Finding>)>,
    analysed: Vec<Analysed>,
}

impl Found {
    /// Adds what an enricher with this fingerprint found in a picture.
    pub(super) fn add(
        &mut self,
        envelope: &Envelope,
        (target, input): (&Target, InputDigest),
        appearance: Option<Appearance>,
        (fingerprint, findings): (&Fingerprint, &[Finding]),
    ) {
        let Some(picture) = digest(envelope, target) else {
            return;
        };
        let key = key(fingerprint, picture, input);
        self.findings.push((key, findings.to_vec()));
        if let Some(appearance) = appearance {
            self.analysed.push(Analysed {
                key,
                picture,
                likeness: appearance.to(fingerprint),
            });
        }
    }
}

impl FromIterator<Found> for Found {
    fn from_iter<I: IntoIterator<Item = Found>>(several: I) -> Self {
        let mut all = Self::default();
        for found in several {
            all.findings.extend(found.findings);
            all.analysed.extend(found.analysed);
        }
        all
    }
}

/// Keeps what was found in pictures, under what it was made of, and then what they look like.
pub(super) async fn remember(shared: &Shared, found: Found) {
    let Some(cache) = &shared.pipeline.parts.analyses else {
        return;
    };
    if found.findings.is_empty() {
        return;
    }
    let kept = async {
        cache.remember(&found.findings).await?;
        match found.analysed.is_empty() {
            true => Ok(()),
            false => cache.remember_near(&found.analysed).await,
        }
    };
    if let Err(error) = kept.await {
        tracing::warn!(%error, "what was found cannot be kept for another time");
    }
}

/// What an enricher's findings on a picture are kept under: its fingerprint, the picture's content, and the rest of its input.
fn key(fingerprint: &Fingerprint, picture: Digest, input: InputDigest) -> Digest {
    Digest::of_parts([
        fingerprint.as_str().as_bytes(),
        picture.as_bytes(),
        input.as_bytes(),
    ])
}

fn digest(envelope: &Envelope, target: &Target) -> Option<Digest> {
    envelope.record.post.medium(target.media()?)?.digest()
}
