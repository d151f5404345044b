//! Makes a decoded picture fit what is asked for.
//!
//! What comes out of a picture that was decoded in full equals Pillow's resizing bit for bit, so that a model says what it says in Python. A picture that was decoded at
//! a smaller scale has other pixels anyway: it goes through `fast_image_resize`, whose sums are shorter, and which differs by one in some pixels.

use bytes::Bytes;
use fast_image_resize::images::{TypedCroppedImage, TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use heurpipe_core::{Error, ErrorKind, PixelRequest, Pixels, Resample, Result};

use super::Raster;
use super::convolve::{BICUBIC, BILINEAR, Filter, LANCZOS, Lines, Span};
use super::geometry::{Area, Geometry, Ground};

/// Makes pixels of one picture.
pub(super) struct Fitter<'a> {
    raster: &'a Raster,
}

impl<'a> Fitter<'a> {
    pub(super) fn new(raster: &'a Raster) -> Self {
        Self { raster }
    }

    /// Resizes first and turns upright after, since the result is mostly smaller than the picture.
    pub(super) fn fit(&self, geometry: &Geometry, request: &PixelRequest) -> Result<Pixels> {
        let orientation = self.raster.orientation;
        let stored = self.as_stored(geometry);
        let (width, height) = (stored.window.width, stored.window.height);
        let upright = orientation.apply(self.window(&stored, request.resample)?, width, height);
        let pixels = match geometry.ground {
            Some(ground) => on_ground(&upright, geometry.window.width, ground, request.fill),
            None => Pixels::rgb(geometry.window.width, geometry.window.height, upright),
        };
        Ok(Pixels {
            source: (geometry.bounds.width, geometry.bounds.height),
            ..pixels
        })
    }

    /// The same in the picture as it lies in the file, before it is turned upright.
    fn as_stored(&self, geometry: &Geometry) -> Geometry {
        let orientation = self.raster.orientation;
        Geometry {
            bounds: orientation.stored(geometry.bounds, self.raster.upright_size()),
            resized: orientation.upright(geometry.resized),
            window: orientation.stored(geometry.window, geometry.resized),
            ground: None,
        }
    }

    fn window(&self, geometry: &Geometry, resample: Resample) -> Result<Bytes> {
        if self.is_all(geometry) {
            return Ok(self.raster.rgb.clone());
        }
        let (exact, quick) = match resample {
            Resample::Bilinear => (BILINEAR, FilterType::Bilinear),
            Resample::Bicubic => (BICUBIC, FilterType::CatmullRom),
            Resample::Lanczos => (LANCZOS, FilterType::Lanczos3),
            Resample::Nearest => return Ok(self.nearest(geometry)),
            other => {
                return Err(Error::new(ErrorKind::Unsupported, "picture.fit")
                    .message("this resampling is not known")
                    .with("resample", format_args!("{other:?}")));
            }
        };
        match self.raster.is_in_full() {
            true => Ok(self.convolved(geometry, exact)),
            false => self.quickened(geometry, quick),
        }
    }

    fn is_all(&self, geometry: &Geometry) -> bool {
        let (width, height) = (self.raster.width, self.raster.height);
        let all = Area::whole(width, height);
        self.raster.is_in_full()
            && geometry.resized == (width, height)
            && (geometry.bounds, geometry.window) == (all, all)
    }

    /// Only what the window shows is resized, and only what it is made of is looked at.
    fn convolved(&self, geometry: &Geometry, filter: Filter) -> Bytes {
        let (raster, window) = (self.raster, geometry.window);
        let (across, down) = self.axes(geometry.bounds);
        let rows_first = self.rows_first(&across, &down, geometry.resized);
        let across_taps = filter.taps(&across.span(geometry.resized.0, window.left, window.width));
        let down_taps = filter.taps(&down.span(geometry.resized.1, window.top, window.height));
        let columns = across.start + across_taps.seen.start..across.start + across_taps.seen.end;
        let rows: Vec<&[u8]> = raster
            .rgb
            .chunks_exact(raster.width as usize * 3)
            .skip(down.start + down_taps.seen.start)
            .take(down_taps.seen.len())
            .map(|row| &row[columns.start * 3..columns.end * 3])
            .collect();
        if rows_first {
            let narrow = across_taps.turned(Lines::Rows(&rows));
            let columns: Vec<&[u8]> = narrow.chunks_exact(rows.len() * 3).collect();
            return down_taps.turned(Lines::Rows(&columns)).into();
        }
        let low = down_taps.turned(Lines::Columns(&rows));
        let rows: Vec<&[u8]> = low.chunks_exact(columns.len() * 3).collect();
        transposed(&across_taps.turned(Lines::Rows(&rows)), rows.len()).into()
    }

    /// The same with fewer bits. By `resize_typed`: `resize` has code for thirteen kinds of pixels, all of which would be built here.
    fn quickened(&self, geometry: &Geometry, filter: FilterType) -> Result<Bytes> {
        let (raster, window) = (self.raster, geometry.window);
        let (across, down) = self.axes(geometry.bounds);
        let (left, width) = across.part(geometry.resized.0, window.left, window.width);
        let (top, height) = down.part(geometry.resized.1, window.top, window.height);
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(filter))
            .crop(left, top, width, height);
        let all = TypedImageRef::<U8x3>::from_buffer(raster.width, raster.height, &raster.rgb)
            .map_err(unfit)?;
        let [start, first, side, lines] =
            [across.start, down.start, across.side(), down.side()].map(|pixels| pixels as u32);
        let bounds = TypedCroppedImage::new(all, start, first, side, lines).map_err(unfit)?;
        let mut rgb = vec![0; window.width as usize * window.height as usize * 3];
        let mut resized = TypedImage::<U8x3>::from_buffer(window.width, window.height, &mut rgb)
            .map_err(unfit)?;
        Resizer::new()
            .resize_typed(&bounds, &mut resized, &options)
            .map_err(unfit)?;
        Ok(rgb.into())
    }

    /// What is resized, along both edges of the raster.
    fn axes(&self, bounds: Area) -> (Axis, Axis) {
        let raster = self.raster;
        (
            Axis::of(raster.scaled(bounds.left, bounds.width), raster.width),
            Axis::of(raster.scaled(bounds.top, bounds.height), raster.height),
        )
    }

    /// Which pass comes first shows, since what is between them is rounded. As Pillow 13 chooses for the upright picture (before, rows always came first): so what
    /// is between the passes is never larger than both the picture and the result.
    fn rows_first(&self, across: &Axis, down: &Axis, resized: (u32, u32)) -> bool {
        let less = |axis: &Axis, resized: u32| axis.side() as i64 - i64::from(resized);
        let (narrower, lower) = (less(across, resized.0), less(down, resized.1));
        if self.raster.orientation.swaps() {
            narrower > 0 && narrower > lower * 2
        } else {
            lower <= 0 || lower <= narrower * 2
        }
    }

    fn nearest(&self, geometry: &Geometry) -> Bytes {
        let (bounds, window) = (geometry.bounds, geometry.window);
        let columns = nearest(bounds.left, bounds.width, geometry.resized.0);
        let rows = nearest(bounds.top, bounds.height, geometry.resized.1);
        let row_length = self.raster.width as usize * 3;
        let mut bytes = Vec::with_capacity(window.width as usize * window.height as usize * 3);
        let shown = |start: u32, length: u32| (start as usize, length as usize);
        let (left, width) = shown(window.left, window.width);
        let (top, height) = shown(window.top, window.height);
        let columns: Vec<usize> = columns.skip(left).take(width).collect();
        for y in rows.skip(top).take(height) {
            let row = &self.raster.rgb[y * row_length..][..row_length];
            for &x in &columns {
                bytes.extend_from_slice(&row[x * 3..x * 3 + 3]);
            }
        }
        bytes.into()
    }
}

/// One axis of what is resized, in pixels of the raster.
struct Axis {
    /// The pixels that filters may look at.
    start: usize,
    end: usize,
    /// What is resized, counted from `start`.
    from: f64,
    length: f64,
}

impl Axis {
    /// `bounds` (start and length) of `side` pixels.
    fn of((from, length): (f64, f64), side: u32) -> Self {
        let start = from.floor().min(f64::from(side) - 1.0);
        let end = (from + length).ceil().clamp(start + 1.0, f64::from(side));
        Self {
            start: start as usize,
            end: end as usize,
            from: from - start,
            length,
        }
    }

    fn side(&self) -> usize {
        self.end - self.start
    }

    /// Resized to `resized`, of which a part (start and length) is kept: the same pixels as if it were cut from the whole.
    fn span(&self, resized: u32, from: u32, kept: u32) -> Span {
        Span {
            from: self.from,
            length: self.length,
            side: self.side(),
            resized: resized as usize,
            kept: from as usize..from as usize + kept as usize,
        }
    }

    /// Where the part that is kept comes from: a start, counted from that of the pixels that filters may look at, and a length.
    fn part(&self, resized: u32, from: u32, kept: u32) -> (f64, f64) {
        let step = self.length / f64::from(resized);
        let start = (self.from + f64::from(from) * step).min(self.side() as f64);
        (
            start,
            (f64::from(kept) * step).min(self.side() as f64 - start),
        )
    }
}

/// What `fast_image_resize` refuses: nothing that geometry gives.
fn unfit(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Internal, "picture.fit").cause(error)
}

/// Rows of RGB pixels, made of columns of `height` pixels each.
fn transposed(columns: &[u8], height: usize) -> Vec<u8> {
    let columns: Vec<&[[u8; 3]]> = columns
        .chunks_exact(height * 3)
        .map(|column| column.as_chunks().0)
        .collect();
    let mut rows = Vec::with_capacity(columns.len() * height * 3);
    for y in 0..height {
        for column in &columns {
            rows.extend_from_slice(&column[y]);
        }
    }
    rows
}

/// Which pixels of `start..start + length` are taken for `resized` pixels: those under their middles. Summed up step by step as Pillow does, so that a
/// middle that falls between two pixels falls on the same side.
fn nearest(start: u32, length: u32, resized: u32) -> impl Iterator<Item = usize> {
    let step = f64::from(length) / f64::from(resized);
    let mut middle = step * 0.5;
    (0..resized).map(move |_| {
        let at = (middle as u32).min(length - 1);
        middle += step;
        (start + at) as usize
    })
}

fn on_ground(window: &[u8], width: u32, ground: Ground, fill: [u8; 3]) -> Pixels {
    let outer_row = ground.width as usize * 3;
    let inner_row = width as usize * 3;
    let mut outer = fill.repeat(ground.width as usize * ground.height as usize);
    let rows = outer
        .chunks_exact_mut(outer_row)
        .skip(ground.top as usize)
        .zip(window.chunks_exact(inner_row));
    let left = ground.left as usize * 3;
    for (outer, inner) in rows {
        outer[left..left + inner_row].copy_from_slice(inner);
    }
    Pixels::rgb(ground.width, ground.height, outer)
}
