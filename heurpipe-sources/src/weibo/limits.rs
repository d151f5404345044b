//! How many calls are left. No header tells, so the API is asked from time to time; that call is not counted.

use std::time::Duration;

use super::wire::RateLimitStatus;

/// Calls between two questions.
pub(super) const ASK_EVERY: u32 = 20;

/// How much of the allowance is used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Allowance {
    /// The higher share of the user's and the address's allowance, in percent.
    pub percent: f64,
    /// When it is given back.
    pub back_in: Option<Duration>,
}

/// Reads the answer; none when it tells nothing.
pub(super) fn allowance(status: &RateLimitStatus) -> Option<Allowance> {
    let user = share(status.remaining_user_hits, status.user_limit);
    let address = share(status.remaining_ip_hits, status.ip_limit);
    let percent = user.into_iter().chain(address).reduce(f64::max)?;
    Some(Allowance {
        percent,
        back_in: status.reset_time_in_seconds.map(Duration::from_secs),
    })
}

fn share(remaining: Option<f64>, limit: Option<f64>) -> Option<f64> {
    let limit = limit.filter(|limit| *limit > 0.0)?;
    Some((100.0 * (1.0 - remaining? / limit)).clamp(0.0, 100.0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_scarcer_allowance_counts() {
        let status = serde_json::from_str(
            r#"{"ip_limit":10000,"limit_time_unit":"HOURS","remaining_ip_hits":9990,"remaining_user_hits":15,
                "reset_time":"2011-06-03 18:00:00","reset_time_in_seconds":1415,"user_limit":150}"#,
        )
        .unwrap();
        let allowance = allowance(&status).unwrap();
        assert!((allowance.percent - 90.0).abs() < 1e-9);
        assert_eq!(allowance.back_in, Some(Duration::from_secs(1415)));
    }

    #[test]
    fn an_answer_without_limits_tells_nothing() {
        assert_eq!(allowance(&RateLimitStatus::default()), None);
    }
}
