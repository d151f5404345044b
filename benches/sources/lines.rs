//! Files of JSON Lines to read.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use futures::StreamExt;
use heurpipe_benches::workload;
use heurpipe_core::{Checkpoint, Record, Source};
use heurpipe_sources::ndjson;

use crate::AnyResult;

/// A post as nghuyong/WeiboSpider writes it.
pub fn crawled(number: usize) -> String {
    let id = 4_829_255_386_000_000 + number;
    format!(
        r##"{{"_id":"{id}","mblogid":"Mch46rqPr","created_at":"2022-10-27 18:47:50","geo":null,"ip_location":"发布于 云南","reposts_count":3,"comments_count":12,"attitudes_count":80,"source":"iPhone 客户端","content":"今天的 #春夏穿搭# 是一条红色连衣裙，配一双白色帆布鞋，周末去海边走走 @时尚小助手 第 {number} 天","pic_urls":["https://wx1.sinaimg.cn/orj960/0072aaaagy1h{number:07x}","https://wx3.sinaimg.cn/orj960/0072aaaagy2h{number:07x}"],"pic_num":2,"isLongText":false,"is_retweet":false,"user":{{"_id":"{user}","nick_name":"云朵衣橱{user}","avatar_hd":"https://tvax1.sinaimg.cn/crop.0.0.1080.1080.1024/a.jpg?Expires=1666880000","verified":true,"mbrank":2,"mbtype":11,"verified_type":0}},"url":"https://weibo.com/{user}/Mch46rqPr","crawl_time":1666869049}}"##,
        user = 7_200_000_000_u64 + (number % 5000) as u64,
    )
}

/// A record of ours.
///
/// # Errors
/// When it has no form in JSON.
pub fn record(number: usize) -> AnyResult<String> {
    Ok(ndjson::to_line(&Record::new(workload::post(number)))?)
}

/// Writes lines into a file, at least so many bytes of them, and gives their number.
///
/// # Errors
/// When the file cannot be written.
pub fn write(
    path: &Path,
    bytes: u64,
    line: impl Fn(usize) -> AnyResult<String>,
) -> AnyResult<usize> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut written = 0;
    let mut count = 0;
    while written < bytes {
        let line = line(count)?;
        writeln!(file, "{line}")?;
        written += line.len() as u64 + 1;
        count += 1;
    }
    file.flush()?;
    Ok(count)
}

/// Reads a source to its end and gives the number of its items.
///
/// # Errors
/// Those of the source.
pub async fn count(source: &dyn Source) -> AnyResult<usize> {
    let mut items = 0;
    for partition in source.partitions().await? {
        let mut pages = source.read(partition, Checkpoint::default());
        while let Some(page) = pages.next().await {
            items += page?.items.len();
        }
    }
    Ok(items)
}
