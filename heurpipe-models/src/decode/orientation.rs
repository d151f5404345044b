//! How a camera was held, and how to turn its picture upright.

use exif::{In, Reader, Tag};

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

    /// Turns RGB rows of `width` x `height` upright; the caller swaps the sides where [`swaps`](Self::swaps).
    pub(super) fn apply(self, rgb: Vec<u8>, width: u32, height: u32) -> Vec<u8> {
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
        turned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows "ab" and "cd" and "ef", each letter a grey pixel, turned by an EXIF value.
    fn turned(value: u32) -> String {
        let rgb = "abcdef".bytes().flat_map(|b| [b, b, b]).collect();
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

    #[test]
    fn what_is_no_exif_is_upright() {
        assert_eq!(
            Orientation::of_exif(b"Exif\0\0nonsense"),
            Orientation::default()
        );
    }
}
