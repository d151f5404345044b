//! nghuyong/WeiboSpider: a post a line.

use heurpipe_core::{Author, Counts, Platform, Post, PostId};
use serde::Deserialize;
use serde_json::Value;

use super::super::cut::{Item, Layout};
use super::super::format::{File, Format, Mapper, Out, raw};
use super::super::looks::Looks;
use super::parts;
use crate::weibo::ids;
use crate::{lenient, place};

pub(super) const NAME: &str = "weibo_spider_jsonl";

/// The format; see the [module](self).
pub(super) struct WeiboSpiderJsonl;

impl Format for WeiboSpiderJsonl {
    fn name(&self) -> &str {
        NAME
    }

    fn description(&self) -> &str {
        "Weibo: posts as nghuyong/WeiboSpider writes them (JSON Lines with mblogid and crawl_time)"
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        let Looks::Json(form, keys) = looks else {
            return None;
        };
        let known = keys.have(&["_id", "mblogid", "content", "crawl_time"]);
        known.then(|| Layout::items(*form))
    }

    fn mapper(&self) -> Box<dyn Mapper> {
        Box::new(Rows)
    }
}

struct Rows;

impl Mapper for Rows {
    fn map(&mut self, item: &Item<'_>, file: &File<'_>, out: &mut Out) -> Result<(), String> {
        let row: Row = lenient::object(item.json)?;
        let number = row
            .id
            .or_else(|| ids::mid_of(row.mblogid.as_deref()?).map(|mid| mid.to_string()))
            .ok_or("it has no id")?;
        let mut post = file.post(PostId::new(Platform::weibo(), number.as_str()));
        // The line itself says when it was gathered.
        if let Some(at) = row
            .crawl_time
            .and_then(|at| jiff::Timestamp::from_second(at).ok())
        {
            post.collected_at = at;
        }
        post.published_at = row
            .created_at
            .as_deref()
            .map(parts::naive_time)
            .transpose()?;
        parts::set_text(&mut post, row.content.as_deref().unwrap_or_default());
        post.counts = Counts::new(row.attitudes_count, row.comments_count, row.reposts_count);
        post.permalink = row.url;
        post.places.ip_region = row.ip_location.as_deref().and_then(place::claimed);
        post.places.tagged = parts::tagged(&row.geo);
        post.repost_of = row
            .retweet_id
            .map(|id| PostId::new(Platform::weibo(), id.as_str()));
        post.author = row.user.map(author);
        add_media(&mut post, &row.pic_urls, row.video.as_deref());
        post.raw.insert(NAME.to_owned(), raw(item.json));
        out.post(post);
        Ok(())
    }
}

fn author(user: User) -> Author {
    let mut author = Author::unknown();
    author.id = user.id;
    author.handle = user.nick_name.filter(|name| !name.is_empty());
    author.verified = user.verified;
    author
}

fn add_media(post: &mut Post, pictures: &[String], video: Option<&str>) {
    for url in pictures {
        parts::add_picture(post, url);
    }
    if let Some(url) = video {
        parts::add_video(post, url);
    }
}

#[derive(Deserialize)]
struct Row {
    #[serde(default, rename = "_id", deserialize_with = "lenient::id")]
    id: Option<String>,
    #[serde(default)]
    mblogid: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    geo: Value,
    #[serde(default)]
    ip_location: Option<String>,
    #[serde(default, deserialize_with = "lenient::count")]
    attitudes_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient::count")]
    comments_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient::count")]
    reposts_count: Option<u64>,
    #[serde(default)]
    pic_urls: Vec<String>,
    #[serde(default)]
    video: Option<String>,
    #[serde(default, deserialize_with = "lenient::id")]
    retweet_id: Option<String>,
    #[serde(default)]
    user: Option<User>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    crawl_time: Option<i64>,
}

#[derive(Deserialize)]
struct User {
    #[serde(default, rename = "_id", deserialize_with = "lenient::id")]
    id: Option<String>,
    #[serde(default)]
    nick_name: Option<String>,
    #[serde(default)]
    verified: Option<bool>,
}
