//! Captures: what Instagram's web pages and its apps' private API answered, saved as it came.

use super::super::cut::{Item, Layout};
use super::super::format::{File, Format, Mapper, Out};
use super::super::looks::Looks;
use super::{crawlers, parts, walk};

pub(super) const NAME: &str = "instagram_capture";

/// The format; see the [module](self).
pub(super) struct Captures;

impl Format for Captures {
    fn name(&self) -> &str {
        NAME
    }

    fn description(&self) -> &str {
        "Instagram: captured answers of the web (GraphQL nodes with shortcode and display_url) and of the private API (pk, code, taken_at)"
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        let Looks::Json(form, keys) = looks else {
            return None;
        };
        // What shows a post, and what names it: each is told by both, since other files have codes and images too.
        let signs: [(&[&str], &[&str]); 4] = [
            (&["display_url"], &["shortcode", "expiring_at_timestamp"]),
            (&["display_src"], &["code"]),
            (&["standard_resolution"], &["code"]),
            (&["image_versions2", "carousel_media"], &["code"]),
        ];
        let has_posts = signs
            .iter()
            .any(|(shown, named)| keys.mention(shown) && keys.mention(named));
        // Crawlers hand on what they captured with something of their own beside it.
        let is_crawled = crawlers()
            .iter()
            .any(|format| format.layout(looks).is_some());
        (has_posts && !is_crawled).then(|| Layout::items(*form))
    }

    fn mapper(&self) -> Box<dyn Mapper> {
        Box::new(Pages)
    }
}

struct Pages;

impl Mapper for Pages {
    fn map(&mut self, item: &Item<'_>, file: &File<'_>, out: &mut Out) -> Result<(), String> {
        let seen = walk::posts(item.json, file);
        if seen.posts.is_empty() && !seen.is_list {
            return Err("it holds neither a post nor a list of them".to_owned());
        }
        for found in seen.posts {
            match found.read {
                Ok(mut post) => {
                    found.around.tell(&mut post, NAME);
                    parts::keep(&mut post, NAME, found.json, file);
                    out.post(post);
                }
                Err(reason) => {
                    let within = [item.place.as_str(), &found.path];
                    let within = within.into_iter().filter(|part| !part.is_empty());
                    let within = within.collect::<Vec<_>>().join(".");
                    out.unreadable(file.place(&within), reason, found.json.get());
                }
            }
        }
        Ok(())
    }
}
