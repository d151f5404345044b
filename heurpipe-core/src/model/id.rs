//! Names of things: platforms, posts, authors, digests, fingerprints.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use xxhash_rust::xxh3::xxh3_128;

use crate::{Error, ErrorKind, Result};

/// A network that posts come from, by its lower-case name: `instagram`, `weibo`, `folder`.
#[derive(Clone)]
pub struct Platform(Name);

/// Names that every process knows are not counted: all posts carry one, and cores would fight over its counter.
#[derive(Clone)]
enum Name {
    Known(&'static str),
    Other(Arc<str>),
}

const KNOWN_PLATFORMS: [&str; 4] = ["instagram", "weibo", "folder", "test"];

impl Platform {
    /// A platform by name; letters are lowered.
    pub fn new(name: &str) -> Self {
        let name = name.to_lowercase();
        match KNOWN_PLATFORMS.into_iter().find(|known| *known == name) {
            Some(known) => Self(Name::Known(known)),
            None => Self(Name::Other(name.into())),
        }
    }

    /// Instagram.
    pub fn instagram() -> Self {
        Self(Name::Known("instagram"))
    }

    /// Weibo.
    pub fn weibo() -> Self {
        Self(Name::Known("weibo"))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Name::Known(name) => name,
            Name::Other(name) => name,
        }
    }
}

impl PartialEq for Platform {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Platform {}

impl Hash for Platform {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialOrd for Platform {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Platform {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Platform({:?})", self.as_str())
    }
}

impl Serialize for Platform {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Platform {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Self::new(&name))
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A post's identity: the platform and the network's own number for it.
///
/// The native id is the network's own number wherever it can be derived (for Instagram the `pk`, also from a
/// shortcode), else an id in a space of its own such as `graph:17880997618081620`. Written `platform:native`.
///
/// ```
/// use heurpipe_core::PostId;
/// let id: PostId = "weibo:4383183661430868".parse()?;
/// assert_eq!(id.platform.as_str(), "weibo");
/// assert_eq!(id.to_string(), "weibo:4383183661430868");
/// # Ok::<(), heurpipe_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PostId {
    /// The network.
    pub platform: Platform,
    /// The network's own id of the post.
    pub native: Arc<str>,
}

impl PostId {
    /// The post `native` on `platform`.
    pub fn new(platform: Platform, native: impl Into<Arc<str>>) -> Self {
        Self {
            platform,
            native: native.into(),
        }
    }
}

impl fmt::Display for PostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.platform, self.native)
    }
}

impl FromStr for PostId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once(':') {
            Some((platform, native)) if !platform.is_empty() && !native.is_empty() => {
                Ok(Self::new(Platform::new(platform), native))
            }
            _ => Err(Error::new(ErrorKind::InvalidInput, "post_id.parse")
                .message("a post id is written platform:id")
                .with("text", text)),
        }
    }
}

impl Serialize for PostId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PostId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The SHA-256 of some bytes; written as 64 hexadecimal digits. Blobs lie under it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of several parts, each preceded by its length, so that no two lists of parts collide.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// The digest whose raw bytes these are.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The raw 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first eight bytes as a number in `0..1`: a sample that needs no random generator.
    pub fn unit_interval(&self) -> f64 {
        let mut head = [0; 8];
        head.copy_from_slice(&self.0[..8]);
        // 53 bits fill the mantissa of a double exactly.
        (u64::from_be_bytes(head) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|error| {
            Error::new(ErrorKind::InvalidInput, "digest.parse")
                .message("a digest is 64 hexadecimal digits")
                .with("text", text)
                .cause(error)
        })?;
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The digest of all that an enricher can see of a target; written as 32 hexadecimal digits. Equal input, equal digest.
///
/// XXH3 with 128 bits: it is compared with the earlier digest of the same post and target only, so it need not withstand an attacker, and a
/// long text costs little. Whatever is shared between posts is keyed by a [`Digest`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InputDigest([u8; 16]);

impl InputDigest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_hash(xxh3_128(bytes))
    }

    /// The digest that a hasher of that kind arrived at.
    pub(crate) fn from_hash(hash: u128) -> Self {
        Self(hash.to_be_bytes())
    }

    /// The raw 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for InputDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for InputDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InputDigest({self})")
    }
}

impl Serialize for InputDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for InputDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        // Earlier ledgers have SHA-256 here. Half of it does: it equals no input's digest of today, and the work is done again.
        let digits = match text.as_bytes() {
            earlier if earlier.len() == 64 => &earlier[..32],
            digits => digits,
        };
        let mut bytes = [0; 16];
        match hex::decode_to_slice(digits, &mut bytes) {
            Ok(()) => Ok(Self(bytes)),
            Err(_) => Err(serde::de::Error::invalid_value(
                serde::de::Unexpected::Str(&text),
                &"an input digest of 32 hexadecimal digits",
            )),
        }
    }
}

/// What an enricher's result depends on besides its input: name, version, model, parameters; hashed.
///
/// Two enrichers with one fingerprint give the same results, so the ledger need not run the second. Written as 16
/// hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(Arc<str>);

impl Fingerprint {
    /// The fingerprint of these parts (name, version, digest of the model, parameters …), in this order.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let digest = Digest::of_parts(parts.into_iter().map(str::as_bytes));
        Self(hex::encode(&digest.as_bytes()[..8]).into())
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same fingerprint with a counter of its own: cores that work on different batches would fight over one.
    pub(crate) fn apart(&self) -> Self {
        Self(Arc::from(&*self.0))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
