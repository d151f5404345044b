//! The language of a caption.

mod common;

use async_trait::async_trait;
use heurpipe_core::{Batch, Enriched, Enricher, EnricherSpec, Finding, Platform, Post, Result};
use whatlang::Detector;

use super::enrich::each_post;
use super::spans::{Kind, spans};
use common::{LANGUAGES, leading};

const VERSION: &str = "2";

/// The fewest letters of a script with many languages that say anything.
const FEWEST_LETTERS: usize = 12;
/// The most characters that are looked at; a language does not change for being spoken longer.
const MOST_CHARACTERS: usize = 4000;
/// How sure of what the network says.
const HINTED: f32 = 0.5;
/// How sure of a script that one language alone is written in.
const BY_SCRIPT: f32 = 0.99;
/// How sure of Han without kana, which a short Japanese text may be too.
const BY_HAN: f32 = 0.95;
/// How sure of common words alone.
const BY_WORDS: f32 = 0.8;

/// An enricher that tells the language of a post's text, as two letters (BCP 47).
///
/// It gives the attribute `language`. Hashtags, mentions, links and emoji are left out. Kana is Japanese, Hangul is Korean, Han without kana is
/// Chinese, however many Latin names stand among them. Other texts are told by their common words and letter groups (whatlang). A text
/// too short to tell is in the language that the network says, if it does; else there is no finding.
///
/// ```
/// use heurpipe_core::{Post, PostId};
/// use heurpipe_models::text::language::Language;
///
/// let mut post = Post::new("instagram:1".parse()?, jiff::Timestamp::UNIX_EPOCH);
/// post.text = "Je suis amoureuse de cette robe #ootd #fashion".to_owned();
/// assert_eq!(Language::default().tell(&post).map(|told| told.language), Some("fr".to_owned()));
/// # Ok::<(), heurpipe_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Language {
    spec: EnricherSpec,
}

/// A language and how sure it is.
#[derive(Debug, Clone, PartialEq)]
pub struct ToldLanguage {
    /// Two letters, lower case.
    pub language: String,
    /// 0 to 1.
    pub confidence: f32,
}

impl ToldLanguage {
    fn new(language: &str, confidence: f32) -> Self {
        Self {
            language: language.to_owned(),
            confidence,
        }
    }
}

impl Default for Language {
    fn default() -> Self {
        Self {
            spec: EnricherSpec::new("language", VERSION).gives(["language"]),
        }
    }
}

impl Language {
    /// The language of a post's text; none where nothing tells.
    pub fn tell(&self, post: &Post) -> Option<ToldLanguage> {
        let paired = post.id.platform == Platform::weibo();
        let prose = prose(&post.text, paired);
        by_script(&prose)
            .or_else(|| by_words(&prose, post))
            .or_else(|| hint(post).map(|language| ToldLanguage::new(&language, HINTED)))
    }
}

/// Whether a text in keyword form is in German, as far as its common words tell: German writes every noun with a capital.
pub(super) fn mostly_german(folded: &str) -> bool {
    common::is_german(folded)
}

/// Letters and spaces of what is neither hashtag nor mention nor link.
fn prose(caption: &str, paired: bool) -> String {
    let spans = spans(caption, paired);
    let prose = spans.iter().filter(|span| span.kind == Kind::Prose);
    let characters = prose.flat_map(|span| span.text.chars().chain([' ']));
    let kept = characters.map(|c| {
        if c.is_alphabetic() || c == '\'' || c == '’' {
            c
        } else {
            ' '
        }
    });
    kept.take(MOST_CHARACTERS).collect()
}

/// Languages that their script tells. One character of these says as much as four Latin letters, which are mostly names of brands beside them.
fn by_script(prose: &str) -> Option<ToldLanguage> {
    let (mut han, mut kana, mut hangul, mut other) = (0_usize, 0_usize, 0_usize, 0_usize);
    for c in prose.chars() {
        match c {
            '\u{3040}'..='\u{30ff}' => kana += 1,
            '\u{ac00}'..='\u{d7a3}' | '\u{1100}'..='\u{11ff}' => hangul += 1,
            _ if heurpipe_core::text::is_han(c) => han += 1,
            _ if c.is_alphabetic() => other += 1,
            _ => {}
        }
    }
    let asian = han + kana + hangul;
    if asian < 2 || 4 * asian < other {
        return None;
    }
    Some(if hangul > han + kana {
        ToldLanguage::new("ko", BY_SCRIPT)
    } else if 10 * kana >= han + kana && kana >= 2 {
        // A lone の is a fashion in Chinese.
        ToldLanguage::new("ja", BY_SCRIPT)
    } else {
        ToldLanguage::new("zh", BY_HAN)
    })
}

fn by_words(prose: &str, post: &Post) -> Option<ToldLanguage> {
    if prose.chars().filter(|c| c.is_alphabetic()).count() < FEWEST_LETTERS {
        return None;
    }
    let languages = LANGUAGES.iter().map(|(language, _)| *language).collect();
    let info = Detector::with_allowlist(languages).detect(prose)?;
    let detected = two_letters(info.lang())?;
    let confidence = info.confidence() as f32;
    if info.is_reliable() {
        return Some(ToldLanguage::new(detected, confidence));
    }
    if let Some(language) = leading(prose) {
        return Some(ToldLanguage::new(language, BY_WORDS));
    }
    match hint(post) {
        // Two weak voices for one language.
        Some(hint) if hint == detected => {
            Some(ToldLanguage::new(detected, confidence.max(BY_WORDS)))
        }
        Some(_) => None,
        None => Some(ToldLanguage::new(detected, confidence)),
    }
}

fn two_letters(language: whatlang::Lang) -> Option<&'static str> {
    let known = LANGUAGES.iter().find(|(lang, _)| *lang == language);
    known.map(|(_, code)| *code)
}

/// What the network says, if it is a language (`zh-CN`, `und`).
fn hint(post: &Post) -> Option<String> {
    let hint = post.language_hint.as_deref()?;
    let primary = hint
        .split(['-', '_'])
        .next()
        .unwrap_or(hint)
        .to_ascii_lowercase();
    (primary.len() == 2 && primary.bytes().all(|b| b.is_ascii_lowercase())).then_some(primary)
}

#[async_trait]
impl Enricher for Language {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        let this = self.clone();
        let read = move |post: &Post| this.tell(post).map(finding).into_iter().collect();
        each_post(&self.spec, batch, read).await
    }
}

fn finding(told: ToldLanguage) -> Finding {
    Finding::label("language", told.language).confidence(told.confidence)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn told(platform: &str, text: &str, hint: Option<&str>) -> Option<String> {
        let id = format!("{platform}:1").parse().unwrap();
        let mut post = Post::new(id, jiff::Timestamp::UNIX_EPOCH);
        post.text = text.to_owned();
        post.language_hint = hint.map(str::to_owned);
        Language::default().tell(&post).map(|told| told.language)
    }

    #[test]
    fn captions_are_in_these_languages() {
        let captions = [
            (
                "en",
                "Obsessed with this dress in navy, thank you Zara for everything ✨ #ootd #fashion",
            ),
            (
                "en",
                "Would you wear red from head to toe? This Gucci skirt made me think about it 💭",
            ),
            (
                "en",
                "Outfit of the day: black hat, coffee in hand, nowhere to be",
            ),
            (
                "fr",
                "Je suis complètement amoureuse de ce look Zara : robe en rouge, rien de plus ✨",
            ),
            (
                "fr",
                "La tenue du jour : jupe en noir et un café en terrasse ☕",
            ),
            (
                "fr",
                "Dimanche à Lyon avec ma pièce préférée, signée Prada (veste, beige)",
            ),
            (
                "it",
                "Innamorata persa di questo look Gucci: gonna, colore rosso ✨",
            ),
            (
                "it",
                "Il look di oggi è semplice: camicia in bianco e un buon caffè ☕",
            ),
            (
                "it",
                "Domenica a Milano con il mio capo preferito di Prada: giacca",
            ),
            (
                "es",
                "Estoy enamorada de este look de Zara: vestido en color rojo ✨",
            ),
            (
                "es",
                "El look de hoy es muy sencillo: falda en negro y un café con leche ☕",
            ),
            (
                "es",
                "Domingo en Madrid con mi prenda favorita de Mango: chaqueta",
            ),
            (
                "de",
                "Ich liebe dieses Kleid und die Schuhe passen so gut dazu",
            ),
            (
                "pt",
                "Estou apaixonada por este vestido, não consigo parar de usar",
            ),
            ("ru", "Сегодня на мне новое платье и любимые туфли"),
            ("zh", "今天穿的是Zara的红色连衣裙，真的太好看了"),
            ("zh", "小清新の裙子 #ootd"),
            ("zh", "Gucci Prada Chanel 新款到货啦"),
            ("ja", "今日のコーデはワンピースです"),
            ("ko", "오늘의 코디 Zara 원피스"),
        ];
        for (language, caption) in captions {
            assert_eq!(
                told("instagram", caption, None).as_deref(),
                Some(language),
                "{caption}"
            );
        }
    }

    #[test]
    fn tags_handles_and_links_say_nothing() {
        let caption = "@love_this_dress_so_much #this #is #the #day https://this.is/english";
        assert_eq!(told("instagram", caption, None), None);
        let paired = "#what a lovely day to wear this# 今天穿裙子";
        assert_eq!(told("weibo", paired, None).as_deref(), Some("zh"));
    }

    #[test]
    fn short_texts_are_in_the_language_that_the_network_says() {
        assert_eq!(told("instagram", "❤️ ok", None), None);
        assert_eq!(
            told("instagram", "❤️ ok", Some("fr-CA")).as_deref(),
            Some("fr")
        );
        assert_eq!(told("instagram", "❤️ ok", Some("und")), None);
        assert_eq!(told("instagram", "", Some("zh_CN")).as_deref(), Some("zh"));
        // The text knows better than the account's settings.
        let english = "I am never taking this dress off again because it is so comfortable";
        assert_eq!(
            told("instagram", english, Some("it")).as_deref(),
            Some("en")
        );
    }

    #[test]
    fn confidence_is_a_share() {
        let mut post = Post::new("instagram:1".parse().unwrap(), jiff::Timestamp::UNIX_EPOCH);
        for text in [
            "我的裙子",
            "The dress that I am wearing today",
            "bonjour les filles jolies",
        ] {
            post.text = text.to_owned();
            let told = Language::default().tell(&post).unwrap();
            assert!((0.0..=1.0).contains(&told.confidence), "{text}: {told:?}");
        }
    }
}
