//! What a picture looks like, in 64 bits of which few differ between pictures that look nearly the same.
//!
//! How: 52 bits are the signs of the lowest frequencies of the luma's cosine transform, as in pHash (Zauner, "Implementation and Benchmarking of Perceptual
//! Image Hash Functions", 2010), but without its median: half of all coefficients are small and lie about the median, where rounding decides. These
//! bits do not see colour, and the same cut in another colour is another garment: so the other 12 bits count how blue and how red the middle of the picture
//! is, in six steps each, a bit a step.

use std::f32::consts::PI;
use std::sync::Arc;

use async_trait::async_trait;
use heurpipe_core::{
    Batch, Cost, Enriched, Enricher, EnricherSpec, Error, ErrorKind, Finding, Fit, NearDuplicates,
    PictureHash, PixelFormat, PixelRequest, Pixels, Result, Value,
};

use crate::pixels::each_picture;

const VERSION: &str = "1";
/// The side of the square that pictures are stretched to: the hash knows nothing finer.
const SIDE: usize = 32;
/// The frequencies across and down among which the lowest are.
const FREQUENCIES: usize = 9;
/// The bits of the luma.
const LUMA: usize = 52;
/// The steps of each of two differences of colour.
const STEPS: usize = 6;
/// How far the steps are apart, of 255.
const STEP: f32 = 8.0;
/// The least standard deviation of the luma, of 255, at which a picture shows anything. One colour has less than 1 with the noise of its compression.
const STRUCTURE: f32 = 5.0;

/// An enricher that says what pictures look like, so that those that look nearly the same are known ([`NearDuplicates`]).
///
/// It gives the attribute `picture_hash` for each picture: a text that reads as a [`PictureHash`]. Another size, another quality, a little more light change
/// few bits of it; see [`USUAL_DISTANCE`](Self::USUAL_DISTANCE). A picture without structure has none: all of one colour would have the same.
#[derive(Debug, Clone)]
pub struct PerceptualHash {
    spec: EnricherSpec,
    transform: Arc<Transform>,
}

impl PerceptualHash {
    /// The distance within which pictures are mostly the same one; `docs/models.md` has the figures by which it was chosen.
    pub const USUAL_DISTANCE: u32 = 2;

    /// What a picture looks like; none where it has no structure.
    ///
    /// # Errors
    /// `InvalidInput` where the pixels are not of the size that the enricher asks for, or not as many as their size says.
    pub fn hash(&self, pixels: &Pixels) -> Result<Option<PictureHash>> {
        let (width, height) = (pixels.width as usize, pixels.height as usize);
        let fits = pixels.format == PixelFormat::Rgb8
            && (width, height) == (SIDE, SIDE)
            && pixels.bytes.len() == SIDE * SIDE * 3;
        if !fits {
            return Err(Error::new(ErrorKind::InvalidInput, "picture.hash")
                .message("the pixels are not those that the hash is made of")
                .with("width", width)
                .with("height", height)
                .with("side", SIDE)
                .with("bytes", pixels.bytes.len()));
        }
        let (rgb, _) = pixels.bytes.as_chunks();
        let lumas: Vec<f32> = rgb.iter().map(luma).collect();
        if deviation(&lumas) < STRUCTURE {
            return Ok(None);
        }
        let (blue, red) = middle(rgb, &lumas);
        Ok(Some(PictureHash(
            self.transform.signs(&lumas) | steps(blue) << LUMA | steps(red) << (LUMA + STEPS),
        )))
    }
}

impl Default for PerceptualHash {
    fn default() -> Self {
        let side = SIDE as u32;
        let spec = EnricherSpec::new(NearDuplicates::ATTRIBUTE, VERSION)
            .gives([NearDuplicates::ATTRIBUTE])
            .pixels(PixelRequest::new(side, side, Fit::Stretch))
            .cost(Cost::Cheap);
        Self {
            spec,
            transform: Arc::new(Transform::new()),
        }
    }
}

/// A cosine transform of which only the lowest frequencies are worked out.
#[derive(Debug)]
struct Transform {
    /// By frequency, then by place.
    cosines: [[f32; SIDE]; FREQUENCIES],
    /// Across and down, the lowest first; without the mean.
    lowest: Vec<(usize, usize)>,
}

impl Transform {
    fn new() -> Self {
        let cosine = |frequency: usize, place: usize| {
            let angle = PI * frequency as f32 * (2.0 * place as f32 + 1.0) / (2.0 * SIDE as f32);
            angle.cos()
        };
        let all = (0..FREQUENCIES * FREQUENCIES).map(|n| (n % FREQUENCIES, n / FREQUENCIES));
        let mut lowest: Vec<(usize, usize)> = all.skip(1).collect();
        lowest.sort_by_key(|(across, down)| (across * across + down * down, *down));
        lowest.truncate(LUMA);
        Self {
            cosines: std::array::from_fn(|f| std::array::from_fn(|place| cosine(f, place))),
            lowest,
        }
    }

    /// The signs of the lowest frequencies of a square, the lowest in the lowest bit.
    fn signs(&self, square: &[f32]) -> u64 {
        let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        // Column by column of the result: each frequency across, by row.
        let across = self.cosines.each_ref().map(|cosines| {
            let rows = square.chunks_exact(SIDE).map(|row| product(row, cosines));
            rows.collect::<Vec<f32>>()
        });
        let bits = self.lowest.iter().enumerate().map(|(bit, (x, y))| {
            let coefficient = product(&across[*x], &self.cosines[*y]);
            u64::from(coefficient > 0.0) << bit
        });
        bits.sum()
    }
}

/// Luma as in JPEG.
fn luma(pixel: &[u8; 3]) -> f32 {
    let [red, green, blue] = pixel.map(f32::from);
    0.299 * red + 0.587 * green + 0.114 * blue
}

/// The standard deviation.
fn deviation(values: &[f32]) -> f32 {
    let count = values.len() as f32;
    let mean = values.iter().sum::<f32>() / count;
    let squares = values.iter().map(|value| (value - mean).powi(2));
    (squares.sum::<f32>() / count).sqrt()
}

/// How much bluer and how much redder than grey the middle of the picture is, half of it across and down: the differences of colour as in JPEG.
fn middle(rgb: &[[u8; 3]], lumas: &[f32]) -> (f32, f32) {
    let inside = |place: usize| (SIDE / 4..SIDE * 3 / 4).contains(&place);
    let (mut blue, mut red) = (0.0, 0.0);
    for (index, (pixel, luma)) in rgb.iter().zip(lumas).enumerate() {
        if inside(index % SIDE) && inside(index / SIDE) {
            blue += 0.564 * (f32::from(pixel[2]) - luma);
            red += 0.713 * (f32::from(pixel[0]) - luma);
        }
    }
    let count = (SIDE * SIDE / 4) as f32;
    (blue / count, red / count)
}

/// As many bits as there are steps below a difference of colour: the bits that differ are the steps between two.
fn steps(difference: f32) -> u64 {
    let lowest = -STEP * (STEPS - 1) as f32 / 2.0;
    let below = (0..STEPS).filter(|step| lowest + STEP * *step as f32 <= difference);
    (1 << below.count()) - 1
}

#[async_trait]
impl Enricher for PerceptualHash {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        let this = self.clone();
        let read = move |pixels: &Pixels| this.hash(pixels).map(findings);
        each_picture(&self.spec, batch, read).await
    }
}

fn findings(hash: Option<PictureHash>) -> Vec<Finding> {
    let finding =
        |hash: PictureHash| Finding::new(NearDuplicates::ATTRIBUTE, Value::Text(hash.to_string()));
    hash.into_iter().map(finding).collect()
}
