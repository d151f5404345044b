//! Finds the posts in a captured page, wherever they stand in it.
//!
//! Pages have changed their shape every year while the posts in them kept theirs, so none of the ways that lead to them is written down
//! here: a post is an object that has a shortcode and something to show.

use std::borrow::Cow;
use std::rc::Rc;

use heurpipe_core::{Post, Raw};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::super::format::File;
use super::parts::{self, Account, Location};
use super::{contacts, json, medium, node};

/// Deeper than any page nests its posts; a page that goes on nesting is no page.
const DEPTH: usize = 64;

/// A post that was found, or why it is none.
pub(super) struct Found<'p> {
    /// The keys that lead to it, as `data.user.edges[3].node`.
    pub path: String,
    pub json: &'p RawValue,
    pub read: Result<Post, String>,
    /// What it is shown under.
    pub around: Around,
}

/// Whose page it is, or of what place.
#[derive(Clone, Default)]
pub(super) struct Around {
    account: Option<Rc<Page<Account>>>,
    location: Option<Rc<Page<Location>>>,
}

/// Something that a page is about: what is read of it, and its payload without the posts.
struct Page<T> {
    read: T,
    payload: Raw,
}

impl Around {
    /// Says of a post what the page says of all of its posts: who wrote them, where they are from.
    pub(super) fn tell(&self, post: &mut Post, name: &str) {
        if let Some(account) = self.account.as_ref().filter(|page| page.wrote(post)) {
            let mut told = Post::new(post.id.clone(), post.collected_at);
            told.author = account.read.author();
            parts::fill_in(post, told);
            let payload = account.payload.clone();
            post.raw.insert(format!("{name}.user"), payload);
        }
        if let Some(location) = &self.location {
            let tagged = &mut post.places.tagged;
            *tagged = tagged.take().or_else(|| location.read.place());
            let payload = location.payload.clone();
            post.raw.insert(format!("{name}.location"), payload);
        }
    }
}

impl Page<Account> {
    /// Whether a post is by the page's account. Pages show those of others too.
    fn wrote(&self, post: &Post) -> bool {
        let Some(author) = &post.author else {
            return true;
        };
        match (&author.id, self.read.id()) {
            (Some(theirs), Some(own)) => theirs == own,
            _ => author.handle == self.read.username.as_deref().and_then(parts::handle),
        }
    }
}

/// What was found in a page.
#[derive(Default)]
pub(super) struct Seen<'p> {
    pub posts: Vec<Found<'p>>,
    /// Whether there was a list that could have held some.
    pub is_list: bool,
}

/// Reads one post, however it is written.
///
/// # Errors
/// A sentence that says why it is none.
pub(super) fn post(json: &RawValue, file: &File<'_>) -> Result<Post, String> {
    let members = json::members(json).ok_or("not an object")?;
    let shape = Shape::of(&members).ok_or("it has no shortcode or nothing to show")?;
    shape.read(json, file)
}

/// Walks a page.
pub(super) fn posts<'p>(page: &'p RawValue, file: &File<'_>) -> Seen<'p> {
    let mut walk = Walk {
        file,
        seen: Seen::default(),
    };
    walk.value(page, String::new(), &Around::default(), 0);
    walk.seen
}

struct Walk<'p, 'f> {
    file: &'f File<'f>,
    seen: Seen<'p>,
}

type Members<'p> = Vec<(Cow<'p, str>, &'p RawValue)>;

impl<'p> Walk<'p, '_> {
    fn value(&mut self, json: &'p RawValue, path: String, around: &Around, depth: usize) {
        if depth > DEPTH {
            return;
        }
        if let Some(members) = json::members(json) {
            self.object(json, members, path, around, depth);
        } else if let Some(elements) = json::elements(json) {
            for (number, element) in elements.into_iter().enumerate() {
                self.value(element, format!("{path}[{number}]"), around, depth + 1);
            }
        }
    }

    fn object(
        &mut self,
        json: &'p RawValue,
        members: Members<'p>,
        path: String,
        around: &Around,
        depth: usize,
    ) {
        let around = self.narrowed(json, &members, &path, around);
        let shape = Shape::of(&members);
        if let Some(shape) = shape {
            self.seen.posts.push(Found {
                path: path.clone(),
                json,
                read: shape.read(json, self.file),
                around: around.clone(),
            });
        }
        self.seen.is_list |= ["edges", "nodes", "items", "feed_items"]
            .iter()
            .any(|list| has(&members, list));
        for (key, value) in members {
            // The pictures of an album look like posts.
            let is_album = matches!(&*key, "edge_sidecar_to_children" | "carousel_media");
            if !(shape.is_some() && is_album) && (may_hold_posts(value) || may_be_list(value)) {
                let path = match path.as_str() {
                    "" => key.into_owned(),
                    above => format!("{above}.{key}"),
                };
                self.value(value, path, &around, depth + 1);
            }
        }
    }

    /// What the posts below this object are shown under.
    fn narrowed(
        &self,
        json: &RawValue,
        members: &Members<'p>,
        path: &str,
        around: &Around,
    ) -> Around {
        let mut around = around.clone();
        let lists = |names: &[&str]| names.iter().any(|name| has(members, name));
        if has(members, "username") && lists(&["edge_owner_to_timeline_media", "media"]) {
            around.account = self.page(json).map(Rc::new);
        }
        let is_location = path.rsplit('.').next() == Some("location");
        if is_location && lists(&["edge_location_to_media", "media"]) {
            around.location = self.page(json).map(Rc::new);
        }
        around
    }

    fn page<T: DeserializeOwned>(&self, json: &RawValue) -> Option<Page<T>> {
        let about = json::without(json, |_, value| may_hold_posts(value)).ok()?;
        Some(Page {
            read: serde_json::from_str(about.get()).ok()?,
            payload: contacts::kept(&about, self.file.options),
        })
    }
}

/// Whether posts may stand in a value: told from its text, so that most of a page need not be taken apart.
fn may_hold_posts(json: &RawValue) -> bool {
    mentions(
        json,
        &["\"shortcode\"", "\"code\"", "\"expiring_at_timestamp\""],
    )
}

/// Whether a value may be a list of posts, though an empty one.
fn may_be_list(json: &RawValue) -> bool {
    mentions(json, &["\"edges\"", "\"nodes\"", "\"items\""])
}

fn mentions(json: &RawValue, keys: &[&str]) -> bool {
    let text = json.get();
    text.starts_with(['{', '[']) && keys.iter().any(|key| text.contains(key))
}

fn has(members: &Members<'_>, name: &str) -> bool {
    let member = members.iter().find(|(key, _)| key == name);
    member.is_some_and(|(_, value)| value.get() != "null")
}

/// How a post is written.
#[derive(Clone, Copy)]
enum Shape {
    /// By the web.
    Node,
    /// By the apps' private API.
    Medium,
}

impl Shape {
    /// The shape of a post; none when it is something else.
    fn of(members: &Members<'_>) -> Option<Self> {
        let any = |names: &[&str]| names.iter().any(|name| has(members, name));
        // A story has no shortcode on the web, but an end.
        let is_named = any(&["shortcode", "code", "expiring_at_timestamp"]);
        if is_named && any(&["display_url", "display_src", "images"]) {
            return Some(Self::Node);
        }
        let is_shown = any(&["image_versions2", "carousel_media", "media_type"]);
        (any(&["code"]) && is_shown).then_some(Self::Medium)
    }

    fn read(self, json: &RawValue, file: &File<'_>) -> Result<Post, String> {
        match self {
            Self::Node => node::post(json, file),
            Self::Medium => medium::post(json, file),
        }
    }
}
