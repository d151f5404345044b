//! Readers of `recent_media`: the cursor stays the same through a pass, and how far the pass is stands on this side of it.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The passes that have begun and not ended, by their cursor.
#[derive(Default)]
pub(super) struct Passes {
    begun: u64,
    places: HashMap<String, usize>,
}

impl Passes {
    /// Where the page for `after` begins in a list of `count` posts, and the cursor of its pass.
    ///
    /// Without a cursor, and with one that is unknown, belongs to another node or to a pass that has ended, a new pass begins: so whoever
    /// comes back late gets posts twice rather than never.
    pub(super) fn turn(
        &mut self,
        node: &str,
        after: Option<&str>,
        limit: usize,
        count: usize,
    ) -> (usize, String) {
        let known = after.filter(|cursor| belongs(cursor, node));
        let (from, cursor) = match known.and_then(|cursor| self.places.remove_entry(cursor)) {
            Some((cursor, place)) => (place, cursor),
            None => {
                self.begun += 1;
                let cursor = URL_SAFE_NO_PAD.encode(format!("AQHR:{node}:{}", self.begun));
                (0, cursor)
            }
        };
        if from + limit < count {
            self.places.insert(cursor.clone(), from + limit);
        }
        (from, cursor)
    }
}

fn belongs(cursor: &str, node: &str) -> bool {
    let decoded = URL_SAFE_NO_PAD.decode(cursor).unwrap_or_default();
    let text = String::from_utf8_lossy(&decoded);
    text.strip_prefix("AQHR:")
        .and_then(|rest| rest.split_once(':'))
        .is_some_and(|(of, _)| of == node)
}

#[cfg(test)]
mod tests {
    use super::Passes;

    #[test]
    fn a_pass_keeps_its_cursor_advances_and_ends() {
        let mut passes = Passes::default();
        let (from, cursor) = passes.turn("17", None, 2, 5);
        assert_eq!(from, 0);
        let (other, second) = passes.turn("17", None, 2, 5);
        assert_eq!(other, 0, "two readers do not disturb one another");
        assert_ne!(cursor, second);
        assert_eq!(passes.turn("17", Some(&cursor), 2, 5), (2, cursor.clone()));
        assert_eq!(passes.turn("17", Some(&cursor), 2, 5), (4, cursor.clone()));
        let (again, next) = passes.turn("17", Some(&cursor), 2, 5);
        assert_eq!(again, 0, "the pass has ended: it begins anew");
        assert_ne!(next, cursor);
        assert_eq!(passes.turn("17", Some(&second), 2, 5), (2, second));
    }

    #[test]
    fn a_cursor_of_another_node_or_of_nobody_begins_anew() {
        let mut passes = Passes::default();
        let (_, cursor) = passes.turn("17", None, 2, 5);
        assert_eq!(passes.turn("18", Some(&cursor), 2, 5).0, 0);
        assert_eq!(passes.turn("17", Some("QVFI"), 2, 5).0, 0);
        assert_eq!(passes.turn("17", Some(&cursor), 2, 5).0, 2);
    }
}
