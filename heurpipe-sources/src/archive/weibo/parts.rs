//! What formats of Weibo have in common: numbers, texts, places, pictures by pid.

use heurpipe_core::{Author, Media, MediaKind, Place, Platform, Post, PostId};
use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::super::format::File;
use crate::weibo::{ids, text};
use crate::words::Distinct;
use crate::{lenient, links, place};

/// The post's number: its id, else what its `bid` stands for.
pub(super) fn number(id: Option<&str>, bid: Option<&str>) -> Option<String> {
    let is_number =
        |id: &&str| id.bytes().all(|c| c.is_ascii_digit()) && id.bytes().any(|c| c != b'0');
    let id = id.map(str::trim).filter(is_number).map(str::to_owned);
    id.or_else(|| Some(ids::mid_of(bid?.trim())?.to_string()))
}

/// The identity of the post with this number.
pub(super) fn post_id(number: &str) -> PostId {
    PostId::new(Platform::weibo(), number)
}

/// The page of a post, which is named by its author and its `bid`.
pub(super) fn permalink(author: Option<&str>, number: &str) -> Option<String> {
    let bid = ids::bid_of(number.parse().ok()?);
    Some(format!("https://weibo.com/{}/{bid}", author?))
}

/// Sets who wrote a post, and its page: whoever the archive names, else whoever the operator does.
pub(super) fn set_author(post: &mut Post, author: Option<Author>, file: &File<'_>) {
    post.author = author.or_else(|| file.options.author.clone());
    let id = post.author.as_ref().and_then(|author| author.id.as_deref());
    post.permalink = permalink(id, &post.id.native);
}

/// Sets the text and what is read off it.
pub(super) fn set_text(post: &mut Post, given: &str) {
    post.text = given.trim_matches(is_blank).to_owned();
    post.hashtags = text::topics(&post.text);
    post.mentions = text::mentions(&post.text);
}

/// Whether nobody sees a character: the network ends its texts with a space of no width.
pub(super) fn is_blank(c: char) -> bool {
    c == '\u{200b}' || c.is_whitespace()
}

/// Adds topics that are listed beside the text.
pub(super) fn add_topics<'t>(post: &mut Post, topics: impl IntoIterator<Item = &'t str>) {
    post.hashtags = joined(&post.hashtags, topics, '#');
}

/// Adds names that are listed beside the text as mentioned in it.
pub(super) fn add_mentions<'t>(post: &mut Post, names: impl IntoIterator<Item = &'t str>) {
    post.mentions = joined(&post.mentions, names, '@');
}

fn joined<'t>(
    known: &[String],
    further: impl IntoIterator<Item = &'t str>,
    sign: char,
) -> Vec<String> {
    let further = further.into_iter().map(|word| {
        let word = word.trim().trim_matches(sign);
        word.strip_suffix("[超话]")
            .unwrap_or(word)
            .trim()
            .to_owned()
    });
    let words = known.iter().cloned().chain(further);
    words.collect::<Distinct>().list
}

/// The parts of a list that is written as one text.
pub(super) fn listed(text: Option<&str>, separator: char) -> impl Iterator<Item = &str> {
    text.unwrap_or_default()
        .split(separator)
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// The place of a `geo`: the point with its latitude first, the name in its detail, else the one found elsewhere.
pub(super) fn tagged(geo: &Value, name: Option<&str>) -> Option<Place> {
    let coordinates = geo.get("coordinates").and_then(Value::as_array);
    let degrees = |at: usize| lenient::number(coordinates?.get(at)?);
    let title = geo.pointer("/detail/title").and_then(Value::as_str);
    let title = [title, name].into_iter().flatten();
    let title = title.map(str::trim).find(|title| !title.is_empty());
    place::tagged(title.unwrap_or_default(), degrees(0), degrees(1), None)
}

/// Adds a picture, named by its pid: the same on every host and in every size. A URL without an extension is one of a JPEG.
/// None when it is no URL, or the picture is there already.
pub(super) fn add_picture<'p>(post: &'p mut Post, url: &str) -> Option<&'p mut Media> {
    let url = absolute(url)?;
    let file = links::file_name(&url)?;
    let (pid, url) = match file.rsplit_once('.') {
        Some((pid, _)) => (pid.to_owned(), url.to_string()),
        None => (file.to_owned(), format!("{url}.jpg")),
    };
    add(post, pid, url, MediaKind::Image)
}

/// Adds the still that stands for a video.
pub(super) fn add_cover(post: &mut Post, url: &str) {
    if let Some(medium) = add_picture(post, url) {
        medium.kind = MediaKind::Thumbnail;
    }
}

/// Adds a video, named by its file. Its URL says until when it works.
pub(super) fn add_video<'p>(post: &'p mut Post, url: &str) -> Option<&'p mut Media> {
    let url = absolute(url)?;
    let id = video_name(&url)?;
    let expires_at = expiry(&url);
    let medium = add(post, id, url.into(), MediaKind::Video)?;
    medium.url_expires_at = expires_at;
    Some(medium)
}

fn add(post: &mut Post, id: String, url: String, kind: MediaKind) -> Option<&mut Media> {
    if post.medium(&id).is_some() {
        return None;
    }
    let mut medium = Media::image(id, url);
    medium.kind = kind;
    post.media.push(medium);
    post.media.last_mut()
}

/// Some pages leave the scheme out.
fn absolute(url: &str) -> Option<Url> {
    let url = url.trim();
    let url = match url.strip_prefix("//") {
        Some(rest) => Url::parse(&format!("https://{rest}")),
        None => Url::parse(url),
    };
    url.ok().filter(Url::has_host)
}

/// The player of moving pictures (`/media/play?livephoto=URL`) is the same for all of them: their file is the one that it plays.
fn video_name(url: &Url) -> Option<String> {
    let played = url.query_pairs().find(|(key, _)| key == "livephoto");
    let played = played.and_then(|(_, url)| Url::parse(&url).ok());
    let named = played.as_ref().and_then(links::file_name);
    named.or_else(|| links::file_name(url)).map(str::to_owned)
}

fn expiry(url: &Url) -> Option<Timestamp> {
    let (_, seconds) = url.query_pairs().find(|(key, _)| key == "Expires")?;
    Timestamp::from_second(seconds.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn post() -> Post {
        Post::new(post_id("4607741009594608"), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_number_is_read_off_either_spelling() {
        for (id, bid, expected) in [
            (Some("4383183661430868"), None, Some("4383183661430868")),
            (
                Some("4383183661430868\t"),
                Some("K3fnuEfZK"),
                Some("4383183661430868"),
            ),
            (None, Some("HyTZc60ew"), Some("4383183661430868")),
            (Some(""), Some("HyTZc60ew"), Some("4383183661430868")),
            (Some("none"), Some("无"), None),
            (Some("0"), None, None),
            (None, None, None),
        ] {
            assert_eq!(number(id, bid).as_deref(), expected, "{id:?} {bid:?}");
        }
    }

    #[test]
    fn a_picture_is_the_same_on_every_host_and_in_every_size() {
        let mut post = post();
        add_picture(&mut post, "https://wx1.sinaimg.cn/large/0072gy1.jpg").unwrap();
        assert!(add_picture(&mut post, "//ww3.sinaimg.cn/orj360/0072gy1.jpg?x=1").is_none());
        add_picture(&mut post, "//wx1.sinaimg.cn/orj960/0072gy2").unwrap();
        for none in ["", "无", "large/0072gy3.jpg", "https://wx1.sinaimg.cn/"] {
            assert!(add_picture(&mut post, none).is_none(), "{none}");
        }
        let urls: Vec<_> = post.media.iter().map(|m| m.url.as_deref()).collect();
        assert_eq!(
            urls,
            [
                Some("https://wx1.sinaimg.cn/large/0072gy1.jpg"),
                Some("https://wx1.sinaimg.cn/orj960/0072gy2.jpg")
            ]
        );
    }

    #[test]
    fn videos_are_named_by_their_file() {
        let mut post = post();
        let clip = "https://f.video.weibocdn.com/o0/abc.mp4?label=mp4_720p&Expires=1666868183";
        let clip = add_video(&mut post, clip).unwrap();
        assert_eq!(clip.id, "abc.mp4");
        assert_eq!(clip.url_expires_at.unwrap().as_second(), 1_666_868_183);
        let moving =
            "https://video.weibo.com/media/play?livephoto=https%3A%2F%2Fus.sinaimg.cn%2F000x.mov";
        assert_eq!(add_video(&mut post, moving).unwrap().id, "000x.mov");
    }
}
