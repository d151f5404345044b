//! arc298/instagram-scraper: the posts and stories of an account in one file, their pictures beside it.

use std::ops::ControlFlow;

use heurpipe_core::{MediaKind, Post, Result};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::cut::{self, Cut, Item, Layout};
use super::super::format::{File, Format, Mapper, Out};
use super::super::looks::{JsonForm, Looks};
use super::parts::{self, Account};
use super::{json, walk};
use crate::lenient;

pub(super) const NAME: &str = "instagram_scraper";

const LISTS: &[&str] = &["GraphImages", "GraphStories"];
const PROFILE: &[&str] = &["GraphProfileInfo"];

/// The format; see the [module](self).
pub(super) struct Scraper;

impl Format for Scraper {
    fn name(&self) -> &str {
        NAME
    }

    fn description(&self) -> &str {
        "Instagram: accounts as arc298/instagram-scraper writes them (JSON with GraphImages or GraphStories)"
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        let Looks::Json(JsonForm::Object, keys) = looks else {
            return None;
        };
        let known = LISTS.iter().any(|list| keys.have(&[list]));
        known.then_some(Layout::Json {
            form: JsonForm::Object,
            lists: LISTS,
            members: &[],
        })
    }

    fn mapper(&self) -> Box<dyn Mapper> {
        Box::new(Accounts { profile: None })
    }
}

struct Accounts {
    profile: Option<Profile>,
}

/// The account as the scraper saw it.
struct Profile {
    account: Account,
    payload: Box<RawValue>,
}

impl Mapper for Accounts {
    fn begin(&mut self, file: &File<'_>) -> Result<()> {
        // It stands behind the posts that it tells of, so the file is read twice.
        self.profile = None;
        file.container.read(file.entry, |reader| {
            cut::cut_members(reader, PROFILE, &mut |cut| {
                // What cannot be read is told when the posts are.
                if let Cut::Item(item) = cut {
                    self.profile = Profile::read(item.json);
                }
                ControlFlow::Continue(())
            })
        })
    }

    fn map(&mut self, item: &Item<'_>, file: &File<'_>, out: &mut Out) -> Result<(), String> {
        let mut post = walk::post(item.json, file)?;
        let more: More = lenient::object(item.json)?;
        for url in more.urls.iter().flatten() {
            add(&mut post, url);
        }
        parts::find_beside(&mut post, file);
        if let Some(profile) = self.profile.as_ref().filter(|profile| profile.wrote(&post)) {
            let mut told = Post::new(post.id.clone(), post.collected_at);
            told.author = profile.account.author();
            parts::fill_in(&mut post, told);
            parts::keep(&mut post, &format!("{NAME}.user"), &profile.payload, file);
        }
        parts::keep(&mut post, NAME, item.json, file);
        out.post(post);
        Ok(())
    }
}

/// What the scraper adds to a node: the files that it fetched.
#[derive(Deserialize)]
struct More {
    #[serde(default)]
    urls: Option<Vec<String>>,
}

fn add(post: &mut Post, url: &str) {
    let medium = parts::medium(MediaKind::Image, url);
    if let Some(mut medium) = medium {
        medium.kind = parts::kind_of(&medium.id);
        parts::add(post, medium);
    }
}

impl Profile {
    /// `info` has the account's id and numbers; its handle stands beside it.
    fn read(payload: &RawValue) -> Option<Self> {
        let info = json::member(payload, "info");
        let account: Option<Account> = info.and_then(|info| lenient::object(info).ok());
        let mut account = account.unwrap_or_default();
        let named: Account = lenient::object(payload).ok()?;
        account.username = named.username.or(account.username);
        Some(Self {
            account,
            payload: payload.to_owned(),
        })
    }

    /// Whether a post is by this account: files of hashtags and places hold those of many.
    fn wrote(&self, post: &Post) -> bool {
        let Some(author) = &post.author else {
            return false;
        };
        match (author.id.as_deref(), self.account.id()) {
            (Some(theirs), Some(own)) => theirs == own,
            _ => author.handle == self.account.username.as_deref().and_then(parts::handle),
        }
    }
}
