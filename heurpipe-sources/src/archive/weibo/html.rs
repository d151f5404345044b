//! Texts as the network's pages give them: HTML of a few elements.

use std::borrow::Cow;

use html_escape::decode_html_entities;

/// The text that a person reads: links by their words, emoticons by their names (`[心]`), line breaks kept. The link that unfolds
/// a cut text (`全文`) is no part of it.
pub(super) fn plain(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        add(&mut text, &rest[..start]);
        let Some(tag) = Tag::at(&rest[start..]) else {
            text.push('<');
            rest = &rest[start + 1..];
            continue;
        };
        rest = &rest[start + tag.length..];
        match tag.name.to_ascii_lowercase().as_str() {
            "br" => text.push('\n'),
            "img" => add(&mut text, tag.attribute("alt").unwrap_or_default()),
            "a" => rest = rest.strip_prefix("全文</a>").unwrap_or(rest),
            _ => {}
        }
    }
    add(&mut text, rest);
    text
}

/// As [`plain`], for a field that some write as HTML and some as plain text.
pub(super) fn plain_if_marked_up(text: &str) -> Cow<'_, str> {
    let is_marked_up = ["<a ", "<br", "<span", "<img "]
        .iter()
        .any(|tag| text.contains(tag));
    if is_marked_up {
        plain(text).into()
    } else {
        text.into()
    }
}

fn add(text: &mut String, html: &str) {
    text.push_str(&decode_html_entities(html));
}

/// A tag, opening or closing.
struct Tag<'h> {
    /// With its brackets, in bytes.
    length: usize,
    name: &'h str,
    attributes: &'h str,
}

impl<'h> Tag<'h> {
    /// The tag that a text begins with; none when the bracket is just one.
    fn at(html: &'h str) -> Option<Self> {
        let inner = html.strip_prefix('<')?;
        let is_tag = inner.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        let end = is_tag.then(|| end_of_tag(inner)).flatten()?;
        let content = &inner[..end];
        let name_ends = content.find(|c: char| c.is_whitespace() || c == '/');
        // A closing tag has its stroke first, and no name that matters.
        let (name, attributes) = content.split_at(name_ends.unwrap_or(content.len()));
        Some(Self {
            length: end + 2,
            name,
            attributes,
        })
    }

    /// The value of an attribute, in quotes of either kind or in none.
    fn attribute(&self, name: &str) -> Option<&'h str> {
        let mut rest = self.attributes;
        loop {
            let (before, after) = rest.split_once('=')?;
            let key = before.trim().rsplit(char::is_whitespace).next()?;
            let key = key.trim_start_matches('/');
            let (value, next) = value(after.trim_start());
            if key.eq_ignore_ascii_case(name) {
                return Some(value);
            }
            rest = next;
        }
    }
}

/// The bracket that closes a tag: the first that stands in no quotes.
fn end_of_tag(inner: &str) -> Option<usize> {
    let mut quote = None;
    let mut last = ' ';
    for (at, c) in inner.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') if last == '=' => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
        if !c.is_whitespace() {
            last = c;
        }
    }
    None
}

fn value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(quoted) = text.strip_prefix(quote) {
            return quoted.split_once(quote).unwrap_or((quoted, ""));
        }
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (value, rest) = text.split_at(end);
    (value.strip_suffix('/').unwrap_or(value), rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_person_reads_is_left() {
        for (html, text) in [
            ("plain", "plain"),
            (
                "第一行<br />第二行<br/>第三行<br>第四行",
                "第一行\n第二行\n第三行\n第四行",
            ),
            (
                r#"<a  href="https://m.weibo.cn/search?q=%23x%23" data-hide=""><span class="surl-text">#春夏穿搭#</span></a> 好看"#,
                "#春夏穿搭# 好看",
            ),
            (
                "今天<span class=\"url-icon\"><img alt=[心] src=\"https://h5.sinaimg.cn/xin.png\" style=\"width:1em;\" /></span>好",
                "今天[心]好",
            ),
            (r#"<img alt="[微笑]" src='a.png'>"#, "[微笑]"),
            (r#"<img src="a.png?x=1>2" alt='a "b"'/>"#, r#"a "b""#),
            ("<img alt=[哈哈]/>", "[哈哈]"),
            (
                "<span class='url-icon'><img src='icon.png'></span>网页链接",
                "网页链接",
            ),
            (
                r#"很长的文字...<a href="/status/4829255386537989">全文</a>"#,
                "很长的文字...",
            ),
            (
                "<a href='/n/小助手'>@小助手</a>:<!-- x -->转发",
                "@小助手:转发",
            ),
            (
                "1 &lt; 2 &amp;&amp; 3 &gt; 2 &#39;&quot;&nbsp;",
                "1 < 2 && 3 > 2 '\"\u{a0}",
            ),
            // A bracket that opens nothing stays.
            ("1 < 2", "1 < 2"),
            ("I <3 it", "I <3 it"),
            ("cut <a href=\"", "cut <a href=\""),
        ] {
            assert_eq!(plain(html), text, "{html}");
        }
    }

    #[test]
    fn plain_texts_are_left_as_they_are() {
        assert_eq!(plain_if_marked_up("AT&amp;T <3"), "AT&amp;T <3");
        assert_eq!(plain_if_marked_up("a<br />b &amp; c"), "a\nb & c");
    }

    proptest! {
        #[test]
        fn text_without_markup_is_itself(text in "[^<&]{0,40}") {
            prop_assert_eq!(plain(&text), text);
        }

        #[test]
        fn broken_markup_harms_nothing(html in "[<>a/='\"& 心!imgbr]{0,40}") {
            let length = plain(&html).len();
            prop_assert!(length <= html.len());
        }
    }
}
