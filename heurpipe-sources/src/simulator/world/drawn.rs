//! Pictures that were drawn, kept for the next request.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use super::GarmentPicture;

/// The latest pictures, encoded.
pub(super) struct Drawn {
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    jpegs: HashMap<GarmentPicture, Bytes>,
    /// From the oldest on.
    order: VecDeque<GarmentPicture>,
}

impl Drawn {
    /// Keeps so many.
    pub(super) fn keeping(most: usize) -> Self {
        Self {
            most,
            kept: Mutex::default(),
        }
    }

    /// The picture as JPEG: recalled, else drawn.
    ///
    /// # Errors
    /// Fails where the encoder does.
    pub(super) fn jpeg(&self, picture: GarmentPicture) -> io::Result<Bytes> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(jpeg) = kept().jpegs.get(&picture) {
            return Ok(jpeg.clone());
        }
        // Drawn without the lock, so that others are served meanwhile.
        let jpeg = Bytes::from(picture.jpeg()?);
        kept().keep(picture, jpeg.clone(), self.most);
        Ok(jpeg)
    }
}

impl Kept {
    fn keep(&mut self, picture: GarmentPicture, jpeg: Bytes, most: usize) {
        if self.jpegs.insert(picture, jpeg).is_none() {
            self.order.push_back(picture);
        }
        while self.order.len() > most
            && let Some(oldest) = self.order.pop_front()
        {
            self.jpegs.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::simulator::render::{Colour, Cut, Pattern};

    #[test]
    fn the_latest_are_kept_and_all_are_the_same_as_drawn_anew() {
        let drawn = Drawn::keeping(2);
        let picture = |seed| {
            let mut picture = GarmentPicture::new(Cut::Dress, Colour::Red, Pattern::Solid, seed);
            (picture.width, picture.height) = (16, 20);
            picture
        };
        for seed in [1, 2, 1, 3] {
            let jpeg = drawn.jpeg(picture(seed)).unwrap();
            assert_eq!(jpeg, picture(seed).jpeg().unwrap());
        }
        let kept = drawn.kept.lock().unwrap();
        assert_eq!(kept.order, [picture(2), picture(3)]);
        assert_eq!(kept.jpegs.len(), 2);
    }
}
