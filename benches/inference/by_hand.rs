//! The loop that one writes by hand: decode, resize, normalise, call the session. On two threads with a session each, in a process of its own, since ONNX
//! Runtime's environment is one a process and ours has it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use heurpipe_benches::{Peer, take_turns, timed};
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;
use tokenizers::Tokenizer;

use crate::AnyResult;
use crate::jobs::{Input, Job, THREADS};

/// The argument that makes this program the child; the path of the job follows.
const CHILD: &str = "--by-hand";

/// Do the whole loop.
pub const WHOLE: &str = "whole";
/// Call the session alone, on the same numbers each time.
pub const NETWORK: &str = "network";

/// Which decoder the loop uses.
pub const DECODER: &str = if cfg!(feature = "turbojpeg") {
    "libjpeg-turbo"
} else {
    "zune-jpeg"
};

/// Starts the peer.
///
/// # Errors
/// When it does not start.
pub fn start(job: &Path) -> AnyResult<Peer> {
    Peer::launch(Command::new(std::env::current_exe()?).arg(CHILD).arg(job))
}

/// The job that this process is to do as the child; none: it is not.
pub fn asked_of_child() -> Option<PathBuf> {
    let mut arguments = std::env::args_os().skip_while(|argument| argument != CHILD);
    arguments.nth(1).map(PathBuf::from)
}

/// Takes turns as the child.
///
/// # Errors
/// When the network or a picture cannot be read.
pub fn child(job: &Path) -> AnyResult<()> {
    let job = Job::read(job)?;
    let environment = ort::init_from(&job.library)?.build()?;
    let session = || -> AnyResult<Session> {
        Ok(Session::builder(&environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(1)?
            .with_inter_threads(1)?
            .with_intra_op_spinning(false)?
            .with_inter_op_spinning(false)?
            .commit_from_file(&job.network)?)
    };
    let mut sessions = Vec::with_capacity(THREADS);
    for _ in 0..THREADS {
        sessions.push(session()?);
    }
    match &job.input {
        Input::Pictures {
            files,
            width,
            height,
            mean,
            std,
        } => {
            let files = files
                .iter()
                .map(std::fs::read)
                .collect::<Result<Vec<_>, _>>()?;
            let look = Look {
                size: (*width, *height),
                mean: *mean,
                std: *std,
            };
            take_turns(&format!("loop by hand, {DECODER}"), |request| {
                let prepared = match request {
                    NETWORK => Some(look.values(&files[..job.batch])?),
                    _ => None,
                };
                timed(|| {
                    in_parallel(
                        &mut sessions,
                        &files,
                        job.batch,
                        |session, jpegs| match &prepared {
                            Some(values) => look.call(session, values, jpegs.len()),
                            None => look.call(session, &look.values(jpegs)?, jpegs.len()),
                        },
                    )
                })
            })
        }
        Input::Texts {
            tokenizer,
            max_tokens,
            texts,
        } => {
            let tokenizer = read_tokenizer(tokenizer, *max_tokens)?;
            take_turns("loop by hand", |_| {
                timed(|| {
                    in_parallel(&mut sessions, texts, job.batch, |session, texts| {
                        embed(session, &tokenizer, texts)
                    })
                })
            })
        }
    }
}

/// Gives the sessions' threads one batch after the other.
fn in_parallel<T: Sync>(
    sessions: &mut [Session],
    items: &[T],
    batch: usize,
    work: impl Fn(&mut Session, &[T]) -> AnyResult<()> + Sync,
) -> AnyResult<()> {
    let next = AtomicUsize::new(0);
    let batches: Vec<&[T]> = items.chunks(batch).collect();
    std::thread::scope(|scope| {
        let threads: Vec<_> = sessions
            .iter_mut()
            .map(|session| {
                scope.spawn(|| -> Result<(), String> {
                    while let Some(items) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                        work(session, items).map_err(|error| error.to_string())?;
                    }
                    Ok(())
                })
            })
            .collect();
        for thread in threads {
            thread.join().map_err(|_| "a thread panicked")??;
        }
        Ok(())
    })
}

/// How pictures become numbers.
struct Look {
    size: (u32, u32),
    mean: f32,
    std: f32,
}

impl Look {
    /// The batch's tensor, by channels.
    fn values(&self, jpegs: &[Vec<u8>]) -> AnyResult<Vec<f32>> {
        let (width, height) = self.size;
        let mut values = Vec::with_capacity(jpegs.len() * 3 * (width * height) as usize);
        for jpeg in jpegs {
            let rgb = decoded_to(jpeg, self.size)?;
            for channel in 0..3 {
                let channel = rgb[channel..].iter().step_by(3);
                values.extend(channel.map(|&value| (f32::from(value) - self.mean) / self.std));
            }
        }
        Ok(values)
    }

    fn call(&self, session: &mut Session, values: &[f32], pictures: usize) -> AnyResult<()> {
        let (width, height) = self.size;
        let shape = [pictures, 3, height as usize, width as usize];
        let tensor = TensorRef::from_array_view((shape, values))?;
        let name = session.inputs()[0].name().to_owned();
        let outputs = session.run(vec![(name, tensor)])?;
        let (_, values) = outputs[0].try_extract_tensor::<f32>()?;
        std::hint::black_box(values);
        Ok(())
    }
}

fn embed(session: &mut Session, tokenizer: &Tokenizer, texts: &[String]) -> AnyResult<()> {
    let encodings = tokenizer
        .encode_batch(texts.to_vec(), true)
        .map_err(|error| error.to_string())?;
    let longest = encodings.iter().map(|e| e.get_ids().len()).max();
    let length = longest.unwrap_or(0);
    let filled = |numbers: fn(&tokenizers::Encoding) -> &[u32]| {
        let rows = encodings.iter().flat_map(|encoding| {
            let own = numbers(encoding).iter().map(|&number| i64::from(number));
            own.chain(std::iter::repeat(0)).take(length)
        });
        rows.collect::<Vec<i64>>()
    };
    let (ids, mask, types) = (
        filled(|e| e.get_ids()),
        filled(|e| e.get_attention_mask()),
        filled(|e| e.get_type_ids()),
    );
    let shape = [texts.len(), length];
    let outputs = session.run(ort::inputs![
        "input_ids" => TensorRef::from_array_view((shape, ids.as_slice()))?,
        "attention_mask" => TensorRef::from_array_view((shape, mask.as_slice()))?,
        "token_type_ids" => TensorRef::from_array_view((shape, types.as_slice()))?,
    ])?;
    let (_, values) = outputs["sentence_embedding"].try_extract_tensor::<f32>()?;
    std::hint::black_box(values);
    Ok(())
}

fn read_tokenizer(path: &Path, max_tokens: usize) -> AnyResult<Tokenizer> {
    let mut tokenizer = Tokenizer::from_file(path).map_err(|error| error.to_string())?;
    tokenizer.with_padding(None);
    tokenizer
        .with_truncation(Some(tokenizers::TruncationParams {
            max_length: max_tokens,
            ..tokenizers::TruncationParams::default()
        }))
        .map_err(|error| error.to_string())?;
    Ok(tokenizer)
}

/// The picture in this size as rows of RGB, by the decoder that is compiled in and `fast_image_resize`.
fn decoded_to(jpeg: &[u8], size: (u32, u32)) -> AnyResult<Vec<u8>> {
    #[cfg(feature = "turbojpeg")]
    return turbo(jpeg, size);
    #[cfg(not(feature = "turbojpeg"))]
    return zune(jpeg, size);
}

/// By zune-jpeg, which decodes in full.
///
/// # Errors
/// When the picture cannot be read.
pub fn zune(jpeg: &[u8], size: (u32, u32)) -> AnyResult<Vec<u8>> {
    use zune_core::bytestream::ZCursor;
    let mut decoder = zune_jpeg::JpegDecoder::new(ZCursor::new(jpeg));
    let rgb = decoder.decode().map_err(|error| error.to_string())?;
    let info = decoder.info().ok_or("a jpeg without a header")?;
    resized(&rgb, (info.width.into(), info.height.into()), size)
}

/// By libjpeg-turbo, at the smallest scale that is not smaller than what is wanted.
///
/// # Errors
/// When the picture cannot be read.
#[cfg(feature = "turbojpeg")]
pub fn turbo(jpeg: &[u8], size: (u32, u32)) -> AnyResult<Vec<u8>> {
    use turbojpeg::{Decompressor, Image, PixelFormat, ScalingFactor};
    let mut decompressor = Decompressor::new()?;
    let header = decompressor.read_header(jpeg)?;
    let enough = |eighths: &usize| {
        let scaled = header.scaled(ScalingFactor::new(*eighths, 8));
        scaled.width >= size.0 as usize && scaled.height >= size.1 as usize
    };
    let eighths = (1..8).find(enough).unwrap_or(8);
    let factor = ScalingFactor::new(eighths, 8);
    decompressor.set_scaling_factor(factor)?;
    let scaled = header.scaled(factor);
    let pitch = scaled.width * 3;
    let mut image = Image {
        pixels: vec![0; pitch * scaled.height],
        width: scaled.width,
        pitch,
        height: scaled.height,
        format: PixelFormat::RGB,
    };
    decompressor.decompress(jpeg, image.as_deref_mut())?;
    let there = (u32::try_from(scaled.width)?, u32::try_from(scaled.height)?);
    resized(&image.pixels, there, size)
}

/// By bilinear filtering over the whole of what each pixel covers.
///
/// # Errors
/// When the pixels are not as many as the size says.
pub fn resized(rgb: &[u8], there: (u32, u32), wanted: (u32, u32)) -> AnyResult<Vec<u8>> {
    let from = TypedImageRef::<U8x3>::from_buffer(there.0, there.1, rgb)?;
    let mut bytes = vec![0; wanted.0 as usize * wanted.1 as usize * 3];
    let mut to = TypedImage::<U8x3>::from_buffer(wanted.0, wanted.1, &mut bytes)?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    Resizer::new().resize_typed(&from, &mut to, &options)?;
    Ok(bytes)
}
