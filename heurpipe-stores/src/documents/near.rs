//! Finding hashes that differ in few bits, without looking at all of them.
//!
//! Multi-index hashing (Norouzi, Punjani and Fleet, "Fast Search in Hamming Space with Multi-Index Hashing", 2012): a hash is kept under each of its four
//! bands of 16 bits. Of two hashes that differ in `d` bits, some band differs in at most `d / 4`, so whoever looks under all values so near to the
//! bands of theirs (one value a band up to a distance of 3, then 17, then 137) misses none. Most of what is found there is further away after all.

use heurpipe_core::{Digest, Likeness};

/// The bands of a hash.
pub(super) const BANDS: usize = 4;
const BITS: usize = 16;

/// Where a likeness is kept, band by band: made of the group and the band's bits. Two groups may share a place.
pub(super) fn places(likeness: &Likeness) -> [i64; BANDS] {
    let mut head = [0; 8];
    head.copy_from_slice(&likeness.group.as_bytes()[..8]);
    let group = i64::from_le_bytes(head);
    std::array::from_fn(|band| group ^ i64::from(bits(likeness.hash.0, band)))
}

fn bits(hash: u64, band: usize) -> u16 {
    // The lowest 16 bits are what is wanted.
    (hash >> (band * BITS)) as u16
}

/// Looks for what is near.
pub(super) struct Search {
    within: u32,
    /// In what a band may differ.
    differences: Vec<i64>,
}

impl Search {
    /// For hashes that differ in at most so many bits.
    pub(super) fn within(within: u32) -> Self {
        let most = within / BANDS as u32;
        let near = (0..=u16::MAX).filter(|difference| difference.count_ones() <= most);
        Self {
            within,
            differences: near.map(i64::from).collect(),
        }
    }

    /// The places at which what is near may be kept, each with its band.
    pub(super) fn places(&self, likeness: &Likeness) -> impl Iterator<Item = (usize, i64)> {
        let bands = places(likeness).into_iter().enumerate();
        bands.flat_map(|(band, place)| {
            let near = self.differences.iter();
            near.map(move |difference| (band, place ^ difference))
        })
    }

    /// The distance, where it is one that is asked for.
    pub(super) fn distance(&self, wanted: &Likeness, found: &Likeness) -> Option<u32> {
        let distance = wanted.hash.distance(found.hash);
        (wanted.group == found.group && distance <= self.within).then_some(distance)
    }
}

/// The nearest of what was found so far; of several equally near, the picture with the least digest.
#[derive(Debug)]
pub(super) struct Nearest<K>(Option<(u32, Digest, K)>);

impl<K> Nearest<K> {
    pub(super) fn none() -> Self {
        Self(None)
    }

    pub(super) fn add(&mut self, distance: u32, picture: Digest, key: K) {
        let nearer = match &self.0 {
            Some((least, least_picture, _)) => (distance, picture) < (*least, *least_picture),
            None => true,
        };
        if nearer {
            self.0 = Some((distance, picture, key));
        }
    }

    /// The picture, and the key of what was found in it.
    pub(super) fn into_inner(self) -> Option<(Digest, K)> {
        self.0.map(|(_, picture, key)| (picture, key))
    }
}

#[cfg(test)]
mod tests {
    use heurpipe_core::PictureHash;

    use super::*;

    fn likeness(hash: u64) -> Likeness {
        Likeness {
            group: Digest::of(b"group"),
            hash: PictureHash(hash),
        }
    }

    /// However the bits that differ lie, and however many they are.
    #[test]
    fn what_is_near_is_kept_where_it_is_looked_for() {
        let hash = 0x0123_4567_89ab_cdef_u64;
        let mut mix = 1_u64;
        for distance in 0..=11_u32 {
            let search = Search::within(distance);
            for _ in 0..200 {
                let mut other = hash;
                while (other ^ hash).count_ones() < distance {
                    mix = mix.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                    other ^= 1 << (mix >> 58);
                }
                let kept: Vec<_> = places(&likeness(other)).into_iter().enumerate().collect();
                let found = search
                    .places(&likeness(hash))
                    .any(|place| kept.contains(&place));
                assert!(found, "{other:x} at {distance}");
            }
        }
    }

    #[test]
    fn few_places_are_looked_at() {
        let looked_at = |within| Search::within(within).places(&likeness(7)).count();
        assert_eq!([3, 4, 8].map(looked_at), [4, 4 * 17, 4 * 137]);
    }
}
