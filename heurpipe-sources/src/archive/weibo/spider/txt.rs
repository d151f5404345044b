//! `UID.txt`: what the user is, and a block of lines a post.
//!
//! A block does not say the number of its post, so its posts are known under ids of their own (`txt:UID:DIGEST`). The same run
//! writes JSON and CSV with the numbers: where one of them lies beside it, the text is passed over, lest posts be there twice.

use heurpipe_core::{Counts, Digest, Post};
use serde_json::value::to_raw_value;

use super::super::super::cut::{Item, Layout};
use super::super::super::format::{File, Format, Mapper, Out, raw};
use super::super::super::looks::Looks;
use super::super::{parts, times};
use super::{User, own_words, said};
use crate::{lenient, place};

const NAME: &str = "weibo_spider_txt";

/// The format; see the [module](self).
pub(in super::super) struct WeiboSpiderTxt;

impl Format for WeiboSpiderTxt {
    fn name(&self) -> &str {
        NAME
    }

    fn description(&self) -> &str {
        "Weibo: a user's posts as dataabc/weiboSpider writes them (text that begins with 用户信息)"
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        let Looks::Text(text) = looks else {
            return None;
        };
        let is_user = text.trim_start().starts_with("用户信息") && text.contains("用户昵称：");
        is_user.then_some(Layout::Text)
    }

    fn mapper(&self) -> Box<dyn Mapper> {
        Box::new(Text)
    }
}

struct Text;

impl Mapper for Text {
    fn map(&mut self, item: &Item<'_>, file: &File<'_>, out: &mut Out) -> Result<(), String> {
        if let Some(better) = with_numbers(file) {
            let text = file.place("");
            tracing::info!(%text, %better, "passed over: the same posts lie beside it with their numbers");
            return Ok(());
        }
        let text: String =
            serde_json::from_str(item.json.get()).map_err(|error| error.to_string())?;
        let mut reading = Reading::new(file);
        for line in text.lines() {
            reading.take(line, out);
        }
        reading.end_block(out);
        Ok(())
    }
}

/// The file of the same name in a form that says the posts' numbers.
fn with_numbers(file: &File<'_>) -> Option<String> {
    let name = file.entry.file_name();
    let stem = name.split('.').next().unwrap_or(name);
    let found = ["json", "csv"]
        .iter()
        .find_map(|extension| file.sibling(&format!("{stem}.{extension}")));
    found.map(|entry| entry.name)
}

/// A text that is being read, line by line.
struct Reading<'a> {
    file: &'a File<'a>,
    user: User,
    is_in_header: bool,
    /// Older files count their posts and write the number before the text.
    is_numbered: bool,
    blocks: usize,
    block: Block,
}

/// The lines of a post.
#[derive(Debug, Default)]
struct Block {
    text: String,
    place: Option<String>,
    time: Option<String>,
    counts: Counts,
    /// All of its lines.
    lines: String,
}

impl<'a> Reading<'a> {
    fn new(file: &'a File<'a>) -> Self {
        Self {
            file,
            user: User::named_by(file),
            is_in_header: false,
            is_numbered: false,
            blocks: 0,
            block: Block::default(),
        }
    }

    fn take(&mut self, line: &str, out: &mut Out) {
        // Each run adds a header of its own.
        if line.trim() == "用户信息" {
            self.end_block(out);
            self.is_in_header = true;
            self.blocks = 0;
        } else if self.is_in_header {
            self.take_header(line);
        } else if line.trim().is_empty() && self.block.time.is_some() {
            self.end_block(out);
        } else {
            self.take_line(line);
        }
    }

    fn take_header(&mut self, line: &str) {
        let Some((name, value)) = line.split_once(['：', ':']) else {
            return;
        };
        let value = value.trim();
        match name.trim() {
            "用户昵称" => self.user.nickname = Some(value.to_owned()),
            "用户id" => {
                self.user.id = Some(value.to_owned());
                self.is_numbered = line.contains('：');
            }
            "粉丝数" => self.user.followers = value.parse().ok(),
            "微博内容" | "原创微博内容" => self.is_in_header = false,
            _ => {}
        }
    }

    fn take_line(&mut self, line: &str) {
        let block = &mut self.block;
        if !(block.lines.is_empty() && line.trim().is_empty()) {
            block.lines.push_str(line);
            block.lines.push('\n');
        }
        let Some((name, value)) = field(line) else {
            block.text.push_str(line);
            block.text.push('\n');
            return;
        };
        match name {
            "微博位置" => block.place = said(Some(value)).map(str::to_owned),
            "发布时间" => block.time = Some(value.to_owned()),
            "点赞数" => block.counts = counts(line),
            _ => {}
        }
    }

    /// Gives the post of the block, if there is one.
    fn end_block(&mut self, out: &mut Out) {
        let block = std::mem::take(&mut self.block);
        if block.lines.trim().is_empty() {
            return;
        }
        self.blocks += 1;
        match self.post(&block) {
            Ok(post) => out.post(post),
            Err(why) => {
                let place = self.file.place(&self.blocks.to_string());
                out.unreadable(place, why, &block.lines);
            }
        }
    }

    fn post(&self, block: &Block) -> Result<Post, String> {
        let time = block.time.as_deref().ok_or("it has no time")?;
        let moment = times::moment(time, self.file.collected_at)?;
        let number = format!("{}:", self.blocks);
        let text = block.text.trim();
        let text = match text.strip_prefix(&number) {
            Some(text) if self.is_numbered => text,
            _ => text,
        };
        let user = self.user.id.as_deref().unwrap_or_default();
        let digest = Digest::of(format!("{time}\n{text}").as_bytes()).to_string();
        let id = format!("txt:{user}:{}", &digest[..16]);
        let mut post = self.file.post(parts::post_id(&id));
        moment.publish(&mut post);
        parts::set_text(&mut post, own_words(text));
        post.counts = block.counts;
        post.places.tagged = block.place.as_deref().and_then(place::claimed);
        parts::set_author(&mut post, self.user.author(), self.file);
        let lines = to_raw_value(&block.lines).map_err(|error| error.to_string())?;
        post.raw.insert(NAME.to_owned(), raw(&lines));
        Ok(post)
    }
}

/// A line that says something about the post, and what.
fn field(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(['：', ':'])?;
    let is_known = ["微博位置", "发布时间", "点赞数", "发布工具"].contains(&name.trim());
    is_known.then(|| (name.trim(), value.trim()))
}

/// `点赞数: 715   转发数: 115   评论数: 64`.
fn counts(line: &str) -> Counts {
    let after = |name: &str| {
        let (_, rest) = line.split_once(name)?;
        let number = rest.trim_start_matches(['：', ':', ' ']);
        let end = number.find(char::is_whitespace).unwrap_or(number.len());
        lenient::count_of(&number[..end])
    };
    Counts::new(after("点赞数"), after("评论数"), after("转发数"))
}
