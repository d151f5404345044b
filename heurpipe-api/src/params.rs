//! Query parameters: read strictly, so that a misspelt one is an error and not a wrong answer.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use heurpipe_core::filter::is_attribute_name;
use heurpipe_core::{Filter, Interval, KEYWORD_FIELDS, Sort};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::Problem;

/// Query parameters of a type that names all of them.
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Query::<T>::from_request_parts(parts, state)
            .await
            .map(|Query(params)| Self(params))
            .map_err(|rejection| {
                let text = rejection.body_text();
                let detail = text
                    .strip_prefix("Failed to deserialize query string: ")
                    .unwrap_or(&text);
                Problem::bad_request(detail)
            })
    }
}

/// Reads a filter; none and empty mean every post.
pub(crate) fn filter(text: Option<&str>) -> Result<Filter, Problem> {
    text.unwrap_or_default()
        .parse()
        .map_err(|error| Problem::bad_filter(&error))
}

/// A limit between 1 and `most`.
pub(crate) fn limit(asked: Option<usize>, usual: usize, most: usize) -> Result<usize, Problem> {
    match asked.unwrap_or(usual) {
        0 => Err(Problem::bad_request("limit: must be at least 1")),
        limit if limit > most => Err(Problem::bad_request(format!("limit: at most {most}"))),
        limit => Ok(limit),
    }
}

/// The name of a keyword field or an attribute.
pub(crate) fn field(parameter: &str, name: &str) -> Result<String, Problem> {
    if KEYWORD_FIELDS.contains(&name) || is_attribute_name(name) {
        return Ok(name.to_owned());
    }
    Err(Problem::bad_request(format!(
        "{parameter}: `{name}` is neither an attribute nor one of {}",
        KEYWORD_FIELDS.join(", ")
    )))
}

/// The order of posts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// Newest first.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
    /// Most liked first.
    MostLiked,
}

impl Order {
    pub(crate) const ALL: [Self; 3] = [Self::Newest, Self::Oldest, Self::MostLiked];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::MostLiked => "most_liked",
        }
    }
}

impl From<Order> for Sort {
    fn from(order: Order) -> Self {
        match order {
            Order::Newest => Self::Newest,
            Order::Oldest => Self::Oldest,
            Order::MostLiked => Self::MostLiked,
        }
    }
}

/// The width of a point in time; intervals begin at midnight UTC, weeks on Monday.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Width {
    /// A day.
    Day,
    /// A week, from Monday.
    #[default]
    Week,
    /// A calendar month.
    Month,
}

impl Width {
    pub(crate) const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

impl From<Width> for Interval {
    fn from(width: Width) -> Self {
        match width {
            Width::Day => Self::Day,
            Width::Week => Self::Week,
            Width::Month => Self::Month,
        }
    }
}

/// A time as people write it in a query: a date (its midnight UTC) or RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let date = text.parse::<Date>().ok().filter(|_| text.len() == 10);
        date.and_then(|date| Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok())
            .or_else(|| text.parse().ok())
            .map(Self)
            .ok_or_else(|| {
                format!("`{text}` is neither a date such as 2026-01-31 nor a time such as 2026-01-31T12:00:00Z")
            })
    }
}

/// Reads a parameter that forms may send empty: empty is absent.
pub(crate) fn optional<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: std::fmt::Display,
{
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    text.trim().parse().map(Some).map_err(D::Error::custom)
}
