//! `weibo.com/ajax`: pages of `statuses/mymblog` and of timelines, and single statuses.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::super::cut::{Item, Layout};
use super::super::super::format::{File, Format, Mapper, Out};
use super::super::super::looks::Looks;
use super::{give_all, within};
use crate::lenient;

const NAME: &str = "weibo_ajax_json";

/// The format; see the [module](self).
pub(in super::super) struct WeiboAjax;

impl Format for WeiboAjax {
    fn name(&self) -> &str {
        NAME
    }

    fn description(&self) -> &str {
        "Weibo: captures of weibo.com/ajax (JSON with mblogid and text_raw)"
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        let Looks::Json(form, keys) = looks else {
            return None;
        };
        let is_page = keys.have(&["ok", "data.list", "data.since_id"])
            || keys.have(&["data.list[].mblogid", "data.list[].text_raw"])
            || keys.have(&["statuses[].mblogid", "statuses[].text_raw"]);
        let known = is_page || keys.have(&["mblogid", "text_raw", "user"]);
        known.then(|| Layout::items(*form))
    }

    fn mapper(&self) -> Box<dyn Mapper> {
        Box::new(Pages)
    }
}

struct Pages;

impl Mapper for Pages {
    fn map(&mut self, item: &Item<'_>, file: &File<'_>, out: &mut Out) -> Result<(), String> {
        let answer: Answer = lenient::object(item.json)?;
        let (name, list) = match (answer.data, answer.statuses) {
            (Some(page), _) => ("data.list", page.list),
            (None, Some(list)) => ("statuses", list),
            // A status by itself is its own answer.
            (None, None) => ("", vec![item.json.to_owned()]),
        };
        let place = |number: usize| match name {
            "" => item.place.clone(),
            name => within(&item.place, &format!("{name}[{number}]")),
        };
        let statuses = list
            .iter()
            .enumerate()
            .map(|(number, status)| (place(number), status.as_ref()));
        give_all(statuses, file, NAME, out);
        Ok(())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    /// Of a user's posts.
    data: Option<Page>,
    /// Of the timelines.
    statuses: Option<Vec<Box<RawValue>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Page {
    list: Vec<Box<RawValue>>,
}
