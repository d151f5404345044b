#![allow(clippy::unwrap_used)]

use super::*;

const CALL: &str = "statuses/home_timeline";
const REST: Duration = Duration::from_secs(300);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn told(json: &str) -> Ledger {
    told_with(json, 0)
}

fn told_with(json: &str, in_flight: u64) -> Ledger {
    let mut ledger = Ledger::default();
    let status = serde_json::from_str(json).unwrap();
    ledger.answered(&status, in_flight, at(0), REST);
    ledger
}

/// How many calls may be made one after the other, and how long to wait then.
fn calls(ledger: &mut Ledger, path: &str, now: Timestamp) -> (usize, Duration) {
    let mut made = 0;
    loop {
        match ledger.take(path, now) {
            Ok(()) => made += 1,
            Err(wait) => return (made, wait),
        }
    }
}

const STATUS: &str = r#"{"ip_limit":10000,"limit_time_unit":"HOURS","remaining_ip_hits":9990,"remaining_user_hits":3,
  "reset_time":"2011-06-03 18:00:00","reset_time_in_seconds":1415,"user_limit":150,
  "api_rate_limits":[{"api":"/search/topics","limit":30,"limit_time_unit":"HOURS","remaining_hits":2}]}"#;

#[test]
fn no_call_goes_over_the_allowance() {
    assert_eq!(calls(&mut told(STATUS), CALL, at(0)), (3, seconds(1415)));
    assert_eq!(calls(&mut told(STATUS), CALL, at(400)), (3, seconds(1015)));
}

#[test]
fn the_address_has_an_allowance_too() {
    let json = r#"{"ip_limit":"1000","remaining_ip_hits":"2","remaining_user_hits":50,"user_limit":150,"reset_time_in_seconds":"60"}"#;
    assert_eq!(calls(&mut told(json), CALL, at(0)), (2, seconds(60)));
}

#[test]
fn the_limit_of_one_call_leaves_the_others() {
    let mut ledger = told(STATUS);
    assert_eq!(
        calls(&mut ledger, "search/topics", at(0)),
        (2, seconds(1415))
    );
    assert_eq!(ledger.standing(CALL, at(0)), Standing::Free);
    assert_eq!(calls(&mut ledger, CALL, at(0)).0, 1, "the user has three");
}

#[test]
fn calls_that_are_under_way_count_as_made() {
    let mut ledger = told_with(STATUS, 2);
    assert_eq!(calls(&mut ledger, CALL, at(0)).0, 1);
}

#[test]
fn an_overdrawn_allowance_is_used_up() {
    let json = r#"{"remaining_user_hits":-4,"user_limit":150,"reset_time_in_seconds":60}"#;
    assert_eq!(calls(&mut told(json), CALL, at(0)), (0, seconds(60)));
}

#[test]
fn when_allowances_are_given_back_may_be_told_as_a_time_of_china() {
    let json = r#"{"remaining_user_hits":0,"user_limit":150,"reset_time":"1970-01-01 08:02:00"}"#;
    assert_eq!(calls(&mut told(json), CALL, at(0)), (0, seconds(120)));
    let untold = r#"{"remaining_user_hits":0,"user_limit":150,"reset_time":"soon"}"#;
    assert_eq!(calls(&mut told(untold), CALL, at(0)), (0, REST));
}

#[test]
fn it_is_asked_at_first_every_twenty_calls_and_when_allowances_are_back() {
    let json = r#"{"remaining_user_hits":100,"user_limit":150,"reset_time_in_seconds":60}"#;
    assert_eq!(
        Ledger::default().standing(CALL, at(0)),
        Standing::AskFirst,
        "nothing is known"
    );
    let mut ledger = told(json);
    for call in 0..20 {
        assert_eq!(ledger.standing(CALL, at(0)), Standing::Free, "{call}");
        ledger.take(CALL, at(0)).unwrap();
    }
    assert_eq!(ledger.standing(CALL, at(0)), Standing::AskFirst);
    ledger.asked(at(1));
    assert_eq!(ledger.standing(CALL, at(59)), Standing::Free);
    assert_eq!(ledger.standing(CALL, at(60)), Standing::AskFirst);
}

#[test]
fn while_closed_nothing_is_asked() {
    let mut ledger = told(STATUS);
    calls(&mut ledger, CALL, at(0));
    for _ in 0..40 {
        let standing = ledger.standing(CALL, at(15));
        assert_eq!(standing, Standing::Closed(seconds(1400)));
    }
}

#[test]
fn a_refusal_closes_what_it_is_about() {
    let mut ledger = told(STATUS);
    let wait = ledger.refused("search/topics", Scope::ThisCall, at(0), None, REST);
    assert_eq!(wait, seconds(1415), "until allowances are given back");
    assert_eq!(ledger.standing(CALL, at(0)), Standing::Free);
    assert_eq!(
        ledger.standing("search/topics", at(0)),
        Standing::Closed(wait)
    );

    let wait = ledger.refused(CALL, Scope::All, at(0), Some(seconds(20)), REST);
    assert_eq!(wait, seconds(20), "as long as told");
    assert_eq!(
        ledger.standing("other", at(5)),
        Standing::Closed(seconds(15))
    );
    assert_eq!(ledger.standing("other", at(20)), Standing::Free);
}

#[test]
fn a_refusal_that_tells_nothing_lasts_for_a_rest() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.refused(CALL, Scope::All, at(0), None, REST), REST);
    let mut ledger = Ledger::default();
    let wait = ledger.refused(CALL, Scope::ThisCall, at(0), None, REST);
    assert_eq!(wait, REST);
}

#[test]
fn a_refusal_lasts_until_what_is_used_up_is_given_back() {
    let mut ledger =
        told(r#"{"remaining_user_hits":0,"user_limit":150,"reset_time_in_seconds":900}"#);
    let wait = ledger.refused(CALL, Scope::All, at(100), None, REST);
    assert_eq!(wait, seconds(800));
}

#[test]
fn what_is_known_is_written_and_read_again() {
    let mut ledger = told(STATUS);
    ledger.take("search/topics", at(0)).unwrap();
    ledger.refused("place/nearby_timeline", Scope::ThisCall, at(0), None, REST);
    ledger.refused(CALL, Scope::All, at(0), Some(seconds(20)), REST);
    let text = serde_json::to_string(&ledger).unwrap();
    let read: Ledger = serde_json::from_str(&text).unwrap();
    assert_eq!(read, ledger);
}

#[test]
fn the_scarcer_allowance_sets_the_pace() {
    assert_eq!(told(STATUS).used_percent(), Some(98.0));
    assert_eq!(Ledger::default().used_percent(), None);
    assert_eq!(told("{}").used_percent(), None, "an answer without limits");
}
