//! Ways to a post or author without walking through all of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::{Author, Network, Post};
use crate::simulator::ids;

/// An Instagram hashtag and its posts, as indices.
pub(crate) struct Hashtag {
    pub(crate) name: String,
    /// Graph id.
    pub(crate) id: String,
    /// All of them, newest first.
    pub(super) newest: Vec<usize>,
    /// All of them, by the likes that they end up with.
    pub(super) top: Vec<usize>,
}

/// Positions of posts, authors and tags. Lists of posts run from the newest to the oldest, so on Weibo from the largest id to the smallest.
#[derive(Default)]
pub(super) struct Index {
    pub(super) by_native: HashMap<(Network, u64), usize>,
    pub(super) author_by_id: HashMap<(Network, String), usize>,
    pub(super) author_by_handle: HashMap<(Network, String), usize>,
    pub(super) by_author: Vec<Vec<usize>>,
    pub(super) by_network: HashMap<Network, Vec<usize>>,
    /// Topics of Weibo.
    pub(super) topics: HashMap<String, Vec<usize>>,
    /// Hashtags of Instagram, by name.
    pub(super) hashtags: Vec<Hashtag>,
    pub(super) hashtag_by_name: HashMap<String, usize>,
    pub(super) hashtag_by_id: HashMap<String, usize>,
}

impl Index {
    pub(super) fn new(authors: &[Author], posts: &[Post]) -> Self {
        let mut index = Self {
            by_author: vec![Vec::new(); authors.len()],
            ..Self::default()
        };
        for (position, author) in authors.iter().enumerate() {
            let network = author.network;
            index
                .author_by_id
                .insert((network, author.id.clone()), position);
            index
                .author_by_handle
                .insert((network, author.handle.clone()), position);
        }
        let mut tagged: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (position, post) in posts.iter().enumerate() {
            let network = authors[post.author].network;
            index.by_native.insert((network, post.native_id), position);
            index.by_author[post.author].push(position);
            index.by_network.entry(network).or_default().push(position);
            for tag in &post.hashtags {
                match network {
                    Network::Instagram => tagged.entry(tag).or_default().push(position),
                    Network::Weibo => index.topics.entry(tag.clone()).or_default().push(position),
                }
            }
        }
        for (position, (name, of_tag)) in tagged.into_iter().enumerate() {
            let tag = hashtag(posts, position, name, of_tag);
            index.hashtag_by_name.insert(tag.name.clone(), position);
            index.hashtag_by_id.insert(tag.id.clone(), position);
            index.hashtags.push(tag);
        }
        index
    }
}

fn hashtag(posts: &[Post], position: usize, name: &str, newest: Vec<usize>) -> Hashtag {
    let mut top = newest.clone();
    top.sort_by_key(|post| Reverse(posts[*post].likes));
    Hashtag {
        name: name.to_owned(),
        id: ids::graph_id(2, position as u64),
        newest,
        top,
    }
}
