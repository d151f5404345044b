//! What somebody probably meant.

/// The name closest to `wrong`, if one is close enough to be what was meant.
pub fn closest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(wrong, name), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// Serde's sentence about an unknown field or variant, with a suggestion.
///
/// Serde lists what it expected in backquotes after the offender.
pub(super) fn with_suggestion(sentence: &str) -> String {
    let quoted: Vec<&str> = sentence.split('`').skip(1).step_by(2).collect();
    let unknown = sentence.contains("unknown field") || sentence.contains("unknown variant");
    match quoted.split_first() {
        Some((wrong, expected)) if unknown => match closest(wrong, expected.iter().copied()) {
            Some(right) => format!("{sentence}; did you mean `{right}`?"),
            None => sentence.to_owned(),
        },
        _ => sentence.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_closest_field() {
        let sentence = "unknown field `documets`, expected one of `documents`, `search`";
        assert!(with_suggestion(sentence).ends_with("did you mean `documents`?"));
    }

    #[test]
    fn suggests_nothing_for_what_is_like_nothing() {
        assert_eq!(closest("zzz", ["documents", "search"]), None);
    }
}
