//! `UID.csv`: a row a post. Whose they are stands in the file's name alone.

use super::super::super::cut::{Item, Layout};
use super::super::super::format::{File, Format, Mapper, Out};
use super::super::super::looks::Looks;
use super::{Entry, User, post};
use crate::lenient;

/// Of all versions.
const COLUMNS: [&str; 4] = ["微博id", "微博正文", "发布时间", "点赞数"];
/// Of later ones.
const ARTICLE: &str = "头条文章url";

/// The columns of dataabc/weiboSpider; see the [module](self).
pub(in super::super) struct WeiboSpiderCsv;

impl Format for WeiboSpiderCsv {
    fn name(&self) -> &str {
        "weibo_spider_csv"
    }

    fn description(&self) -> &str {
        "Weibo: a user's posts as dataabc/weiboSpider writes them (CSV with 微博id and 头条文章url)"
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        let known = looks.has_columns(&COLUMNS) && looks.has_columns(&[ARTICLE]);
        known.then_some(Layout::Table)
    }

    fn mapper(&self) -> Box<dyn Mapper> {
        Box::new(Rows::of("weibo_spider_csv"))
    }
}

/// The nine columns of Python3Spiders/WeiboSuperSpider, which are those of older versions of weiboSpider; see the [module](self).
pub(in super::super) struct WeiboSuperspiderCsv;

impl Format for WeiboSuperspiderCsv {
    fn name(&self) -> &str {
        "weibo_superspider_csv"
    }

    fn description(&self) -> &str {
        "Weibo: a user's posts as WeiboSuperSpider writes them (CSV with 微博id, without 头条文章url)"
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        let known = looks.has_columns(&COLUMNS) && !looks.has_columns(&[ARTICLE]);
        known.then_some(Layout::Table)
    }

    fn mapper(&self) -> Box<dyn Mapper> {
        Box::new(Rows::of("weibo_superspider_csv"))
    }
}

struct Rows {
    format: &'static str,
    user: User,
}

impl Rows {
    fn of(format: &'static str) -> Self {
        Self {
            format,
            user: User::default(),
        }
    }
}

impl Mapper for Rows {
    fn begin(&mut self, file: &File<'_>) -> heurpipe_core::Result<()> {
        self.user = User::named_by(file);
        Ok(())
    }

    fn map(&mut self, item: &Item<'_>, file: &File<'_>, out: &mut Out) -> Result<(), String> {
        let entry: Entry = lenient::object(item.json)?;
        out.post(post(&entry, item.json, &self.user, self.format, file)?);
        Ok(())
    }
}
