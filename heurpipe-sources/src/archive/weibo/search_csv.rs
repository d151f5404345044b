//! dataabc/weibo-search: a row a post that a search has found, whoever wrote it.

use heurpipe_core::{Author, Counts};
use serde::Deserialize;

use super::super::cut::{Item, Layout};
use super::super::format::{File, Format, Mapper, Out, raw};
use super::super::looks::Looks;
use super::{parts, times};
use crate::{lenient, place};

const NAME: &str = "weibo_search_csv";

/// The format; see the [module](self).
pub(super) struct WeiboSearchCsv;

impl Format for WeiboSearchCsv {
    fn name(&self) -> &str {
        NAME
    }

    fn description(&self) -> &str {
        "Weibo: what a search found, as dataabc/weibo-search writes it (CSV with user_id and 微博正文)"
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        let known = looks.has_columns(&["id", "bid", "user_id", "微博正文", "发布时间"]);
        known.then_some(Layout::Table)
    }

    fn mapper(&self) -> Box<dyn Mapper> {
        Box::new(Rows)
    }
}

struct Rows;

impl Mapper for Rows {
    fn map(&mut self, item: &Item<'_>, file: &File<'_>, out: &mut Out) -> Result<(), String> {
        let row: Row = lenient::object(item.json)?;
        let number = parts::number(row.id.as_deref(), row.bid.as_deref());
        let mut post = file.post(parts::post_id(&number.ok_or("it has no id")?));
        if let Some(time) = row.time.as_deref().filter(|time| !time.is_empty()) {
            times::moment(time, file.collected_at)?.publish(&mut post);
        }
        parts::set_text(&mut post, row.text.as_deref().unwrap_or_default());
        parts::add_topics(&mut post, parts::listed(row.topics.as_deref(), ','));
        parts::add_mentions(&mut post, parts::listed(row.mentions.as_deref(), ','));
        post.counts = Counts::new(row.likes, row.comments, row.reposts);
        post.places.tagged = row.place.as_deref().and_then(place::claimed);
        post.places.ip_region = row.ip.as_deref().and_then(place::claimed);
        post.repost_of = row.retweet_id.as_deref().map(parts::post_id);
        parts::set_author(&mut post, row.author(), file);
        for url in parts::listed(row.pictures.as_deref(), ',') {
            parts::add_picture(&mut post, url);
        }
        for url in parts::listed(row.video.as_deref(), ';') {
            parts::add_video(&mut post, url);
        }
        post.raw.insert(NAME.to_owned(), raw(item.json));
        out.post(post);
        Ok(())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Row {
    #[serde(deserialize_with = "lenient::id")]
    id: Option<String>,
    bid: Option<String>,
    #[serde(deserialize_with = "lenient::id")]
    user_id: Option<String>,
    #[serde(rename = "用户昵称")]
    screen_name: Option<String>,
    #[serde(rename = "微博正文")]
    text: Option<String>,
    #[serde(rename = "发布位置")]
    place: Option<String>,
    #[serde(rename = "艾特用户")]
    mentions: Option<String>,
    #[serde(rename = "话题")]
    topics: Option<String>,
    #[serde(rename = "转发数", deserialize_with = "lenient::count")]
    reposts: Option<u64>,
    #[serde(rename = "评论数", deserialize_with = "lenient::count")]
    comments: Option<u64>,
    #[serde(rename = "点赞数", deserialize_with = "lenient::count")]
    likes: Option<u64>,
    #[serde(rename = "发布时间")]
    time: Option<String>,
    #[serde(rename = "微博图片url")]
    pictures: Option<String>,
    #[serde(rename = "微博视频url")]
    video: Option<String>,
    #[serde(deserialize_with = "lenient::id")]
    retweet_id: Option<String>,
    ip: Option<String>,
    user_authentication: Option<String>,
}

impl Row {
    fn author(&self) -> Option<Author> {
        let mut author = Author::unknown();
        author.id = self.user_id.clone();
        author.handle = self.screen_name.clone().filter(|name| !name.is_empty());
        // Yellow, gold, red or blue, a mark of verification is called a V.
        author.verified = match self.user_authentication.as_deref().map(str::trim) {
            Some("普通用户") => Some(false),
            Some(mark) if mark.ends_with('V') => Some(true),
            _ => None,
        };
        (author != Author::unknown()).then_some(author)
    }
}
