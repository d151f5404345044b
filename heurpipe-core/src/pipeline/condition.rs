//! Which records a part of a pipeline is for.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::need::Look;
use crate::{Filter, Record};

type Closure = Arc<dyn Fn(&Record) -> bool + Send + Sync>;

/// What a route asks of a record: a [`Filter`], or a closure.
///
/// A closure sees what the enrichers before the route have found, and must give the same answer for the same record. In the ledger and in plans
/// it goes by the name of its case: whoever changes what it asks gives the case another name, or forces a re-analysis.
#[derive(Clone)]
pub struct Test(Kind);

#[derive(Clone)]
enum Kind {
    Filter(Filter),
    Closure(Closure),
}

impl From<Filter> for Test {
    fn from(filter: Filter) -> Self {
        Self(Kind::Filter(filter))
    }
}

impl<F> From<F> for Test
where
    F: Fn(&Record) -> bool + Send + Sync + 'static,
{
    fn from(closure: F) -> Self {
        Self(Kind::Closure(Arc::new(closure)))
    }
}

impl fmt::Debug for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Filter(filter) => write!(f, "Test({filter})"),
            Kind::Closure(_) => f.write_str("Test(closure)"),
        }
    }
}

/// Tests that must all come out as expected.
#[derive(Clone, Default)]
pub(crate) struct Condition(Vec<Clause>);

/// One test, what it is to say, and what must have been found before it can be asked.
#[derive(Clone)]
struct Clause {
    test: Test,
    name: Arc<str>,
    expected: bool,
    after: Arc<BTreeSet<String>>,
}

impl Condition {
    /// The same, and this test as well. `known` are the attributes that enrichers before it give, in case that it is a closure.
    pub(crate) fn and_test(
        mut self,
        name: &str,
        test: Test,
        expected: bool,
        known: &BTreeSet<String>,
    ) -> Self {
        let after = match &test.0 {
            Kind::Filter(filter) => filter.fields(),
            Kind::Closure(_) => known.clone(),
        };
        self.0.push(Clause {
            test,
            name: name.into(),
            expected,
            after: Arc::new(after),
        });
        self
    }

    /// The same, and this filter as well.
    pub(crate) fn and(self, filter: Filter) -> Self {
        self.and_test("when", filter.into(), true, &BTreeSet::new())
    }

    /// Whether it holds for every record.
    pub(crate) fn is_always(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a record meets it. `look` belongs to the record.
    pub(crate) fn holds(&self, record: &Record, look: &Look) -> bool {
        self.0.iter().all(|clause| {
            let met = match &clause.test.0 {
                Kind::Filter(Filter::All) => true,
                Kind::Filter(filter) => filter.matches(look.flat(record)),
                Kind::Closure(closure) => closure(record),
            };
            met == clause.expected
        })
    }

    /// The attributes and fields that it looks at.
    pub(crate) fn attributes(&self) -> BTreeSet<String> {
        let clauses = self.0.iter();
        clauses.flat_map(|c| c.after.iter()).cloned().collect()
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, clause) in self.0.iter().enumerate() {
            let and = if number > 0 { " and " } else { "" };
            let not = if clause.expected { "" } else { "not " };
            match &clause.test.0 {
                Kind::Filter(filter) => write!(f, "{and}{not}({filter})")?,
                Kind::Closure(_) => write!(f, "{and}{not}[{}]", clause.name)?,
            }
        }
        Ok(())
    }
}
