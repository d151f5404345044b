//! nghuyong/WeiboSpider: a post a line.

use heurpipe_core::{Author, Counts, Post};
use serde::Deserialize;
use serde_json::Value;

use super::super::cut::{Item, Layout};
use super::super::format::{File, Format, Mapper, Out, raw};
use super::super::looks::Looks;
use super::{parts, times};
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
        if row.is_user() {
            tracing::info!(line = %file.place(&item.place), "passed over: a user, no post");
            return Ok(());
        }
        let number = parts::number(row.id.as_deref(), row.mblogid.as_deref());
        let number = number.ok_or("it has no id")?;
        let mut post = file.post(parts::post_id(&number));
        // The line itself says when it was gathered.
        if let Some(at) = row
            .crawl_time
            .and_then(|at| jiff::Timestamp::from_second(at).ok())
        {
            post.collected_at = at;
        }
        if let Some(time) = &row.created_at {
            times::moment(time, post.collected_at)?.publish(&mut post);
        }
        parts::set_text(&mut post, row.content.as_deref().unwrap_or_default());
        post.counts = Counts::new(row.attitudes_count, row.comments_count, row.reposts_count);
        post.permalink = row.url;
        post.places.ip_region = row.ip_location.as_deref().and_then(place::claimed);
        post.places.tagged = parts::tagged(&row.geo, None);
        let location = row.user.as_ref().and_then(|user| user.location.as_deref());
        post.places.declared = location.and_then(place::claimed);
        post.repost_of = row.retweet_id.as_deref().map(parts::post_id);
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
    author.followers = user.followers_count;
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
    /// Of a user alone, whom the same crawler writes to files of the same kind.
    #[serde(default)]
    nick_name: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    crawl_time: Option<i64>,
}

impl Row {
    fn is_user(&self) -> bool {
        self.nick_name.is_some() && self.mblogid.is_none()
    }
}

#[derive(Deserialize)]
struct User {
    #[serde(default, rename = "_id", deserialize_with = "lenient::id")]
    id: Option<String>,
    #[serde(default)]
    nick_name: Option<String>,
    #[serde(default)]
    location: Option<String>,
    #[serde(default, deserialize_with = "lenient::count")]
    followers_count: Option<u64>,
    #[serde(default)]
    verified: Option<bool>,
}
