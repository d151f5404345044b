//! What is worn when and where: seasons, tendencies over the whole span, and tastes of countries.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::simulator::render::{Colour, Cut};

/// When a post is published, as the trends see it.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    /// -1 in deep winter, 1 in high summer.
    pub(super) summer: f64,
    /// 0 at the beginning of the world's span, 1 at its end.
    pub(super) progress: f64,
}

impl Moment {
    pub(super) fn new(day_of_year: f64, progress: f64) -> Self {
        // Warmest in the middle of July.
        let summer = ((day_of_year - 197.0) / 365.25 * std::f64::consts::TAU).cos();
        Self { summer, progress }
    }
}

pub(super) fn cut(at: Moment, rng: &mut ChaCha8Rng) -> Cut {
    choose(Cut::ALL, rng, |cut| {
        let (base, pull): (f64, f64) = match cut {
            Cut::TShirt => (1.3, 0.7),
            Cut::Pants => (1.2, -0.2),
            Cut::Longsleeve => (0.8, -0.7),
            Cut::Shoes => (1.3, 0.0),
            Cut::Dress => (1.3, 0.9),
            Cut::Shirt => (1.0, 0.1),
            Cut::Outwear => (1.1, -1.1),
            Cut::Shorts => (0.6, 1.3),
            Cut::Hat => (0.6, -0.9),
            Cut::Skirt => (0.8, 0.4),
        };
        base * (pull * at.summer).exp()
    })
}

pub(super) fn colour(at: Moment, country: &str, rng: &mut ChaCha8Rng) -> Colour {
    choose(Colour::ALL, rng, |colour| {
        let by_time = match colour {
            Colour::Yellow => (1.0 * at.summer).exp(),
            Colour::White => 1.3 * (0.5 * at.summer).exp(),
            Colour::Black => 1.5 * (-0.5 * at.summer).exp(),
            Colour::Brown => (-0.6 * at.summer).exp(),
            // The two tendencies that the whole span shows: green rises and purple falls, both in a straight line.
            Colour::Green => 0.4 + 2.0 * at.progress,
            Colour::Purple => 2.0 - 1.7 * at.progress,
            _ => 1.0,
        };
        let by_country = match (country, colour) {
            ("CN", Colour::Red)
            | ("IT", Colour::Black)
            | ("FR", Colour::Navy)
            | ("ES", Colour::Orange)
            | ("GB", Colour::Grey) => 2.2,
            _ => 1.0,
        };
        by_time * by_country
    })
}

fn choose<T: Copy>(values: &[T], rng: &mut ChaCha8Rng, weight: impl Fn(T) -> f64) -> T {
    let total: f64 = values.iter().map(|value| weight(*value)).sum();
    let mut left = rng.random_range(0.0..total);
    for value in values {
        left -= weight(*value);
        if left < 0.0 {
            return *value;
        }
    }
    values[values.len() - 1]
}
