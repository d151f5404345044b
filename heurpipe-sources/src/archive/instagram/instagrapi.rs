//! instagrapi: what `Media.dict()` gives, written as JSON.

use super::super::cut::{Item, Layout};
use super::super::format::{File, Format, Mapper, Out};
use super::super::looks::Looks;
use super::{medium, parts};

pub(super) const NAME: &str = "instagrapi";

/// The format; see the [module](self).
pub(super) struct Instagrapi;

impl Format for Instagrapi {
    fn name(&self) -> &str {
        NAME
    }

    fn description(&self) -> &str {
        "Instagram: media of instagrapi (JSON or JSON Lines with pk, code and caption_text)"
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        let Looks::Json(form, keys) = looks else {
            return None;
        };
        let known = keys.have(&["pk", "code", "caption_text"]);
        known.then(|| Layout::items(*form))
    }

    fn mapper(&self) -> Box<dyn Mapper> {
        Box::new(Media)
    }
}

struct Media;

impl Mapper for Media {
    fn map(&mut self, item: &Item<'_>, file: &File<'_>, out: &mut Out) -> Result<(), String> {
        let mut post = medium::post(item.json, file)?;
        parts::keep(&mut post, NAME, item.json, file);
        out.post(post);
        Ok(())
    }
}
