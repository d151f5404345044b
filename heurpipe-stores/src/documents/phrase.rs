//! Phrases where a store can look for one text within another.

/// Terms as they are stored: ` one two `. Terms hold no space, so that those of a record and those of a phrase, joined by spaces and with one at each
/// end, can be compared as texts.
pub(super) fn spaced(terms: &[String]) -> String {
    let mut text = String::with_capacity(terms.iter().map(|t| t.len() + 1).sum::<usize>() + 1);
    text.push(' ');
    for term in terms {
        text.push_str(term);
        text.push(' ');
    }
    text
}

/// Whether a record can hold these terms one after another.
pub(super) fn is_possible(terms: &[String]) -> bool {
    !terms.is_empty() && terms.iter().all(|t| !t.is_empty() && !t.contains(' '))
}
