//! The pictures of a status.

use heurpipe_core::Media;
use url::Url;

use super::wire::Status;
use crate::links;

/// The size of picture to fetch.
const SIZE: &str = "large";
const PICTURE_HOST: &str = "https://wx1.sinaimg.cn/";

/// The pictures in order, in their large size. A picture is named by its pid, on whichever host and in whichever size.
pub(super) fn pictures(status: &Status, base: Option<&Url>) -> Vec<Media> {
    let first = [
        &status.original_pic,
        &status.bmiddle_pic,
        &status.thumbnail_pic,
    ];
    let given: Vec<Url> = status
        .pic_urls
        .iter()
        .flatten()
        .filter_map(|picture| picture.thumbnail_pic.as_deref())
        .chain(first.into_iter().flatten().map(String::as_str))
        .filter_map(|url| Url::parse(url).ok())
        .collect();
    let given: Vec<(String, &Url)> = given
        .iter()
        .filter_map(|url| Some((pid_parts(url)?.0.to_owned(), url)))
        .collect();
    let named = status.pic_ids.clone().unwrap_or_default();
    let mut pids: Vec<String> = Vec::new();
    for pid in named
        .into_iter()
        .chain(given.iter().map(|(pid, _)| pid.clone()))
    {
        if is_pid(&pid) && !pids.contains(&pid) {
            pids.push(pid);
        }
    }
    pids.into_iter()
        .filter_map(|pid| {
            let url = given.iter().find(|(p, _)| *p == pid).map(|(_, url)| *url);
            let url = picture_url(&pid, url, base)?;
            Some(Media::image(pid, url))
        })
        .collect()
}

/// The address of the large picture: on the host that was set, else on the one that the answer names, else on the real one.
fn picture_url(pid: &str, given: Option<&Url>, base: Option<&Url>) -> Option<String> {
    let extension = given
        .and_then(|url| pid_parts(url))
        .map_or("jpg", |(_, e)| e);
    let path = format!("{SIZE}/{pid}.{extension}");
    let url = match (base, given) {
        (Some(base), _) => base.join(&path).ok()?,
        (None, Some(given)) => given.join(&format!("../{path}")).ok()?,
        (None, None) => Url::parse(PICTURE_HOST).ok()?.join(&path).ok()?,
    };
    Some(url.into())
}

fn pid_parts(url: &Url) -> Option<(&str, &str)> {
    let (pid, extension) = links::file_name(url)?.rsplit_once('.')?;
    let is_extension =
        (1..=4).contains(&extension.len()) && extension.bytes().all(|c| c.is_ascii_alphanumeric());
    (is_pid(pid) && is_extension).then_some((pid, extension))
}

fn is_pid(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-')
}
