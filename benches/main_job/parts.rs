//! What the job's parts take by themselves, on what the job left in its stores.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use heurpipe_benches::timed;
use heurpipe_core::{
    AnalysisCache, Blobs, Decoder, Digest, Documents, Enricher, Filter, Finding, Input,
    PixelRequest, Pixels, Record, Scan, Sink, compute,
};
use heurpipe_models::text::{brand::Brands, language::Language};
use heurpipe_models::{PictureDecoder, colour::Colours, shipped};
use heurpipe_stores::blobs::LocalBlobs;
use heurpipe_stores::documents::SqliteDocuments;
use heurpipe_stores::search::TantivyIndex;

use crate::AnyResult;

/// Records that are written at once.
const BATCH: usize = 1024;
/// Pictures that are fetched at a time.
const FETCHES: usize = 16;

/// CPU-milliseconds of each part for the whole job.
pub struct Parts {
    pub pictures: usize,
    fetch: f64,
    decode: f64,
    garment: f64,
    pattern: f64,
    colour: f64,
    brand: f64,
    language: f64,
    stores: f64,
}

impl Parts {
    /// Measures each part on the job's posts and pictures. The simulator still runs.
    pub async fn measure(folder: &Path, use_case: &str) -> AnyResult<Self> {
        let records = records(folder).await?;
        let pictures = pictures(folder, &records).await?;
        let is_catalog = use_case == "catalog";
        let decoding = Decoding::of(is_catalog)?;
        let (decode, decoded) = decoding.measure(&pictures).await?;
        let network = |wanted: bool, name: &'static str, at: usize| {
            if wanted {
                network(name, &decoded, at)
            } else {
                Ok(0.0)
            }
        };
        Ok(Self {
            pictures: pictures.len(),
            fetch: fetch(&records).await?,
            garment: network(is_catalog, "garment", 1)?,
            pattern: network(is_catalog, "pattern", 2)?,
            colour: colour(&decoded)?,
            brand: brand(&records)?,
            language: language(&records)?,
            stores: stores(&records, &pictures).await?,
            decode,
        })
    }

    /// All of them together.
    pub fn sum(&self) -> f64 {
        self.by_name().iter().map(|(_, alone, _)| alone).sum()
    }

    /// Each part with the stages of a report that do the same and more.
    pub fn by_name(&self) -> [(&'static str, f64, &'static [&'static str]); 8] {
        [
            ("fetch", self.fetch, &["media"]),
            ("decode", self.decode, &["decode"]),
            ("garment", self.garment, &["garment"]),
            ("pattern", self.pattern, &["pattern"]),
            ("colour", self.colour, &["colour"]),
            ("brand", self.brand, &["brand"]),
            ("language", self.language, &["language"]),
            ("stores", self.stores, &["intake", "settle", "search"]),
        ]
    }
}

async fn records(folder: &Path) -> AnyResult<Vec<Arc<Record>>> {
    let documents = SqliteDocuments::open_read_only(folder.join("documents.sqlite")).await?;
    let mut records = Vec::new();
    let mut scan = Scan::matching(Filter::All);
    loop {
        let page = documents.scan(&scan).await?;
        records.extend(page.records.into_iter().map(Arc::new));
        match page.next {
            Some(next) => scan = scan.after(Some(next)),
            None => return Ok(records),
        }
    }
}

/// The pictures that were fetched, each once.
async fn pictures(folder: &Path, records: &[Arc<Record>]) -> AnyResult<Vec<Bytes>> {
    let blobs = LocalBlobs::open_read_only(folder.join("blobs")).await?;
    let mut digests: Vec<Digest> = media(records).filter_map(|m| m.digest()).collect();
    digests.sort_unstable();
    digests.dedup();
    let mut pictures = Vec::with_capacity(digests.len());
    for digest in digests {
        pictures.push(blobs.get(&digest).await?);
    }
    Ok(pictures)
}

fn media(records: &[Arc<Record>]) -> impl Iterator<Item = &heurpipe_core::Media> {
    records.iter().flat_map(|record| &record.post.media)
}

fn milliseconds<T>(work: impl FnOnce() -> AnyResult<T>) -> AnyResult<f64> {
    Ok(timed(work)?.cpu.as_secs_f64() * 1000.0)
}

async fn milliseconds_of<T>(work: impl Future<Output = AnyResult<T>>) -> AnyResult<f64> {
    let started = cpu_time::ProcessTime::now();
    let kept = work.await?;
    let cpu = started.elapsed();
    drop(kept);
    Ok(cpu.as_secs_f64() * 1000.0)
}

/// Gets every picture once more.
async fn fetch(records: &[Arc<Record>]) -> AnyResult<f64> {
    let client = reqwest::Client::new();
    let fetched = media(records).filter(|medium| medium.digest().is_some());
    let urls: Vec<String> = fetched.filter_map(|medium| medium.url.clone()).collect();
    milliseconds_of(async {
        let fetches = stream::iter(urls).map(|url| {
            let request = client.get(url);
            async move { request.send().await?.error_for_status()?.bytes().await }
        });
        Ok(fetches
            .buffer_unordered(FETCHES)
            .try_fold(0, |sum, bytes| async move { Ok(sum + bytes.len()) })
            .await?)
    })
    .await
}

/// The sizes that the use case's models want: colour, garment, pattern.
struct Decoding(Vec<PixelRequest>);

impl Decoding {
    fn of(is_catalog: bool) -> AnyResult<Self> {
        let wanted = |enricher: &dyn Enricher| match enricher.spec().input {
            Input::Pixels(request) => Ok(request),
            _ => Err("it looks at no pixels"),
        };
        let mut sizes = vec![wanted(&Colours::default())?];
        if is_catalog {
            sizes.push(wanted(&shipped::garment()?)?);
            sizes.push(wanted(&shipped::pattern()?)?);
        }
        Ok(Self(sizes))
    }

    /// Decodes every picture once for all sizes; those that cannot be decoded are left out, as dead letters are.
    async fn measure(&self, pictures: &[Bytes]) -> AnyResult<(f64, Vec<Vec<Arc<Pixels>>>)> {
        let decoder = PictureDecoder::default();
        let mut all = Vec::with_capacity(pictures.len());
        let cpu = milliseconds_of(async {
            let decoding = stream::iter(pictures).map(|bytes| decoder.decode(bytes, &self.0));
            let mut decoded = decoding.buffered(compute::cores());
            while let Some(decoded) = decoded.next().await {
                if let Ok(decoded) = decoded {
                    all.push(decoded.pixels.into_iter().map(Arc::new).collect());
                }
            }
            Ok(())
        })
        .await?;
        Ok((cpu, all))
    }
}

/// A shipped model on pixels that are ready, on one thread.
fn network(name: &str, decoded: &[Vec<Arc<Pixels>>], at: usize) -> AnyResult<f64> {
    let model = shipped::load(name)?;
    let pictures: Vec<Arc<Pixels>> = decoded.iter().map(|sizes| Arc::clone(&sizes[at])).collect();
    model.classify(&pictures[..1])?; // the first call prepares the session
    milliseconds(|| Ok(model.classify(&pictures)?))
}

fn colour(decoded: &[Vec<Arc<Pixels>>]) -> AnyResult<f64> {
    let colours = Colours::default();
    milliseconds(|| {
        for sizes in decoded {
            std::hint::black_box(colours.name(&sizes[0])?);
        }
        Ok(())
    })
}

fn brand(records: &[Arc<Record>]) -> AnyResult<f64> {
    let brands = Brands::shipped()?;
    milliseconds(|| {
        for record in records {
            std::hint::black_box(brands.find(&record.post));
        }
        Ok(())
    })
}

fn language(records: &[Arc<Record>]) -> AnyResult<f64> {
    let language = Language::default();
    milliseconds(|| {
        for record in records {
            std::hint::black_box(language.tell(&record.post));
        }
        Ok(())
    })
}

/// Writes what the job has written: each record when it was gathered and when it was settled, the findings for the analysis cache, the search index,
/// the pictures.
async fn stores(records: &[Arc<Record>], pictures: &[Bytes]) -> AnyResult<f64> {
    let folder = tempfile::tempdir()?;
    let documents = SqliteDocuments::open(folder.path().join("documents.sqlite")).await?;
    let search = TantivyIndex::open(folder.path().join("search")).await?;
    let blobs = LocalBlobs::open(folder.path().join("blobs")).await?;
    milliseconds_of(async {
        for bytes in pictures {
            blobs.put(bytes.clone()).await?;
        }
        for batch in records.chunks(BATCH) {
            let mut gathered: Vec<Record> = batch.iter().map(|r| Record::clone(r)).collect();
            for record in &mut gathered {
                record.annotations.clear();
                record.revision = 0;
            }
            commit(&documents, &gathered).await?;
            let mut settled: Vec<Record> = batch.iter().map(|r| Record::clone(r)).collect();
            settled.iter_mut().for_each(|record| record.revision = 1);
            commit(&documents, &settled).await?;
            documents.remember(&findings(batch)).await?;
            search.write(batch).await?;
            search.flush().await?;
        }
        Ok(())
    })
    .await
}

async fn commit(documents: &SqliteDocuments, records: &[Record]) -> AnyResult<()> {
    let records: Vec<&Record> = records.iter().collect();
    for outcome in documents.commit(&records).await? {
        outcome?;
    }
    Ok(())
}

/// What the analysis cache keeps of the records: the annotations of each picture by producer.
fn findings(records: &[Arc<Record>]) -> Vec<(Digest, Vec<Finding>)> {
    let of_record = |record: &Arc<Record>| {
        let pictures = record.annotations.iter().filter_map(|annotation| {
            let medium = annotation.target.media()?;
            let key = [
                record.id().to_string(),
                medium.to_owned(),
                annotation.attribute.clone(),
            ];
            let key = Digest::of(key.join(" ").as_bytes());
            let finding = Finding::new(&annotation.attribute, annotation.value.clone());
            Some((key, vec![finding]))
        });
        pictures.collect::<Vec<_>>()
    };
    records.iter().flat_map(of_record).collect()
}
