//! Names of colours in their own colours.

/// sRGB of the common names of colours.
const NAMED: [(&str, &str); 38] = [
    ("beige", "#d9c3a0"),
    ("black", "#1c1b1a"),
    ("blue", "#2f6fd0"),
    ("brown", "#7a4a2b"),
    ("burgundy", "#6d1a33"),
    ("camel", "#c19a6b"),
    ("charcoal", "#3d4248"),
    ("coral", "#ff7f63"),
    ("cream", "#f4ead2"),
    ("cyan", "#27b7cf"),
    ("denim", "#4a6a94"),
    ("gold", "#c99a2e"),
    ("gray", "#8c8c8c"),
    ("green", "#2f8f4e"),
    ("grey", "#8c8c8c"),
    ("ivory", "#f6f1e1"),
    ("khaki", "#a39a6b"),
    ("lavender", "#b9a6e0"),
    ("lilac", "#c3a1d6"),
    ("magenta", "#c8328f"),
    ("maroon", "#75202b"),
    ("mint", "#98d9b9"),
    ("mustard", "#d0a02a"),
    ("navy", "#1f2d5a"),
    ("nude", "#dcb9a0"),
    ("olive", "#74752f"),
    ("orange", "#f0822e"),
    ("pink", "#f08fb4"),
    ("purple", "#7b3fa0"),
    ("red", "#d0312d"),
    ("rust", "#a8482a"),
    ("silver", "#b9bdc2"),
    ("tan", "#c8a57c"),
    ("teal", "#147e80"),
    ("turquoise", "#35c0b4"),
    ("violet", "#6f4bb0"),
    ("white", "#f7f6f3"),
    ("yellow", "#f0cc2e"),
];

/// Whether the values of a field are names of colours.
pub(super) fn is_colour_field(field: &str) -> bool {
    field.contains("colour") || field.contains("color")
}

/// The colour that a value of a field names, as `#rrggbb`.
pub(super) fn swatch(field: &str, value: &str) -> Option<&'static str> {
    if !is_colour_field(field) {
        return None;
    }
    NAMED
        .binary_search_by(|(name, _)| name.cmp(&value))
        .ok()
        .map(|index| NAMED[index].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found() {
        for (name, rgb) in NAMED {
            assert_eq!(swatch("colour", name), Some(rgb));
        }
        assert_eq!(swatch("brand", "red"), None);
        assert_eq!(swatch("colour", "mud"), None);
    }
}
