//! The names of the gazetteer, and which places of which countries they may mean.

use std::collections::HashMap;
use std::sync::LazyLock;

use heurpipe_core::CountryBy;

/// A name a line, sorted by its bytes, then a tab and its claims: `=cGB cCA` for London.
static NAMES: &str = include_str!("../../data/gazetteer/names.tsv");

/// The claims by name. It points into the text, takes 4.3 MB beside it and is built at the first look-up.
static CLAIMS: LazyLock<HashMap<&str, Claims>> = LazyLock::new(|| {
    let mut claims = HashMap::with_capacity(NAMES.lines().count());
    claims.extend(rows().map(|(name, words)| (name, Claims(words))));
    claims
});

fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    NAMES.lines().filter_map(|line| line.split_once('\t'))
}

/// A country that a name may mean, and as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    /// ISO 3166-1 alpha-2.
    pub(super) country: &'static str,
    /// Whether the name is that of the country, of a region of it or of a city of it.
    pub(super) by: CountryBy,
}

/// All that a name may mean, one claim a country.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claims(&'static str);

impl Claims {
    /// The claim that outweighs the others so far that the name says it by itself.
    pub(super) fn decided(self) -> Option<Claim> {
        claim(self.0.split(' ').next()?.strip_prefix('=')?)
    }

    pub(super) fn all(self) -> impl Iterator<Item = Claim> {
        self.0
            .split(' ')
            .filter_map(|word| claim(word.strip_prefix('=').unwrap_or(word)))
    }
}

fn claim(word: &'static str) -> Option<Claim> {
    let (kind, country) = word.split_at_checked(1)?;
    let by = match kind {
        "n" => CountryBy::Name,
        "r" => CountryBy::Region,
        "c" => CountryBy::City,
        _ => return None,
    };
    Some(Claim { country, by })
}

/// What a name means, in the form of [`heurpipe_core::text::keyword`]; none if the gazetteer lacks it.
pub(super) fn find(name: &str) -> Option<Claims> {
    CLAIMS.get(name).copied()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use heurpipe_core::text::keyword;

    use super::*;

    #[test]
    fn each_name_is_in_its_folded_form_and_found() {
        for (name, claims) in rows() {
            assert_eq!(keyword(name), name);
            assert_eq!(find(name).unwrap().0, claims, "{name}");
        }
    }

    #[test]
    fn the_names_are_sorted_and_each_stands_once() {
        assert!(rows().map(|(name, _)| name).is_sorted_by(|a, b| a < b));
        assert_eq!(rows().count(), NAMES.lines().count());
    }

    #[test]
    fn every_claim_reads() {
        for (name, words) in rows() {
            let claims: Vec<Claim> = Claims(words).all().collect();
            assert_eq!(claims.len(), words.split(' ').count(), "{name}");
            assert!(claims.iter().all(|c| c.country.len() == 2), "{name}");
            let decided = words.starts_with('=').then(|| claims[0]);
            assert_eq!(Claims(words).decided(), decided, "{name}");
        }
    }

    #[test]
    fn what_is_no_name_is_not_found() {
        for name in [
            "",
            "\n",
            "\t",
            "paris\t",
            "zzzzz",
            "\u{10ffff}",
            "!",
            "paris ",
        ] {
            assert!(find(name).is_none(), "{name:?}");
        }
    }
}
