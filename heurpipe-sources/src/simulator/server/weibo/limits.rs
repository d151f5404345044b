//! Allowances: the user's, the address's and those of single calls.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{Refusal, Service};
use crate::simulator::server::usage::{Spent, ThisHour};

/// What has been used of the allowances beside the user's.
#[derive(Default)]
pub(in crate::simulator::server) struct WeiboUsage(Mutex<State>);

#[derive(Default)]
struct State {
    address: ThisHour,
    calls: BTreeMap<String, ThisHour>,
}

impl WeiboUsage {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a call. Those that are refused count too.
pub(super) fn count(service: &Service, path: &str) -> Result<(), Refusal> {
    let now = now(service);
    let options = &service.options;
    let user = service.usage.weibo_call();
    let mut state = service.weibo_usage.state();
    let address = state.address.count(now);
    let call = state.calls.entry(path.to_owned()).or_default().count(now);
    drop(state);
    if address.calls > options.weibo.address_calls_per_hour {
        return Err(Refusal::ADDRESS_OUT_OF_RATE);
    }
    if user.calls > options.limits.weibo_calls_per_hour {
        return Err(Refusal::USER_OUT_OF_RATE);
    }
    match options.weibo.calls_per_hour_of.get(path) {
        Some(limit) if call.calls > *limit => Err(Refusal::CALL_OUT_OF_RATE),
        _ => Ok(()),
    }
}

/// How much is left. All is given back at one time, when the hour is full.
pub(super) fn rate_limit_status(service: &Service) -> Value {
    let now = now(service);
    let options = &service.options;
    let user = service.usage.weibo();
    let mut state = service.weibo_usage.state();
    let address = state.address.spent(now);
    let left = |limit: usize, spent: Spent| limit.saturating_sub(spent.calls);
    let calls: Vec<Value> = options
        .weibo
        .calls_per_hour_of
        .iter()
        .map(|(path, limit)| {
            let spent = state.calls.entry(path.clone()).or_default().spent(now);
            json!({"api": format!("/{path}"), "limit": limit, "limit_time_unit": "HOURS", "remaining_hits": left(*limit, spent)})
        })
        .collect();
    let back_at = now
        .saturating_add(user.back_in)
        .unwrap_or(Timestamp::MAX)
        .to_zoned(TimeZone::fixed(jiff::tz::offset(8)));
    let user_limit = options.limits.weibo_calls_per_hour;
    let address_limit = options.weibo.address_calls_per_hour;
    json!({
        "ip_limit": address_limit, "limit_time_unit": "HOURS", "remaining_ip_hits": left(address_limit, address),
        "remaining_user_hits": left(user_limit, user), "user_limit": user_limit,
        "reset_time": back_at.strftime("%Y-%m-%d %H:%M:%S").to_string(), "reset_time_in_seconds": user.back_in.as_secs(), "api_rate_limits": calls,
    })
}

/// Allowances go by the world's clock, and by the machine's where the world stands still.
fn now(service: &Service) -> Timestamp {
    service.options.clock.unwrap_or_default().now()
}
