//! Answers of the official API, saved as they came.

use serde_json::value::RawValue;

use super::super::cut::{Item, Layout};
use super::super::format::{File, Format, Mapper, Out};
use super::super::looks::{Keys, Looks};
use super::json;
use crate::instagram::map::{self, AccountSeen, Setting};
use crate::instagram::wire::Account;
use crate::lenient;

pub(super) const NAME: &str = "instagram_graph";
/// Under which the account of an answer is kept.
const ACCOUNT: &str = "instagram_graph.account";

/// Where media stand in answers: alone, in a page, in an account, in a mention.
const PLACES: [&str; 5] = [
    "",
    "data[].",
    "media.data[].",
    "business_discovery.media.data[].",
    "mentioned_media.",
];

/// The format; see the [module](self).
pub(super) struct Answers;

impl Format for Answers {
    fn name(&self) -> &str {
        NAME
    }

    fn description(&self) -> &str {
        "Instagram: saved answers of the Graph API (media with id and media_type, in data, business_discovery or alone)"
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        let Looks::Json(form, keys) = looks else {
            return None;
        };
        let known = PLACES.iter().any(|place| has_media(keys, place));
        known.then(|| Layout::items(*form))
    }

    fn mapper(&self) -> Box<dyn Mapper> {
        Box::new(Bodies)
    }
}

fn has_media(keys: &Keys, place: &str) -> bool {
    let have = |name: &str| keys.have(&[&format!("{place}{name}")]);
    // The private API has an id and a media_type too, and these.
    let is_private = have("pk") || have("code");
    have("id") && (have("media_type") || have("media_url")) && !is_private
}

struct Bodies;

impl Mapper for Bodies {
    fn map(&mut self, item: &Item<'_>, file: &File<'_>, out: &mut Out) -> Result<(), String> {
        let mut setting = Setting {
            call: NAME,
            account: None,
            collected_at: file.collected_at,
        };
        if let Some(medium) = json::member(item.json, "mentioned_media") {
            out.post(map::post(medium, &setting)?);
        } else if let Some(media) = json::member(item.json, "data").and_then(json::elements) {
            give(&media, "data", &setting, item, file, out);
        } else if let Some((account, media)) = account(item.json)? {
            setting.account = Some(&account);
            let media: Vec<&RawValue> = media.iter().map(AsRef::as_ref).collect();
            give(&media, "media.data", &setting, item, file, out);
        } else {
            out.post(map::post(item.json, &setting)?);
        }
        Ok(())
    }
}

/// The account of an answer, and its media; none when it has no account. The id beside `business_discovery` is the caller's.
fn account(answer: &RawValue) -> Result<Option<(AccountSeen, Vec<Box<RawValue>>)>, String> {
    let discovered = json::member(answer, "business_discovery");
    let account = match discovered {
        Some(discovered) => discovered,
        None if json::member(answer, "media").is_some() => answer,
        None => return Ok(None),
    };
    let payload = json::without(account, |key, _| key == "media")?;
    let account: Account = lenient::object(account)?;
    let seen = AccountSeen::new(&account, ACCOUNT, &payload);
    Ok(Some((seen, account.media.data)))
}

/// Gives the media of a list; a bad one by its place.
fn give(
    media: &[&RawValue],
    list: &str,
    setting: &Setting<'_>,
    item: &Item<'_>,
    file: &File<'_>,
    out: &mut Out,
) {
    for (number, medium) in media.iter().enumerate() {
        match map::post(medium, setting) {
            Ok(post) => out.post(post),
            Err(reason) => {
                let within = match item.place.as_str() {
                    "" => format!("{list}[{number}]"),
                    above => format!("{above}.{list}[{number}]"),
                };
                out.unreadable(file.place(&within), reason, medium.get());
            }
        }
    }
}
