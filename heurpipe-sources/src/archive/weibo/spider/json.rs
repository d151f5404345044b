//! `UID.json`: a user, and a list of posts. What MongoDB exports is the same without the user.

use serde_json::value::RawValue;

use super::super::super::cut::{Item, Layout, Role};
use super::super::super::format::{File, Format, Mapper, Out, raw};
use super::super::super::looks::{JsonForm, Looks};
use super::{Entry, User, post};
use crate::lenient;

const NAME: &str = "weibo_spider_json";

/// The format; see the [module](self).
pub(in super::super) struct WeiboSpiderJson;

impl Format for WeiboSpiderJson {
    fn name(&self) -> &str {
        NAME
    }

    fn description(&self) -> &str {
        "Weibo: a user's posts as dataabc/weiboSpider writes them (JSON with publish_time and up_num)"
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        let Looks::Json(form, keys) = looks else {
            return None;
        };
        if keys.have(&["weibo[].publish_time", "weibo[].up_num"]) {
            return Some(Layout::Json {
                form: JsonForm::Object,
                lists: &["weibo"],
                members: &["user"],
            });
        }
        let known = keys.have(&["publish_time", "up_num", "content"]);
        known.then(|| Layout::items(*form))
    }

    fn mapper(&self) -> Box<dyn Mapper> {
        Box::<Entries>::default()
    }
}

#[derive(Default)]
struct Entries {
    user: User,
    user_json: Option<Box<RawValue>>,
}

impl Mapper for Entries {
    fn begin(&mut self, file: &File<'_>) -> heurpipe_core::Result<()> {
        self.user = User::named_by(file);
        self.user_json = None;
        Ok(())
    }

    fn map(&mut self, item: &Item<'_>, file: &File<'_>, out: &mut Out) -> Result<(), String> {
        if item.role == Role::Member("user") {
            self.user = lenient::object(item.json)?;
            self.user_json = Some(item.json.to_owned());
            return Ok(());
        }
        let entry: Entry = lenient::object(item.json)?;
        let mut post = post(&entry, item.json, &self.user, NAME, file)?;
        if let Some(user) = &self.user_json {
            post.raw.insert(format!("{NAME}.user"), raw(user));
        }
        out.post(post);
        Ok(())
    }
}
