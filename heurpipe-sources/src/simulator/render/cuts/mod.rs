//! The ten garments, each drawn with its free choices (length, neck, hem, collar) taken from the generator.

mod dresses;
mod hats;
mod legs;
mod outwear;
mod shoes;
mod tops;

use rand_chacha::ChaCha8Rng;

use super::labels::Cut;
use super::sketch::Sketch;

/// The layers of one garment.
pub(crate) fn draw(cut: Cut, rng: &mut ChaCha8Rng) -> Sketch {
    let mut sketch = Sketch::new(rng);
    match cut {
        Cut::TShirt => tops::t_shirt(&mut sketch, rng),
        Cut::Longsleeve => tops::longsleeve(&mut sketch, rng),
        Cut::Shirt => tops::shirt(&mut sketch, rng),
        Cut::Outwear => outwear::outwear(&mut sketch, rng),
        Cut::Dress => dresses::dress(&mut sketch, rng),
        Cut::Skirt => dresses::skirt(&mut sketch, rng),
        Cut::Pants => legs::pants(&mut sketch, rng),
        Cut::Shorts => legs::shorts(&mut sketch, rng),
        Cut::Shoes => shoes::shoes(&mut sketch, rng),
        Cut::Hat => hats::hat(&mut sketch, rng),
    }
    sketch
}
