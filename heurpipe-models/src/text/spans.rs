//! The parts of a caption: prose, hashtags, mentions, links.

/// What a part of a caption is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Prose,
    /// Without its `#`.
    Hashtag,
    /// Without its `@`.
    Mention,
    Link,
}

/// A part of a caption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
}

/// Divides a caption. With `paired`, a hashtag ends at a second `#`, as Weibo writes it.
pub(super) fn spans(caption: &str, paired: bool) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    let mut prose = 0;
    let mut at = 0;
    while let Some(c) = caption[at..].chars().next() {
        let inside_word = caption[..at]
            .chars()
            .next_back()
            .is_some_and(char::is_alphanumeric);
        match special(&caption[at..], inside_word, paired) {
            Some((span, length)) => {
                push_prose(&mut spans, &caption[prose..at]);
                spans.push(span);
                at += length;
                prose = at;
            }
            None => at += c.len_utf8(),
        }
    }
    push_prose(&mut spans, &caption[prose..]);
    spans
}

fn push_prose<'a>(spans: &mut Vec<Span<'a>>, text: &'a str) {
    if !text.is_empty() {
        spans.push(Span {
            kind: Kind::Prose,
            text,
        });
    }
}

/// What begins here other than prose, and how many bytes it takes.
fn special(rest: &str, inside_word: bool, paired: bool) -> Option<(Span<'_>, usize)> {
    match rest.chars().next()? {
        '#' | '＃' => hashtag(rest, paired),
        '@' if !inside_word => {
            let text = run(&rest[1..], |c| c.is_alphanumeric() || "_.-".contains(c));
            let text = text.trim_end_matches(['.', '-']);
            (!text.is_empty()).then_some((
                Span {
                    kind: Kind::Mention,
                    text,
                },
                1 + text.len(),
            ))
        }
        '@' => {
            // The domain of an e-mail address.
            let text = run(rest, |c| c.is_ascii_graphic());
            let kind = Kind::Link;
            Some((Span { kind, text }, text.len()))
        }
        'h' | 'w' | 'H' | 'W' => {
            let links = ["http://", "https://", "www."];
            let begins = |link: &&&str| {
                rest.get(..link.len())
                    .is_some_and(|r| r.eq_ignore_ascii_case(link))
            };
            links.iter().find(begins)?;
            let text = run(rest, |c| c.is_ascii_graphic());
            Some((
                Span {
                    kind: Kind::Link,
                    text,
                },
                text.len(),
            ))
        }
        _ => None,
    }
}

fn hashtag(rest: &str, paired: bool) -> Option<(Span<'_>, usize)> {
    let sign = rest.chars().next()?.len_utf8();
    let after = &rest[sign..];
    if paired
        && let Some(end) = after
            .find(['#', '\n'])
            .filter(|end| after[*end..].starts_with('#'))
    {
        let text = after[..end].trim();
        if !text.is_empty() {
            return Some((
                Span {
                    kind: Kind::Hashtag,
                    text,
                },
                sign + end + 1,
            ));
        }
    }
    let text = run(after, |c| c.is_alphanumeric() || c == '_');
    (!text.is_empty()).then_some((
        Span {
            kind: Kind::Hashtag,
            text,
        },
        sign + text.len(),
    ))
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(caption: &str, paired: bool) -> Vec<(Kind, &str)> {
        spans(caption, paired)
            .into_iter()
            .map(|s| (s.kind, s.text))
            .collect()
    }

    #[test]
    fn parts_are_told_apart() {
        use Kind::{Hashtag, Link, Mention, Prose};
        assert_eq!(
            parts(
                "Hi @zara_official. #ootd#look https://a.b/c?d me@x.org # 1",
                false
            ),
            [
                (Prose, "Hi "),
                (Mention, "zara_official"),
                (Prose, ". "),
                (Hashtag, "ootd"),
                (Hashtag, "look"),
                (Prose, " "),
                (Link, "https://a.b/c?d"),
                (Prose, " me"),
                (Link, "@x.org"),
                (Prose, " # 1"),
            ]
        );
        assert_eq!(
            parts("#每日 穿搭#今天http://t.cn/x好看", true),
            [
                (Hashtag, "每日 穿搭"),
                (Prose, "今天"),
                (Link, "http://t.cn/x"),
                (Prose, "好看")
            ]
        );
        assert_eq!(parts("#a b", true), [(Hashtag, "a"), (Prose, " b")]);
        assert!(parts("", true).is_empty());
    }
}
