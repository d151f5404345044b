//! Readers of `recent_media`: the cursor stays the same through a pass, and how far the pass is stands on this side of it.

use std::collections::{BTreeMap, VecDeque};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Passes that have begun and not ended are forgotten beyond so many, the oldest first: readers that were killed never come back.
const OPEN: usize = 256;

/// The passes that have begun and not ended, by their number.
#[derive(Default)]
pub(super) struct Passes {
    begun: u64,
    open: BTreeMap<u64, Pass>,
}

/// What is left of the posts that were recent when the pass began: whatever happens meanwhile, a pass gives all of them.
struct Pass {
    node: String,
    rest: VecDeque<usize>,
}

/// One page of a pass.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PassPage {
    pub(super) posts: Vec<usize>,
    pub(super) cursor: String,
    /// Whether another page follows.
    pub(super) goes_on: bool,
}

impl Passes {
    /// The page for `after`. `recent` gives the posts of a pass that begins.
    ///
    /// Without a cursor, and with one that is unknown, belongs to another node or to a pass that has ended, a new pass begins: so whoever
    /// comes back late gets posts twice rather than never.
    pub(super) fn page(
        &mut self,
        node: &str,
        after: Option<&str>,
        limit: usize,
        recent: impl FnOnce() -> Vec<usize>,
    ) -> PassPage {
        let (number, mut pass) = after
            .and_then(|cursor| self.resume(node, cursor))
            .unwrap_or_else(|| self.begin(node, recent()));
        let posts = pass.rest.drain(..limit.min(pass.rest.len())).collect();
        let goes_on = !pass.rest.is_empty();
        if goes_on {
            self.open.insert(number, pass);
            if self.open.len() > OPEN {
                self.open.pop_first();
            }
        }
        PassPage {
            posts,
            cursor: URL_SAFE_NO_PAD.encode(format!("AQHR:{node}:{number}")),
            goes_on,
        }
    }

    fn begin(&mut self, node: &str, recent: Vec<usize>) -> (u64, Pass) {
        self.begun += 1;
        let pass = Pass {
            node: node.to_owned(),
            rest: recent.into(),
        };
        (self.begun, pass)
    }

    fn resume(&mut self, node: &str, cursor: &str) -> Option<(u64, Pass)> {
        let number = number_in(cursor)?;
        let pass = self.open.get(&number)?;
        if pass.node != node {
            return None;
        }
        self.open.remove_entry(&number)
    }
}

fn number_in(cursor: &str) -> Option<u64> {
    let decoded = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (_, number) = text.strip_prefix("AQHR:")?.rsplit_once(':')?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(passes: &mut Passes, node: &str, after: Option<&str>) -> (Vec<usize>, String) {
        let page = passes.page(node, after, 2, || (0..5).collect());
        assert_eq!(page.goes_on, !page.posts.contains(&4));
        (page.posts, page.cursor)
    }

    #[test]
    fn a_pass_keeps_its_cursor_advances_and_ends() {
        let mut passes = Passes::default();
        let (posts, cursor) = turn(&mut passes, "17", None);
        assert_eq!(posts, [0, 1]);
        let (other, second) = turn(&mut passes, "17", None);
        assert_eq!(other, [0, 1], "two readers do not disturb one another");
        assert_ne!(cursor, second);
        let mut on = |cursor: &str| turn(&mut passes, "17", Some(cursor));
        assert_eq!(on(&cursor), (vec![2, 3], cursor.clone()));
        assert_eq!(on(&cursor), (vec![4], cursor.clone()));
        let (again, next) = on(&cursor);
        assert_eq!(again, [0, 1], "the pass has ended: it begins anew");
        assert_ne!(next, cursor);
        assert_eq!(on(&second), (vec![2, 3], second.clone()));
    }

    #[test]
    fn a_cursor_of_another_node_or_of_nobody_begins_anew() {
        let mut passes = Passes::default();
        let (_, cursor) = turn(&mut passes, "17", None);
        assert_eq!(turn(&mut passes, "18", Some(&cursor)).0, [0, 1]);
        assert_eq!(turn(&mut passes, "17", Some("QVFI")).0, [0, 1]);
        assert_eq!(turn(&mut passes, "17", Some(&cursor)).0, [2, 3]);
    }

    #[test]
    fn passes_that_nobody_ends_are_forgotten() {
        let mut passes = Passes::default();
        let (_, first) = turn(&mut passes, "17", None);
        for _ in 0..OPEN {
            turn(&mut passes, "17", None);
        }
        assert_eq!(passes.open.len(), OPEN);
        assert_eq!(turn(&mut passes, "17", Some(&first)).0, [0, 1]);
    }

    #[test]
    fn a_pass_gives_what_was_recent_when_it_began() {
        let mut passes = Passes::default();
        let page = passes.page("17", None, 2, || vec![7, 8, 9]);
        let next = passes.page("17", Some(&page.cursor), 2, || vec![1, 7, 8]);
        assert_eq!(next.posts, [9]);
        assert!(!next.goes_on);
    }
}
