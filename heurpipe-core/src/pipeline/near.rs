//! Pictures that look nearly alike, and what enrichers found in one of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::order::invalid;
use super::stage::EnricherStage;
use crate::{
    By, Digest, EnricherSpec, Fingerprint, Granularity, Input, InputDigest, Likeness, PictureHash,
    Record, Result, Target, Value,
};

/// Lets enrichers take over what they found in an earlier picture that looks nearly the same: another size, another quality, a little brighter.
///
/// What a picture looks like is said by an enricher, as a text attribute of each picture that reads as a [`PictureHash`]. Before another enricher
/// of whole pictures runs, and where exactly this picture was not analysed before, the nearest picture is looked for in which the same enricher, with
/// the same fingerprint and seeing the same beside the picture, found something itself. What it found is entered as if it had run, at no cost; the
/// line of the ledger names the other picture ([`LedgerEntry::origin`](crate::LedgerEntry::origin)).
///
/// - Only pictures that were really analysed are looked for, so that likeness does not drift from copy to copy.
/// - Only enrichers that look at the pixels of whole pictures take part: what reads files or posts may see a difference where none is visible, and
///   parts of pictures have no hash. Shadows are there to be compared, so they run. Enrichers that are forced run.
/// - What people decided about the other picture stays with that picture.
/// - Where there is no hash, a person gave it, or nothing is near enough, all is as without.
/// - Two pictures that come in the same batch of posts are both analysed, and so are those of two batches that are under way at once.
/// - A picture that was analysed while this was not allowed is not found until it is analysed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearDuplicates {
    distance: u32,
    attribute: String,
    except: BTreeSet<String>,
}

impl NearDuplicates {
    /// The attribute that says what a picture looks like, unless told otherwise.
    pub const ATTRIBUTE: &'static str = "picture_hash";

    /// The greatest distance that may be asked for, in bits. Further away lie mostly pictures of other things.
    pub const FURTHEST: u32 = 11;

    /// Of pictures whose hashes differ in at most so many bits.
    pub fn within(distance: u32) -> Self {
        Self {
            distance,
            attribute: Self::ATTRIBUTE.to_owned(),
            except: BTreeSet::new(),
        }
    }

    /// What a picture looks like is said by this attribute.
    pub fn by(mut self, attribute: &str) -> Self {
        attribute.clone_into(&mut self.attribute);
        self
    }

    /// These enrichers, by name, look at every picture themselves.
    pub fn except<T: Into<String>>(mut self, enrichers: impl IntoIterator<Item = T>) -> Self {
        self.except.extend(enrichers.into_iter().map(Into::into));
        self
    }

    /// The greatest distance, in bits.
    pub(crate) fn distance(&self) -> u32 {
        self.distance
    }

    /// The attribute that says what a picture looks like.
    pub(crate) fn attribute(&self) -> &str {
        &self.attribute
    }

    /// Whether an enricher may take over what it found in another picture.
    pub(crate) fn concerns(&self, spec: &EnricherSpec) -> bool {
        spec.granularity == Granularity::Media
            && matches!(spec.input, Input::Pixels(_))
            && !spec.shadow
            && !spec.gives.contains(&self.attribute)
            && !self.except.contains(&spec.name)
    }

    /// What the target's picture looks like, and who says so.
    pub(crate) fn appearance<'a>(
        &self,
        record: &'a Record,
        target: &Target,
    ) -> Option<(PictureHash, &'a Fingerprint)> {
        record.annotations.iter().find_map(|annotation| {
            let By::Producer(producer) = &annotation.by else {
                return None;
            };
            let says = annotation.attribute == self.attribute
                && annotation.target == *target
                && annotation.stands();
            match &annotation.value {
                Value::Text(text) if says => Some((text.parse().ok()?, &producer.fingerprint)),
                _ => None,
            }
        })
    }

    /// Sees before a run what would make it do nothing; `kept` is whether anything keeps what was found.
    pub(crate) fn check(&self, enrichers: &[Arc<EnricherStage>], kept: bool) -> Result<()> {
        if self.distance > Self::FURTHEST {
            return Err(invalid("pictures so different are no near-duplicates")
                .with("distance", self.distance)
                .with("most", Self::FURTHEST));
        }
        if !kept {
            return Err(invalid(
                "near-duplicates take over what was found before, which nothing keeps",
            )
            .with("missing", "analyses"));
        }
        let mut specs = enrichers.iter().map(|stage| stage.spec());
        let says = |spec: &EnricherSpec| {
            spec.gives.contains(&self.attribute)
                && spec.granularity == Granularity::Media
                && !spec.shadow
        };
        if !specs.any(says) {
            return Err(invalid(
                "near-duplicates need an attribute of pictures that no enricher gives",
            )
            .with("missing", &self.attribute));
        }
        for name in &self.except {
            if !enrichers.iter().any(|stage| stage.spec().name == *name) {
                return Err(invalid(
                    "an enricher that is to look at near-duplicates itself is not in the pipeline",
                )
                .with("missing", name));
            }
        }
        Ok(())
    }
}

impl std::fmt::Display for NearDuplicates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} within {} bits", self.attribute, self.distance)
    }
}

/// What a job's picture looks like, and what else the enricher sees.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Appearance {
    hash: PictureHash,
    beside: Digest,
}

impl Appearance {
    /// Of a hash, who says so, and what the enricher sees beside the picture.
    pub(crate) fn new(hash: PictureHash, by: &Fingerprint, beside: InputDigest) -> Self {
        Self {
            hash,
            beside: Digest::of_parts([by.as_str().as_bytes(), beside.as_bytes()]),
        }
    }

    /// The likeness to an enricher with this fingerprint.
    pub(crate) fn to(self, enricher: &Fingerprint) -> Likeness {
        let parts = [enricher.as_str().as_bytes(), self.beside.as_bytes()];
        Likeness {
            group: Digest::of_parts(parts),
            hash: self.hash,
        }
    }
}
