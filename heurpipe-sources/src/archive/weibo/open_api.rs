//! Answers of the Open API v2 that somebody has kept: pages of statuses, and single ones. They become posts as those do that the
//! client asks for itself.

use heurpipe_core::Incoming;

use super::super::cut::{Item, Layout};
use super::super::format::{File, Format, Mapper, Out};
use super::super::looks::{JsonForm, Looks};
use crate::weibo::map;

const NAME: &str = "weibo_open_api";

/// The format; see the [module](self).
pub(super) struct WeiboOpenApi;

impl Format for WeiboOpenApi {
    fn name(&self) -> &str {
        NAME
    }

    fn description(&self) -> &str {
        "Weibo: answers of the Open API v2 (JSON with statuses, and single statuses)"
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        let Looks::Json(form, keys) = looks else {
            return None;
        };
        // The pages of `weibo.com` have statuses of the same make, with more in them.
        let is_of_pages = keys.mention(&["mblogid", "bid", "text_raw"]);
        if !is_of_pages && keys.have(&["statuses[].mid", "statuses[].text"]) {
            return Some(Layout::Json {
                form: JsonForm::Object,
                lists: &["statuses"],
                members: &[],
            });
        }
        let is_status = keys.have(&["idstr", "mid", "text", "created_at"]);
        (!is_of_pages && is_status).then(|| Layout::items(*form))
    }

    fn mapper(&self) -> Box<dyn Mapper> {
        Box::new(Statuses)
    }
}

struct Statuses;

impl Mapper for Statuses {
    fn map(&mut self, item: &Item<'_>, file: &File<'_>, out: &mut Out) -> Result<(), String> {
        for incoming in map::captured(item.json, NAME, file.collected_at) {
            match incoming {
                Incoming::Post(post) => out.post(*post),
                Incoming::Gone(id) => out.gone(id),
                // Named by its place in the file, as everything in archives is.
                Incoming::Unreadable(wrong) => {
                    out.unreadable(file.place(&item.place), wrong.reason, &wrong.excerpt);
                }
                other => return Err(format!("a status became no post: {other:?}")),
            }
        }
        Ok(())
    }
}
