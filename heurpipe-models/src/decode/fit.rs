//! Makes a decoded picture fit what is asked for: bilinear with anti-aliasing, the filter that the shipped models were trained with.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use heurpipe_core::{Error, ErrorKind, Fit, PixelRequest, Pixels, Result};

use super::Raster;

/// Resizes first and turns upright after, since the result is mostly smaller than the picture.
pub(super) fn fit(raster: &Raster, request: &PixelRequest) -> Result<Pixels> {
    let swaps = raster.orientation.swaps();
    let (width, height) = swapped(swaps, request.width, request.height);
    if width == 0 || height == 0 {
        return Err(Error::new(ErrorKind::Config, "picture.fit")
            .message("pixels of no size were asked for")
            .with("size", format_args!("{width}x{height}")));
    }
    let (width, height, bytes) = match request.fit {
        Fit::Stretch => (width, height, whole(raster, width, height)?),
        Fit::Crop => (width, height, centre(raster, width, height)?),
        Fit::Letterbox => (width, height, letterboxed(raster, width, height)?),
        Fit::Inside => {
            let (width, height) = inside(raster, width, height, false);
            (width, height, whole(raster, width, height)?)
        }
        other => {
            return Err(Error::new(ErrorKind::Unsupported, "picture.fit")
                .message("this way to fit a picture is not known")
                .with("fit", format_args!("{other:?}")));
        }
    };
    let upright = raster.orientation.apply(bytes, width, height);
    let (width, height) = swapped(swaps, width, height);
    Ok(Pixels {
        source: swapped(swaps, raster.width, raster.height),
        ..Pixels::rgb(width, height, upright)
    })
}

fn swapped(swaps: bool, width: u32, height: u32) -> (u32, u32) {
    if swaps {
        (height, width)
    } else {
        (width, height)
    }
}

/// The largest size of the picture's shape within `width` x `height`; larger than the picture only where `enlarge`.
fn inside(raster: &Raster, width: u32, height: u32, enlarge: bool) -> (u32, u32) {
    let across = f64::from(width) / f64::from(raster.width);
    let down = f64::from(height) / f64::from(raster.height);
    let mut scale = across.min(down);
    if !enlarge {
        scale = scale.min(1.0);
    }
    let side = |length: u32, most: u32| ((f64::from(length) * scale).round() as u32).clamp(1, most);
    (side(raster.width, width), side(raster.height, height))
}

fn whole(raster: &Raster, width: u32, height: u32) -> Result<Vec<u8>> {
    if (width, height) == (raster.width, raster.height) {
        return Ok(raster.rgb.clone());
    }
    resize(raster, width, height, options())
}

fn centre(raster: &Raster, width: u32, height: u32) -> Result<Vec<u8>> {
    resize(
        raster,
        width,
        height,
        options().fit_into_destination(Some((0.5, 0.5))),
    )
}

fn letterboxed(raster: &Raster, width: u32, height: u32) -> Result<Vec<u8>> {
    let (inner_width, inner_height) = inside(raster, width, height, true);
    let inner = whole(raster, inner_width, inner_height)?;
    let left = (width - inner_width) as usize / 2;
    let top = (height - inner_height) as usize / 2;
    let (outer_row, inner_row) = (width as usize * 3, inner_width as usize * 3);
    let mut outer = vec![0; outer_row * height as usize];
    for (y, row) in inner.chunks_exact(inner_row).enumerate() {
        let at = (top + y) * outer_row + left * 3;
        outer[at..at + inner_row].copy_from_slice(row);
    }
    Ok(outer)
}

fn options() -> ResizeOptions {
    ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
}

fn resize(raster: &Raster, width: u32, height: u32, options: ResizeOptions) -> Result<Vec<u8>> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        Error::new(ErrorKind::Internal, "picture.fit")
            .message("the picture cannot be resized")
            .cause(error)
    };
    let source = ImageRef::new(raster.width, raster.height, &raster.rgb, PixelType::U8x3)
        .map_err(|error| failed(error.into()))?;
    let mut target = Image::new(width, height, PixelType::U8x3);
    Resizer::new()
        .resize(&source, &mut target, Some(&options))
        .map_err(|error| failed(error.into()))?;
    Ok(target.into_vec())
}
