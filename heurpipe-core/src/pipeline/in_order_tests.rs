//! Pages in every order and interleaving, against a model that recounts everything from scratch.

use std::sync::{Arc, Mutex, PoisonError};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::super::receipt::{PageReceipt, Progress, Share, Tell, mark_durable, settle};
use super::{InOrder, SettledPage};
use crate::{Checkpoint, Outcome, Platform, PostId};

/// What pages told and the committer has not yet heard.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Progress>>>);

impl Tell for Told {
    fn tell(&self, progress: Progress) {
        self.lock().push(progress);
    }
}

impl Told {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Progress>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// A page of so many items is read.
    Read(usize),
    /// These items are saved as pending, in one go.
    MarkDurable(Vec<Index>),
    /// These items are settled, in one go.
    Settle(Vec<Index>),
    /// This item is lost.
    Drop(Index),
    /// The committer hears so many of the messages and does what they allow.
    Commit(Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let picks = || vec(any::<Index>(), 1..6);
    let step = prop_oneof![
        3 => (0_usize..5).prop_map(Step::Read),
        4 => picks().prop_map(Step::MarkDurable),
        5 => picks().prop_map(Step::Settle),
        1 => any::<Index>().prop_map(Step::Drop),
        3 => any::<Index>().prop_map(Step::Commit),
    ];
    vec(step, 1..80)
}

/// What is known of a page by bookkeeping alone.
#[derive(Debug, Default)]
struct Known {
    items: usize,
    durable: usize,
    settled: Vec<PostId>,
}

impl Known {
    fn is_durable(&self) -> bool {
        self.durable == self.items
    }

    fn is_settled(&self) -> bool {
        self.settled.len() == self.items
    }
}

/// An item on its way, and what was done with it.
struct Travelling {
    page: usize,
    id: PostId,
    durable: bool,
    share: Share<Told>,
}

/// The code under test beside the bookkeeping.
#[derive(Default)]
struct World {
    told: Told,
    in_order: InOrder,
    travelling: Vec<Travelling>,
    known: Vec<Known>,
    items_read: usize,
    committed: Option<usize>,
    given_back: usize,
}

impl World {
    fn read(&mut self, items: usize) {
        let page = self.known.len();
        self.in_order.expect(checkpoint(page));
        let known = Known {
            items,
            ..Known::default()
        };
        self.known.push(known);
        for share in PageReceipt::issue(page as u64, items, self.told.clone()) {
            self.travelling.push(Travelling {
                page,
                id: id(self.items_read),
                durable: false,
                share,
            });
            self.items_read += 1;
        }
    }

    fn mark_durable(&mut self, picks: &[Index]) {
        let Self {
            travelling, known, ..
        } = self;
        let picked = places(picks, travelling.len());
        let picked = travelling
            .iter_mut()
            .enumerate()
            .filter(|(place, _)| picked.contains(place))
            .map(|(_, item)| item);
        mark_durable(picked.map(|item| {
            note_durable(known, item);
            &mut item.share
        }));
    }

    fn settle(&mut self, picks: &[Index]) {
        // In the order of the picks, so that runs of one page are broken up.
        let places = places(picks, self.travelling.len());
        let mut taken: Vec<Option<Travelling>> = self.travelling.drain(..).map(Some).collect();
        let settled: Vec<Travelling> = places.iter().filter_map(|i| taken[*i].take()).collect();
        self.travelling = taken.into_iter().flatten().collect();
        let known = &mut self.known;
        settle(settled.into_iter().map(|mut item| {
            note_durable(known, &mut item);
            known[item.page].settled.push(item.id.clone());
            (item.share, item.id, Outcome::Delivered)
        }));
    }

    fn lose(&mut self, pick: &Index) {
        if !self.travelling.is_empty() {
            let place = pick.index(self.travelling.len());
            self.travelling.swap_remove(place);
        }
    }

    /// Hears the first `heard` messages; with all of them heard, the state must be exactly what bookkeeping says.
    fn commit(&mut self, heard: usize) -> Result<(), TestCaseError> {
        for progress in self.told.lock().drain(..heard) {
            self.in_order.note(progress);
        }
        if let Some(checkpoint) = self.in_order.committable() {
            self.check_committed(&checkpoint)?;
        }
        prop_assert_eq!(self.in_order.committable(), None);
        for settled in self.in_order.settled() {
            self.check_settled(&settled)?;
        }
        prop_assert_eq!(
            self.in_order.pages.len(),
            self.known.len() - self.given_back
        );
        if self.told.lock().is_empty() {
            let durable = self.known.iter().take_while(|k| k.is_durable()).count();
            prop_assert_eq!(self.committed, durable.checked_sub(1));
            let settled = self.known.iter().take_while(|k| k.is_settled()).count();
            prop_assert_eq!(self.given_back, settled);
        }
        Ok(())
    }

    fn check_committed(&mut self, to: &Checkpoint) -> Result<(), TestCaseError> {
        let page = (0..self.known.len()).find(|page| checkpoint(*page) == *to);
        prop_assert!(page > self.committed, "{page:?} after {:?}", self.committed);
        let passed = self.known.iter().take(page.map_or(0, |page| page + 1));
        prop_assert!(passed.into_iter().all(Known::is_durable));
        self.committed = page;
        Ok(())
    }

    fn check_settled(&mut self, settled: &SettledPage) -> Result<(), TestCaseError> {
        let (to, outcomes) = settled;
        prop_assert_eq!(to, &checkpoint(self.given_back));
        let ids: Vec<&PostId> = outcomes.iter().map(|(id, _)| id).collect();
        let expected: Vec<&PostId> = self.known[self.given_back].settled.iter().collect();
        prop_assert_eq!(ids, expected);
        prop_assert!(self.known[self.given_back].is_settled());
        self.given_back += 1;
        Ok(())
    }
}

fn note_durable(known: &mut [Known], item: &mut Travelling) {
    known[item.page].durable += usize::from(!item.durable);
    item.durable = true;
}

/// Distinct places among so many, in the order of the picks.
fn places(picks: &[Index], among: usize) -> Vec<usize> {
    let mut places = Vec::new();
    for pick in picks.iter().filter(|_| among > 0) {
        let place = pick.index(among);
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

fn checkpoint(page: usize) -> Checkpoint {
    Checkpoint::at(page.to_string())
}

fn id(number: usize) -> PostId {
    PostId::new(Platform::new("test"), number.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_checkpoint_passes_an_open_page_and_every_page_settles_once_in_order(steps in steps()) {
        let mut world = World::default();
        for step in &steps {
            match step {
                Step::Read(items) => world.read(*items),
                Step::MarkDurable(picks) => world.mark_durable(picks),
                Step::Settle(picks) => world.settle(picks),
                Step::Drop(pick) => world.lose(pick),
                Step::Commit(pick) => {
                    let waiting = world.told.lock().len();
                    world.commit(pick.index(waiting + 1))?;
                }
            }
        }
        let waiting = world.told.lock().len();
        world.commit(waiting)?;
    }

    #[test]
    fn when_nothing_is_lost_every_page_comes_back(sizes in vec(0_usize..5, 1..12), picks in vec(any::<Index>(), 60)) {
        let mut world = World::default();
        sizes.iter().for_each(|items| world.read(*items));
        for pick in picks {
            world.settle(&[pick]);
        }
        let waiting = world.told.lock().len();
        world.commit(waiting)?;
        prop_assert_eq!(world.given_back, sizes.len());
        prop_assert!(world.in_order.pages.is_empty());
    }
}

#[test]
fn a_page_is_told_of_after_it_was_taken_away() {
    let mut in_order = InOrder::default();
    in_order.expect(checkpoint(0));
    in_order.note(Progress::Settled(0, Vec::new()));
    assert_eq!(in_order.committable(), Some(checkpoint(0)));
    assert_eq!(in_order.settled().len(), 1);
    in_order.note(Progress::Durable(0));
    assert_eq!(in_order.committable(), None);
    assert!(in_order.settled().is_empty());
}

#[test]
fn a_message_to_a_committer_that_is_gone_is_dropped() {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel::<Progress>();
    drop(receiver);
    let shares = PageReceipt::issue(0, 1, sender);
    settle(shares.map(|share| (share, id(0), Outcome::Held)));
}
