//! The account that the Graph API's token belongs to, and the posts of others that show it.

use super::{Author, Network, World};
use crate::simulator::ids::CALLER;

/// One in so many posts of others has the caller tagged in its picture.
const TAGGED_ONE_IN: usize = 29;
/// One in so many posts of others mentions the caller.
const MENTIONED_ONE_IN: usize = 31;

impl World {
    /// The account that the Graph API's token belongs to: a person's, with posts like others.
    pub fn caller(&self) -> &Author {
        self.author(Network::Instagram, CALLER)
            .unwrap_or(&self.authors[0])
    }

    /// Posts of others, as indices, in whose pictures the caller was tagged.
    pub fn tags_of_caller(&self) -> Vec<usize> {
        self.of_others(TAGGED_ONE_IN)
    }

    /// Posts of others, as indices, that mention the caller: webhooks would tell of them.
    pub fn mentions_of_caller(&self) -> Vec<usize> {
        self.of_others(MENTIONED_ONE_IN)
    }

    fn of_others(&self, one_in: usize) -> Vec<usize> {
        let caller = self.caller();
        let of_others = self
            .posts_of(Network::Instagram)
            .iter()
            .filter(|index| self.author_of(&self.posts[**index]) != caller);
        of_others.step_by(one_in).copied().collect()
    }
}
