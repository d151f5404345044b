//! One walk over the stored posts of a network.

use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt};
use heurpipe_core::filter::{Predicate, TimeField, attr};
use heurpipe_core::{
    Checkpoint, Clock, Documents, Error, Filter, Incoming, KnownPost, LookUpPost, Page, Post,
    PostId, Record, Result, Retry, Scan, Sighting, Unreadable,
};
use jiff::Timestamp;

use super::place::Place;
use super::{Due, Recheck};

/// Records that are looked at for one page.
const PAGE: usize = 100;

/// A walk over the stored posts of one network.
pub(super) struct Pass {
    source: String,
    documents: Arc<dyn Documents>,
    look_up: Arc<dyn LookUpPost>,
    due: Due,
    at_once: usize,
    clock: Clock,
}

/// What to do next.
enum Next {
    /// Scan on after this post.
    Scan(Option<PostId>),
    /// Tell what went wrong after the last page.
    Fail(Error),
    End,
}

/// What the network said of some posts, in the order in which they were asked for.
#[derive(Default)]
struct Answers {
    items: Vec<Incoming>,
    /// The last post that was answered.
    upto: Option<PostId>,
    cannot_tell: usize,
}

impl Pass {
    pub(super) fn over(recheck: &Recheck, look_up: Arc<dyn LookUpPost>) -> Self {
        Self {
            source: recheck.spec.name.clone(),
            documents: Arc::clone(&recheck.documents),
            look_up,
            due: recheck.due.clone(),
            at_once: recheck.at_once,
            clock: recheck.clock,
        }
    }

    /// The pages from a checkpoint on; none, while the next pass has to wait.
    pub(super) fn read(self, from: &Checkpoint) -> BoxStream<'static, Result<Page>> {
        let now = self.clock.now();
        let (began, next) = match Place::of(from) {
            Some(Place::After { began, post }) => (began, Next::Scan(Some(post))),
            Some(Place::End { began }) if earlier(now, self.due.interval) < began => {
                (began, Next::End)
            }
            Some(Place::End { .. }) | None => (now, Next::Scan(None)),
        };
        let pass = Arc::new(self);
        stream::unfold(next, move |next| {
            let pass = Arc::clone(&pass);
            async move { pass.step(began, next).await }
        })
        .boxed()
    }

    async fn step(&self, began: Timestamp, next: Next) -> Option<(Result<Page>, Next)> {
        let after = match next {
            Next::Scan(after) => after,
            Next::Fail(error) => return Some((Err(error), Next::End)),
            Next::End => return None,
        };
        Some(match self.page(began, after).await {
            Ok((page, next)) => (Ok(page), next),
            Err(error) => (Err(error), Next::End),
        })
    }

    async fn page(&self, began: Timestamp, after: Option<PostId>) -> Result<(Page, Next)> {
        let scanned = self.documents.scan(&self.scan(began, after)).await?;
        let due = scanned.records.iter().filter(|r| self.is_due(r, began));
        let due: Vec<KnownPost> = due.map(|record| KnownPost::from(&*record.post)).collect();
        let (answers, failure) = self.ask(due).await;
        let (place, next) = match (failure, scanned.next) {
            // What was answered before the error is not asked for again.
            (Some(error), _) => match &answers.upto {
                Some(post) => (within(began, post), Next::Fail(error)),
                None => return Err(error),
            },
            (None, Some(post)) => (within(began, &post), Next::Scan(Some(post))),
            (None, None) => (Place::End { began }, Next::End),
        };
        let page = Page {
            items: answers.items,
            checkpoint: place.checkpoint(),
        };
        Ok((page, next))
    }

    /// The records among which those are that are due.
    fn scan(&self, began: Timestamp, after: Option<PostId>) -> Scan {
        let due = &self.due;
        let unseen = time(
            TimeField::Collected,
            Bound::Unbounded,
            Bound::Included(earlier(began, due.interval)),
        );
        let mut filter = attr("platform").is(self.look_up.platform().as_str());
        filter = filter.and(due.filter.clone()).and(unseen);
        if let Some(age) = due.published_within {
            let since = Bound::Included(earlier(began, age));
            filter = filter.and(time(TimeField::Published, since, Bound::Unbounded));
        }
        let scan = Scan::matching(filter).limit(PAGE).after(after);
        match &due.use_case {
            Some(use_case) => scan.of_use_case(use_case),
            None => scan,
        }
    }

    fn is_due(&self, record: &Record, began: Timestamp) -> bool {
        let last = record.observations.last();
        last.is_none_or(|seen| !seen.gone && seen.at <= earlier(began, self.due.interval))
    }

    /// Asks for the posts, up to the first error that another answer may follow.
    async fn ask(&self, due: Vec<KnownPost>) -> (Answers, Option<Error>) {
        let mut answers = Answers::default();
        let asking = |known: KnownPost| async move {
            let sighting = self.look_up.look_up(&known).await;
            (known, sighting)
        };
        let mut asked = stream::iter(due).map(asking).buffered(self.at_once);
        let mut failure = None;
        while let Some((known, sighting)) = asked.next().await {
            match sighting {
                Ok(sighting) => answers.take(&known, sighting),
                Err(error) if error.retry() == Retry::Permanent => {
                    answers.items.push(self.unreadable(&known, &error));
                }
                Err(error) => {
                    failure = Some(error.with("post", &known.id));
                    break;
                }
            }
            answers.upto = Some(known.id);
        }
        if answers.cannot_tell > 0 {
            tracing::info!(
                source = self.source,
                platform = %self.look_up.platform(),
                posts = answers.cannot_tell,
                "the network has no call that tells how these posts fare"
            );
        }
        (answers, failure)
    }

    fn unreadable(&self, known: &KnownPost, error: &Error) -> Incoming {
        let place = format!("{}/{}", self.source, known.id);
        let reason = error.chain().join(": ");
        Incoming::Unreadable(Box::new(Unreadable::new(place, reason, "")))
    }
}

impl Answers {
    fn take(&mut self, known: &KnownPost, sighting: Sighting) {
        match sighting {
            Sighting::There(post) => self.items.push(Incoming::Post(under(&known.id, post))),
            Sighting::Gone => self.items.push(Incoming::Gone(known.id.clone())),
            Sighting::CannotTell => self.cannot_tell += 1,
        }
    }
}

/// The post under the id that it is stored under: a network may know it better by another.
fn under(id: &PostId, mut post: Box<Post>) -> Box<Post> {
    if post.id != *id {
        let other = std::mem::replace(&mut post.id, id.clone());
        post.aliases.retain(|alias| alias != id);
        post.aliases.push(other);
    }
    post
}

fn within(began: Timestamp, post: &PostId) -> Place {
    Place::After {
        began,
        post: post.clone(),
    }
}

fn earlier(time: Timestamp, by: Duration) -> Timestamp {
    time.saturating_sub(by).unwrap_or(Timestamp::MIN)
}

fn time(field: TimeField, lower: Bound<Timestamp>, upper: Bound<Timestamp>) -> Filter {
    Filter::Test(Predicate::Time {
        field,
        lower,
        upper,
    })
}
