//! What SQL has no common words for.

/// How a backend's SQL asks for lists and attributes. All else in the suite is common to all.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// The condition that a column of labels has this label.
    pub has: fn(column: &str, label: &str) -> String,
    /// The condition that an attribute, by its name, has this label.
    pub attribute: fn(name: &str, label: &str) -> String,
    /// A query of one column `label`: every label of a column of labels, once for each post that has it.
    pub unnested: fn(column: &str) -> String,
}

impl Dialect {
    /// That of DataFusion.
    pub const DATAFUSION: Self = Self {
        has: |column, label| format!("array_has({column}, '{label}')"),
        attribute: |name, label| format!("array_has(attributes['{name}'], '{label}')"),
        unnested: |column| format!("SELECT unnest({column}) AS label FROM posts"),
    };
}
