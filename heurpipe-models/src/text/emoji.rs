//! The emoji of a post.

use async_trait::async_trait;
use emojis::{Emoji, SkinTone};
use heurpipe_core::{Batch, Enriched, Enricher, EnricherSpec, Post, Result};

use super::enrich::{each_post, labels};

const VERSION: &str = "1";

const JOINER: char = '\u{200d}';
/// Asks for the picture of a character that is text by itself.
const AS_PICTURE: char = '\u{fe0f}';
const KEYCAP: char = '\u{20e3}';

/// An enricher that gives the emoji of a post's text by name.
///
/// It gives the attribute `emoji`: the Unicode short names (CLDR, English) of all of them in lower case, each once: `red heart`, `flag: italy`. Skin tones are left
/// out, so that 👍🏽 is `thumbs up`. What is joined to one picture is one emoji (👩‍💻 is `woman technologist`), or its parts where no such picture is defined.
/// Letters, digits and signs that are text by themselves (©, 1) are emoji only where the text asks for the picture. A post without any has no finding.
///
/// ```
/// use heurpipe_core::{Post, PostId};
/// use heurpipe_models::text::emoji::{Emojis, FoundEmoji};
///
/// let mut post = Post::new("instagram:1".parse()?, jiff::Timestamp::UNIX_EPOCH);
/// post.text = "Ciao 🇮🇹 grazie ❤️❤️ © 2024".to_owned();
/// let emoji = |name: &str, times| FoundEmoji { name: name.to_owned(), times };
/// assert_eq!(Emojis::default().find(&post), [emoji("flag: italy", 1), emoji("red heart", 2)]);
/// # Ok::<(), heurpipe_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Emojis {
    spec: EnricherSpec,
}

/// An emoji of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundEmoji {
    /// The Unicode short name in lower case, without a skin tone.
    pub name: String,
    /// How often it stands in the text.
    pub times: usize,
}

impl Default for Emojis {
    fn default() -> Self {
        Self {
            spec: EnricherSpec::new("emoji", VERSION).gives(["emoji"]),
        }
    }
}

impl Emojis {
    /// The emoji of a post's text, in the order in which they first stand.
    pub fn find(&self, post: &Post) -> Vec<FoundEmoji> {
        let mut found: Vec<FoundEmoji> = Vec::new();
        let mut rest = post.text.as_str();
        while let Some(first) = rest.chars().next() {
            let Some((emoji, length)) = leading(rest) else {
                rest = &rest[first.len_utf8()..];
                continue;
            };
            rest = &rest[length..];
            let name = name(emoji);
            match found.iter_mut().find(|known| known.name == name) {
                Some(known) => known.times += 1,
                None => found.push(FoundEmoji { name, times: 1 }),
            }
        }
        found
    }
}

/// The name of an emoji without its skin tone.
fn name(emoji: &Emoji) -> String {
    let toneless = emoji.with_skin_tone(SkinTone::Default);
    toneless.unwrap_or(emoji).name().to_lowercase()
}

/// The longest emoji with which a text begins, and how many bytes it takes.
fn leading(text: &str) -> Option<(&'static Emoji, usize)> {
    let first = text.chars().next()?;
    if first.is_ascii() && !is_keycap(text) {
        return None;
    }
    let mut length = cluster(text);
    while length > 0 {
        if let Some(emoji) = emojis::get(&text[..length]) {
            return is_picture(first, &text[..length], emoji).then_some((emoji, length));
        }
        let last = text[..length].chars().next_back()?;
        length -= last.len_utf8();
    }
    None
}

/// Whether a digit or sign begins here that is shown as a key.
fn is_keycap(text: &str) -> bool {
    let mut behind = text.chars().skip(1);
    match behind.next() {
        Some(KEYCAP) => true,
        Some(AS_PICTURE) => behind.next() == Some(KEYCAP),
        _ => false,
    }
}

/// Whether an emoji is shown as a picture: signs that are older than emoji are text without a selector, except the hearts, suns and the like that
/// writers mean as pictures whether their keyboard adds one or not.
fn is_picture(first: char, written: &str, emoji: &Emoji) -> bool {
    let text_by_itself =
        emoji.as_str().contains(AS_PICTURE) && !written.contains([AS_PICTURE, KEYCAP]);
    let meant_anyhow = matches!(first, '\u{2600}'..='\u{27bf}' | '\u{1f000}'..);
    !text_by_itself || meant_anyhow
}

/// How many bytes the character takes with all that may be one picture with it: a second flag letter, selectors, skin tones, tags, and what is joined.
fn cluster(text: &str) -> usize {
    let mut characters = text.char_indices();
    let Some((_, first)) = characters.next() else {
        return 0;
    };
    let mut letters = usize::from(is_flag_letter(first));
    let mut joined = false;
    for (at, c) in characters {
        let belongs = joined || is_added(c) || (letters == 1 && is_flag_letter(c));
        if !belongs {
            return at;
        }
        letters += usize::from(is_flag_letter(c));
        joined = c == JOINER;
    }
    text.len()
}

fn is_flag_letter(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

/// Whether a character changes the one before it: joiner, selector, key, skin tone, tag.
fn is_added(c: char) -> bool {
    matches!(c, JOINER | AS_PICTURE | KEYCAP | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}')
}

#[async_trait]
impl Enricher for Emojis {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        let this = self.clone();
        let read = move |post: &Post| {
            let found = this.find(post).into_iter().map(|found| found.name);
            labels("emoji", found.collect())
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

    fn post(text: &str) -> Post {
        let mut post = Post::new("instagram:1".parse().unwrap(), jiff::Timestamp::UNIX_EPOCH);
        post.text = text.to_owned();
        post
    }

    #[track_caller]
    fn are(text: &str, expected: &[(&str, usize)]) {
        let found = Emojis::default().find(&post(text));
        let found: Vec<_> = found.iter().map(|f| (f.name.as_str(), f.times)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn emoji_are_found_anywhere_in_a_text() {
        are(
            "So in love😍with this dress ✨ ✨",
            &[("smiling face with heart-eyes", 1), ("sparkles", 2)],
        );
        are("今天穿裙子👗真好看❤", &[("dress", 1), ("red heart", 1)]);
        are("no pictures, 今天", &[]);
        are("", &[]);
    }

    #[test]
    fn skin_tones_are_left_out() {
        are("👍 👍🏽 👍🏿", &[("thumbs up", 3)]);
        are("🤷🏾‍♀️", &[("woman shrugging", 1)]);
    }

    #[test]
    fn what_is_joined_is_one() {
        are("👩‍💻", &[("woman technologist", 1)]);
        are("🏳️‍🌈", &[("rainbow flag", 1)]);
        are("👩‍❤️‍👨", &[("couple with heart: woman, man", 1)]);
        // No picture is defined for a dress and a crown.
        are("👗‍👑", &[("dress", 1), ("crown", 1)]);
    }

    #[test]
    fn flags_are_pairs_of_letters() {
        are("🇨🇳🇫🇷", &[("flag: china", 1), ("flag: france", 1)]);
        are("🏴󠁧󠁢󠁥󠁮󠁧󠁿", &[("flag: england", 1)]);
        are("🇨", &[]);
    }

    #[test]
    fn signs_are_text_unless_a_picture_is_asked_for() {
        are("1 # * © ™ 10%", &[]);
        are("1️⃣ ©️", &[("keycap: 1", 1), ("copyright", 1)]);
        are("☀ ☀️", &[("sun", 2)]);
    }

    #[tokio::test]
    async fn a_post_gives_one_finding_or_none() {
        let item = |text| Item::new(Arc::new(Record::new(post(text))), Target::Post);
        let batch = Batch::new(vec![item("👗 👠 👗"), item("nothing")]);
        let enriched = Emojis::default().enrich(&batch).await.unwrap();
        let labels = Value::Labels(vec!["dress".into(), "high-heeled shoe".into()]);
        let first = enriched.outcomes[0].as_ref().unwrap();
        assert_eq!(first[..], [Finding::new("emoji", labels)]);
        assert!(enriched.outcomes[1].as_ref().unwrap().is_empty());
    }
}
