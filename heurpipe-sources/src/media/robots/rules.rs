//! The rules of one host.

use std::time::Duration;

use texting_robots::Robot;
use url::Url;

/// Of a file so much is heeded, as RFC 9309 asks at least.
pub(super) const MAX_BYTES: usize = 500 * 1024;
/// The name under which a host may speak to this fetcher.
const AGENT: &str = "heurpipe";
/// A host that asks for longer pauses between two calls gets these.
const LONGEST_DELAY: Duration = Duration::from_secs(10);

/// What a host asks of robots.
#[derive(Debug)]
pub(super) struct Rules(Option<Robot>);

impl Rules {
    /// Everything is allowed.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// The rules of a file. One that cannot be read at all has none.
    pub(super) fn parse(text: &[u8]) -> Self {
        Self(Robot::new(AGENT, text).ok())
    }

    pub(super) fn allow(&self, url: &Url) -> bool {
        self.0
            .as_ref()
            .is_none_or(|robot| robot.allowed(url.as_str()))
    }

    /// How long to wait between two calls.
    pub(super) fn delay(&self) -> Duration {
        let asked = self.0.as_ref().and_then(|robot| robot.delay).unwrap_or(0.0);
        // Infinite or not a number is no delay that anybody means.
        let asked = Duration::try_from_secs_f32(asked).unwrap_or_default();
        asked.min(LONGEST_DELAY)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn allow(rules: &str, path: &str) -> bool {
        let url = Url::parse(&format!("https://pictures.example{path}")).unwrap();
        Rules::parse(rules.as_bytes()).allow(&url)
    }

    #[test]
    fn a_group_of_ones_own_stands_for_the_general_one() {
        let rules = "User-agent: *\nDisallow: /\n\nUser-agent: HeurPipe\nDisallow: /private/\n";
        assert!(allow(rules, "/a.jpg?oh=1"));
        assert!(!allow(rules, "/private/a.jpg"));
        assert!(!allow("User-agent: *\nDisallow: /", "/a.jpg"));
    }

    #[test]
    fn the_longer_rule_wins_and_queries_count() {
        let rules = "User-agent: *\nDisallow: /p/\nAllow: /p/open/\nDisallow: /*?download=";
        assert!(!allow(rules, "/p/a.jpg"));
        assert!(allow(rules, "/p/open/a.jpg"));
        assert!(!allow(rules, "/a.jpg?download=1"));
        assert!(allow(rules, "/a.jpg?size=1"));
    }

    #[test]
    fn what_is_no_rule_forbids_nothing() {
        for text in ["", "<html>not found</html>", "\u{feff}\n\0\0", "Disallow"] {
            assert!(allow(text, "/a.jpg"), "{text:?}");
        }
        assert!(Rules::none().allow(&Url::parse("https://pictures.example/").unwrap()));
    }

    #[test]
    fn delays_are_heeded_up_to_a_limit() {
        let delay = |text: &str| {
            let rules = format!("User-agent: *\nCrawl-delay: {text}\nDisallow: /none/\n");
            Rules::parse(rules.as_bytes()).delay()
        };
        assert_eq!(delay("0.5"), Duration::from_millis(500));
        assert_eq!(delay("86400"), LONGEST_DELAY);
        for text in ["-1", "inf", "NaN", "soon"] {
            assert_eq!(delay(text), Duration::ZERO, "{text}");
        }
        assert_eq!(Rules::none().delay(), Duration::ZERO);
    }
}
