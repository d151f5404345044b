//! What part of a picture becomes which pixels: the arithmetic of a request, apart from any pixel.
//!
//! All of it is in the upright picture in its own size; sizes and offsets are rounded as the reference of each [`Fit`] rounds them.

use heurpipe_core::{Error, ErrorKind, Fit, PixelRequest, Region, Result};

/// A rectangle of whole pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub left: u32,
    pub top: u32,
    pub width: u32,
    pub height: u32,
}

/// How a request is carried out on a picture of a certain size: cut out the bounds, resize them, keep the window, lay it on the ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Geometry {
    /// The part of the picture that is looked at.
    pub bounds: Area,
    /// The width and height to which the bounds are resized.
    pub resized: (u32, u32),
    /// What is kept of the resized picture.
    pub window: Area,
    /// Where the window lies on a larger ground, if it does.
    pub ground: Option<Ground>,
}

/// A plain ground with a picture on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ground {
    pub width: u32,
    pub height: u32,
    pub left: u32,
    pub top: u32,
}

impl Geometry {
    /// For an upright picture of `width` x `height`, neither of which is zero.
    pub(super) fn of(request: &PixelRequest, width: u32, height: u32) -> Result<Self> {
        if request.width == 0 || request.height == 0 {
            return Err(refused("pixels of no size were asked for", request));
        }
        let bounds = match request.region {
            Some(region) => part(region, width, height, request)?,
            None => Area::whole(width, height),
        };
        let size = (bounds.width, bounds.height);
        let wanted = (request.width, request.height);
        match request.fit {
            Fit::Stretch => Ok(Self::all_of(bounds, wanted)),
            Fit::Crop => Ok(Self::cut(bounds, covering(size, request), wanted)),
            Fit::Letterbox => Ok(Self::boxed(bounds, contained(size, wanted), wanted)),
            Fit::Inside => Ok(Self::all_of(bounds, reduced(size, wanted))),
            other => Err(Error::new(ErrorKind::Unsupported, "picture.fit")
                .message("this way to fit a picture is not known")
                .with("fit", format_args!("{other:?}"))),
        }
    }

    /// Resized pixels per pixel of the picture, on the axis where they are more.
    pub(super) fn scale(&self) -> f64 {
        let across = f64::from(self.resized.0) / f64::from(self.bounds.width);
        let down = f64::from(self.resized.1) / f64::from(self.bounds.height);
        across.max(down)
    }

    /// How many pixels come out.
    pub(super) fn pixels(&self) -> u64 {
        let (width, height) = self
            .ground
            .map_or((self.window.width, self.window.height), |ground| {
                (ground.width, ground.height)
            });
        u64::from(width) * u64::from(height)
    }

    fn all_of(bounds: Area, resized: (u32, u32)) -> Self {
        Self {
            bounds,
            resized,
            window: Area::whole(resized.0, resized.1),
            ground: None,
        }
    }

    /// The centre of the resized picture. Where this is smaller than what is wanted, it lies on a ground.
    fn cut(bounds: Area, resized: (u32, u32), wanted: (u32, u32)) -> Self {
        let (left, width, margin_left) = centre(resized.0, wanted.0);
        let (top, height, margin_top) = centre(resized.1, wanted.1);
        let ground = Ground {
            width: wanted.0,
            height: wanted.1,
            left: margin_left,
            top: margin_top,
        };
        Self {
            bounds,
            resized,
            window: Area {
                left,
                top,
                width,
                height,
            },
            ground: ((width, height) != wanted).then_some(ground),
        }
    }

    fn boxed(bounds: Area, resized: (u32, u32), wanted: (u32, u32)) -> Self {
        let ground = Ground {
            width: wanted.0,
            height: wanted.1,
            left: half(wanted.0 - resized.0),
            top: half(wanted.1 - resized.1),
        };
        Self {
            ground: (resized != wanted).then_some(ground),
            ..Self::all_of(bounds, resized)
        }
    }
}

impl Area {
    pub(super) fn whole(width: u32, height: u32) -> Self {
        Self {
            left: 0,
            top: 0,
            width,
            height,
        }
    }
}

/// A region in whole pixels: its edges rounded and kept within the picture, at least one pixel.
fn part(region: Region, width: u32, height: u32, request: &PixelRequest) -> Result<Area> {
    if !region.is_finite() {
        return Err(refused("a region needs finite bounds", request));
    }
    let span = |from: f32, length: f32, whole: u32| {
        let (from, length, whole) = (f64::from(from), f64::from(length), f64::from(whole));
        let start = (from * whole).round().clamp(0.0, whole - 1.0);
        let end = ((from + length) * whole).round().clamp(start + 1.0, whole);
        (start as u32, (end - start) as u32)
    };
    let (left, width) = span(region.x, region.width, width);
    let (top, height) = span(region.y, region.height, height);
    Ok(Area {
        left,
        top,
        width,
        height,
    })
}

/// The size before a cut, as torchvision's `Resize` gives it: one edge as asked for, the other rounded down.
fn covering((width, height): (u32, u32), request: &PixelRequest) -> (u32, u32) {
    let (edge, by_width) = match request.shortest_edge {
        Some(edge) => (edge.max(1), width <= height),
        // The edge that is scaled more is the one that just covers.
        None => {
            let across = u64::from(request.width) * u64::from(height);
            let down = u64::from(request.height) * u64::from(width);
            let by_width = across >= down;
            let edge = if by_width {
                request.width
            } else {
                request.height
            };
            (edge, by_width)
        }
    };
    let scaled = |length: u32, of: u32| {
        let length = u64::from(edge) * u64::from(length) / u64::from(of);
        u32::try_from(length).unwrap_or(u32::MAX).max(1)
    };
    if by_width {
        (edge, scaled(height, width))
    } else {
        (scaled(width, height), edge)
    }
}

/// The largest size of the picture's shape within `wanted`, as Pillow's `ImageOps.contain` gives it.
fn contained((width, height): (u32, u32), wanted: (u32, u32)) -> (u32, u32) {
    let (w, h) = (f64::from(width), f64::from(height));
    let across = u64::from(width) * u64::from(wanted.1);
    let down = u64::from(height) * u64::from(wanted.0);
    let rounded = |length: f64, most: u32| (length.round_ties_even() as u32).clamp(1, most);
    if across > down {
        (wanted.0, rounded(h / w * f64::from(wanted.0), wanted.1))
    } else {
        (rounded(w / h * f64::from(wanted.1), wanted.0), wanted.1)
    }
}

/// As Pillow's `Image.thumbnail`: never enlarged, and of both roundings of an edge the one that keeps the shape better.
fn reduced((width, height): (u32, u32), wanted: (u32, u32)) -> (u32, u32) {
    if wanted.0 >= width && wanted.1 >= height {
        return (width, height);
    }
    let aspect = f64::from(width) / f64::from(height);
    let (x, y) = (f64::from(wanted.0), f64::from(wanted.1));
    if x / y >= aspect {
        let width = better(y * aspect, |width| (aspect - width / y).abs());
        return (width, wanted.1);
    }
    let height = better(x / aspect, |height| {
        if height == 0.0 {
            0.0
        } else {
            (aspect - x / height).abs()
        }
    });
    (wanted.0, height)
}

/// `length` rounded down or up, whichever is less `wrong`, and at least 1.
fn better(length: f64, wrong: impl Fn(f64) -> f64) -> u32 {
    let (down, up) = (length.floor(), length.ceil());
    let nearer = if wrong(up) < wrong(down) { up } else { down };
    (nearer as u32).max(1)
}

/// Where a cut of `wanted` begins in `length`, how long it is, and the margin before it, as torchvision's `CenterCrop` has it.
fn centre(length: u32, wanted: u32) -> (u32, u32, u32) {
    if length >= wanted {
        (half(length - wanted), wanted, 0)
    } else {
        (0, length, (wanted - length) / 2)
    }
}

/// Half of it, as Python rounds: to the even neighbour.
fn half(length: u32) -> u32 {
    (f64::from(length) / 2.0).round_ties_even() as u32
}

fn refused(message: &'static str, request: &PixelRequest) -> Error {
    Error::new(ErrorKind::Config, "picture.fit")
        .message(message)
        .with("request", format_args!("{request:?}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn area(left: u32, top: u32, width: u32, height: u32) -> Area {
        Area {
            left,
            top,
            width,
            height,
        }
    }

    fn geometry(fit: Fit, wanted: (u32, u32), size: (u32, u32)) -> Geometry {
        Geometry::of(&PixelRequest::new(wanted.0, wanted.1, fit), size.0, size.1).unwrap()
    }

    #[test]
    fn a_crop_resizes_and_cuts_as_torchvision_does() {
        // Resize(256): 341 x 256, for int(256 * 400 / 300) is 341; CenterCrop(224) begins at round(58.5) = 58 and 16.
        let request = PixelRequest::new(224, 224, Fit::Crop).shortest_edge(256);
        let cut = Geometry::of(&request, 400, 300).unwrap();
        assert_eq!((cut.resized, cut.ground), ((341, 256), None));
        assert_eq!(cut.window, area(58, 16, 224, 224));
        // Without an edge the picture just covers.
        let cut = geometry(Fit::Crop, (224, 224), (400, 300));
        assert_eq!(cut.resized, (298, 224));
        assert_eq!(cut.window, area(37, 0, 224, 224));
        // A portrait size of a landscape picture.
        let cut = geometry(Fit::Crop, (10, 20), (400, 300));
        assert_eq!(cut.resized, (26, 20));
        assert_eq!(cut.window, area(8, 0, 10, 20));
    }

    #[test]
    fn a_crop_larger_than_the_resized_picture_lies_on_a_ground() {
        let request = PixelRequest::new(20, 10, Fit::Crop).shortest_edge(5);
        let cut = Geometry::of(&request, 50, 50).unwrap();
        assert_eq!(cut.window, area(0, 0, 5, 5));
        let ground = cut.ground.unwrap();
        assert_eq!((ground.left, ground.top), (7, 2));
        assert_eq!(cut.pixels(), 200);
    }

    #[test]
    fn a_letterbox_is_pillows_pad() {
        let boxed = geometry(Fit::Letterbox, (100, 100), (300, 201));
        assert_eq!(boxed.resized, (100, 67));
        // round(33 / 2) is 16 in Python.
        assert_eq!(
            boxed.ground.map(|ground| (ground.left, ground.top)),
            Some((0, 16))
        );
        let boxed = geometry(Fit::Letterbox, (10, 10), (100_000, 1));
        assert_eq!(boxed.resized, (10, 1));
    }

    #[test]
    fn inside_is_pillows_thumbnail() {
        // 128 * 300 / 401 = 95.76 and 128 * 301 / 400 = 96.32.
        for (size, expected) in [
            ((300, 401), (96, 128)),
            ((400, 301), (128, 96)),
            ((60, 40), (60, 40)),
            ((100_000, 2), (128, 1)),
        ] {
            let inside = geometry(Fit::Inside, (128, 128), size);
            assert_eq!(inside.resized, expected, "{size:?}");
        }
    }

    #[test]
    fn a_region_is_whole_pixels_within_the_picture() {
        let part = |x, y, width, height| {
            let region = Region {
                x,
                y,
                width,
                height,
            };
            Geometry::of(
                &PixelRequest::new(4, 4, Fit::Stretch).region(region),
                10,
                20,
            )
            .map(|geometry| geometry.bounds)
        };
        assert_eq!(part(0.26, 0.5, 0.5, 0.25).unwrap(), area(3, 10, 5, 5));
        assert_eq!(part(0.5, 0.5, 0.0, 0.0).unwrap(), area(5, 10, 1, 1));
        assert_eq!(part(-1.0, 0.9, 9.0, 9.0).unwrap(), area(0, 18, 10, 2));
        assert_eq!(part(2.0, 2.0, 1.0, 1.0).unwrap(), area(9, 19, 1, 1));
        let error = part(f32::NAN, 0.0, 1.0, 1.0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}
