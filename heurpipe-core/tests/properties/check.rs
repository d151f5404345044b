//! What must be true of lives, whatever the case.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::executor::block_on;
use heurpipe_core::{Incoming, Outcome, Page, PostCounts, Retry, RunReport, RunStatus, State};

use super::case::{Case, CrashCase, Moment, USE_CASE};
use super::fuse::Crash;
use super::life::{End, Life, live, live_with};
use super::oracle::{Expected, Oracle};
use super::parts::label_of;
use super::reading::Track;
use super::world::{Snapshot, World, has_note, post_id};

pub type Checked<T = ()> = Result<T, String>;

/// One life without a crash: every post settles exactly once, as the oracle says. Gives what it leaves behind, and the number of calls.
pub fn unbroken(case: &Case) -> Checked<(Snapshot, u64)> {
    let world = block_on(World::new(case));
    let life = live(&world, 0, None);
    let report = complete(&world, &life)?;
    as_expected(&world, &life, report)?;
    Ok((block_on(world.snapshot()), life.calls))
}

/// Lives that are killed where the case says, and one that is not: they leave behind what an unbroken run does.
pub fn killed_at_random(case: &Case) -> Checked {
    let (snapshot, calls) = unbroken(case)?;
    let crash = |crash: &CrashCase| Crash {
        call: 1 + u64::from(crash.share) * calls / 65_536,
        moment: crash.moment,
    };
    let crashes: Vec<Crash> = case.crashes.iter().map(crash).collect();
    let (world, lives) = killed(case, &crashes, &snapshot)?;
    let idle = live(&world, lives, None);
    let report = complete(&world, &idle).map_err(|why| format!("one more run: {why}"))?;
    if case.documents && report.posts.read > 0 {
        return Err(format!(
            "one more run reads what is settled: {:?}",
            report.posts
        ));
    }
    same(&world, &snapshot, "one more run")
}

/// Each call at which a run can be killed, before, in and after it. Gives how many that were.
pub fn killed_everywhere(case: &Case) -> Checked<u64> {
    let (snapshot, calls) = unbroken(case)?;
    let mut lives = 0;
    for call in 1..=calls {
        for moment in [Moment::Before, Moment::Half, Moment::After] {
            let crash = Crash { call, moment };
            killed(case, &[crash], &snapshot).map_err(|why| format!("{crash:?}: {why}"))?;
            lives += 1;
        }
    }
    Ok(lives)
}

/// Lives that are killed, and one that is not. Gives the world as it is then, and how many lives that were.
fn killed(case: &Case, crashes: &[Crash], unbroken: &Snapshot) -> Checked<(Arc<World>, i64)> {
    let world = block_on(World::new(case));
    let mut owed = BTreeSet::new();
    let mut number = 0;
    if let Some(limit) = case.limit {
        let life = live_with(&world, number, None, Some(limit));
        number += 1;
        limited(&life, limit)?;
        owed.extend(block_on(dropped(&world, &life)));
    }
    for crash in crashes {
        let life = live(&world, number, Some(*crash));
        number += 1;
        broken(&world, &life, crash.moment)?;
        owed = &owed - &read(&life);
        owed.extend(block_on(dropped(&world, &life)));
    }
    let life = live(&world, number, None);
    complete(&world, &life).map_err(|why| format!("the run after the crash: {why}"))?;
    owed = &owed - &read(&life);
    if !owed.is_empty() {
        return Err(format!("read, dropped, and never read again: {owed:?}"));
    }
    same(&world, unbroken, "the run after the crash")?;
    Ok((world, number + 1))
}

/// A run with a limit reads no more than that, and settles what it reads.
fn limited(life: &Life, limit: u64) -> Checked {
    let End::Done(report) = &life.end else {
        return Err(format!("with a limit, {}", ended(&life.end)));
    };
    let counts = report.posts;
    match counts.read <= limit && counts.read == counts.settled() {
        true => Ok(()),
        false => Err(format!(
            "with a limit of {limit}, the run counts {counts:?}"
        )),
    }
}

/// How a run ended that was killed or stopped.
fn broken(world: &Arc<World>, life: &Life, moment: Moment) -> Checked {
    let asked = matches!(moment, Moment::Drain | Moment::Stop);
    match &life.end {
        End::Crashed => Ok(()),
        End::Done(report) if report.status == RunStatus::Stopped => {
            let settled = report.posts.read == report.posts.settled();
            match settled || moment == Moment::Stop {
                true => Ok(()),
                false => Err(format!(
                    "it was to settle what it had read: {:?}",
                    report.posts
                )),
            }
        }
        // It made fewer calls than expected. That is no fault.
        End::Done(_) => complete(world, life).map(drop),
        // Whoever asks a run to end while a store is down does not want it to wait for the store.
        End::Failed(error) if asked && error.retry() == Retry::Temporary => Ok(()),
        other => Err(ended(other)),
    }
}

fn same(world: &World, unbroken: &Snapshot, what: &str) -> Checked {
    match block_on(world.snapshot()).difference(unbroken) {
        None => Ok(()),
        Some(difference) => Err(format!("{what} leaves something else:\n{difference}")),
    }
}

/// A run that came to its end has settled each item that it read, once, and left nothing open.
fn complete<'a>(world: &Arc<World>, life: &'a Life) -> Checked<&'a RunReport> {
    let violations = world.violations();
    if !violations.is_empty() {
        return Err(violations.join("\n"));
    }
    let End::Done(report) = &life.end else {
        return Err(ended(&life.end));
    };
    if report.status != RunStatus::Done {
        return Err(format!(
            "the run is {:?}: {:?}",
            report.status, report.errors
        ));
    }
    let tracks = life.log.0.lock().unwrap();
    let mut counts = PostCounts::default();
    for (place, track) in tracks.iter() {
        if track.told != track.pages.len() {
            return Err(format!(
                "of partition {place:?}, {} pages were read and {} told settled",
                track.pages.len(),
                track.told
            ));
        }
        counts.read += track
            .pages
            .iter()
            .map(|page| page.items.len() as u64)
            .sum::<u64>();
        track
            .outcomes
            .iter()
            .for_each(|(_, outcome)| counts.add(outcome));
    }
    // What an earlier life left pending is read from documents, and told to nobody.
    let from_documents = report.posts.read - counts.read.min(report.posts.read);
    if report.posts.read != report.posts.settled() || report.posts.read < counts.read {
        return Err(format!(
            "the report does not add up: {:?}, told {counts:?}",
            report.posts
        ));
    }
    if from_documents == 0 && report.posts != counts {
        return Err(format!(
            "the report is {:?}, told was {counts:?}",
            report.posts
        ));
    }
    for record in block_on(world.records()) {
        if matches!(record.states.get(USE_CASE), Some(State::Pending { .. })) {
            return Err(format!("{} is pending at the end", record.id()));
        }
    }
    Ok(report)
}

fn ended(end: &End) -> String {
    match end {
        End::Failed(error) => format!("the run failed: {}", error.chain().join(": ")),
        End::Hangs => "the run waits for ever".to_owned(),
        End::Crashed | End::Done(_) => "the run did not end as it should".to_owned(),
    }
}

/// What one life made of the stream is what the oracle says.
fn as_expected(world: &Arc<World>, life: &Life, report: &RunReport) -> Checked {
    let case = &world.case;
    let mut oracle = Oracle::new(case);
    let tracks = life.log.0.lock().unwrap();
    let pages = tracks.values().flat_map(|track| &track.pages);
    pages
        .flat_map(|page| &page.items)
        .for_each(|item| oracle.takes(item));
    let mut expected = oracle.expects();

    let mut outcomes: BTreeMap<_, Vec<Outcome>> = BTreeMap::new();
    for (id, outcome) in tracks.values().flat_map(|track| &track.outcomes) {
        outcomes
            .entry(id.clone())
            .or_default()
            .push(outcome.clone());
    }
    let lists = outcomes.values_mut().chain(expected.outcomes.values_mut());
    lists.for_each(|list| list.sort_by_key(|outcome| format!("{outcome:?}")));
    equal_maps("outcomes", &outcomes, &expected.outcomes)?;

    let mut counts = PostCounts::default();
    expected
        .outcomes
        .values()
        .flatten()
        .for_each(|outcome| counts.add(outcome));
    counts.read = counts.settled();
    equal("the report", &report.posts, &counts)?;
    holds(world, &expected)
}

fn holds(world: &World, expected: &Expected) -> Checked {
    let sinks = world
        .case
        .graph
        .sinks
        .iter()
        .zip(&world.shelves)
        .enumerate();
    for (number, (_, shelf)) in sinks.filter(|(_, (sink, _))| !sink.tee) {
        equal(
            &format!("sink {number}"),
            &shelf.ids(),
            &expected.sinks[number],
        )?;
    }
    let mut records = BTreeMap::new();
    for record in block_on(world.records()) {
        let state = record.states[USE_CASE].name();
        let noted = world
            .case
            .noted
            .iter()
            .any(|post| post_id(*post) == *record.id());
        if noted != has_note(&record) {
            return Err(format!(
                "what somebody else wrote on {} is lost",
                record.id()
            ));
        }
        let enrichers = 0..world.case.graph.enrichers.len();
        let labels = enrichers.filter_map(|i| Some((i, label_of(&record, i)?)));
        let labels = (state != "dead").then(|| labels.collect());
        records.insert(record.id().to_string(), (state, labels));
    }
    equal_maps("records", &records, &expected.records)?;
    as_documents_say(world)?;
    let letters = block_on(world.letters());
    let letters = letters
        .iter()
        .map(|letter| letter.post.to_string())
        .collect();
    equal("dead letters", &letters, &expected.letters)?;
    let mut asked = BTreeSet::new();
    for record in block_on(world.records()) {
        if block_on(world.is_asked_about(record.id())) {
            asked.insert(record.id().to_string());
        }
    }
    equal("review tasks", &asked, &expected.asked)
}

/// What sinks hold of a post that came in one version is what documents say of it: a delivered one in the revision that they have, and in
/// side outputs whatever became of it.
fn as_documents_say(world: &World) -> Checked {
    for record in block_on(world.records()) {
        if world.case.changes(&record.id().native) {
            continue;
        }
        let delivered = record.states[USE_CASE] == State::Delivered;
        let sinks = world.case.graph.sinks.iter().zip(&world.shelves);
        for (number, (sink, shelf)) in sinks.enumerate() {
            let shelf = shelf.lock();
            let Some(held) = shelf.get(record.id()).filter(|_| sink.tee || delivered) else {
                continue;
            };
            let what = format!("what sink {number} holds of {}", record.id());
            equal(&what, &held.states, &record.states)?;
            equal(&what, &held.revision, &record.revision)?;
        }
    }
    Ok(())
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, is: &T, should: &T) -> Checked {
    match is == should {
        true => Ok(()),
        false => Err(format!(
            "{what}:\n  are       {is:?}\n  should be {should:?}"
        )),
    }
}

/// The same of maps, told by the first key at which they differ.
fn equal_maps<K, V>(what: &str, is: &BTreeMap<K, V>, should: &BTreeMap<K, V>) -> Checked
where
    K: Ord + std::fmt::Debug,
    V: PartialEq + std::fmt::Debug,
{
    let keys: BTreeSet<&K> = is.keys().chain(should.keys()).collect();
    let mut keys = keys.into_iter();
    keys.try_for_each(|key| {
        equal(
            &format!("{what} of {key:?}"),
            &is.get(key),
            &should.get(key),
        )
    })
}

/// An item of a stream: source, partition, and what tells it from others there.
type ItemKey = ((usize, usize), String);

fn key(place: (usize, usize), item: &Incoming) -> ItemKey {
    let what = match item {
        Incoming::Post(post) => format!("{} version {:?}", post.id, post.counts.likes),
        other => format!("{} of another kind", other.id()),
    };
    (place, what)
}

/// All that sources yielded.
fn read(life: &Life) -> BTreeSet<ItemKey> {
    keys_of(life, |track| &track.pages)
}

/// What sources were told the end of.
fn told(life: &Life) -> BTreeSet<ItemKey> {
    keys_of(life, |track| &track.pages[..track.told])
}

fn keys_of(life: &Life, pages: impl Fn(&Track) -> &[Page]) -> BTreeSet<ItemKey> {
    let tracks = life.log.0.lock().unwrap();
    let items = tracks.iter().flat_map(|(place, track)| {
        let items = pages(track).iter().flat_map(|page| &page.items);
        items.map(|item| key(*place, item))
    });
    items.collect()
}

/// Items that the life read and took with it: not told settled, and not in documents either. They must be read again. What a queue yielded
/// twice, since its reading failed in between, and was told once, is settled.
async fn dropped(world: &World, life: &Life) -> Vec<ItemKey> {
    let open: Vec<((usize, usize), Incoming)> = {
        let tracks = life.log.0.lock().unwrap();
        let items = tracks.iter().flat_map(|(place, track)| {
            let pages = track.pages[track.told..].iter();
            pages.flat_map(|page| page.items.iter().map(|item| (*place, item.clone())))
        });
        items.collect()
    };
    let told = told(life);
    let mut dropped = Vec::new();
    for (place, item) in open {
        if told.contains(&key(place, &item)) {
            continue;
        }
        if !world.case.documents || !world.is_kept(&item).await {
            dropped.push(key(place, &item));
        }
    }
    dropped
}
