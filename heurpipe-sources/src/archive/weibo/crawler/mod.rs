//! dataabc/weibo-crawler: the same entries as JSON, CSV and a database of SQLite.

mod csv;
mod json;
mod sqlite;

use heurpipe_core::{Author, Counts, Post};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::format::{File, raw};
use super::saved::{Listed, Saved};
use super::{html, parts, times};
use crate::{lenient, place};
pub(super) use csv::WeiboCrawlerCsv;
pub(super) use json::WeiboCrawlerJson;
pub(super) use sqlite::WeiboCrawlerSqlite;

/// Pictures of posts, and of those that posts pass on.
const PICTURES: [&str; 2] = ["img/原创微博图片", "img/转发微博图片"];
const VIDEOS: [&str; 2] = ["video/原创微博视频", "video/转发微博视频"];
const MOVING_PICTURES: [&str; 2] = [
    "live_photo/原创微博Live Photo视频",
    "live_photo/转发微博Live Photo视频",
];

/// A post, by the names of JSON and of the database or by the columns of CSV.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    #[serde(deserialize_with = "lenient::id")]
    id: Option<String>,
    bid: Option<String>,
    #[serde(deserialize_with = "lenient::id")]
    user_id: Option<String>,
    screen_name: Option<String>,
    #[serde(alias = "正文")]
    text: Option<String>,
    #[serde(alias = "原始图片url")]
    pics: Option<String>,
    #[serde(alias = "视频url")]
    video_url: Option<String>,
    #[serde(alias = "Live Photo视频url")]
    live_photo_url: Option<String>,
    #[serde(alias = "位置")]
    location: Option<String>,
    #[serde(alias = "日期")]
    created_at: Option<String>,
    #[serde(alias = "完整日期")]
    full_created_at: Option<String>,
    #[serde(alias = "点赞数", deserialize_with = "lenient::count")]
    attitudes_count: Option<u64>,
    #[serde(alias = "评论数", deserialize_with = "lenient::count")]
    comments_count: Option<u64>,
    #[serde(alias = "转发数", deserialize_with = "lenient::count")]
    reposts_count: Option<u64>,
    #[serde(alias = "话题")]
    topics: Option<String>,
    #[serde(alias = "@用户")]
    at_users: Option<String>,
    /// Of a database, where the post that is passed on has a row of its own.
    #[serde(deserialize_with = "lenient::id")]
    retweet_id: Option<String>,
    /// Of JSON, where it stands within.
    retweet: Option<Box<RawValue>>,
}

/// Whose posts they are, by the names of JSON or by the columns of `users.csv`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct User {
    #[serde(alias = "用户id", deserialize_with = "lenient::id")]
    id: Option<String>,
    #[serde(alias = "昵称")]
    screen_name: Option<String>,
    #[serde(alias = "所在地")]
    location: Option<String>,
    #[serde(alias = "IP属地")]
    ip_location: Option<String>,
    #[serde(alias = "粉丝数", deserialize_with = "lenient::count")]
    followers_count: Option<u64>,
    #[serde(alias = "是否认证", deserialize_with = "lenient::flag")]
    verified: Option<bool>,
}

/// What stands around an entry.
#[derive(Clone, Copy)]
struct Setting<'a> {
    file: &'a File<'a>,
    /// Under which name payloads are kept.
    format: &'static str,
    /// Whose posts the file holds; those that they pass on are others'.
    user: Option<&'a User>,
    /// The folder of the user's pictures, from where the file stands.
    folder: &'a str,
}

/// The post of an entry, without the one that it passes on.
fn post(entry: &Entry, json: &RawValue, setting: Setting<'_>) -> Result<Post, String> {
    let number = parts::number(entry.id.as_deref(), entry.bid.as_deref());
    let number = number.ok_or("it has no id")?;
    let file = setting.file;
    let mut post = file.post(parts::post_id(&number));
    // The one says the second where the other may say the day alone.
    let time = entry.full_created_at.as_deref().filter(|t| !t.is_empty());
    if let Some(time) = time.or(entry.created_at.as_deref()) {
        times::moment(time, file.collected_at)?.publish(&mut post);
    }
    let text = entry.text.as_deref().unwrap_or_default();
    parts::set_text(&mut post, &html::plain_if_marked_up(text));
    parts::add_topics(&mut post, parts::listed(entry.topics.as_deref(), ','));
    parts::add_mentions(&mut post, parts::listed(entry.at_users.as_deref(), ','));
    post.counts = Counts::new(
        entry.attitudes_count,
        entry.comments_count,
        entry.reposts_count,
    );
    let own = setting.user.filter(|user| user.wrote(entry));
    post.places.tagged = entry.location.as_deref().and_then(place::claimed);
    if let Some(user) = own {
        post.places.declared = user.location.as_deref().and_then(place::claimed);
        post.places.ip_region = user.ip_location.as_deref().and_then(place::claimed);
    }
    parts::set_author(&mut post, author(entry, own), file);
    let retweet = entry.retweet_id.as_deref().filter(|id| *id != "0");
    post.repost_of = retweet.map(parts::post_id);
    add_media(&mut post, entry, setting);
    post.raw.insert(setting.format.to_owned(), raw(json));
    Ok(post)
}

impl User {
    /// An entry that does not say whose it is stands in its user's file.
    fn wrote(&self, entry: &Entry) -> bool {
        entry.user_id.is_none() || entry.user_id == self.id
    }
}

fn author(entry: &Entry, user: Option<&User>) -> Option<Author> {
    let of_user = user.cloned().unwrap_or_default();
    let name = |name: Option<&String>| name.filter(|name| !name.is_empty()).cloned();
    let mut author = Author::unknown();
    author.id = entry.user_id.clone().or(of_user.id);
    author.handle = name(entry.screen_name.as_ref()).or_else(|| name(of_user.screen_name.as_ref()));
    author.followers = of_user.followers_count;
    author.verified = of_user.verified;
    (author != Author::unknown()).then_some(author)
}

fn add_media(post: &mut Post, entry: &Entry, setting: Setting<'_>) {
    let time = entry.created_at.as_deref().unwrap_or_default();
    // A database writes the time as people read it; files were named by the form that computers do.
    let time = time.replacen(' ', "T", 1);
    let id = post.id.native.clone();
    let saved = Saved::new(setting.file, setting.folder, &time, &id);
    let pictures: Vec<&str> = parts::listed(entry.pics.as_deref(), ',').collect();
    for (index, url) in pictures.iter().enumerate() {
        let of = pictures.len();
        if let Some(medium) = parts::add_picture(post, url) {
            saved.prefer_picture(medium, &PICTURES, Listed { url, index, of });
        }
    }
    let lists = [
        (entry.video_url.as_deref(), VIDEOS),
        (entry.live_photo_url.as_deref(), MOVING_PICTURES),
    ];
    for (list, folders) in lists {
        let videos: Vec<&str> = parts::listed(list, ';').collect();
        for (index, url) in videos.iter().enumerate() {
            let of = videos.len();
            if let Some(medium) = parts::add_video(post, url) {
                saved.prefer_video(medium, &folders, Listed { url, index, of });
            }
        }
    }
}
