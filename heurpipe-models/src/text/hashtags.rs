//! The hashtags of a post.

use async_trait::async_trait;
use heurpipe_core::text::keyword;
use heurpipe_core::{Batch, Enriched, Enricher, EnricherSpec, Platform, Post, Result};

use super::enrich::{each_post, labels};
use super::spans::{Kind, spans};

const VERSION: &str = "1";

/// What Weibo adds to the tag of a community.
const COMMUNITY: &str = "[超话]";

/// An enricher that gives a post's hashtags in the one form in which they are compared.
///
/// It gives the attribute `hashtag`: the labels of all of them, without the `#`, in [keyword form](keyword), each once. It takes those of the text and those
/// that the network tells apart. On Weibo a tag ends at a second `#` and may hold spaces (`#每日 穿搭#`); the mark of a community, `[超话]`, is left out. What
/// holds no letter, as `#1`, is no hashtag. A post without any has no finding.
///
/// ```
/// use heurpipe_core::{Post, PostId};
/// use heurpipe_models::text::hashtags::{FoundHashtag, Hashtags};
///
/// let mut post = Post::new("instagram:1".parse()?, jiff::Timestamp::UNIX_EPOCH);
/// post.text = "Sunday #OOTD #Été #ootd".to_owned();
/// let tag = |tag: &str, times| FoundHashtag { tag: tag.to_owned(), times };
/// assert_eq!(Hashtags::default().find(&post), [tag("ootd", 2), tag("ete", 1)]);
/// # Ok::<(), heurpipe_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Hashtags {
    spec: EnricherSpec,
}

/// A hashtag of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundHashtag {
    /// In keyword form, without its `#`.
    pub tag: String,
    /// How often it stands in the text; 1 where only the network tells of it.
    pub times: usize,
}

impl Default for Hashtags {
    fn default() -> Self {
        Self {
            spec: EnricherSpec::new("hashtags", VERSION).gives(["hashtag"]),
        }
    }
}

impl Hashtags {
    /// The hashtags of a post, in the order in which they first stand.
    pub fn find(&self, post: &Post) -> Vec<FoundHashtag> {
        let paired = post.id.platform == Platform::weibo();
        let mut found: Vec<FoundHashtag> = Vec::new();
        for span in spans(&post.text, paired) {
            if span.kind != Kind::Hashtag {
                continue;
            }
            let Some(tag) = normalised(span.text) else {
                continue;
            };
            match found.iter_mut().find(|known| known.tag == tag) {
                Some(known) => known.times += 1,
                None => found.push(FoundHashtag { tag, times: 1 }),
            }
        }
        for tag in post.hashtags.iter().filter_map(|tag| normalised(tag)) {
            if !found.iter().any(|known| known.tag == tag) {
                found.push(FoundHashtag { tag, times: 1 });
            }
        }
        found
    }
}

/// A tag in keyword form; none where it holds no letter.
fn normalised(tag: &str) -> Option<String> {
    let tag = keyword(tag.trim_matches(['#', '＃']));
    let tag = tag.strip_suffix(COMMUNITY).unwrap_or(&tag).trim_end();
    tag.chars().any(char::is_alphabetic).then(|| tag.to_owned())
}

#[async_trait]
impl Enricher for Hashtags {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        let this = self.clone();
        let read = move |post: &Post| {
            let found = this.find(post).into_iter().map(|found| found.tag);
            labels("hashtag", found.collect())
        };
        each_post(&self.spec, batch, read).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use heurpipe_core::{Finding, Item, Record, Target, Value};

    use super::*;

    fn post(platform: &str, text: &str) -> Post {
        let id = format!("{platform}:1").parse().unwrap();
        let mut post = Post::new(id, jiff::Timestamp::UNIX_EPOCH);
        post.text = text.to_owned();
        post
    }

    fn tags(post: &Post) -> Vec<(String, usize)> {
        let found = Hashtags::default().find(post);
        found.into_iter().map(|f| (f.tag, f.times)).collect()
    }

    #[track_caller]
    fn are(post: &Post, expected: &[(&str, usize)]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|(t, n)| ((*t).to_owned(), *n))
            .collect();
        assert_eq!(tags(post), expected, "{}", post.text);
    }

    #[test]
    fn tags_are_in_keyword_form_and_counted() {
        are(
            &post(
                "instagram",
                "#OOTD#ootd ＃ＯＯＴＤ #Müsli #穿搭 #1 # me@x.org/#home",
            ),
            &[("ootd", 3), ("musli", 1), ("穿搭", 1)],
        );
        are(&post("instagram", "no tags at all"), &[]);
    }

    #[test]
    fn weibo_pairs_the_signs() {
        are(
            &post("weibo", "#每日 穿搭#好看#Zara新款# #旗袍[超话]# #旗袍#"),
            &[("每日 穿搭", 1), ("zara新款", 1), ("旗袍", 2)],
        );
    }

    #[test]
    fn what_the_network_tells_is_added_once() {
        let mut post = post("instagram", "#linen");
        post.hashtags = vec!["Linen".into(), "#Summer".into(), "2024".into()];
        are(&post, &[("linen", 1), ("summer", 1)]);
    }

    #[tokio::test]
    async fn a_post_gives_one_finding_or_none() {
        let item = |text| Item::new(Arc::new(Record::new(post("weibo", text))), Target::Post);
        let batch = Batch::new(vec![item("#裙子# #a b#"), item("裙子")]);
        let enriched = Hashtags::default().enrich(&batch).await.unwrap();
        let labels = Value::Labels(vec!["裙子".into(), "a b".into()]);
        let first = enriched.outcomes[0].as_ref().unwrap();
        assert_eq!(first[..], [Finding::new("hashtag", labels)]);
        assert!(enriched.outcomes[1].as_ref().unwrap().is_empty());
    }
}
