//! The world: who posts what, when, where and in which words, decided once from a seed.

mod caller;
mod drawn;
mod index;
mod making;
mod present;
mod trends;
mod words;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::render::{Colour, Cut, GarmentPicture, Pattern};
use drawn::Drawn;
use index::Index;

pub(crate) use index::Hashtag;
pub(crate) use present::{Original, Present};

/// Options of a world; the same options give the same world.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WorldOptions {
    /// Seed of every choice.
    pub seed: u64,
    /// Distinct posts of both networks together.
    pub posts: usize,
    /// When the world ends: the newest post is a little older. It is the present of a simulator without a clock.
    pub now: Timestamp,
    /// Days before that over which the posts are spread.
    pub days: u32,
    /// Width and height of pictures, in pixels.
    pub picture_size: (u32, u32),
    /// Share of posts with two to four pictures; the others have one.
    pub carousels: f64,
    /// Encoded pictures that are kept for the next request, the latest ones.
    pub kept_pictures: usize,
    /// Share of pictures whose address answers 404.
    pub gone: f64,
    /// Share of pictures whose bytes end early.
    pub truncated: f64,
    /// Share of posts that show a picture of an earlier post, byte for byte.
    pub same_picture: f64,
}

impl Default for WorldOptions {
    fn default() -> Self {
        Self {
            seed: 7,
            posts: 2000,
            now: Timestamp::constant(1_782_820_800, 0),
            // Eighteen months.
            days: 548,
            picture_size: (432, 540),
            carousels: 0.16,
            kept_pictures: 96,
            gone: 0.005,
            truncated: 0.005,
            same_picture: 0.03,
        }
    }
}

impl WorldOptions {
    /// Options with the given seed and number of posts, and defaults for the rest.
    pub fn new(seed: u64, posts: usize) -> Self {
        Self {
            seed,
            posts,
            ..Self::default()
        }
    }
}

/// One of the two networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Network {
    /// Instagram: 60 % of posts.
    Instagram,
    /// Weibo: 40 % of posts.
    Weibo,
}

/// Who posts.
#[derive(Debug, Clone, PartialEq)]
pub struct Author {
    /// The network.
    pub network: Network,
    /// Graph id (17 digits) or Weibo uid (10 digits).
    pub id: String,
    /// User name, or screen name on Weibo.
    pub handle: String,
    /// Full name.
    pub name: String,
    /// ISO country code.
    pub country: &'static str,
    /// Index into the language tables.
    pub(crate) language: usize,
    /// Declared city, and on Weibo the province, its code, latitude and longitude.
    pub(crate) city: &'static str,
    pub(crate) province: Option<(&'static str, &'static str, f64, f64)>,
    /// The canonical name of the brand whose account it is.
    pub brand: Option<&'static str>,
    /// Followers.
    pub followers: u64,
}

/// What becomes of a picture when it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is served whole.
    Served,
    /// Its address answers 404.
    Gone,
    /// Its bytes end early.
    Truncated,
}

/// One picture, or the cover of a video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Medium {
    /// File name stem on the picture host; Weibo's pid.
    pub key: String,
    /// Graph id.
    pub graph_id: String,
    /// Whether it is the cover of a video.
    pub video: bool,
    /// What it shows.
    pub picture: GarmentPicture,
    /// What becomes of it.
    pub fate: Fate,
}

/// A tagged place.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Name.
    pub name: String,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}

/// One post.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// Instagram pk (19 digits) or Weibo mid (16 digits).
    pub native_id: u64,
    /// Graph id on Instagram; the mid on Weibo.
    pub id: String,
    /// Index of the author.
    pub(crate) author: usize,
    /// When it was published, to the second.
    pub published: Timestamp,
    /// The caption.
    pub text: String,
    /// Hashtags without their marks, in order.
    pub hashtags: Vec<String>,
    /// Pictures and video covers, in order; none on a repost.
    pub media: Vec<Medium>,
    /// Likes in the end, unless hidden.
    pub likes: Option<u64>,
    /// Comments in the end.
    pub comments: u64,
    /// Index of the post that this one reposts.
    pub(crate) repost_of: Option<usize>,
    /// Tagged place (Weibo only).
    pub place: Option<Place>,
    /// Province or country of the network address it was sent from (Weibo only); now and then not the declared one.
    pub region: Option<&'static str>,
    pub(crate) truth: Truth,
}

/// What a post really shows and says, for judging those who analyse it.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// The garment of its pictures.
    pub garment: Cut,
    /// Its main colour.
    pub colour: Colour,
    /// Its pattern.
    pub pattern: Pattern,
    /// Canonical names of the brands in the caption.
    pub brands: Vec<String>,
    /// ISO 639-1 code of the caption's language.
    pub language: &'static str,
    /// ISO code of the author's country.
    pub country: &'static str,
    /// When it was published.
    pub published: Timestamp,
}

/// A finished world.
pub struct World {
    options: WorldOptions,
    authors: Vec<Author>,
    /// Newest first.
    posts: Vec<Post>,
    by_key: HashMap<String, (GarmentPicture, Fate)>,
    index: Index,
    drawn: Drawn,
}

impl World {
    /// Makes the world that belongs to the options.
    pub fn new(options: WorldOptions) -> Arc<Self> {
        let (authors, posts) = making::make(&options);
        let media = posts.iter().flat_map(|post| &post.media);
        let by_key = media
            .map(|medium| (medium.key.clone(), (medium.picture, medium.fate)))
            .collect();
        let index = Index::new(&authors, &posts);
        Arc::new(Self {
            drawn: Drawn::keeping(options.kept_pictures),
            options,
            authors,
            posts,
            by_key,
            index,
        })
    }

    /// The options it was made from.
    pub fn options(&self) -> &WorldOptions {
        &self.options
    }

    /// Every author of both networks.
    pub fn authors(&self) -> &[Author] {
        &self.authors
    }

    /// Every post of both networks, newest first.
    pub fn posts(&self) -> &[Post] {
        &self.posts
    }

    /// The author of a post.
    pub fn author_of(&self, post: &Post) -> &Author {
        &self.authors[post.author]
    }

    /// User names of the Instagram accounts, all of them discoverable.
    pub fn instagram_accounts(&self) -> Vec<String> {
        self.of(Network::Instagram)
            .map(|author| author.handle.clone())
            .collect()
    }

    /// Uids of the Weibo users.
    pub fn weibo_uids(&self) -> Vec<String> {
        self.of(Network::Weibo)
            .map(|author| author.id.clone())
            .collect()
    }

    /// Hashtags of Instagram posts, commonest first.
    pub fn hashtags(&self) -> Vec<String> {
        let mut tags: Vec<&Hashtag> = self.index.hashtags.iter().collect();
        tags.sort_by_key(|tag| std::cmp::Reverse(tag.top.len()));
        tags.into_iter().map(|tag| tag.name.clone()).collect()
    }

    /// What the post with this Instagram pk or Weibo mid really is.
    pub fn truth(&self, network: Network, native_id: u64) -> Option<&Truth> {
        self.post(network, native_id).map(|post| &post.truth)
    }

    /// Renders (or recalls) the picture stored under a key, at the given width in pixels, or its own. `None` where there is none.
    ///
    /// # Errors
    /// Fails where the JPEG encoder does.
    pub fn picture(&self, key: &str, width: Option<u32>) -> io::Result<Option<Bytes>> {
        let Some((picture, fate)) = self.by_key.get(key) else {
            return Ok(None);
        };
        if *fate == Fate::Gone {
            return Ok(None);
        }
        let mut picture = *picture;
        if let Some(width) = width.filter(|width| *width < picture.width) {
            picture.height = picture.height * width / picture.width;
            picture.width = width;
        }
        let whole = self.drawn.jpeg(picture)?;
        Ok(Some(if *fate == Fate::Truncated {
            whole.slice(..whole.len() * 2 / 5)
        } else {
            whole
        }))
    }

    /// Draws every picture in its own size, on all cores, so that serving takes no computing; of the result, so many are kept as the options say. Gives
    /// how many pictures there are.
    ///
    /// # Errors
    /// Fails where the JPEG encoder does.
    pub fn draw_all(&self) -> io::Result<usize> {
        let pictures: Vec<GarmentPicture> = self.by_key.values().map(|(p, _)| *p).collect();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let share = pictures.len().div_ceil(cores).max(1);
        std::thread::scope(|scope| {
            let draw = |share: &[GarmentPicture]| {
                let mut drawn = share.iter().map(|picture| self.drawn.jpeg(*picture));
                drawn.try_for_each(|jpeg| jpeg.map(drop))
            };
            let threads: Vec<_> = pictures
                .chunks(share)
                .map(|share| scope.spawn(move || draw(share)))
                .collect();
            threads
                .into_iter()
                .try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(panicked())))
        })?;
        Ok(pictures.len())
    }

    pub(crate) fn of(&self, network: Network) -> impl Iterator<Item = &Author> {
        self.authors
            .iter()
            .filter(move |author| author.network == network)
    }

    /// The post with this Instagram pk or Weibo mid.
    pub(crate) fn post(&self, network: Network, native_id: u64) -> Option<&Post> {
        let index = self.index.by_native.get(&(network, native_id))?;
        self.posts.get(*index)
    }

    /// The author with this Graph id or uid.
    pub(crate) fn author(&self, network: Network, id: &str) -> Option<&Author> {
        let index = self.index.author_by_id.get(&(network, id.to_owned()))?;
        self.authors.get(*index)
    }

    /// The author with this user name.
    pub(crate) fn author_named(&self, network: Network, handle: &str) -> Option<&Author> {
        let key = (network, handle.to_owned());
        let index = self.index.author_by_handle.get(&key)?;
        self.authors.get(*index)
    }

    /// An author's posts as indices into [`World::posts`], newest first.
    pub(crate) fn posts_by(&self, author: &Author) -> &[usize] {
        let key = (author.network, author.id.clone());
        let index = self.index.author_by_id.get(&key);
        index.map_or(&[], |index| &self.index.by_author[*index])
    }

    /// A network's posts as indices, newest first.
    pub(crate) fn posts_of(&self, network: Network) -> &[usize] {
        self.index
            .by_network
            .get(&network)
            .map_or(&[], Vec::as_slice)
    }

    /// The Weibo posts under a topic as indices, newest first.
    pub(crate) fn topic(&self, topic: &str) -> &[usize] {
        self.index.topics.get(topic).map_or(&[], Vec::as_slice)
    }

    /// The Instagram hashtag of this name; `None` where nobody uses it.
    pub(crate) fn hashtag_named(&self, name: &str) -> Option<&Hashtag> {
        let index = self.index.hashtag_by_name.get(name)?;
        self.index.hashtags.get(*index)
    }

    /// The Instagram hashtag with this Graph id.
    pub(crate) fn hashtag(&self, id: &str) -> Option<&Hashtag> {
        let index = self.index.hashtag_by_id.get(id)?;
        self.index.hashtags.get(*index)
    }
}

fn panicked() -> io::Error {
    io::Error::other("drawing a picture panicked")
}
