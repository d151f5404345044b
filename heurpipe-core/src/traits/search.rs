//! Finding posts, counting them by value, and plotting them over time.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::similar::{Similar, SimilarRequest, Similarity};
use super::sink::Sink;
use crate::filter::Filter;
use crate::model::{PostId, Record};
use crate::{Error, ErrorKind, Result};

/// A sink of records that can be searched.
///
/// What an implementer must uphold: a filter matches exactly the records that [`Filter::matches`] matches on their [`Flat`](crate::Flat) view;
/// what was flushed is visible to the next call.
#[async_trait]
pub trait SearchIndex: Sink {
    /// Records that match, a page at a time.
    async fn search(&self, request: &SearchRequest) -> Result<SearchPage>;

    /// The record of one post.
    async fn get(&self, id: &PostId) -> Result<Option<Record>>;

    /// The commonest values of keyword fields among the records that match.
    async fn facets(&self, request: &FacetRequest) -> Result<BTreeMap<String, Vec<FacetCount>>>;

    /// How many records of each value were published in each interval.
    async fn trends(&self, request: &TrendRequest) -> Result<Vec<Series>>;

    /// How it answers [`similar`](Self::similar). An index that does not compare vectors leaves both as they are.
    fn similarity(&self) -> Similarity {
        Similarity::Unsupported
    }

    /// The records nearest to a vector, nearest first, those that are equally near by id.
    ///
    /// Compared are the [effective vectors](Record::effective_vectors) of one attribute that have as many numbers as the vector that is asked for: others
    /// are another model's. A record has one place, by the nearest of its vectors. The filter holds while they are looked for, so that records which do not match
    /// take the place of none that does.
    ///
    /// # Errors
    /// `InvalidInput` for what [`SimilarRequest::direction`] refuses; `Unsupported` where the index compares no vectors, or none of this length.
    async fn similar(&self, request: &SimilarRequest) -> Result<Vec<Similar>> {
        request.direction()?;
        Err(Error::new(ErrorKind::Unsupported, "search.similar")
            .message("this search index does not compare vectors"))
    }

    /// Removes posts from the index; removing what is not there is fine. Durable after the next flush.
    async fn remove(&self, ids: &[PostId]) -> Result<()>;
}

/// Which records, in which order.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct SearchRequest {
    /// Records that match.
    pub filter: Filter,
    /// The order.
    pub sort: Sort,
    /// At most so many.
    pub limit: usize,
    /// Go on after the page that gave this.
    pub cursor: Option<String>,
}

impl SearchRequest {
    /// The newest fifty that match.
    pub fn new(filter: Filter) -> Self {
        Self {
            filter,
            limit: 50,
            ..Self::default()
        }
    }

    /// At most so many.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// In this order.
    pub fn sort(mut self, sort: Sort) -> Self {
        self.sort = sort;
        self
    }

    /// Go on after the page that gave this cursor.
    pub fn cursor(mut self, cursor: Option<String>) -> Self {
        self.cursor = cursor;
        self
    }
}

/// The order of results. Ties are broken by id, so that pages neither overlap nor leave gaps. Records without the value come last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Newest first.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
    /// Most liked first.
    MostLiked,
}

/// A page of results.
#[derive(Debug, Clone, Default)]
pub struct SearchPage {
    /// The records.
    pub items: Vec<Record>,
    /// Where to go on; none: that was all.
    pub next: Option<String>,
    /// How many match in all.
    pub total: Total,
}

/// How many match.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// So many.
    pub value: u64,
    /// Whether that is exact.
    pub relation: Relation,
}

/// Whether a total is exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Exactly so many.
    #[default]
    Eq,
    /// At least so many.
    Gte,
}

/// Which values to count.
#[derive(Debug, Clone, Default)]
pub struct FacetRequest {
    /// Among records that match.
    pub filter: Filter,
    /// Keyword fields or attributes.
    pub fields: Vec<String>,
    /// At most so many values a field.
    pub limit: usize,
}

/// A value and how many records have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacetCount {
    /// The value, in keyword form.
    pub value: String,
    /// So many.
    pub count: u64,
}

/// What to plot over time.
#[derive(Debug, Clone)]
pub struct TrendRequest {
    /// The attribute or keyword field whose values are plotted.
    pub attribute: String,
    /// The width of a point.
    pub interval: Interval,
    /// Among records that match.
    pub filter: Filter,
    /// Published at or after.
    pub from: Option<Timestamp>,
    /// Published before.
    pub to: Option<Timestamp>,
    /// A second keyword field: one series per pair of values.
    pub split: Option<String>,
    /// At most so many values, the commonest.
    pub limit: usize,
}

impl TrendRequest {
    /// The twelve commonest values of an attribute by week.
    pub fn new(attribute: impl Into<String>) -> Self {
        Self {
            attribute: attribute.into(),
            interval: Interval::Week,
            filter: Filter::All,
            from: None,
            to: None,
            split: None,
            limit: 12,
        }
    }
}

/// The width of a point in time; intervals begin at midnight UTC, weeks on Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// A day.
    Day,
    /// A week, from Monday.
    Week,
    /// A calendar month.
    Month,
}

/// The counts of one value over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// The value.
    pub value: String,
    /// The value of the second field, if one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// Points in order of time, without gaps between the first and the last of all series.
    pub points: Vec<Point>,
}

/// A point of a series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// The beginning of the interval.
    pub start: Timestamp,
    /// Records published in it with this value.
    pub count: u64,
    /// Records published in it that match, with or without this value: the denominator of a share.
    pub total: u64,
}
