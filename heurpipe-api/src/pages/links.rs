//! Addresses within the site.

use std::fmt::Write as _;

use heurpipe_core::{Digest, Filter, PostId};

/// A path with query parameters; those without a value are left out.
pub(super) fn link(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut link = path.to_owned();
    let mut separator = '?';
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        link.push(separator);
        link.push_str(name);
        link.push('=');
        encode(value, &mut link);
        separator = '&';
    }
    link
}

/// The exploration page for a filter.
pub(super) fn explore(filter: &Filter) -> String {
    link("/explore", &[("filter", &filter.to_string())])
}

/// The page of a post.
pub(super) fn post(id: &PostId) -> String {
    let mut link = "/posts/".to_owned();
    encode(id.platform.as_str(), &mut link);
    link.push('/');
    encode(&id.native, &mut link);
    link
}

/// The bytes of a medium.
pub(super) fn media(digest: &Digest) -> String {
    format!("/v1/media/{digest}")
}

/// An address outside, if it is one that a browser should follow: a post's own address could be `javascript:…`.
pub(super) fn outside(url: &str) -> Option<&str> {
    let is_web = |scheme| {
        url.get(..8)
            .is_some_and(|head| head.to_ascii_lowercase().starts_with(scheme))
    };
    (is_web("https://") || is_web("http://")).then_some(url)
}

fn encode(text: &str, to: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            to.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(to, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use heurpipe_core::Platform;

    use super::*;

    #[test]
    fn whatever_a_value_holds_it_stays_one_value() {
        assert_eq!(
            link("/explore", &[("filter", "a:\"b&c\" 裙"), ("sort", "")]),
            "/explore?filter=a%3A%22b%26c%22%20%E8%A3%99"
        );
        let id = PostId::new(Platform::new("folder"), "a/b.jpg?x");
        assert_eq!(post(&id), "/posts/folder/a%2Fb.jpg%3Fx");
    }

    #[test]
    fn only_web_addresses_are_followed() {
        assert!(outside("https://www.instagram.com/p/x/").is_some());
        assert!(outside("HTTP://weibo.com/1").is_some());
        assert!(outside("javascript:alert(1)").is_none());
        assert!(outside("//evil.example").is_none());
    }
}
