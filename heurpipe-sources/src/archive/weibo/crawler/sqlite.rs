//! `weibodata.db`: a row a post, also for those that are passed on.

use serde::Deserialize;

use super::super::super::cut::{Item, Layout};
use super::super::super::format::{File, Format, Mapper, Out};
use super::super::super::looks::Looks;
use super::{Entry, Setting, User, post};
use crate::lenient;

const NAME: &str = "weibo_crawler_sqlite";

/// All columns there are, since versions have added some; where both tables have one of a name, the post's is kept under it.
const QUERY: &str = "SELECT user.*, weibo.*, user.location AS user_location FROM weibo \
    LEFT JOIN user ON user.id = weibo.user_id ORDER BY weibo.rowid";

/// The format; see the [module](self).
pub(in super::super) struct WeiboCrawlerSqlite;

impl Format for WeiboCrawlerSqlite {
    fn name(&self) -> &str {
        NAME
    }

    fn description(&self) -> &str {
        "Weibo: posts as dataabc/weibo-crawler writes them (SQLite with the tables weibo and user)"
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        let known = looks.has_table("weibo", &["bid", "retweet_id", "attitudes_count"])
            && looks.has_table("user", &["nick_name"]);
        known.then_some(Layout::Rows { query: QUERY })
    }

    fn mapper(&self) -> Box<dyn Mapper> {
        Box::new(Rows)
    }
}

/// What a row holds of the table of users.
#[derive(Deserialize)]
struct OfUser {
    #[serde(default)]
    nick_name: Option<String>,
    #[serde(default)]
    user_location: Option<String>,
    #[serde(default)]
    ip_location: Option<String>,
    #[serde(default, deserialize_with = "lenient::count")]
    follower_count: Option<u64>,
}

struct Rows;

impl Mapper for Rows {
    fn map(&mut self, item: &Item<'_>, file: &File<'_>, out: &mut Out) -> Result<(), String> {
        let entry: Entry = lenient::object(item.json)?;
        let of_user: OfUser = lenient::object(item.json)?;
        let user = User {
            id: entry.user_id.clone(),
            screen_name: of_user.nick_name,
            location: of_user.user_location,
            ip_location: of_user.ip_location,
            followers_count: of_user.follower_count,
            verified: None,
        };
        let name = user.screen_name.as_deref().or(entry.screen_name.as_deref());
        let folder = name.map(|name| format!("{name}/"));
        let setting = Setting {
            file,
            format: NAME,
            user: Some(&user),
            folder: folder.as_deref().unwrap_or_default(),
        };
        out.post(post(&entry, item.json, setting)?);
        Ok(())
    }
}
