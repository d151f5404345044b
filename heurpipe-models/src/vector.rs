//! Vectors of length one, so that the cosine of two is their dot product.

use heurpipe_core::{Error, ErrorKind, Result};

/// The vector of length one in this direction.
///
/// # Errors
/// `Internal` where a number is none, or the vector has no length.
pub(crate) fn normalised(mut vector: Vec<f32>, model: &str) -> Result<Vec<f32>> {
    let length = dot(&vector, &vector).sqrt();
    if !length.is_finite() || length <= 0.0 {
        return Err(Error::new(ErrorKind::Internal, "model.run")
            .message("the model gave a vector without direction")
            .with("model", model)
            .with("length", length));
    }
    vector.iter_mut().for_each(|x| *x /= length);
    Ok(vector)
}

/// The dot product; of vectors of length one the cosine.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn length_becomes_one_and_nothing_stays_an_error() {
        assert_eq!(normalised(vec![3.0, 4.0], "m").unwrap(), [0.6, 0.8]);
        assert!(normalised(vec![0.0, 0.0], "m").is_err());
        assert!(normalised(vec![f32::NAN, 1.0], "m").is_err());
    }
}
