//! The tables of a database of SQLite, as far as its beginning says.

/// Statements that make tables, by the name of the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tables(Vec<(String, String)>);

const STATEMENT: &str = "CREATE TABLE ";

impl Tables {
    /// Those whose statements stand in the beginning of a database. They are kept as text in its first pages.
    pub(super) fn of(head: &[u8]) -> Self {
        let text = String::from_utf8_lossy(head);
        let table = |(at, _): (usize, &str)| {
            let (name, rest) = text[at + STATEMENT.len()..].split_once('(')?;
            let name = name.trim().trim_matches(['"', '`', '[', ']', '\'']);
            Some((name.to_owned(), within_brackets(rest).to_owned()))
        };
        Self(text.match_indices(STATEMENT).filter_map(table).collect())
    }

    /// Whether there is this table with these columns.
    pub(super) fn have(&self, name: &str, columns: &[&str]) -> bool {
        let named = |statement: &str, column: &str| {
            let is_other = |c: char| !c.is_alphanumeric() && c != '_';
            statement.split(is_other).any(|word| word == column)
        };
        self.0
            .iter()
            .filter(|(table, _)| table == name)
            .any(|(_, statement)| columns.iter().all(|column| named(statement, column)))
    }
}

/// Up to the bracket that closes the one before the text.
fn within_brackets(text: &str) -> &str {
    let mut depth = 1_u32;
    let end = text.find(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_told_by_name_and_columns() {
        let head = b"SQLite format 3\0\x10\x00tableweiboweibo\x02CREATE TABLE weibo (
            id varchar(20) NOT NULL, bid varchar(12), PRIMARY KEY (id))\xff\x01\
            CREATE TABLE \"user\"(id, nick_name)CREATE TABLE cut (id, te";
        let tables = Tables::of(head);
        assert!(tables.have("weibo", &["id", "bid"]));
        assert!(tables.have("user", &["nick_name"]));
        assert!(tables.have("cut", &["id"]));
        assert!(!tables.have("weibo", &["nick_name"]));
        assert!(!tables.have("weib", &[]));
    }
}
