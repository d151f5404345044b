//! Chilfish/Weibo-archiver: posts in a list or a post a line, by names of its own; older versions have kept the network's.

use heurpipe_core::{Author, Counts, Post};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::cut::{Item, Layout};
use super::super::format::{File, Format, Mapper, Out, raw};
use super::super::looks::Looks;
use super::{parts, times};
use crate::{lenient, place};

const NAME: &str = "weibo_archiver_json";

/// The format; see the [module](self).
pub(super) struct WeiboArchiver;

impl Format for WeiboArchiver {
    fn name(&self) -> &str {
        NAME
    }

    fn description(&self) -> &str {
        "Weibo: posts as Chilfish/Weibo-archiver writes them (JSON with mblogid and imgs)"
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        let Looks::Json(form, keys) = looks else {
            return None;
        };
        let known = keys.have(&["id", "mblogid", "text", "imgs"]);
        known.then(|| Layout::items(*form))
    }

    fn mapper(&self) -> Box<dyn Mapper> {
        Box::new(Entries)
    }
}

struct Entries;

impl Mapper for Entries {
    fn map(&mut self, item: &Item<'_>, file: &File<'_>, out: &mut Out) -> Result<(), String> {
        let entry: Entry = lenient::object(item.json)?;
        let mut post = entry.post(item.json, file)?;
        if let Some(json) = &entry.retweet {
            let original = lenient::object::<Entry>(json);
            match original.and_then(|original| original.post(json, file)) {
                Ok(original) => {
                    post.repost_of = Some(original.id.clone());
                    out.post(original);
                }
                Err(why) => {
                    let place = file.place(&format!("{}.retweet", item.place));
                    out.unreadable(place, why, json.get());
                }
            }
        }
        out.post(post);
        Ok(())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    #[serde(deserialize_with = "lenient::id")]
    id: Option<String>,
    mblogid: Option<String>,
    #[serde(rename = "userId", deserialize_with = "lenient::id")]
    user_id: Option<String>,
    text: Option<String>,
    imgs: Vec<String>,
    #[serde(rename = "createdAt", alias = "created_at")]
    created_at: Option<String>,
    #[serde(rename = "regionName", alias = "region_name")]
    region_name: Option<String>,
    #[serde(
        rename = "repostsCount",
        alias = "reposts_count",
        deserialize_with = "lenient::count"
    )]
    reposts: Option<u64>,
    #[serde(
        rename = "commentsCount",
        alias = "comments_count",
        deserialize_with = "lenient::count"
    )]
    comments: Option<u64>,
    #[serde(
        rename = "likesCount",
        alias = "like_count",
        deserialize_with = "lenient::count"
    )]
    likes: Option<u64>,
    #[serde(alias = "retweeted_status")]
    retweet: Option<Box<RawValue>>,
    user: Option<User>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct User {
    #[serde(alias = "uid", deserialize_with = "lenient::id")]
    id: Option<String>,
    #[serde(alias = "screen_name")]
    name: Option<String>,
}

impl Entry {
    fn post(&self, json: &RawValue, file: &File<'_>) -> Result<Post, String> {
        let number = parts::number(self.id.as_deref(), self.mblogid.as_deref());
        let mut post = file.post(parts::post_id(&number.ok_or("it has no id")?));
        if let Some(time) = &self.created_at {
            times::moment(time, file.collected_at)?.publish(&mut post);
        }
        parts::set_text(&mut post, self.text.as_deref().unwrap_or_default());
        post.counts = Counts::new(self.likes, self.comments, self.reposts);
        post.places.ip_region = self.region_name.as_deref().and_then(place::claimed);
        for url in &self.imgs {
            parts::add_picture(&mut post, url);
        }
        parts::set_author(&mut post, self.author(), file);
        post.raw.insert(NAME.to_owned(), raw(json));
        Ok(post)
    }

    fn author(&self) -> Option<Author> {
        let user = self.user.as_ref();
        let mut author = Author::unknown();
        author.id = user
            .and_then(|user| user.id.clone())
            .or_else(|| self.user_id.clone());
        author.handle = user
            .and_then(|user| user.name.clone())
            .filter(|name| !name.is_empty());
        (author != Author::unknown()).then_some(author)
    }
}
