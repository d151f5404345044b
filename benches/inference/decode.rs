//! What it takes to decode a picture and to resize it to what a model wants, on one thread.

use std::path::{Path, PathBuf};

use heurpipe_benches::{Effort, Measurement, Peer, Row, Sample, in_rotation, timed};
use heurpipe_core::{Fit, PixelRequest};
use heurpipe_models::PictureDecoder;
use tokio::runtime::Runtime;

use crate::jobs::{Input, Job};
use crate::{AnyResult, by_hand, material, python, subjects};

/// What it may take at 1080x1350 with libjpeg-turbo, in CPU-milliseconds.
const GOAL: f64 = 3.5;
/// Pictures of each size; more would show nothing else.
const PICTURES: usize = 4;
/// What models want.
const WANTED: (u32, u32) = (224, 224);

type ByHand = fn(&[u8], (u32, u32)) -> AnyResult<Vec<u8>>;

const DECODERS: &[(&str, ByHand)] = &[
    ("zune-jpeg, fast_image_resize", by_hand::zune),
    #[cfg(feature = "turbojpeg")]
    ("libjpeg-turbo scaled, fast_image_resize", by_hand::turbo),
    ("image", by_image),
];

pub fn rows(_runtime: &Runtime, effort: Effort) -> AnyResult<Vec<Row>> {
    let sizes = [
        ((640, 800), 60),
        (material::PORTRAIT, 20),
        ((4000, 3000), 2),
    ];
    let mut rows = Vec::new();
    for (size, rounds) in sizes {
        let rounds = rounds * effort.choose(1, 3);
        let pictures = (0..PICTURES)
            .map(|number| material::picture(number, size))
            .collect::<AnyResult<Vec<_>>>()?;
        rows.extend(rows_of(size, &pictures, rounds, effort.choose(3, 7))?);
    }
    Ok(rows)
}

fn rows_of(
    size: (u32, u32),
    pictures: &[Vec<u8>],
    rounds: usize,
    repetitions: usize,
) -> AnyResult<Vec<Row>> {
    let decoder = PictureDecoder::default();
    let request = PixelRequest::new(WANTED.0, WANTED.1, Fit::Stretch);
    let all = |decode: &dyn Fn(&[u8]) -> AnyResult<()>| -> AnyResult<Sample> {
        timed(|| {
            for _ in 0..rounds {
                pictures.iter().try_for_each(|jpeg| decode(jpeg))?;
            }
            Ok(())
        })
    };
    let mut ours = || {
        all(&|jpeg| {
            std::hint::black_box(decoder.decode_now(jpeg, &[request])?);
            Ok(())
        })
    };
    let mut peers: Vec<_> = DECODERS
        .iter()
        .map(|(_, decode)| {
            let all = &all;
            move || {
                all(&|jpeg| {
                    std::hint::black_box(decode(jpeg, WANTED)?);
                    Ok(())
                })
            }
        })
        .collect();
    let folder = tempfile::tempdir()?;
    let files = material::write(folder.path(), pictures)?;
    let mut pillow = pillow(&folder.path().join("job.json"), files)?;
    let mut names: Vec<String> = DECODERS
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    let mut turns: Vec<Measurement<'_, _>> = vec![&mut ours];
    turns.extend(peers.iter_mut().map(|peer| peer as Measurement<'_, _>));
    let asked = std::cell::RefCell::new(pillow.as_mut());
    let ask = |mode: &str| match asked.borrow_mut().as_mut() {
        Some(pillow) => pillow.turn(&format!("{mode} alone {rounds}")),
        None => Ok(Sample::default()),
    };
    let mut full = || ask(python::FULL);
    let mut draft = || ask(python::DRAFT);
    if asked.borrow().is_some() {
        names.extend(["Pillow".to_owned(), "Pillow's draft mode".to_owned()]);
        turns.push(&mut full);
        turns.push(&mut draft);
    }
    in_rotation(1, &mut turns)?; // the first turn does not count
    let samples = in_rotation(repetitions, &mut turns)?;
    let count = rounds * pictures.len();
    let cost = |sample: &Sample| sample.cpu_us_each(count) / 1000.0;
    let case = format!(
        "decode {}x{} by {}, resize to {}x{}",
        size.0,
        size.1,
        PictureDecoder::jpeg_decoder(),
        WANTED.0,
        WANTED.1
    );
    let row = |(name, peer): (&String, &Sample)| {
        let row = Row::cost(&case, "CPU-ms", cost(&samples[0]), name, cost(peer));
        let is_held_to_it = cfg!(feature = "turbojpeg") && size == material::PORTRAIT;
        if is_held_to_it { row.goal(GOAL) } else { row }
    };
    Ok(names.iter().zip(&samples[1..]).map(row).collect())
}

/// Python with Pillow, where it is there. The peer wants a network, which it is not asked to run.
fn pillow(path: &Path, files: Vec<PathBuf>) -> AnyResult<Option<Peer>> {
    let job = Job {
        library: PathBuf::new(),
        network: subjects::shipped_garment().network,
        batch: 1,
        input: Input::Pictures {
            files,
            width: WANTED.0,
            height: WANTED.1,
            mean: 0.0,
            std: 1.0,
        },
    };
    job.write(path)?;
    python::start(path)
}

/// By the `image` crate: decoded in full, resized by its triangle filter.
fn by_image(jpeg: &[u8], (width, height): (u32, u32)) -> AnyResult<Vec<u8>> {
    use image::imageops::FilterType;
    let picture = image::load_from_memory_with_format(jpeg, image::ImageFormat::Jpeg)?;
    let resized = picture.resize_exact(width, height, FilterType::Triangle);
    Ok(resized.into_rgb8().into_raw())
}
