//! Pictures of garments, drawn from a description and a seed.
//!
//! A garment is a list of outlines (`cuts`) filled with cloth (`fabric`) and lit by hand (`paint`) before a `backdrop`.
//! Nothing is read from disk and nothing depends on the clock: the same [`GarmentPicture`] gives the same bytes.

mod backdrop;
mod blossoms;
mod cuts;
mod fabric;
mod grid;
mod labels;
mod noise;
mod paint;
mod sketch;

use std::io;

use image::RgbImage;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use labels::{Background, Colour, Cut, Pattern};

/// JPEG quality of encoded pictures, as social networks use.
const JPEG_QUALITY: u8 = 85;

/// Smallest and largest side that is drawn, in pixels.
const SIDES: std::ops::RangeInclusive<u32> = 16..=4096;

/// Everything that determines one picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GarmentPicture {
    /// What is shown.
    pub cut: Cut,
    /// The garment's main colour.
    pub colour: Colour,
    /// The cloth's pattern.
    pub pattern: Pattern,
    /// Colour of the pattern's figures and of trims; should contrast with `colour`.
    pub second_colour: Colour,
    /// What lies behind.
    pub background: Background,
    /// Width in pixels; drawn within 16 to 4096.
    pub width: u32,
    /// Height in pixels; drawn within 16 to 4096.
    pub height: u32,
    /// Decides every free choice: shape details, folds, light, position.
    pub seed: u64,
}

impl GarmentPicture {
    /// A portrait picture (540 x 675) whose second colour and background follow from the seed.
    pub fn new(cut: Cut, colour: Colour, pattern: Pattern, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5ec0_4d00);
        let partners: Vec<Colour> = Colour::ALL
            .iter()
            .copied()
            .filter(|other| colour.contrasts_with(*other))
            .collect();
        // White and black are the commonest second colours on real cloth.
        let plain = [Colour::White, Colour::Black, Colour::Navy]
            .into_iter()
            .find(|other| colour.contrasts_with(*other));
        let second_colour = match plain {
            Some(plain) if rng.random_bool(0.45) || partners.is_empty() => plain,
            _ => partners
                .get(rng.random_range(0..partners.len().max(1)))
                .copied()
                .unwrap_or(Colour::White),
        };
        let background = Background::ALL[rng.random_range(0..Background::ALL.len())];
        Self {
            cut,
            colour,
            pattern,
            second_colour,
            background,
            width: 540,
            height: 675,
            seed,
        }
    }

    /// Draws the picture.
    pub fn render(&self) -> RgbImage {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let width = self.width.clamp(*SIDES.start(), *SIDES.end());
        let height = self.height.clamp(*SIDES.start(), *SIDES.end());
        let ground = backdrop::jittered(self.colour.centre(), 9.0, &mut rng);
        let figure = backdrop::jittered(self.second_colour.centre(), 9.0, &mut rng);
        let scene = paint::Scene::new(width, height, &mut rng);
        let backdrop = backdrop::Backdrop::new(self.background, ground, &mut rng);
        let fabric = fabric::Fabric::new(self.pattern, ground, figure, &mut rng);
        let sketch = cuts::draw(self.cut, &mut rng);
        scene.paint(&sketch.layers, &backdrop, &fabric)
    }

    /// Draws the picture and encodes it as JPEG, with one colour for every four pixels as networks and cameras do.
    ///
    /// # Errors
    /// Fails only where the encoder does, which it has no reason to.
    pub fn jpeg(&self) -> io::Result<Vec<u8>> {
        let picture = self.render();
        let side = |pixels: u32| u16::try_from(pixels).map_err(io::Error::other);
        let (width, height) = (side(picture.width())?, side(picture.height())?);
        let mut bytes = Vec::with_capacity(64 * 1024);
        let mut encoder = Encoder::new(&mut bytes, JPEG_QUALITY);
        encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
        encoder
            .encode(picture.as_raw(), width, height, ColorType::Rgb)
            .map_err(io::Error::other)?;
        Ok(bytes)
    }
}
