//! What a picture looks like, in 64 bits.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::{Error, ErrorKind};

/// What a picture looks like, in 64 bits of which few differ between pictures that look alike. Written as 16 hexadecimal digits.
///
/// ```
/// use heurpipe_core::PictureHash;
///
/// let hash: PictureHash = "00000000000000ff".parse()?;
/// assert_eq!(hash, PictureHash(255));
/// assert_eq!(hash.distance(PictureHash(254)), 1);
/// assert_eq!(hash.to_string(), "00000000000000ff");
/// # Ok::<(), heurpipe_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PictureHash(pub u64);

impl PictureHash {
    /// How many bits differ: 0 to 64.
    pub fn distance(self, other: Self) -> u32 {
        (self.0 ^ other.0).count_ones()
    }
}

impl fmt::Display for PictureHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for PictureHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for PictureHash {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut bytes = [0; 8];
        hex::decode_to_slice(text, &mut bytes).map_err(|error| {
            Error::new(ErrorKind::InvalidInput, "picture_hash.parse")
                .message("a picture's hash is 16 hexadecimal digits")
                .with("text", text)
                .cause(error)
        })?;
        Ok(Self(u64::from_be_bytes(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_hash_is_refused() {
        for text in ["", "ff", "00000000000000fg", "00000000000000ff0"] {
            assert!(text.parse::<PictureHash>().is_err(), "{text}");
        }
    }
}
