//! `m.weibo.cn`: pages of `getIndex`, each a list of cards of which some hold a status; single statuses; and what the network
//! answers instead.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::super::cut::{Item, Layout};
use super::super::super::format::{File, Format, Mapper, Out};
use super::super::super::looks::Looks;
use super::super::parts;
use super::{give_all, within};
use crate::lenient;

const NAME: &str = "weibo_mobile_json";
/// What the network says of a post that is not there.
const NO_SUCH_POST: &str = "20101";
/// Cards hold cards; more than these nobody has seen.
const DEPTH: usize = 4;

/// The format; see the [module](self).
pub(in super::super) struct WeiboMobile;

impl Format for WeiboMobile {
    fn name(&self) -> &str {
        NAME
    }

    fn description(&self) -> &str {
        "Weibo: captures of m.weibo.cn (JSON with cards of mblogs, and single mblogs)"
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        let Looks::Json(form, keys) = looks else {
            return None;
        };
        let is_page = keys.have(&["ok", "data.cards"]);
        let is_status = ["", "data.", "mblog."].iter().any(|above| {
            let paths = ["bid", "text", "created_at", "user"].map(|key| format!("{above}{key}"));
            keys.have(&paths.each_ref().map(String::as_str))
        });
        let is_refusal = keys.are(&["error"])
            || ["errno", "url", "message"]
                .iter()
                .any(|key| keys.have(&["ok", key]));
        let known = is_page || is_status || is_refusal;
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
        if let Some(why) = answer.refusal() {
            return refused(&answer, why, file, out);
        }
        // A status by itself is its own answer.
        let (top, place) = match &answer.data {
            None => (item.json, item.place.clone()),
            Some(data) => (data.as_ref(), within(&item.place, "data")),
        };
        let card: Card = lenient::object(top)?;
        if !card.may_hold_statuses() {
            return Err("neither a page of cards nor a status".to_owned());
        }
        let mut statuses = Vec::new();
        let mut broken = |place: &str, why: String, json: &RawValue| {
            out.unreadable(file.place(place), why, json.get());
        };
        collect(top, &place, DEPTH, &mut statuses, &mut broken);
        let statuses = statuses
            .iter()
            .map(|(place, json)| (place.clone(), json.as_ref()));
        give_all(statuses, file, NAME, out);
        Ok(())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    #[serde(deserialize_with = "lenient::id")]
    ok: Option<String>,
    #[serde(deserialize_with = "lenient::id")]
    errno: Option<String>,
    msg: Option<String>,
    message: Option<String>,
    error: Option<String>,
    /// Where to log in.
    url: Option<String>,
    data: Option<Box<RawValue>>,
}

impl Answer {
    /// Why the network has given nothing, if it says so. The page after the last one is not good either, but has its list of cards.
    fn refusal(&self) -> Option<&str> {
        let is_good = self.ok.as_deref().is_none_or(|ok| ok == "1");
        if let Some(error) = &self.error {
            return Some(error);
        }
        let has_data = self
            .data
            .as_ref()
            .is_some_and(|data| data.get().starts_with('{'));
        if is_good || (has_data && self.errno.is_none()) {
            return None;
        }
        let said = [&self.message, &self.msg, &self.url].into_iter().flatten();
        let why = said.map(String::as_str).find(|why| !why.is_empty());
        Some(why.unwrap_or("no reason given"))
    }
}

/// A post that is not there is gone, if the name of the file says which it was.
fn refused(answer: &Answer, why: &str, file: &File<'_>, out: &mut Out) -> Result<(), String> {
    if answer.errno.as_deref() == Some(NO_SUCH_POST) {
        let name = file.entry.file_name();
        let stem = name.split('.').next().unwrap_or(name);
        if let Some(number) = parts::number(Some(stem), None) {
            out.gone(parts::post_id(&number));
            return Ok(());
        }
    }
    Err(format!("the network has refused: {why}"))
}

/// What may hold statuses: a page, a card, or a status itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Card {
    cards: Option<Vec<Box<RawValue>>>,
    card_group: Option<Vec<Box<RawValue>>>,
    mblog: Option<Box<RawValue>>,
    bid: Option<String>,
}

impl Card {
    fn may_hold_statuses(&self) -> bool {
        self.cards.is_some()
            || self.card_group.is_some()
            || self.mblog.is_some()
            || self.is_status()
    }

    fn is_status(&self) -> bool {
        self.bid.is_some()
    }
}

/// Finds the statuses in a card, in their order, each with its place. A card that cannot be read does not take the others with it.
fn collect(
    json: &RawValue,
    place: &str,
    depth: usize,
    statuses: &mut Vec<(String, Box<RawValue>)>,
    broken: &mut impl FnMut(&str, String, &RawValue),
) {
    let card: Card = match lenient::object(json) {
        Ok(card) => card,
        Err(why) => return broken(place, why, json),
    };
    if card.is_status() {
        return statuses.push((place.to_owned(), json.to_owned()));
    }
    if let Some(mblog) = card.mblog {
        statuses.push((within(place, "mblog"), mblog));
    }
    for (name, cards) in [("cards", card.cards), ("card_group", card.card_group)] {
        for (number, card) in cards.into_iter().flatten().enumerate() {
            let place = within(place, &format!("{name}[{number}]"));
            if depth == 0 {
                broken(
                    &place,
                    "the cards hold one another too deeply".to_owned(),
                    &card,
                );
            } else {
                collect(&card, &place, depth - 1, statuses, broken);
            }
        }
    }
}
