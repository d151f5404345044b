//! Model checks of receipts: every interleaving of a few threads that mark, settle and lose the shares of a page.
//!
//! The source of the receipts is compiled here once more, with loom's primitives in place of the standard library's.
#![allow(missing_docs)]

// What the source of the receipts finds at the root of its crate.
use heurpipe_core::{Outcome, PostId};

#[path = "../src/pipeline/receipt.rs"]
mod receipt;

/// In place of `pipeline/sync.rs`.
mod sync {
    pub(crate) use std::sync::PoisonError;

    pub(crate) use loom::sync::{Arc, Mutex, MutexGuard};
}

use std::sync::atomic::{
    AtomicUsize,
    Ordering::{Relaxed, SeqCst},
};

use heurpipe_core::Platform;
use loom::thread;
use receipt::{PageReceipt, Progress, Share, Tell, mark_durable, settle};

/// What a page told, and how far its items were at each moment. Its other counters are the standard library's: loom does not see them, so they
/// synchronise nothing and add no interleavings.
#[derive(Clone)]
struct Witness(std::sync::Arc<Seen>);

struct Seen {
    /// Touched before a message is looked at: without that, loom lets nobody run between a page's decision to tell and the telling.
    on_the_way: loom::sync::atomic::AtomicUsize,
    sequence: u64,
    items: usize,
    /// Items of which somebody has begun to say that they are durable.
    marking: AtomicUsize,
    /// Items of which somebody has begun to say that they are settled.
    settling: AtomicUsize,
    durable: AtomicUsize,
    settled: AtomicUsize,
}

impl Witness {
    fn of(sequence: u64, items: usize) -> Self {
        Self(std::sync::Arc::new(Seen {
            on_the_way: loom::sync::atomic::AtomicUsize::new(0),
            sequence,
            items,
            marking: AtomicUsize::new(0),
            settling: AtomicUsize::new(0),
            durable: AtomicUsize::new(0),
            settled: AtomicUsize::new(0),
        }))
    }

    fn told(&self) -> (usize, usize) {
        (self.0.durable.load(SeqCst), self.0.settled.load(SeqCst))
    }
}

impl Tell for Witness {
    fn tell(&self, progress: Progress) {
        let seen = &self.0;
        seen.on_the_way.fetch_add(1, Relaxed);
        match progress {
            Progress::Durable(sequence) => {
                assert_eq!(sequence, seen.sequence);
                assert_eq!(seen.marking.load(SeqCst), seen.items, "durable too early");
                assert_eq!(seen.durable.fetch_add(1, SeqCst), 0, "durable twice");
            }
            Progress::Settled(sequence, outcomes) => {
                assert_eq!(sequence, seen.sequence);
                assert_eq!(seen.settling.load(SeqCst), seen.items, "settled too early");
                assert_eq!(seen.durable.load(SeqCst), 1, "settled before durable");
                assert_eq!(seen.settled.fetch_add(1, SeqCst), 0, "settled twice");
                assert_all_there(&outcomes, seen.items);
            }
        }
    }
}

fn assert_all_there(outcomes: &[(PostId, Outcome)], items: usize) {
    let mut ids: Vec<&PostId> = outcomes.iter().map(|(id, _)| id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((outcomes.len(), ids.len()), (items, items), "outcomes lost");
}

/// An item that a thread has in hand.
struct Held {
    share: Share<Witness>,
    number: usize,
    marked: bool,
    witness: Witness,
}

fn page(sequence: u64, items: usize) -> (Witness, Vec<Held>) {
    let witness = Witness::of(sequence, items);
    let held = PageReceipt::issue(sequence, items, witness.clone())
        .enumerate()
        .map(|(number, share)| Held {
            share,
            number,
            marked: false,
            witness: witness.clone(),
        })
        .collect();
    (witness, held)
}

fn note_marking(held: &mut Held) {
    if !std::mem::replace(&mut held.marked, true) {
        held.witness.0.marking.fetch_add(1, SeqCst);
    }
}

fn mark(held: &mut [Held]) {
    held.iter_mut().for_each(note_marking);
    mark_durable(held.iter_mut().map(|held| &mut held.share));
}

fn settle_all(mut held: Vec<Held>) {
    held.iter_mut().for_each(note_marking);
    for held in &held {
        held.witness.0.settling.fetch_add(1, SeqCst);
    }
    settle(held.into_iter().map(|held| {
        let id = PostId::new(Platform::new("test"), held.number.to_string());
        (held.share, id, Outcome::Delivered)
    }));
}

fn join(threads: Vec<thread::JoinHandle<()>>) {
    for thread in threads {
        assert!(thread.join().is_ok());
    }
}

#[test]
fn three_threads_mark_and_settle_one_by_one() {
    loom::model(|| {
        let (witness, held) = page(0, 3);
        let mark_and_settle = |held: Held| {
            let mut held = vec![held];
            mark(&mut held);
            settle_all(held);
        };
        let mut held = held.into_iter();
        let own = held.next();
        let threads = held
            .map(|held| thread::spawn(move || mark_and_settle(held)))
            .collect();
        own.into_iter().for_each(mark_and_settle);
        join(threads);
        assert_eq!(witness.told(), (1, 1));
    });
}

#[test]
fn bulk_beside_single_and_settling_without_marking() {
    loom::model(|| {
        let (witness, mut held) = page(0, 4);
        let unmarked = held.split_off(3);
        let single = held.split_off(2);
        let bulk = thread::spawn(move || {
            mark(&mut held);
            settle_all(held);
        });
        let one = thread::spawn(move || {
            let mut single = single;
            mark(&mut single);
            mark(&mut single);
            settle_all(single);
        });
        settle_all(unmarked);
        join(vec![bulk, one]);
        assert_eq!(witness.told(), (1, 1));
    });
}

#[test]
fn a_share_lost_before_it_was_marked_leaves_the_page_open() {
    loom::model(|| {
        let (witness, mut held) = page(0, 3);
        let lost = held.split_off(2);
        let other = held.split_off(1);
        let first = thread::spawn(move || {
            let mut held = held;
            mark(&mut held);
            settle_all(held);
        });
        let second = thread::spawn(move || settle_all(other));
        drop(lost);
        join(vec![first, second]);
        assert_eq!(witness.told(), (0, 0));
    });
}

#[test]
fn a_share_lost_after_it_was_marked_leaves_the_page_durable_and_unsettled() {
    loom::model(|| {
        let (witness, mut held) = page(0, 3);
        let mut lost = held.split_off(2);
        let other = held.split_off(1);
        let first = thread::spawn(move || {
            let mut held = held;
            mark(&mut held);
            settle_all(held);
        });
        let second = thread::spawn(move || settle_all(other));
        mark(&mut lost);
        drop(lost);
        join(vec![first, second]);
        assert_eq!(witness.told(), (1, 0));
    });
}

#[test]
fn batches_mix_the_shares_of_two_pages_in_opposite_orders() {
    loom::model(|| {
        let (first, mut of_first) = page(0, 3);
        let (second, mut of_second) = page(1, 2);
        let mut here: Vec<Held> = of_first.drain(..2).collect();
        here.insert(1, of_second.remove(0));
        let mut there = of_second;
        there.extend(of_first);
        let thread = thread::spawn(move || {
            mark(&mut there);
            settle_all(there);
        });
        mark(&mut here);
        settle_all(here);
        join(vec![thread]);
        assert_eq!((first.told(), second.told()), ((1, 1), (1, 1)));
    });
}
