//! Where a vector points: what embeddings are compared by.

/// So many sums are kept at a time, so that they are added side by side and not one after the other.
const LANES: usize = 8;

/// The direction of a vector, to be compared with those of others. How long vectors are in space means nothing; only the angle between them does.
///
/// ```
/// use heurpipe_core::Direction;
///
/// let right = Direction::of(&[2.0, 0.0]).unwrap();
/// assert_eq!(right.cosine(&[0.5, 0.0]), Some(1.0));
/// assert_eq!(right.cosine(&[0.0, 3.0]), Some(0.0));
/// assert_eq!(right.cosine(&[-1.0, 0.0]), Some(-1.0));
/// // Vectors of other lengths come from other models.
/// assert_eq!(right.cosine(&[1.0, 0.0, 0.0]), None);
/// assert!(Direction::of(&[0.0, 0.0]).is_none());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Direction {
    numbers: Vec<f32>,
    norm: f64,
}

impl Direction {
    /// The direction of a vector; none where it has none: no numbers, only zeros, or a number that is infinite or not a number.
    pub fn of(vector: &[f32]) -> Option<Self> {
        Some(Self {
            norm: norm(vector)?,
            numbers: vector.to_vec(),
        })
    }

    /// How many numbers the vector has.
    pub fn dimensions(&self) -> usize {
        self.numbers.len()
    }

    /// The vector of length 1 in space that points there.
    pub fn unit(&self) -> Vec<f32> {
        let scaled = |number: &f32| (f64::from(*number) / self.norm) as f32;
        self.numbers.iter().map(scaled).collect()
    }

    /// The cosine of the angle to another vector, -1 to 1; none where that has another number of numbers, or no direction.
    ///
    /// Sums are made in double precision and rounded in the end, so that whoever compares the same vectors gets the same number.
    pub fn cosine(&self, other: &[f32]) -> Option<f32> {
        if other.len() != self.numbers.len() {
            return None;
        }
        let cosine = dot(&self.numbers, other) / (self.norm * norm(other)?);
        // Adding zero makes of minus zero zero, which is as near.
        Some(cosine.clamp(-1.0, 1.0) as f32 + 0.0)
    }

    /// The greatest cosine to one of several vectors; none where there is none to compare with.
    pub fn nearest<'a>(&self, others: impl IntoIterator<Item = &'a [f32]>) -> Option<f32> {
        let cosines = others.into_iter().filter_map(|other| self.cosine(other));
        cosines.reduce(f32::max)
    }
}

/// Whether a vector points anywhere, so that it has a [`Direction`].
pub(crate) fn has_direction(vector: &[f32]) -> bool {
    norm(vector).is_some()
}

/// A vector's length in space, where it has one that is neither zero nor infinite.
fn norm(vector: &[f32]) -> Option<f64> {
    let norm = dot(vector, vector).sqrt();
    (norm.is_finite() && norm > 0.0).then_some(norm)
}

/// The products of two single-precision numbers and their sums are exact, or nearly so, in double precision, whatever their magnitude.
fn dot(a: &[f32], b: &[f32]) -> f64 {
    let ((a_lanes, a_rest), (b_lanes, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += f64::from(*a) * f64::from(*b);
        }
    }
    let rest = a_rest.iter().zip(b_rest);
    let rest: f64 = rest.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn only_what_points_somewhere_has_a_direction() {
        for nowhere in [
            &[][..],
            &[0.0, -0.0],
            &[1.0, f32::NAN],
            &[f32::INFINITY, 1.0],
        ] {
            assert_eq!(Direction::of(nowhere), None, "{nowhere:?}");
        }
        let right = Direction::of(&[1.0, 0.0]).unwrap();
        assert_eq!(right.cosine(&[0.0, 0.0]), None);
        assert_eq!(right.cosine(&[f32::NAN, 0.0]), None);
    }

    #[test]
    fn magnitudes_do_not_count_however_far_apart() {
        let (tiny, huge) = (f32::from_bits(1), f32::MAX);
        let direction = Direction::of(&[tiny, 0.0, tiny]).unwrap();
        assert_eq!(direction.cosine(&[huge, 0.0, huge]), Some(1.0));
        assert_eq!(direction.cosine(&[-huge, 0.0, -huge]), Some(-1.0));
        assert_eq!(direction.cosine(&[0.0, huge, 0.0]), Some(0.0));
        let askew = direction.cosine(&[-tiny, huge, 0.0]).unwrap();
        assert_eq!(askew.to_bits(), 0, "{askew}");
        let unit = Direction::of(&[huge, huge]).unwrap().unit();
        assert!(unit.iter().all(|x| (x - 0.5_f32.sqrt()).abs() < 1e-6));
    }

    #[test]
    fn lanes_and_what_is_left_of_them_are_summed() {
        for length in [1, 7, 8, 9, 16, 23] {
            let a: Vec<f32> = (1..=length).map(|n| n as f32).collect();
            let b: Vec<f32> = (1..=length).map(|n| (n % 5) as f32 - 2.0).collect();
            let (mut dot, mut aa, mut bb) = (0.0, 0.0, 0.0);
            for (a, b) in a.iter().zip(&b) {
                dot += f64::from(a * b);
                aa += f64::from(a * a);
                bb += f64::from(b * b);
            }
            let expected = (dot / (aa.sqrt() * bb.sqrt())) as f32;
            let found = Direction::of(&a).unwrap().cosine(&b).unwrap();
            assert!((found - expected).abs() < 1e-6, "{length}");
        }
    }

    #[test]
    fn of_several_the_nearest_counts() {
        let right = Direction::of(&[1.0, 0.0]).unwrap();
        let others: [&[f32]; 4] = [&[0.0, 1.0], &[1.0, 0.0, 0.0], &[3.0, 0.0], &[0.0, 0.0]];
        assert_eq!(right.nearest(others), Some(1.0));
        assert_eq!(right.nearest([&[0.0_f32; 2][..]]), None);
    }
}
