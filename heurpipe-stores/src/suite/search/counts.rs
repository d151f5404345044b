//! Facets and trends.

use std::collections::BTreeMap;
use std::sync::Arc;

use heurpipe_core::filter::{Filter, Keyword, Predicate};
use heurpipe_core::{
    FacetCount, FacetRequest, Flat, Interval, Record, SearchIndex, Series, TrendRequest,
};
use jiff::Timestamp;

use super::super::corpus::Dice;
use super::super::differential::{fill_index, write};
use super::super::{Check, Failure};
use super::{checks, fill, record, with};

checks!(
    dyn SearchIndex;
    facets_count_records,
    facets_of_equals_are_in_order_of_their_names,
    facets_follow_the_filter,
    facets_count_what_looks_like_syntax,
    facets_of_nothing_are_empty,
    trends_have_no_gaps,
    trends_split,
    trends_of_nothing_are_empty,
    trends_know_calendars,
    trends_leave_out_what_has_no_time,
    trends_split_by_several_values,
    trends_reach_far,
);

fn brand(value: &str) -> Filter {
    Filter::Test(Predicate::Keyword {
        field: "brand".to_owned(),
        any_of: vec![Keyword::Prefix(value.to_owned())],
    })
}

async fn facets_count_records(index: Arc<dyn SearchIndex>) -> Check {
    let records = fill_index(&*index, &mut Dice::new(12), 250).await?;
    for filter in [Filter::All, brand(""), brand("").negated()] {
        let fields = ["brand", "colour", "hashtag", "platform", "id", "absent"];
        let request = FacetRequest {
            filter: filter.clone(),
            fields: fields.map(str::to_owned).to_vec(),
            limit: 5,
        };
        let facets = index.facets(&request).await?;
        assert_eq!(facets.len(), fields.len(), "an answer for each field");
        for field in fields {
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            for flat in records.iter().map(Flat::of).filter(|f| filter.matches(f)) {
                for value in flat.values(field) {
                    *counts.entry(value.to_owned()).or_default() += 1;
                }
            }
            let mut expected: Vec<FacetCount> = counts
                .into_iter()
                .map(|(value, count)| FacetCount { value, count })
                .collect();
            expected.sort_by_key(|c| std::cmp::Reverse(c.count));
            expected.truncate(5);
            assert_eq!(facets[field], expected, "{field} among {filter:?}");
        }
    }
    Ok(())
}

fn counted(counts: &[FacetCount]) -> Vec<(&str, u64)> {
    counts.iter().map(|c| (&*c.value, c.count)).collect()
}

async fn facet(
    index: &dyn SearchIndex,
    filter: &str,
    field: &str,
    limit: usize,
) -> Result<Vec<FacetCount>, Failure> {
    let request = FacetRequest {
        filter: filter.parse()?,
        fields: vec![field.to_owned()],
        limit,
    };
    Ok(index
        .facets(&request)
        .await?
        .remove(field)
        .unwrap_or_default())
}

async fn facets_of_equals_are_in_order_of_their_names(index: Arc<dyn SearchIndex>) -> Check {
    fill(
        &*index,
        &[
            with("1", &[("brand", &["b", "a", "é", "z"])]),
            with("2", &[("brand", &["z"])]),
        ],
    )
    .await?;
    let counts = facet(&*index, "", "brand", 3).await?;
    assert_eq!(counted(&counts), [("z", 2), ("a", 1), ("b", 1)]);
    assert!(facet(&*index, "", "brand", 0).await?.is_empty());
    Ok(())
}

async fn facets_follow_the_filter(index: Arc<dyn SearchIndex>) -> Check {
    let records = [
        with("1", &[("brand", &["a"]), ("colour", &["red"])]),
        with("2", &[("brand", &["b"]), ("colour", &["red", "blue"])]),
        with("3", &[("brand", &["b"])]),
    ];
    fill(&*index, &records).await?;
    assert_eq!(
        counted(&facet(&*index, "colour:red", "brand", 9).await?),
        [("a", 1), ("b", 1)]
    );
    assert_eq!(
        counted(&facet(&*index, "-colour:red", "brand", 9).await?),
        [("b", 1)]
    );
    // A value that the filter asks for does not hide what stands beside it.
    assert_eq!(
        counted(&facet(&*index, "colour:blue", "colour", 9).await?),
        [("blue", 1), ("red", 1)]
    );
    Ok(())
}

async fn facets_count_what_looks_like_syntax(index: Arc<dyn SearchIndex>) -> Check {
    let records = [
        with(
            "1",
            &[("a.b*", &["x.*", "[y]"]), ("a.b", &["q"]), ("axb*", &["r"])],
        ),
        with("2", &[("a.b*", &["x.*"])]),
    ];
    fill(&*index, &records).await?;
    assert_eq!(
        counted(&facet(&*index, "", "a.b*", 9).await?),
        [("x.*", 2), ("[y]", 1)]
    );
    assert_eq!(counted(&facet(&*index, "", "a.b", 9).await?), [("q", 1)]);
    Ok(())
}

async fn facets_of_nothing_are_empty(index: Arc<dyn SearchIndex>) -> Check {
    assert!(
        facet(&*index, "", "brand", 9).await?.is_empty(),
        "an empty index"
    );
    fill(&*index, &[record("1", 1, "")]).await?;
    assert!(facet(&*index, "", "brand", 9).await?.is_empty());
    assert!(facet(&*index, "brand:x", "platform", 9).await?.is_empty());
    assert_eq!(index.facets(&FacetRequest::default()).await?.len(), 0);
    Ok(())
}

fn published(native: &str, at: &str, colours: &[&str], country: &str) -> Result<Record, Failure> {
    let mut record = record(native, 1, "");
    record.post.published_at = if at.is_empty() {
        None
    } else {
        Some(at.parse()?)
    };
    let colours = colours.iter().map(|c| (*c).to_owned()).collect();
    record.post.given.insert("colour".to_owned(), colours);
    let countries = vec![country.to_owned()];
    record.post.given.insert("market".to_owned(), countries);
    Ok(record)
}

async fn fill_with_colours(index: &dyn SearchIndex) -> Check {
    let records = [
        published("1", "2026-01-05T00:00:00Z", &["red", "pink"], "fr")?,
        published("2", "2026-01-11T23:59:59Z", &["red"], "it")?,
        published("3", "2026-01-12T00:00:00Z", &["blue"], "fr")?,
        published("4", "2026-01-26T12:00:00Z", &["red"], "fr")?,
        published("5", "2026-02-20T12:00:00Z", &[], "fr")?,
        published("6", "", &["red"], "fr")?,
    ];
    write(index, &records[..3]).await?;
    index.flush().await?;
    write(index, &records[3..]).await?;
    Ok(index.flush().await?)
}

/// Value, split, and count and total of each point.
type Short = (String, String, Vec<(u64, u64)>);

fn short(series: &[Series]) -> Vec<Short> {
    series
        .iter()
        .map(|s| {
            let points = s.points.iter().map(|p| (p.count, p.total)).collect();
            (s.value.clone(), s.split.clone().unwrap_or_default(), points)
        })
        .collect()
}

async fn trends_have_no_gaps(index: Arc<dyn SearchIndex>) -> Check {
    fill_with_colours(&*index).await?;
    let mut request = TrendRequest::new("colour");
    request.limit = 2;
    let series = index.trends(&request).await?;
    let red = (
        "red".to_owned(),
        String::new(),
        vec![(2, 2), (0, 1), (0, 0), (1, 1)],
    );
    // One blue, one pink: of equals the first by name.
    let blue = (
        "blue".to_owned(),
        String::new(),
        vec![(0, 2), (1, 1), (0, 0), (0, 1)],
    );
    assert_eq!(short(&series), [red, blue]);
    let monday: Timestamp = "2026-01-05T00:00:00Z".parse()?;
    assert_eq!(series[0].points[0].start, monday);

    request.from = Some(monday);
    request.to = Some("2026-01-12T00:00:00Z".parse()?);
    request.interval = Interval::Day;
    let series = index.trends(&request).await?;
    assert_eq!(
        series[0].points.len(),
        7,
        "to the last that counts, not to the end"
    );
    assert_eq!(series[1].value, "pink", "the end is not in it");

    request.interval = Interval::Month;
    (request.from, request.to) = (None, None);
    request.filter = brand("nobody");
    assert_eq!(index.trends(&request).await?, []);
    Ok(())
}

async fn trends_split(index: Arc<dyn SearchIndex>) -> Check {
    fill_with_colours(&*index).await?;
    let mut request = TrendRequest::new("colour");
    request.interval = Interval::Month;
    request.split = Some("market".to_owned());
    request.limit = 1;
    let series = index.trends(&request).await?;
    let expected = [
        ("red".to_owned(), "fr".to_owned(), vec![(2, 4)]),
        ("red".to_owned(), "it".to_owned(), vec![(1, 4)]),
    ];
    assert_eq!(short(&series), expected);
    Ok(())
}

async fn trends_of_nothing_are_empty(index: Arc<dyn SearchIndex>) -> Check {
    assert_eq!(index.trends(&TrendRequest::new("colour")).await?, []);
    fill_with_colours(&*index).await?;
    assert_eq!(index.trends(&TrendRequest::new("absent")).await?, []);
    let mut request = TrendRequest::new("colour");
    request.limit = 0;
    assert_eq!(index.trends(&request).await?, []);
    request.limit = 9;
    request.from = Some("2027-01-01T00:00:00Z".parse()?);
    assert_eq!(index.trends(&request).await?, []);
    Ok(())
}

async fn trends_know_calendars(index: Arc<dyn SearchIndex>) -> Check {
    let records = [
        published("1", "2024-02-29T23:59:59.999Z", &["red"], "fr")?,
        published("2", "2024-03-01T00:00:00Z", &["red"], "fr")?,
        published("3", "2024-03-03T23:59:59Z", &["red"], "fr")?,
        published("4", "2024-03-04T00:00:00Z", &["red"], "fr")?,
    ];
    fill(&*index, &records).await?;
    for (interval, start, expected) in [
        (
            Interval::Month,
            "2024-02-01T00:00:00Z",
            vec![(1, 1), (3, 3)],
        ),
        (Interval::Week, "2024-02-26T00:00:00Z", vec![(3, 3), (1, 1)]),
        (
            Interval::Day,
            "2024-02-29T00:00:00Z",
            vec![(1, 1), (1, 1), (0, 0), (1, 1), (1, 1)],
        ),
    ] {
        let mut request = TrendRequest::new("colour");
        request.interval = interval;
        let series = index.trends(&request).await?;
        assert_eq!(
            short(&series),
            [("red".to_owned(), String::new(), expected)],
            "{interval:?}"
        );
        assert_eq!(series[0].points[0].start, start.parse::<Timestamp>()?);
    }
    Ok(())
}

async fn trends_leave_out_what_has_no_time(index: Arc<dyn SearchIndex>) -> Check {
    let records = [
        published("1", "", &["blue"], "fr")?,
        published("2", "2026-01-01T00:00:00Z", &["red"], "fr")?,
    ];
    fill(&*index, &records).await?;
    let series = index.trends(&TrendRequest::new("colour")).await?;
    assert_eq!(
        short(&series),
        [("red".to_owned(), String::new(), vec![(1, 1)])]
    );
    Ok(())
}

async fn trends_split_by_several_values(index: Arc<dyn SearchIndex>) -> Check {
    let at = |native: &str, colours: &[&str], brands: &[&str]| -> Result<Record, Failure> {
        let mut record = with(native, &[("colour", colours), ("brand", brands)]);
        record.post.published_at = Some("2026-01-01T00:00:00Z".parse()?);
        Ok(record)
    };
    let records = [
        at("1", &["red", "blue"], &["a", "b"])?,
        at("2", &["red"], &["a"])?,
        at("3", &["red"], &[])?,
    ];
    fill(&*index, &records).await?;
    let mut request = TrendRequest::new("colour");
    request.split = Some("brand".to_owned());
    let line =
        |value: &str, split: &str, count| (value.to_owned(), split.to_owned(), vec![(count, 3)]);
    let expected = [
        line("red", "a", 2),
        line("red", "b", 1),
        line("blue", "a", 1),
        line("blue", "b", 1),
    ];
    assert_eq!(short(&index.trends(&request).await?), expected);
    Ok(())
}

async fn trends_reach_far(index: Arc<dyn SearchIndex>) -> Check {
    let records = [
        published("1", "1969-12-31T23:00:00Z", &["red"], "fr")?,
        published("2", "1970-01-01T00:00:00Z", &["red"], "fr")?,
    ];
    fill(&*index, &records).await?;
    let mut request = TrendRequest::new("colour");
    request.interval = Interval::Day;
    let series = index.trends(&request).await?;
    assert_eq!(
        short(&series),
        [("red".to_owned(), String::new(), vec![(1, 1), (1, 1)])]
    );
    assert_eq!(
        series[0].points[0].start,
        "1969-12-31T00:00:00Z".parse::<Timestamp>()?
    );
    Ok(())
}
