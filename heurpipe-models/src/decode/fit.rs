//! Makes a decoded picture fit what is asked for. What comes out equals Pillow's resizing of the same pixels within one step of 255.

use bytes::Bytes;
use fast_image_resize::images::{TypedCroppedImage, TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use heurpipe_core::{Error, ErrorKind, PixelRequest, Pixels, Resample, Result};

use super::Raster;
use super::convolve::{self, Filter, Span};
use super::geometry::{Area, Geometry, Ground};

/// Makes pixels of one picture; what its resizing needs in memory serves all requests.
pub(super) struct Fitter<'a> {
    raster: &'a Raster,
    resizer: Resizer,
}

impl<'a> Fitter<'a> {
    pub(super) fn new(raster: &'a Raster) -> Self {
        Self {
            raster,
            resizer: Resizer::new(),
        }
    }

    /// Resizes first and turns upright after, since the result is mostly smaller than the picture.
    pub(super) fn fit(&mut self, geometry: &Geometry, request: &PixelRequest) -> Result<Pixels> {
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

    fn window(&mut self, geometry: &Geometry, resample: Resample) -> Result<Bytes> {
        if self.is_all(geometry) {
            return Ok(self.raster.rgb.clone());
        }
        match resample {
            Resample::Bilinear => self.bilinear(geometry),
            Resample::Bicubic => Ok(self.convolved(geometry, convolve::BICUBIC)),
            Resample::Lanczos => Ok(self.convolved(geometry, convolve::LANCZOS)),
            Resample::Nearest => Ok(self.nearest(geometry)),
            other => Err(Error::new(ErrorKind::Unsupported, "picture.fit")
                .message("this resampling is not known")
                .with("resample", format_args!("{other:?}"))),
        }
    }

    fn is_all(&self, geometry: &Geometry) -> bool {
        let (width, height) = (self.raster.width, self.raster.height);
        let all = Area::whole(width, height);
        self.raster.is_in_full()
            && geometry.resized == (width, height)
            && (geometry.bounds, geometry.window) == (all, all)
    }

    /// Both axes of a resizing. Only what the window shows is resized, which gives the pixels that cutting it from the whole resized picture would.
    fn axes(&self, geometry: &Geometry) -> (Axis, Axis) {
        let (raster, bounds, window) = (self.raster, geometry.bounds, geometry.window);
        let across = Axis::of(
            raster.scaled(bounds.left, bounds.width),
            raster.width,
            (geometry.resized.0, window.left, window.width),
        );
        let down = Axis::of(
            raster.scaled(bounds.top, bounds.height),
            raster.height,
            (geometry.resized.1, window.top, window.height),
        );
        (across, down)
    }

    /// A triangle never overshoots, so the order of its passes shows in the rounding only, and the fastest will do.
    fn bilinear(&mut self, geometry: &Geometry) -> Result<Bytes> {
        let (across, down) = self.axes(geometry);
        let (width, height) = (self.raster.width, self.raster.height);
        let all =
            TypedImageRef::<U8x3>::from_buffer(width, height, &self.raster.rgb).map_err(failed)?;
        let view = TypedCroppedImage::from_ref(
            &all,
            across.start,
            down.start,
            across.end - across.start,
            down.end - down.start,
        )
        .map_err(failed)?;
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
            .crop(across.from, down.from, across.length, down.length);
        let (width, height) = (geometry.window.width, geometry.window.height);
        let mut bytes = vec![0; width as usize * height as usize * 3];
        let mut target =
            TypedImage::<U8x3>::from_buffer(width, height, &mut bytes).map_err(failed)?;
        self.resizer
            .resize_typed(&view, &mut target, Some(&options))
            .map_err(failed)?;
        Ok(bytes.into())
    }

    /// Rows before columns of the upright picture: what is clipped between the two passes shows.
    fn convolved(&self, geometry: &Geometry, filter: Filter) -> Bytes {
        let (across, down) = self.axes(geometry);
        let across_span = across.span(geometry.window.width);
        let down_span = down.span(geometry.window.height);
        let row_length = self.raster.width as usize * 3;
        let columns = across.start as usize * 3..across.end as usize * 3;
        let rows: Vec<&[u8]> = self
            .raster
            .rgb
            .chunks_exact(row_length)
            .take(down.end as usize)
            .skip(down.start as usize)
            .map(|row| &row[columns.clone()])
            .collect();
        if self.raster.orientation.swaps() {
            let flat = filter.down(&rows, down_span);
            let rows = flat.chunks_exact(columns.len());
            return filter.across(rows, across_span).into();
        }
        let narrow = filter.across(rows.into_iter(), across_span);
        let rows: Vec<&[u8]> = narrow.chunks_exact(across_span.wanted * 3).collect();
        filter.down(&rows, down_span).into()
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

/// One axis of a resizing, in pixels of the raster.
struct Axis {
    /// The pixels that filters may look at.
    start: u32,
    end: u32,
    /// What is resized, counted from `start`.
    from: f64,
    length: f64,
}

impl Axis {
    /// `bounds` (start and length) of `side` pixels are resized to the first of `window`, and of this a part (start and length) is kept.
    fn of((start, length): (f64, f64), side: u32, window: (u32, u32, u32)) -> Self {
        let (resized, kept_from, kept) = window;
        let step = length / f64::from(resized);
        let first = start.floor().min(f64::from(side) - 1.0);
        let last = (start + length).ceil().clamp(first + 1.0, f64::from(side));
        // Rounding must not lead out of the view.
        let from = (start - first + f64::from(kept_from) * step).clamp(0.0, last - first);
        Self {
            start: first as u32,
            end: last as u32,
            from,
            length: (f64::from(kept) * step).min(last - first - from),
        }
    }

    fn span(&self, wanted: u32) -> Span {
        Span {
            from: self.from,
            length: self.length,
            side: (self.end - self.start) as usize,
            wanted: wanted as usize,
        }
    }
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

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Internal, "picture.fit")
        .message("the picture cannot be resized")
        .cause(error)
}
