//! How the country is read off the words of a place.

use heurpipe_core::CountryBy;
use heurpipe_core::text::{is_han, keyword};

use super::names::{self, Claim, Claims};

/// What stands between the parts of a name, in its folded form; a hyphen with spaces about it does too.
const BETWEEN_PARTS: [char; 13] = [
    ',', ';', '|', '/', '(', ')', '–', '—', '·', '・', '•', '、', '_',
];
const HYPHEN_BETWEEN_PARTS: &str = " - ";

/// ISO 3166-1 lists these beside China, whose name stands with theirs: `中国 香港`, `Taipei, Taiwan, China`.
const LISTED_BESIDE_CHINA: [&str; 3] = ["HK", "MO", "TW"];

/// Of countries and of states.
const CODE_LENGTH: usize = 2;

/// Full names of provinces end so: `北京市朝阳区` says that it lies in one.
const ENDS_OF_PROVINCES: [&str; 4] = ["省", "市", "自治区", "特别行政区"];

/// Names of districts, counties and quarters end so. They need not be known to stand beside a city.
const ENDS_OF_DIVISIONS: [char; 16] = [
    '区', '區', '县', '縣', '市', '镇', '鎮', '乡', '鄉', '旗', '州', '町', '구', '동', '시', '군',
];

/// The country that a name says, and by what.
pub(super) fn country(name: &str) -> Option<Claim> {
    let name = keyword(name).replace('’', "'");
    if let Some(claims) = names::find(&name) {
        return claims.decided();
    }
    let parts = parts(&name);
    if name.chars().any(is_east_asian) {
        of_east_asian_parts(&parts)
    } else {
        of_western_parts(&parts)
    }
}

fn parts(name: &str) -> Vec<&str> {
    name.split(BETWEEN_PARTS)
        .flat_map(|part| part.split(HYPHEN_BETWEEN_PARTS))
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

fn is_east_asian(c: char) -> bool {
    is_han(c) || matches!(c, '\u{ac00}'..='\u{d7a3}')
}

/// Western names go from the small to the large, so the last part has to say the country: `Paris, Texas` is not in France, nor
/// is `Paris, my love`. What the last part leaves open the others may settle: `Atlanta, Georgia`, `Portland, OR`.
fn of_western_parts(parts: &[&str]) -> Option<Claim> {
    let (last, before) = parts.split_last()?;
    if before.is_empty() {
        return of_words(last);
    }
    let last = without_postcode(last);
    let Some(claims) = names::find(&last) else {
        return of_words(&last);
    };
    let claim = claims
        .decided()
        .or_else(|| before.iter().rev().find_map(|part| settled(claims, part)))?;
    if claim.by == CountryBy::City && is_contradicted(claim, before) {
        return None;
    }
    Some(listed_beside_china(claim, before).unwrap_or(claim))
}

/// `London / Paris`.
fn is_contradicted(claim: Claim, before: &[&str]) -> bool {
    before
        .iter()
        .filter_map(|part| names::find(part)?.decided())
        .any(|other| other.country != claim.country)
}

/// `NY 11201`, `75001 Paris`.
fn without_postcode(part: &str) -> String {
    let has_digit = |word: &&str| word.contains(|c: char| c.is_ascii_digit());
    let words: Vec<&str> = part
        .split_whitespace()
        .filter(|word| !has_digit(word))
        .collect();
    words.join(" ")
}

/// The one claim that `beside` may mean as well, unless that is a code itself: any two of them share something.
fn settled(claims: Claims, beside: &str) -> Option<Claim> {
    if beside.len() <= CODE_LENGTH {
        return None;
    }
    let beside = names::find(beside)?;
    let mut shared = claims
        .all()
        .filter(|claim| beside.all().any(|other| other.country == claim.country));
    let first = shared.next()?;
    shared.next().is_none().then_some(first)
}

/// `Hong Kong, China`.
fn listed_beside_china(claim: Claim, before: &[&str]) -> Option<Claim> {
    if !is_china(&claim) {
        return None;
    }
    before
        .iter()
        .rev()
        .filter_map(|part| names::find(part)?.decided())
        .find(is_listed_beside_china)
}

/// `Paris France`: a country or region, after a place that lies in it.
fn of_words(words: &str) -> Option<Claim> {
    words.match_indices(' ').find_map(|(space, _)| {
        let (inner, outer) = (&words[..space], &words[space + 1..]);
        let claim = settled(names::find(outer)?, inner)?;
        (claim.by != CountryBy::City).then_some(claim)
    })
}

/// East Asian names go from the large to the small and part at spaces. Whatever says a country has to say the same.
fn of_east_asian_parts(parts: &[&str]) -> Option<Claim> {
    let words: Vec<&str> = parts.iter().flat_map(|part| words(part)).collect();
    let said: Vec<Claim> = words.iter().filter_map(|word| of_word(word)).collect();
    let strongest = said.iter().min_by_key(|claim| rank(claim.by))?;
    let beside_china = said.iter().find(|claim| is_listed_beside_china(claim));
    let claim = *beside_china.unwrap_or(strongest);
    let agree = said.iter().all(|other| {
        other.country == claim.country || is_listed_beside_china(&claim) && is_china(other)
    });
    // `东京 拉面` is a dish.
    let is_whole = claim.by != CountryBy::City || words.iter().all(|word| is_placelike(word));
    (agree && is_whole).then_some(claim)
}

/// The part itself if it is a name, else its words: Latin names keep their spaces.
fn words(part: &str) -> Vec<&str> {
    if names::find(part).is_some() || !part.contains(is_east_asian) {
        return vec![part];
    }
    part.split_whitespace().collect()
}

fn of_word(word: &str) -> Option<Claim> {
    match names::find(word) {
        Some(claims) => claims.decided(),
        None => of_leading_province(word),
    }
}

/// `北京市朝阳区`, `广东省深圳市`: a full name of a province, then more.
fn of_leading_province(word: &str) -> Option<Claim> {
    ENDS_OF_PROVINCES.iter().find_map(|end| {
        let at = word.find(end)?;
        let claim = names::find(&word[..at + end.len()])?.decided()?;
        (claim.by != CountryBy::City).then_some(claim)
    })
}

/// From what says most.
fn rank(by: CountryBy) -> usize {
    match by {
        CountryBy::Name => 0,
        CountryBy::Region => 1,
        _ => 2,
    }
}

/// Whether it is the name of China itself.
fn is_china(claim: &Claim) -> bool {
    claim.country == "CN" && claim.by == CountryBy::Name
}

fn is_listed_beside_china(claim: &Claim) -> bool {
    LISTED_BESIDE_CHINA.contains(&claim.country)
}

fn is_placelike(word: &str) -> bool {
    names::find(word).is_some() || word.ends_with(ENDS_OF_DIVISIONS)
}
