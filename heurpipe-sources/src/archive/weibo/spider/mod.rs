//! dataabc/weiboSpider, and crawlers that have taken its form over: JSON, CSV and text. Posts are named by their `bid`, times are told
//! to the minute, and `无` stands for whatever is absent.

mod csv;
mod json;
mod txt;

use heurpipe_core::{Author, Counts, Post};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::format::{File, raw};
use super::saved::{Listed, Saved};
use super::{parts, times};
use crate::{lenient, place};
pub(super) use csv::{WeiboSpiderCsv, WeiboSuperspiderCsv};
pub(super) use json::WeiboSpiderJson;
pub(super) use txt::WeiboSpiderTxt;

/// Stands for what is absent.
const NOTHING: &str = "无";
/// Of a post that passes one on, what follows its own words: who wrote that one, and its text.
const PASSED_ON: [&str; 2] = ["\n原始用户: ", "\n转发内容: "];
/// The same in older files, where the own words come last.
const OWN_WORDS: &str = "\n转发理由:";

/// A post, by the names of JSON or by the columns of CSV.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    #[serde(alias = "微博id", deserialize_with = "lenient::id")]
    id: Option<String>,
    #[serde(deserialize_with = "lenient::id")]
    user_id: Option<String>,
    #[serde(alias = "微博正文")]
    content: Option<String>,
    #[serde(alias = "原始图片url")]
    original_pictures: Option<String>,
    #[serde(alias = "微博视频url")]
    video_url: Option<String>,
    #[serde(alias = "发布位置")]
    publish_place: Option<String>,
    #[serde(alias = "发布时间")]
    publish_time: Option<String>,
    #[serde(alias = "点赞数", deserialize_with = "lenient::count")]
    up_num: Option<u64>,
    #[serde(alias = "转发数", deserialize_with = "lenient::count")]
    retweet_num: Option<u64>,
    #[serde(alias = "评论数", deserialize_with = "lenient::count")]
    comment_num: Option<u64>,
}

/// Whose posts they are.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct User {
    #[serde(deserialize_with = "lenient::id")]
    id: Option<String>,
    nickname: Option<String>,
    location: Option<String>,
    /// Of verified users alone.
    verified_reason: Option<String>,
    #[serde(deserialize_with = "lenient::count")]
    followers: Option<u64>,
}

impl User {
    /// The one whose number is the name of the file, where it is.
    fn named_by(file: &File<'_>) -> Self {
        let name = file.entry.file_name();
        let uid = name.split('.').next().unwrap_or(name);
        let is_number = !uid.is_empty() && uid.bytes().all(|c| c.is_ascii_digit());
        Self {
            id: is_number.then(|| uid.to_owned()),
            ..Self::default()
        }
    }

    fn author(&self) -> Option<Author> {
        let mut author = Author::unknown();
        author.id = self.id.clone();
        author.handle = said(self.nickname.as_deref()).map(str::to_owned);
        author.followers = self.followers;
        author.verified = said(self.verified_reason.as_deref()).map(|_| true);
        (author != Author::unknown()).then_some(author)
    }
}

/// The post of an entry.
fn post(
    entry: &Entry,
    json: &RawValue,
    user: &User,
    format: &str,
    file: &File<'_>,
) -> Result<Post, String> {
    let bid = said(entry.id.as_deref()).ok_or("it has no id")?;
    let number = parts::number(None, Some(bid)).ok_or_else(|| format!("its id is none: {bid}"))?;
    let mut post = file.post(parts::post_id(&number));
    let time = said(entry.publish_time.as_deref());
    if let Some(time) = time {
        times::moment(time, file.collected_at)?.publish(&mut post);
    }
    let content = said(entry.content.as_deref()).unwrap_or_default();
    let pictures: Vec<&str> =
        parts::listed(said(entry.original_pictures.as_deref()), ',').collect();
    parts::set_text(&mut post, own_words(content));
    post.counts = Counts::new(entry.up_num, entry.comment_num, entry.retweet_num);
    post.places.tagged = said(entry.publish_place.as_deref()).and_then(place::claimed);
    post.places.declared = said(user.location.as_deref()).and_then(place::claimed);
    let mut author = user.author();
    if let (Some(author), Some(id)) = (author.as_mut(), &entry.user_id) {
        author.id = Some(id.clone());
    }
    parts::set_author(&mut post, author, file);
    let saved = Saved::new(file, "", time.unwrap_or_default(), bid);
    for (index, url) in pictures.iter().enumerate() {
        let of = pictures.len();
        if let Some(medium) = parts::add_picture(&mut post, url) {
            saved.prefer_picture(medium, &["img"], Listed { url, index, of });
        }
    }
    for url in parts::listed(said(entry.video_url.as_deref()), ';') {
        if let Some(medium) = parts::add_video(&mut post, url) {
            let (index, of) = (0, 1);
            saved.prefer_video(medium, &["video"], Listed { url, index, of });
        }
    }
    post.raw.insert(format.to_owned(), raw(json));
    Ok(post)
}

/// What a field says; none where it says that there is nothing.
fn said(field: Option<&str>) -> Option<&str> {
    field
        .map(str::trim)
        .filter(|text| !text.is_empty() && *text != NOTHING)
}

/// The text that the author wrote: without the post that it passes on, which has no number here and cannot be one of its own, and without
/// the words of the links to its pictures.
fn own_words(content: &str) -> &str {
    let words = match content.rsplit_once(OWN_WORDS) {
        Some((_, words)) => words,
        None => {
            let ends = PASSED_ON.iter().filter_map(|words| content.find(words));
            &content[..ends.min().unwrap_or(content.len())]
        }
    };
    without_links_to_pictures(words)
}

/// `… [组图共9张] 原图`.
fn without_links_to_pictures(text: &str) -> &str {
    let text = text.trim_end_matches(parts::is_blank);
    let whole = text.strip_suffix("原图");
    let is_apart = |text: &&str| text.ends_with(']') || text.ends_with(parts::is_blank);
    let text = whole.filter(is_apart).unwrap_or(text);
    let text = text.trim_end_matches(parts::is_blank);
    let several = text.strip_suffix("张]").and_then(|text| {
        let text = text.trim_end_matches(|c: char| c.is_ascii_digit());
        text.strip_suffix("[组图共")
    });
    several.unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_authors_words_are_left() {
        for (content, words) in [
            ("邱勇   [组图共9张]      原图 \u{a0}", "邱勇   "),
            ("邱勇  原图 ", "邱勇"),
            ("邱勇[组图共12张]", "邱勇"),
            // What an author may well write.
            ("我只要原图", "我只要原图"),
            ("[图共9张] 好", "[图共9张] 好"),
            ("转发理由\n原始用户: 米兰\n转发内容: 裙子 原图", "转发理由"),
            ("转发理由\n转发内容: 裙子", "转发理由"),
            ("转发了 米兰 的微博:\n裙子\n转发理由:好看", "好看"),
        ] {
            assert_eq!(own_words(content), words, "{content}");
        }
    }
}
