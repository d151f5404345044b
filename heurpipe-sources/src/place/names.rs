//! The names of the gazetteer, and which places of which countries they may mean.

use heurpipe_core::CountryBy;

/// A name a line, sorted by its bytes, then a tab and its claims: `london	=rGB cCA`.
static NAMES: &str = include_str!("../../data/gazetteer/names.tsv");

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
    let mut rest = NAMES;
    while !rest.is_empty() {
        let (before, line, after) = middle(rest);
        let (found, claims) = line.split_once('\t')?;
        rest = match name.cmp(found) {
            std::cmp::Ordering::Less => before,
            std::cmp::Ordering::Greater => after,
            std::cmp::Ordering::Equal => return Some(Claims(claims)),
        };
    }
    None
}

/// The line about the middle of the text, what stands before it, and what after.
fn middle(text: &'static str) -> (&'static str, &'static str, &'static str) {
    let bytes = text.as_bytes();
    let half = bytes.len() / 2;
    let is_end = |byte: &u8| *byte == b'\n';
    let start = bytes[..half].iter().rposition(is_end).map_or(0, |i| i + 1);
    let end = bytes[half..]
        .iter()
        .position(is_end)
        .map_or(bytes.len(), |i| half + i);
    let after = text.get(end + 1..).unwrap_or_default();
    (&text[..start], &text[start..end], after)
}

#[cfg(test)]
mod tests {
    use heurpipe_core::text::keyword;

    use super::*;

    #[test]
    fn each_name_is_in_its_folded_form_and_found() {
        for line in NAMES.lines() {
            let (name, claims) = line.split_once('\t').unwrap();
            assert_eq!(keyword(name), name);
            assert_eq!(find(name).unwrap().0, claims, "{name}");
        }
    }

    #[test]
    fn the_names_are_sorted_and_each_stands_once() {
        let names: Vec<&str> = NAMES
            .lines()
            .map(|l| l.split_once('\t').unwrap().0)
            .collect();
        assert!(names.is_sorted_by(|a, b| a < b));
        assert!(NAMES.ends_with('\n'));
    }

    #[test]
    fn every_claim_reads() {
        for line in NAMES.lines() {
            let (name, words) = line.split_once('\t').unwrap();
            let claims: Vec<Claim> = Claims(words).all().collect();
            assert_eq!(claims.len(), words.split(' ').count(), "{name}");
            assert!(claims.iter().all(|c| c.country.len() == 2), "{name}");
            if words.contains('=') {
                assert_eq!(Claims(words).decided(), claims.first().copied(), "{name}");
            }
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
            "pari",
        ] {
            assert!(find(name).is_none(), "{name:?}");
        }
    }
}
