//! `UID.json`: a user, and a list of posts. What MongoDB exports, a post a line or in a list, is the same without the user.

use serde_json::value::RawValue;

use super::super::super::cut::{Item, Layout, Role};
use super::super::super::format::{File, Format, Mapper, Out, raw};
use super::super::super::looks::{JsonForm, Looks};
use super::{Entry, Setting, User, post};
use crate::lenient;

const NAME: &str = "weibo_crawler_json";

/// The format; see the [module](self).
pub(in super::super) struct WeiboCrawlerJson;

impl Format for WeiboCrawlerJson {
    fn name(&self) -> &str {
        NAME
    }

    fn description(&self) -> &str {
        "Weibo: a user's posts as dataabc/weibo-crawler writes them (JSON with user and weibo)"
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        let Looks::Json(form, keys) = looks else {
            return None;
        };
        if keys.have(&["weibo[].bid", "weibo[].text", "weibo[].created_at"]) {
            return Some(Layout::Json {
                form: JsonForm::Object,
                lists: &["weibo"],
                members: &["user"],
            });
        }
        let known = keys.have(&["bid", "user_id", "screen_name", "text", "attitudes_count"]);
        known.then(|| Layout::items(*form))
    }

    fn mapper(&self) -> Box<dyn Mapper> {
        Box::<Entries>::default()
    }
}

#[derive(Default)]
struct Entries {
    user: Option<(User, Box<RawValue>)>,
}

impl Mapper for Entries {
    fn begin(&mut self, _file: &File<'_>) -> heurpipe_core::Result<()> {
        self.user = None;
        Ok(())
    }

    fn map(&mut self, item: &Item<'_>, file: &File<'_>, out: &mut Out) -> Result<(), String> {
        if item.role == Role::Member("user") {
            self.user = Some((lenient::object(item.json)?, item.json.to_owned()));
            return Ok(());
        }
        let entry: Entry = lenient::object(item.json)?;
        let setting = Setting {
            file,
            format: NAME,
            user: self.user.as_ref().map(|(user, _)| user),
            folder: "",
        };
        let mut post = post(&entry, item.json, setting)?;
        if let Some((_, json)) = self.user.as_ref().filter(|(user, _)| user.wrote(&entry)) {
            post.raw.insert(format!("{NAME}.user"), raw(json));
        }
        if let Some(retweet) = &entry.retweet {
            match original(retweet, setting) {
                Ok(None) => {}
                Ok(Some(original)) => {
                    post.repost_of = Some(original.id.clone());
                    out.post(original);
                }
                Err(why) => {
                    let place = file.place(&format!("{}.retweet", item.place));
                    out.unreadable(place, why, retweet.get());
                }
            }
        }
        out.post(post);
        Ok(())
    }
}

/// The post that another passes on; none where an empty object says that there is none.
fn original(json: &RawValue, setting: Setting<'_>) -> Result<Option<heurpipe_core::Post>, String> {
    if matches!(json.get(), "{}" | "null") {
        return Ok(None);
    }
    let entry: Entry = lenient::object(json)?;
    let others = Setting {
        user: setting.user.filter(|user| user.id == entry.user_id),
        ..setting
    };
    post(&entry, json, others).map(Some)
}
