//! Makes a decoded picture fit what is asked for. What comes out equals Pillow's resizing of the same pixels within one step of 255.

use bytes::Bytes;
use fast_image_resize::images::{CroppedImage, Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use heurpipe_core::{Error, ErrorKind, PixelRequest, Pixels, Resample, Result};

use super::geometry::{Area, Geometry, Ground};
use super::{Raster, rgb};

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
        Ok(match geometry.ground {
            Some(ground) => on_ground(&upright, geometry.window.width, ground, request.fill),
            None => rgb(geometry.window.width, geometry.window.height, upright),
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
        let filter = match resample {
            Resample::Bilinear => FilterType::Bilinear,
            Resample::Bicubic => FilterType::CatmullRom, // a = -0.5
            Resample::Lanczos => FilterType::Lanczos3,
            Resample::Nearest => return Ok(self.nearest(geometry)),
            other => {
                return Err(Error::new(ErrorKind::Unsupported, "picture.fit")
                    .message("this resampling is not known")
                    .with("resample", format_args!("{other:?}")));
            }
        };
        self.averaged(geometry, filter)
    }

    fn is_all(&self, geometry: &Geometry) -> bool {
        let (width, height) = (self.raster.width, self.raster.height);
        let all = Area::whole(width, height);
        self.raster.is_in_full()
            && geometry.resized == (width, height)
            && (geometry.bounds, geometry.window) == (all, all)
    }

    /// Resizes only what the window shows, which gives the pixels that cutting it from the whole resized picture would.
    fn averaged(&mut self, geometry: &Geometry, filter: FilterType) -> Result<Bytes> {
        let (bounds, window) = (geometry.bounds, geometry.window);
        let across = Axis::of(
            self.raster.scaled(bounds.left, bounds.width),
            self.raster.width,
            (geometry.resized.0, window.left, window.width),
        );
        let down = Axis::of(
            self.raster.scaled(bounds.top, bounds.height),
            self.raster.height,
            (geometry.resized.1, window.top, window.height),
        );
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(filter))
            .crop(across.from, down.from, across.length, down.length);
        let all = ImageRef::new(
            self.raster.width,
            self.raster.height,
            &self.raster.rgb,
            PixelType::U8x3,
        )
        .map_err(failed)?;
        let view = CroppedImage::new(
            &all,
            across.start,
            down.start,
            across.end - across.start,
            down.end - down.start,
        )
        .map_err(failed)?;
        let mut target = Image::new(window.width, window.height, PixelType::U8x3);
        self.resizer
            .resize(&view, &mut target, Some(&options))
            .map_err(failed)?;
        Ok(target.into_vec().into())
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
    rgb(ground.width, ground.height, outer.into())
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Internal, "picture.fit")
        .message("the picture cannot be resized")
        .cause(error)
}
