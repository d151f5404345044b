//! The colours of what a picture shows.
//!
//! How: pixels are gathered into groups of like colour (k-means in Oklab, always begun the same way); a surface that runs in from
//! the border without a seam is backdrop; of the rest, what gathers at the centre and shuns the border is foreground; mixtures, such as the crossing bands of gingham, are divided among the colours they are mixed of; each group gets the
//! name of the nearest example in Oklab, lightness counting less than hue, since light changes the one and not the other, and chroma counting for
//! more next to grey, where a little of it is seen.

mod analyse;
mod backdrop;
mod cluster;
mod names;

use async_trait::async_trait;
use heurpipe_core::{
    Batch, ColourShare, Cost, Enriched, Enricher, EnricherSpec, Error, ErrorKind, Finding, Fit,
    PixelFormat, PixelRequest, Pixels, Result, Value,
};

use crate::pixels::each_picture;
pub use names::NAMES;

const VERSION: &str = "3";
/// The side of the square that pictures are made to fit into: enough that narrow stripes are not blurred into one, little enough to be quick.
const SIDE: u32 = 144;

/// An enricher that names the colours of what a picture shows.
///
/// It gives the attribute `colour` for each picture: at most three named colours of the foreground ([`NAMES`]), the dominant one first, each with
/// its share of the foreground. Colours of less than a fifth are left out. A picture without a foreground that stands out is named as a whole.
///
/// ```
/// use heurpipe_core::Pixels;
/// use heurpipe_models::colour::Colours;
///
/// // A red square on white.
/// let inside = |i: u32| (16..48).contains(&(i % 64)) && (16..48).contains(&(i / 64));
/// let bytes = (0..64 * 64).flat_map(|i| if inside(i) { [200, 20, 30] } else { [250, 250, 250] });
/// let pixels = Pixels::rgb(64, 64, bytes.collect::<Vec<u8>>());
/// let colours = Colours::default().name(&pixels)?;
/// assert_eq!(colours.len(), 1);
/// assert_eq!(colours[0].name, "red");
/// # Ok::<(), heurpipe_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Colours {
    spec: EnricherSpec,
}

impl Default for Colours {
    fn default() -> Self {
        let spec = EnricherSpec::new("colour", VERSION)
            .gives(["colour"])
            .pixels(PixelRequest::new(SIDE, SIDE, Fit::Inside))
            .cost(Cost::CpuMs(1.3));
        Self { spec }
    }
}

impl Colours {
    /// The colours of a picture, the dominant one first.
    ///
    /// # Errors
    /// `InvalidInput` where there are not as many bytes as width and height say, or no pixel at all.
    pub fn name(&self, pixels: &Pixels) -> Result<Vec<ColourShare>> {
        let (width, height) = (pixels.width as usize, pixels.height as usize);
        let fits = pixels.format == PixelFormat::Rgb8 && pixels.bytes.len() == width * height * 3;
        if !fits || pixels.bytes.is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, "colour.name")
                .message("the pixels are not rows of red, green and blue")
                .with("width", width)
                .with("height", height)
                .with("bytes", pixels.bytes.len()));
        }
        let share = |named: analyse::Named| ColourShare {
            name: named.name.to_owned(),
            rgb: named.rgb,
            share: named.share,
        };
        let named = analyse::colours(width, &pixels.bytes);
        Ok(named.into_iter().map(share).collect())
    }
}

#[async_trait]
impl Enricher for Colours {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        let this = self.clone();
        let read = move |pixels: &Pixels| {
            let colours = Value::Colours(this.name(pixels)?);
            Ok(vec![Finding::new("colour", colours)])
        };
        each_picture(&self.spec, batch, read).await
    }
}

#[cfg(test)]
mod tests;
