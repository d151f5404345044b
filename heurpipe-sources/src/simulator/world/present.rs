//! The world as it is at a moment: what has been published by then and not been taken back, and how often it has been liked so far.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use heurpipe_core::Clock;
use jiff::{SignedDuration, Timestamp};

use super::{Author, Hashtag, Network, Post, World};

/// Reach of the Graph API's "recent" edge.
const RECENT: SignedDuration = SignedDuration::from_hours(24);
/// Age at which a post has half of the likes and comments that it ends up with.
const HALF_GROWN_S: f64 = 43_200.0;

/// A world seen at the time of a clock. Without one it is the end of the world's span: everything is published and fully grown.
pub(crate) struct Present {
    world: Arc<World>,
    clock: Option<Clock>,
    changes: RwLock<Changes>,
}

/// What authors have done to their posts, by position.
#[derive(Default)]
struct Changes {
    deleted: HashSet<usize>,
    likes_hidden: HashSet<usize>,
}

impl Present {
    pub(crate) fn new(world: Arc<World>, clock: Option<Clock>) -> Self {
        Self {
            world,
            clock,
            changes: RwLock::default(),
        }
    }

    /// What time it is in the world.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock
            .map_or(self.world.options.now, |clock| clock.now())
    }

    /// Whether time goes on.
    pub(crate) fn goes_on(&self) -> bool {
        self.clock.is_some()
    }

    /// The author takes the post back.
    pub(crate) fn delete(&self, post: &Post) {
        if let Some(position) = self.position(post) {
            self.change(|changes| changes.deleted.insert(position));
        }
    }

    /// The author hides how many like the post.
    pub(crate) fn hide_likes(&self, post: &Post) {
        if let Some(position) = self.position(post) {
            self.change(|changes| changes.likes_hidden.insert(position));
        }
    }

    /// A post by its position in one of the lists below, which hold only what is to be seen.
    pub(crate) fn at(&self, position: usize) -> &Post {
        &self.world.posts[position]
    }

    /// The post with this Instagram pk or Weibo mid, if it is to be seen.
    pub(crate) fn post(&self, network: Network, native_id: u64) -> Option<&Post> {
        let position = *self.world.index.by_native.get(&(network, native_id))?;
        let is_shown = self.is_published(position) && !self.changes().deleted.contains(&position);
        is_shown.then(|| self.at(position))
    }

    /// The post that this one passes on.
    pub(crate) fn original(&self, repost: &Post) -> Option<Original<'_>> {
        let position = repost.repost_of?;
        let post = self.at(position);
        Some(match self.changes().deleted.contains(&position) {
            true => Original::Deleted(post),
            false => Original::Shown(post),
        })
    }

    /// Likes so far; none where they are hidden.
    pub(crate) fn likes(&self, post: &Post) -> Option<u64> {
        let hidden = &self.changes().likes_hidden;
        let is_hidden = !hidden.is_empty()
            && self
                .position(post)
                .is_some_and(|position| hidden.contains(&position));
        post.likes
            .filter(|_| !is_hidden)
            .map(|likes| self.grown(post, likes))
    }

    /// Likes so far, those that are hidden from others too.
    pub(crate) fn likes_seen_by_author(&self, post: &Post) -> u64 {
        self.grown(post, post.likes.unwrap_or_default())
    }

    /// Comments so far.
    pub(crate) fn comments(&self, post: &Post) -> u64 {
        self.grown(post, post.comments)
    }

    /// An author's posts, newest first.
    pub(crate) fn posts_by(&self, author: &Author) -> Cow<'_, [usize]> {
        self.shown(self.world.posts_by(author))
    }

    /// A network's posts, newest first.
    pub(crate) fn posts_of(&self, network: Network) -> Cow<'_, [usize]> {
        self.shown(self.world.posts_of(network))
    }

    /// The Weibo posts under a topic, newest first.
    pub(crate) fn topic(&self, topic: &str) -> Cow<'_, [usize]> {
        self.shown(self.world.topic(topic))
    }

    /// A hashtag's posts, the most liked first.
    pub(crate) fn top<'a>(&self, tag: &'a Hashtag) -> Cow<'a, [usize]> {
        let changes = self.changes();
        if !self.goes_on() && changes.deleted.is_empty() {
            return Cow::Borrowed(&tag.top);
        }
        let is_shown =
            |position: &usize| self.is_published(*position) && !changes.deleted.contains(position);
        tag.top.iter().copied().filter(is_shown).collect()
    }

    /// A hashtag's posts of the last 24 hours, in no order.
    pub(crate) fn recent(&self, tag: &Hashtag) -> Vec<usize> {
        let now = self.now();
        let is_recent =
            |position: &&usize| now.duration_since(self.at(**position).published) < RECENT;
        let shown = self.shown(&tag.newest);
        let mut recent: Vec<usize> = shown.iter().take_while(is_recent).copied().collect();
        recent.sort_by_key(|post| self.at(*post).native_id.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        recent
    }

    /// The account that the Graph API's token belongs to.
    pub(crate) fn caller(&self) -> &Author {
        self.world.caller()
    }

    /// Posts of others in whose pictures the caller was tagged, newest first.
    pub(crate) fn tags_of_caller(&self) -> Vec<usize> {
        self.shown(&self.world.tags_of_caller()).into_owned()
    }

    /// Posts of others that mention the caller, newest first.
    pub(crate) fn mentions_of_caller(&self) -> Vec<usize> {
        self.shown(&self.world.mentions_of_caller()).into_owned()
    }

    pub(crate) fn author_of(&self, post: &Post) -> &Author {
        self.world.author_of(post)
    }

    /// The author with this Graph id or uid.
    pub(crate) fn author(&self, network: Network, id: &str) -> Option<&Author> {
        self.world.author(network, id)
    }

    /// The author with this user name.
    pub(crate) fn author_named(&self, network: Network, handle: &str) -> Option<&Author> {
        self.world.author_named(network, handle)
    }

    /// The Instagram hashtag of this name; `None` where nobody uses it.
    pub(crate) fn hashtag_named(&self, name: &str) -> Option<&Hashtag> {
        self.world.hashtag_named(name)
    }

    /// The Instagram hashtag with this Graph id.
    pub(crate) fn hashtag(&self, id: &str) -> Option<&Hashtag> {
        self.world.hashtag(id)
    }

    /// The world, for what has no time: its pictures.
    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// What of a list, newest first, is to be seen.
    fn shown<'a>(&self, newest_first: &'a [usize]) -> Cow<'a, [usize]> {
        let first = match self.clock {
            Some(_) => newest_first.partition_point(|position| !self.is_published(*position)),
            None => 0,
        };
        let published = newest_first.get(first..).unwrap_or_default();
        let changes = self.changes();
        if changes.deleted.is_empty() {
            return Cow::Borrowed(published);
        }
        let is_there = |position: &usize| !changes.deleted.contains(position);
        published.iter().copied().filter(is_there).collect()
    }

    fn is_published(&self, position: usize) -> bool {
        self.at(position).published <= self.now()
    }

    /// How much a count has become by now: fast at first, ever slower towards what it is in the end.
    fn grown(&self, post: &Post, in_the_end: u64) -> u64 {
        if !self.goes_on() {
            return in_the_end;
        }
        let age = self.now().duration_since(post.published).as_secs_f64();
        let share = age.max(0.0) / (age.max(0.0) + HALF_GROWN_S);
        (in_the_end as f64 * share) as u64
    }

    fn position(&self, post: &Post) -> Option<usize> {
        let key = (self.world.author_of(post).network, post.native_id);
        self.world.index.by_native.get(&key).copied()
    }

    fn changes(&self) -> RwLockReadGuard<'_, Changes> {
        self.changes.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Changes) -> bool) {
        let mut changes = self.changes.write().unwrap_or_else(PoisonError::into_inner);
        // Whether it had been so before does not matter.
        let _ = change(&mut changes);
    }
}

/// A post that another one passes on.
pub(crate) enum Original<'a> {
    /// It is to be seen.
    Shown(&'a Post),
    /// Its author has taken it back.
    Deleted(&'a Post),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::*;
    use crate::simulator::world::WorldOptions;

    fn present(hours_before_the_end: i64) -> (Present, heurpipe_core::ClockHand) {
        let world = World::new(WorldOptions::new(7, 3000));
        let origin = world.options.now - SignedDuration::from_hours(hours_before_the_end);
        let (clock, hand) = Clock::manual(origin);
        (Present::new(world, Some(clock)), hand)
    }

    #[test]
    fn posts_appear_when_they_are_published() {
        let (present, hand) = present(36);
        let shown = |network| present.posts_of(network).len();
        let before = shown(Network::Weibo);
        let next = present.world.posts.iter().rev().find(|post| {
            post.published > present.now() && present.author_of(post).network == Network::Weibo
        });
        let next = next.unwrap();
        assert!(present.post(Network::Weibo, next.native_id).is_none());
        let wait = next.published.duration_since(present.now());
        hand.advance(Duration::try_from(wait).unwrap());
        assert_eq!(shown(Network::Weibo), before + 1);
        assert!(present.post(Network::Weibo, next.native_id).is_some());
    }

    #[test]
    fn recent_posts_are_of_the_last_day_at_any_time() {
        let (present, hand) = present(36);
        for _ in 0..3 {
            let now = present.now();
            for tag in &present.world.index.hashtags {
                let expected = tag.newest.iter().filter(|position| {
                    let age = now.duration_since(present.at(**position).published);
                    !age.is_negative() && age < RECENT
                });
                let recent: HashSet<usize> = present.recent(tag).into_iter().collect();
                assert_eq!(recent, expected.copied().collect());
            }
            hand.advance(Duration::from_secs(12 * 3600));
        }
    }

    #[test]
    fn counts_grow_and_never_shrink() {
        let (present, hand) = present(0);
        let post = present
            .world
            .posts
            .iter()
            .find(|post| post.likes.is_some_and(|likes| likes > 1000))
            .unwrap();
        let mut last = present.likes(post).unwrap();
        for _ in 0..10 {
            hand.advance(Duration::from_secs(7200));
            let likes = present.likes(post).unwrap();
            assert!(likes > last && Some(likes) < post.likes);
            last = likes;
        }
    }

    #[test]
    fn what_is_deleted_is_in_no_list_and_hidden_likes_are_none() {
        let world = World::new(WorldOptions::new(7, 300));
        let present = Present::new(Arc::clone(&world), None);
        let tagged = |post: &&Post| {
            world.author_of(post).network == Network::Instagram && !post.hashtags.is_empty()
        };
        let post = world.posts().iter().find(tagged).unwrap();
        let tag = world.hashtag_named(&post.hashtags[0]).unwrap();
        let author = world.author_of(post);
        let lists = || {
            [
                present.posts_by(author).len(),
                present.posts_of(Network::Instagram).len(),
                present.top(tag).len(),
                present.recent(tag).len(),
            ]
        };
        let before = lists();
        assert_eq!(present.likes(post), post.likes);
        present.hide_likes(post);
        assert_eq!(present.likes(post), None);
        present.delete(post);
        assert_eq!(lists(), before.map(|count| count - 1));
        assert!(present.post(Network::Instagram, post.native_id).is_none());
    }
}
