//! One post that is known already, asked for once more.

use async_trait::async_trait;
use heurpipe_core::{ErrorKind, KnownPost, LookUpPost, Platform, Post, PostId, Result, Sighting};
use jiff::Timestamp;

use super::builder::is_handle;
use super::client::GraphClient;
use super::map::{self, GRAPH, Setting};
use super::stream::{Fetched, Stream};
use super::{InstagramGraph, errors, ids, own};

/// Pages that are read in search of one post: an account's newest 2,000.
const PAGES: usize = 40;

/// The user's own media are asked for by their Graph id. Posts of others cannot be: they are searched for among those of their author, down
/// to where they would have to stand. One that is not found there may be hidden, archived or deleted: that is for others to tell.
#[async_trait]
impl LookUpPost for InstagramGraph {
    fn platform(&self) -> Platform {
        Platform::instagram()
    }

    async fn look_up(&self, post: &KnownPost) -> Result<Sighting> {
        let Some(author) = post.author.as_deref().map(str::to_lowercase) else {
            return Ok(Sighting::CannotTell);
        };
        let client = &self.client;
        let is_own = own::is_own_handle(client, &author).await?;
        match graph_id(post) {
            Some(id) if is_own => by_id(client, id).await,
            None if is_own => among(client, &Stream::Own, post).await,
            _ if client.sees_others() && is_handle(&author) => {
                among(client, &Stream::Account { handle: author }, post).await
            }
            _ => Ok(Sighting::CannotTell),
        }
    }
}

async fn by_id(client: &GraphClient, id: &str) -> Result<Sighting> {
    let item = match own::medium(client, id).await {
        Err(error) if errors::is_before_switch(&error) => return Ok(Sighting::CannotTell),
        // Patience has not helped, and nobody but the user themself could be kept from seeing it.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Sighting::Gone),
        answer => answer?,
    };
    let setting = Setting {
        call: Stream::Own.call(),
        account: None,
        collected_at: client.clock.now(),
    };
    // What is there and cannot be read says nothing.
    Ok(match map::post(&item, &setting) {
        Ok(post) => Sighting::There(Box::new(post)),
        Err(_) => Sighting::CannotTell,
    })
}

/// Searches a stream that begins with the newest.
async fn among(client: &GraphClient, stream: &Stream, wanted: &KnownPost) -> Result<Sighting> {
    let horizon = horizon(wanted);
    let mut after: Option<String> = None;
    for _ in 0..PAGES {
        let fetched = match stream.page(client, after.as_deref()).await {
            // The account was renamed, closed or made private: that says nothing of the post.
            Err(error) if error.kind() == ErrorKind::NotFound => break,
            answer => answer?,
        };
        let posts = read(client, stream, &fetched);
        let are_older = is_below(&posts, horizon);
        if let Some(post) = posts.into_iter().find(|post| is_same(post, wanted)) {
            return Ok(Sighting::There(Box::new(post)));
        }
        if fetched.is_last || fetched.after.is_none() || are_older {
            break;
        }
        after = fetched.after;
    }
    Ok(Sighting::CannotTell)
}

fn read(client: &GraphClient, stream: &Stream, fetched: &Fetched) -> Vec<Post> {
    let setting = Setting {
        call: stream.call(),
        account: fetched.account.as_ref(),
        collected_at: client.clock.now(),
    };
    // Whatever cannot be read is not the post that is wanted.
    let items = fetched.items.iter().flatten();
    items
        .filter_map(|item| map::post(item, &setting).ok())
        .collect()
}

/// Whether all posts of a page were published before the wanted one can have been. A few old ones may be pinned above newer ones.
fn is_below(posts: &[Post], horizon: Option<Timestamp>) -> bool {
    let Some(horizon) = horizon else {
        return false;
    };
    let is_below = |post: &Post| post.published_at.is_some_and(|at| at < horizon);
    !posts.is_empty() && posts.iter().all(is_below)
}

/// The earliest time at which the post can have been published: when its number was given out.
fn horizon(post: &KnownPost) -> Option<Timestamp> {
    let pk = ids_of(post).find_map(|id| id.native.parse::<u64>().ok())?;
    Some(ids::given_out_at(pk))
}

fn graph_id(post: &KnownPost) -> Option<&str> {
    ids_of(post).find_map(|id| id.native.strip_prefix(GRAPH))
}

fn is_same(post: &Post, wanted: &KnownPost) -> bool {
    let mut ids = post.aliases.iter().chain([&post.id]);
    ids.any(|id| ids_of(wanted).any(|wanted| wanted == id))
}

fn ids_of(post: &KnownPost) -> impl Iterator<Item = &PostId> {
    [&post.id].into_iter().chain(&post.aliases)
}
