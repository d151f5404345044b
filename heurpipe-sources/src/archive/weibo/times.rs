//! Times as pages of Weibo and its crawlers write them: those of China, mostly without saying so, and often reckoned back from the moment
//! at which the page was served.

use heurpipe_core::{Post, Precision};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// Of the Open API, whatever the language.
const FULL: &str = "%a %b %d %H:%M:%S %z %Y";
/// A day without its year is looked for so far back: the 29th of February comes again after eight years at the latest.
const YEARS: i16 = 8;

/// When something was, as exactly as a text says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// The earliest time that the text may mean.
    pub at: Timestamp,
    /// How much later it may have been; none: the time is written to the second.
    pub within: Option<Precision>,
}

impl Moment {
    fn exactly(at: Timestamp) -> Self {
        Self { at, within: None }
    }

    /// Sets when a post was published.
    pub(super) fn publish(self, post: &mut Post) {
        post.published_at = Some(self.at);
        post.published_within = self.within;
    }
}

/// Reads a time, which may be told from when it was `seen`: `刚刚`, `3分钟前`, `昨天 20:15`, `11-24`, `2020-05-20 13:14`.
///
/// # Errors
/// A sentence when it is no time.
pub(super) fn moment(text: &str, seen: Timestamp) -> Result<Moment, String> {
    let text = text.trim();
    full(text)
        .or_else(|| written(text))
        .or_else(|| ago(text, seen))
        .or_else(|| on_day_before(text, seen))
        .or_else(|| without_year(text, seen))
        .ok_or_else(|| format!("its time is none: {text}"))
}

/// With its zone.
fn full(text: &str) -> Option<Moment> {
    let time = Timestamp::strptime(FULL, text).ok();
    time.or_else(|| text.parse().ok()).map(Moment::exactly)
}

/// `2020-05-20`, `2020-05-20 13:14`, `2020-05-20T13:14:00`.
fn written(text: &str) -> Option<Moment> {
    let (date, time) = text
        .split_once(['T', ' '])
        .map_or((text, None), |(date, time)| (date, Some(time)));
    on(date.parse().ok()?, time)
}

/// `刚刚`, `20秒前`, `3分钟前`, `2小时前`. The network rounds down: three minutes ago is between three and four.
fn ago(text: &str, seen: Timestamp) -> Option<Moment> {
    let back = |units: i64, seconds: i64, within| {
        let back = units.checked_add(1)?.checked_mul(seconds)?;
        let at = seen.checked_sub(SignedDuration::from_secs(back)).ok()?;
        let within = Some(within);
        Some(Moment { at, within })
    };
    let number = |unit: &str| text.strip_suffix(unit)?.trim().parse::<u32>().ok();
    if text == "刚刚" || number("秒前").is_some() {
        back(0, 60, Precision::Minute)
    } else if let Some(minutes) = number("分钟前") {
        back(minutes.into(), 60, Precision::Minute)
    } else {
        back(number("小时前")?.into(), 3600, Precision::Hour)
    }
}

/// `今天 08:30`, `昨天 20:15`.
fn on_day_before(text: &str, seen: Timestamp) -> Option<Moment> {
    let today = seen.to_zoned(china()).date();
    let (day, time) = match text.strip_prefix("昨天") {
        Some(time) => (today.yesterday().ok()?, time),
        None => (today, text.strip_prefix("今天")?),
    };
    let time = time.trim();
    on(day, (!time.is_empty()).then_some(time))
}

/// `11-24`, `11-24 20:15`, `11月24日 20:15`: the last such day before the capture.
fn without_year(text: &str, seen: Timestamp) -> Option<Moment> {
    let text = text.replacen('月', "-", 1).replacen('日', "", 1);
    let (date, time) = text
        .split_once(' ')
        .map_or((text.as_str(), None), |(date, time)| {
            (date, Some(time.trim()))
        });
    let (month, day) = date.split_once('-')?;
    let (month, day) = (month.parse().ok()?, day.parse().ok()?);
    let year = seen.to_zoned(china()).year();
    (0..=YEARS)
        .filter_map(|back| Date::new(year.checked_sub(back)?, month, day).ok())
        .filter_map(|date| on(date, time))
        .find(|moment| moment.at <= seen)
}

/// A day of China, with or without the time of day.
fn on(date: Date, time: Option<&str>) -> Option<Moment> {
    let (time, within) = match time {
        None => (Time::midnight(), Some(Precision::Day)),
        Some(text) if text.matches(':').count() == 1 => {
            (text.parse().ok()?, Some(Precision::Minute))
        }
        Some(text) => (text.parse().ok()?, None),
    };
    let at = DateTime::from_parts(date, time).to_zoned(china()).ok()?;
    let at = at.timestamp();
    Some(Moment { at, within })
}

fn china() -> TimeZone {
    TimeZone::fixed(Offset::constant(8))
}

#[cfg(test)]
#[path = "times_tests.rs"]
mod tests;
