//! Times as stores keep them.

use jiff::Timestamp;

/// Nanoseconds since 1970. Times before 1677 and after 2262 count as the first and the last that fit: no post was published then,
/// but a source may claim it.
pub(crate) fn nanoseconds(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(if time < Timestamp::UNIX_EPOCH {
        i64::MIN
    } else {
        i64::MAX
    })
}

/// The first text after all that begin with `prefix`; none when there is no such text.
#[cfg(any(feature = "sqlite", feature = "tantivy", feature = "mongodb"))]
pub(crate) fn after_prefix(prefix: &str) -> Option<String> {
    let mut head: Vec<char> = prefix.chars().collect();
    while let Some(last) = head.pop() {
        let next = match last {
            // The code points in between are no characters.
            '\u{d7ff}' => Some('\u{e000}'),
            char::MAX => None,
            other => char::from_u32(other as u32 + 1),
        };
        if let Some(next) = next {
            head.push(next);
            return Some(head.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn far_times_are_clamped() {
        assert_eq!(nanoseconds(Timestamp::MAX), i64::MAX);
        assert_eq!(nanoseconds(Timestamp::MIN), i64::MIN);
        assert_eq!(nanoseconds(Timestamp::UNIX_EPOCH), 0);
    }

    #[test]
    #[cfg(any(feature = "sqlite", feature = "tantivy", feature = "mongodb"))]
    fn after_prefix_is_the_least_text_that_does_not_begin_with_it() {
        assert_eq!(after_prefix("ab").unwrap(), "ac");
        assert_eq!(after_prefix("a\u{d7ff}").unwrap(), "a\u{e000}");
        assert_eq!(after_prefix("a\u{10ffff}").unwrap(), "b");
        assert_eq!(after_prefix("\u{10ffff}"), None);
        assert_eq!(after_prefix(""), None);
    }
}
