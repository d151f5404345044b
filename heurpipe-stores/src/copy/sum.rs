//! What many entries say, in one number that does not depend on their order.

use std::fmt;

use heurpipe_core::{Digest, Error, ErrorKind, Result};
use serde::{Serialize, Serializer};

/// How many entries there are, and the sum of their digests.
///
/// Two collections of entries of which no two are alike have one sum where they hold the same, in whatever order they are read. It finds out what went wrong; it
/// does not withstand somebody who chooses entries to deceive it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// How many.
    pub entries: u64,
    /// The sum of their SHA-256, as four numbers of 64 bits that are added each for itself.
    #[serde(serialize_with = "in_hex")]
    digest: [u64; 4],
}

impl Sum {
    /// Adds an entry by its digest.
    pub fn add(&mut self, digest: &Digest) {
        self.entries += 1;
        for (sum, bytes) in self.digest.iter_mut().zip(digest.as_bytes().chunks(8)) {
            let number = bytes.iter().fold(0, |n, byte| (n << 8) | u64::from(*byte));
            *sum = sum.wrapping_add(number);
        }
    }

    /// Adds an entry by what it says.
    ///
    /// # Errors
    /// `InvalidInput` for a value that JSON cannot hold.
    pub(super) fn add_value(&mut self, value: &impl Serialize) -> Result<()> {
        let bytes = serde_json::to_vec(value)
            .map_err(|error| Error::new(ErrorKind::InvalidInput, "copy.compare").cause(error))?;
        self.add(&Digest::of(&bytes));
        Ok(())
    }

    /// The sum of the digests, in hexadecimal digits.
    pub fn digest(&self) -> String {
        self.digest.iter().map(|n| format!("{n:016x}")).collect()
    }
}

fn in_hex<S: Serializer>(digest: &[u64; 4], serializer: S) -> Result<S::Ok, S::Error> {
    let text: String = digest.iter().map(|n| format!("{n:016x}")).collect();
    serializer.serialize_str(&text)
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} entries, {}", self.entries, self.digest())
    }
}

impl fmt::Debug for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sum({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_tells_what_is_there_and_not_in_which_order() {
        let digests = [1_u8, 2, 3].map(|n| Digest::of(&[n]));
        let sum = |which: &[usize]| {
            let mut sum = Sum::default();
            which.iter().for_each(|n| sum.add(&digests[*n]));
            sum
        };
        assert_eq!(sum(&[0, 1, 2]), sum(&[2, 0, 1]));
        assert_ne!(sum(&[0, 1]), sum(&[0, 2]));
        assert_ne!(sum(&[0, 1]), sum(&[0, 1, 1]));
        assert_eq!(sum(&[]).digest(), "0".repeat(64));
    }
}
