//! How a camera was held, and how to turn its picture upright.

use bytes::Bytes;
use exif::{In, Reader, Tag};

use super::geometry::Area;

/// The turn that makes a picture upright: first the mirror image if `mirrored`, then `quarters` quarter turns clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Orientation {
    mirrored: bool,
    quarters: u8,
}

impl Orientation {
    /// Reads it from an EXIF block, with or without its `Exif` prefix; upright where it cannot be read.
    pub(super) fn of_exif(block: &[u8]) -> Self {
        let tiff = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
        let value = Reader::new().read_raw(tiff.to_vec()).ok().and_then(|exif| {
            exif.get_field(Tag::Orientation, In::PRIMARY)?
                .value
                .get_uint(0)
        });
        Self::of_value(value.unwrap_or(1))
    }

    fn of_value(value: u32) -> Self {
        let (mirrored, quarters) = match value {
            2 => (true, 0),
            3 => (false, 2),
            4 => (true, 2),
            5 => (true, 3),
            6 => (false, 1),
            7 => (true, 1),
            8 => (false, 3),
            _ => (false, 0),
        };
        Self { mirrored, quarters }
    }

    /// Whether upright means that width and height change places.
    pub(super) fn swaps(self) -> bool {
        self.quarters % 2 == 1
    }

    /// The upright size of a picture that is stored in this one.
    pub(super) fn upright(self, (width, height): (u32, u32)) -> (u32, u32) {
        if self.swaps() {
            (height, width)
        } else {
            (width, height)
        }
    }

    /// Where an area of an upright picture of `width` x `height` lies in the picture as it is stored.
    pub(super) fn stored(self, area: Area, (width, height): (u32, u32)) -> Area {
        let right = width - area.left - area.width;
        let below = height - area.top - area.height;
        let (left, top) = match self.quarters {
            0 => (area.left, area.top),
            1 => (area.top, right),
            2 => (right, below),
            _ => (below, area.left),
        };
        let (stored_width, area_width, area_height) = if self.swaps() {
            (height, area.height, area.width)
        } else {
            (width, area.width, area.height)
        };
        Area {
            left: if self.mirrored {
                stored_width - left - area_width
            } else {
                left
            },
            top,
            width: area_width,
            height: area_height,
        }
    }

    /// Turns RGB rows of `width` x `height` upright; [`upright`](Self::upright) has the size of the result.
    pub(super) fn apply(self, rgb: Bytes, width: u32, height: u32) -> Bytes {
        if self == Self::default() {
            return rgb;
        }
        let (w, h) = (width as usize, height as usize);
        let (new_w, new_h) = if self.swaps() { (h, w) } else { (w, h) };
        let mut turned = Vec::with_capacity(rgb.len());
        for y in 0..new_h {
            for x in 0..new_w {
                let (from_x, from_y) = match self.quarters {
                    0 => (x, y),
                    1 => (y, h - 1 - x),
                    2 => (w - 1 - x, h - 1 - y),
                    _ => (w - 1 - y, x),
                };
                let from_x = if self.mirrored {
                    w - 1 - from_x
                } else {
                    from_x
                };
                let at = (from_y * w + from_x) * 3;
                turned.extend_from_slice(&rgb[at..at + 3]);
            }
        }
        turned.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows "ab" and "cd" and "ef", each letter a grey pixel, turned by an EXIF value.
    fn turned(value: u32) -> String {
        let rgb: Bytes = "abcdef".bytes().flat_map(|b| [b, b, b]).collect();
        let upright = Orientation::of_value(value).apply(rgb, 2, 3);
        upright.iter().step_by(3).map(|&b| b as char).collect()
    }

    #[test]
    fn every_orientation_turns_as_the_standard_says() {
        let expected = [
            (1, "abcdef"),
            (2, "badcfe"),
            (3, "fedcba"),
            (4, "efcdab"),
            (5, "acebdf"),
            (6, "ecafdb"),
            (7, "fdbeca"),
            (8, "bdface"),
            (9, "abcdef"),
        ];
        for (value, rows) in expected {
            assert_eq!(turned(value), rows, "orientation {value}");
        }
    }

    /// What is cut from the upright picture is what is cut from the stored picture and then turned.
    #[test]
    fn an_area_of_the_upright_picture_is_found_in_the_stored_one() {
        let (width, height) = (5, 4);
        let letters: Vec<u8> = (b'a'..b'a' + 20).collect();
        let rgb: Bytes = letters.iter().flat_map(|&b| [b, b, b]).collect();
        let cut = |rgb: &Bytes, width: u32, area: Area| -> Bytes {
            let rows = area.top..area.top + area.height;
            let row = |y: u32| {
                let at = ((y * width + area.left) * 3) as usize;
                rgb.slice(at..at + area.width as usize * 3)
            };
            rows.flat_map(row).collect()
        };
        for value in 1..=8 {
            let orientation = Orientation::of_value(value);
            let upright_size = if orientation.swaps() { (4, 5) } else { (5, 4) };
            let area = Area {
                left: 1,
                top: 2,
                width: 3,
                height: 1,
            };
            let upright = orientation.apply(rgb.clone(), width, height);
            let expected = cut(&upright, upright_size.0, area);
            let stored = orientation.stored(area, upright_size);
            let part = cut(&rgb, width, stored);
            let found = orientation.apply(part, stored.width, stored.height);
            assert_eq!(found, expected, "orientation {value}");
        }
    }

    #[test]
    fn what_is_no_exif_is_upright() {
        assert_eq!(
            Orientation::of_exif(b"Exif\0\0nonsense"),
            Orientation::default()
        );
    }
}
