//! Fault scripts at random, of faults that all pass: nothing is lost for good where the executor does what it should.

use std::time::Duration;

use heurpipe_core::ErrorKind;
use heurpipe_core::testkit::faults::{Fault, Faults, Rule, Trigger};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// What a script is for: not every part survives every fault without something lost for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Source,
    Stage,
    Sink,
    Store,
}

/// A script whose faults all pass. Half of all parts have none.
pub fn script(part: Part) -> impl Strategy<Value = Faults> {
    let numbers = vec(any::<u64>(), 0..4);
    let extra = option::weighted(0.4, (0..5_u8, 1..12_u64, 1..4_u64));
    let some = (numbers, extra).prop_map(move |(numbers, extra)| {
        let mut script = Faults::of(numbers);
        if let Some((what, first, count)) = extra {
            script = script.and(special(part, what, first, count));
        }
        if part == Part::Source {
            // A partition is given up after six failures in a row: no two rules fail together.
            let mut failing = 0;
            script.rules.retain(|rule| {
                let fails = matches!(rule.what, Fault::Fail(_) | Fault::Drop);
                failing += usize::from(fails);
                !fails || failing == 1
            });
        }
        script
    });
    prop_oneof![Just(Faults::none()), some]
}

/// Faults that are not for every part.
fn special(part: Part, what: u8, first: u64, count: u64) -> Faults {
    let calls = Trigger::Calls { first, count };
    let hang = Rule::new(calls.clone(), Fault::Hang);
    let down = Faults::outage(first, count * 4);
    let item = Rule::new(
        Trigger::Item(first as usize % 4),
        Fault::FailItem(ErrorKind::Unavailable),
    );
    let slow = Rule::new(
        Trigger::Every(1 + first % 3),
        Fault::Delay(Duration::from_millis(300)),
    );
    match (part, what) {
        (Part::Source, _) => Faults::none().rule(slow),
        (Part::Store, _) => down,
        (_, 0) => Faults::none().rule(hang),
        (_, 1) => down,
        (Part::Sink, 2) => Faults::none().rule(hang.on("flush")),
        (Part::Sink, 3) => Faults::outage(first, count)
            .rules
            .into_iter()
            .fold(Faults::none(), |script, rule| script.rule(rule.on("flush"))),
        _ => Faults::none().rule(item.times(count)),
    }
}
