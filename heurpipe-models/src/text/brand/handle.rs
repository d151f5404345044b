//! Accounts of a brand other than its main one.

use heurpipe_core::text::is_han;

use super::lexicon::{Lexicon, Sort};

/// What brands add to their names for accounts of shops and countries. Two letters are a country.
const PARTS: &[&str] = &[
    "official",
    "officiel",
    "originals",
    "store",
    "stores",
    "shop",
    "global",
    "world",
    "worldwide",
    "brand",
    "studio",
    "man",
    "men",
    "mens",
    "woman",
    "women",
    "home",
    "kids",
    "beauty",
    "sportswear",
    "running",
    "football",
    "basketball",
    "vintage",
    "jeans",
    "china",
    "japan",
    "korea",
    "italia",
    "france",
    "espana",
    "deutschland",
    "brasil",
    "usa",
];

/// What Chinese accounts add.
const HAN_PARTS: &[&str] = &[
    "官方微博",
    "官方旗舰店",
    "官方",
    "官微",
    "旗舰店",
    "中国",
    "微博",
    "女装",
    "男装",
    "童装",
    "运动",
];

/// A shorter name is too often the end of another word when something is cut off without a sign between.
const SHORTEST_CUT: usize = 4;

/// The brand of a handle in keyword form which is the brand's with something added.
pub(super) fn brand_of_variant(lexicon: &Lexicon, handle: &str) -> Option<usize> {
    let base = base(handle);
    if let Some(brand) = brand_of(lexicon, &base) {
        return Some(brand);
    }
    let cut = PARTS.iter().filter_map(|part| base.strip_suffix(part));
    cut.filter(|name| name.len() >= SHORTEST_CUT)
        .find_map(|name| brand_of(lexicon, name))
}

fn brand_of(lexicon: &Lexicon, handle: &str) -> Option<usize> {
    let spelled = || {
        let spelling = lexicon.tags.get(handle)?;
        matches!(spelling.sort, Sort::Plain | Sort::Mostly).then_some(spelling.brand)
    };
    lexicon.handles.get(handle).copied().or_else(spelled)
}

/// A handle without the parts that brands add.
fn base(handle: &str) -> String {
    let latin = handle.find(is_han).map_or(handle, |begin| {
        let (latin, han) = handle.split_at(begin);
        if HAN_PARTS.contains(&han) {
            latin
        } else {
            handle
        }
    });
    let mut parts: Vec<&str> = latin
        .split(['_', '.', '-'])
        .filter(|p| !p.is_empty())
        .collect();
    while let Some(last) = parts.last() {
        let country =
            parts.len() > 1 && last.len() == 2 && last.bytes().all(|b| b.is_ascii_lowercase());
        if !country && !PARTS.contains(last) {
            break;
        }
        parts.pop();
    }
    parts.concat()
}
