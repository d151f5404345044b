//! Counting values. All counts are exact, however many indices and shards they come from.

use std::collections::{BTreeMap, HashMap};

use heurpipe_core::{
    Error, ErrorKind, FacetCount, FacetRequest, Filter, Interval, Result, Series, TrendRequest,
};
use serde_json::{Map, Value, json};

use super::super::counts::commonest;
use super::super::series::{SeriesKey, Tally, bucket, of_period};
use super::client::Client;
use super::filter::query;
use super::mapping::{beginning, is_field, keyword};

/// A shard tells so many of its commonest values. Where one has more than this, the counts of several shards do not add up, and all values are
/// gone through.
const COMMONEST: usize = 2_000;

/// So many values come with one answer where all are gone through.
const MOST_VALUES: usize = 5_000;

/// So many series are counted by one question.
const MOST_SERIES: usize = 100;

/// The longest expression that every server takes.
const LONGEST_EXPRESSION: usize = 900;

/// Counts values among the documents of one name.
pub(super) struct Counter<'a> {
    pub(super) client: &'a Client,
    pub(super) name: &'a str,
    pub(super) operation: &'static str,
}

impl Counter<'_> {
    /// The commonest values of each field.
    pub(super) async fn facets(
        &self,
        request: &FacetRequest,
    ) -> Result<BTreeMap<String, Vec<FacetCount>>> {
        let query = query(&request.filter);
        let mut facets = BTreeMap::new();
        for field in &request.fields {
            facets.insert(
                field.clone(),
                self.values(&query, field, request.limit).await?,
            );
        }
        Ok(facets)
    }

    /// The series of the commonest values of an attribute.
    pub(super) async fn trends(&self, request: &TrendRequest) -> Result<Vec<Series>> {
        let filter = of_period(request);
        let values = self
            .values(&query(&filter), &request.attribute, request.limit)
            .await?;
        let keys = self.series(&filter, request, &values).await?;
        let mut tally = Tally {
            values: values
                .into_iter()
                .map(|counted| (counted.value, counted.count))
                .collect(),
            ..Tally::default()
        };
        for some in keys.chunks(MOST_SERIES) {
            self.count_series(&query(&filter), request, some, &mut tally)
                .await?;
        }
        Ok(tally.into_series(request.interval, request.limit))
    }

    /// Which series there are of these values.
    async fn series(
        &self,
        filter: &Filter,
        request: &TrendRequest,
        values: &[FacetCount],
    ) -> Result<Vec<SeriesKey>> {
        let mut keys = Vec::new();
        for FacetCount { value, .. } in values {
            let Some(split) = &request.split else {
                keys.push((value.clone(), None));
                continue;
            };
            let of_value =
                json!({"bool": {"filter": [query(filter), term(&request.attribute, value)]}});
            let splits = self.values(&of_value, split, usize::MAX).await?;
            keys.extend(
                splits
                    .into_iter()
                    .map(|counted| (value.clone(), Some(counted.value))),
            );
        }
        Ok(keys)
    }

    async fn count_series(
        &self,
        query: &Value,
        request: &TrendRequest,
        keys: &[SeriesKey],
        tally: &mut Tally,
    ) -> Result<()> {
        let points = points(request.interval);
        let mut aggregations = Map::from_iter([("total".to_owned(), points.clone())]);
        for (number, (value, split)) in keys.iter().enumerate() {
            let mut terms = vec![term(&request.attribute, value)];
            if let (Some(field), Some(split)) = (&request.split, split) {
                terms.push(term(field, split));
            }
            let of_series =
                json!({"filter": {"bool": {"filter": terms}}, "aggs": {"points": points}});
            aggregations.insert(number.to_string(), of_series);
        }
        let answer = self.ask(query, aggregations.into()).await?;
        tally.totals = self
            .read_points(&answer["total"], request.interval)?
            .collect();
        for (number, key) in keys.iter().enumerate() {
            let points =
                self.read_points(&answer[number.to_string()]["points"], request.interval)?;
            tally.counts.insert(key.clone(), points.collect());
        }
        Ok(())
    }

    fn read_points<'v>(
        &self,
        histogram: &'v Value,
        interval: Interval,
    ) -> Result<impl Iterator<Item = (i64, u64)> + use<'v>> {
        let buckets = histogram["buckets"]
            .as_array()
            .ok_or_else(|| self.not_understood())?;
        Ok(buckets.iter().filter_map(move |point| {
            let start = point["key"].as_i64()?.saturating_mul(1_000_000);
            Some((bucket(interval, start), point["doc_count"].as_u64()?))
        }))
    }

    /// The commonest values of a field.
    async fn values(&self, query: &Value, field: &str, limit: usize) -> Result<Vec<FacetCount>> {
        if limit == 0 || !is_field(field) {
            return Ok(Vec::new());
        }
        match self.commonest_values(query, field, limit).await? {
            Some(values) => Ok(values),
            None => Ok(commonest(self.all_values(query, field).await?, limit)),
        }
    }

    /// The commonest values by what each shard finds commonest; none where that is not exact.
    async fn commonest_values(
        &self,
        query: &Value,
        field: &str,
        limit: usize,
    ) -> Result<Option<Vec<FacetCount>>> {
        let values_of_field = format!("{}.*", escaped(&beginning(field)));
        if values_of_field.len() > LONGEST_EXPRESSION {
            return Ok(None);
        }
        let size = limit.min(COMMONEST);
        let values = json!({"terms": {"field": "keywords", "include": values_of_field, "size": size, "shard_size": COMMONEST}});
        let answer = self.ask(query, json!({"values": values})).await?;
        if answer.is_null() {
            // There are no indices yet.
            return Ok(Some(Vec::new()));
        }
        let values = &answer["values"];
        let exact = values["doc_count_error_upper_bound"].as_i64() == Some(0);
        let all = values["sum_other_doc_count"].as_u64() == Some(0);
        if !exact || (limit > size && !all) {
            return Ok(None);
        }
        let buckets = values["buckets"]
            .as_array()
            .ok_or_else(|| self.not_understood())?;
        let counted = buckets.iter().filter_map(|counted| {
            let value = counted["key"].as_str()?.strip_prefix(&beginning(field))?;
            Some((value.to_owned(), counted["doc_count"].as_u64()?))
        });
        Ok(Some(commonest(counted.collect(), limit)))
    }

    /// All values of a field, by going through its terms in order.
    async fn all_values(&self, query: &Value, field: &str) -> Result<HashMap<String, u64>> {
        let beginning = beginning(field);
        let mut after = beginning.clone();
        let mut counts = HashMap::new();
        loop {
            let sources = json!([{"value": {"terms": {"field": "keywords"}}}]);
            let values = json!({"composite": {"size": MOST_VALUES, "sources": sources, "after": {"value": after}}});
            let answer = self.ask(query, json!({"values": values})).await?;
            if answer.is_null() {
                return Ok(counts);
            }
            let buckets = answer["values"]["buckets"]
                .as_array()
                .ok_or_else(|| self.not_understood())?;
            for counted in buckets {
                let (Some(term), Some(count)) = (
                    counted["key"]["value"].as_str(),
                    counted["doc_count"].as_u64(),
                ) else {
                    return Err(self.not_understood());
                };
                let Some(value) = term.strip_prefix(&beginning) else {
                    return Ok(counts);
                };
                counts.insert(value.to_owned(), count);
                term.clone_into(&mut after);
            }
            if buckets.len() < MOST_VALUES {
                return Ok(counts);
            }
        }
    }

    async fn ask(&self, query: &Value, aggregations: Value) -> Result<Value> {
        let body = json!({
            "size": 0,
            "track_total_hits": false,
            "query": {"bool": {"filter": [query]}},
            "aggs": aggregations,
        });
        Ok(self
            .client
            .search(self.operation, self.name, body)
            .await?
            .aggregations)
    }

    fn not_understood(&self) -> Error {
        Error::new(ErrorKind::Corrupt, self.operation)
            .message("the search server's counts are not understood")
            .with("server", self.client.server())
    }
}

fn term(field: &str, value: &str) -> Value {
    json!({"term": {"keywords": keyword(field, value)}})
}

fn points(interval: Interval) -> Value {
    let interval = match interval {
        Interval::Day => "day",
        Interval::Week => "week",
        Interval::Month => "month",
    };
    json!({"date_histogram": {"field": "published", "calendar_interval": interval, "min_doc_count": 1}})
}

/// An expression that only this text matches.
fn escaped(text: &str) -> String {
    let mut expression = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            expression.push('\\');
        }
        expression.push(c);
    }
    expression
}
