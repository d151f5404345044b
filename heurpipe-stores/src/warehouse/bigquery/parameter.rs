//! Values of a statement: always parameters, never text of it.

use serde_json::{Value, json};

/// Text of a statement, and the values of its `@p0`, `@p1` … in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) parameters: Vec<Value>,
}

impl Statement {
    /// A statement that begins so.
    pub(super) fn new(sql: impl Into<String>) -> Self {
        Self {
            sql: sql.into(),
            parameters: Vec::new(),
        }
    }

    /// Adds text. It is made of our own words and of names that a fixed list has.
    pub(super) fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// Adds a text.
    pub(super) fn bind_text(&mut self, value: &str) -> &mut Self {
        self.bind(json!({"type": "STRING"}), json!({"value": value}))
    }

    /// Adds a number.
    pub(super) fn bind_number(&mut self, value: f64) -> &mut Self {
        // With a point or an exponent, so that it reads back as the number it is.
        self.bind(
            json!({"type": "FLOAT64"}),
            json!({"value": format!("{value:?}")}),
        )
    }

    /// Adds a time, to the microsecond.
    pub(super) fn bind_time(&mut self, time: jiff::Timestamp) -> &mut Self {
        self.bind(
            json!({"type": "TIMESTAMP"}),
            json!({"value": format!("{time:.6}")}),
        )
    }

    /// Adds a list of texts, for `IN UNNEST(…)`.
    pub(super) fn bind_texts<'a>(
        &mut self,
        values: impl IntoIterator<Item = &'a str>,
    ) -> &mut Self {
        let values: Vec<Value> = values
            .into_iter()
            .map(|text| json!({"value": text}))
            .collect();
        self.bind(
            json!({"type": "ARRAY", "arrayType": {"type": "STRING"}}),
            json!({"arrayValues": values}),
        )
    }

    fn bind(&mut self, kind: Value, value: Value) -> &mut Self {
        let name = format!("p{}", self.parameters.len());
        self.sql.push('@');
        self.sql.push_str(&name);
        self.parameters
            .push(json!({"name": name, "parameterType": kind, "parameterValue": value}));
        self
    }

    /// What a query's configuration has of it.
    pub(super) fn configuration(&self) -> Value {
        let mut configuration = json!({"query": self.sql, "useLegacySql": false});
        if !self.parameters.is_empty() {
            configuration["parameterMode"] = json!("NAMED");
            configuration["queryParameters"] = json!(self.parameters);
        }
        configuration
    }
}

impl From<String> for Statement {
    fn from(sql: String) -> Self {
        Self::new(sql)
    }
}
