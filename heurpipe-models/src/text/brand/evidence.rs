//! What shows that a spelling with other meanings means the brand.

use heurpipe_core::text::is_han;

use super::lexicon::{Lexicon, Sort, Spelling};
use super::prose::Prose;
use crate::text::language::mostly_german;

/// How many words may stand between a brand and its product, as in "Coach Tabby bag".
const WORDS_BETWEEN: usize = 2;
/// How many characters may stand between a brand and its product among Han.
const HAN_BETWEEN: usize = 5;
/// Characters that begin something new where they stand between a brand and a product.
const HAN_APART: &str = "我你他她它就都也才是没";
/// What joins brands to one another.
const JOINTS: &[&str] = &[
    "x", "×", "&", "and", "et", "e", "y", "und", "or", "vs", "ou", "o", "oder", "/", "+", ",",
    "、", "和", "与", "與", "跟", "或",
];

const BESIDE_A_PRODUCT: f32 = 0.8;
const WRITTEN_AS_A_NAME: f32 = 0.7;

/// Where clothes and their qualities are spoken of in a text.
pub(super) struct Evidence<'a> {
    lexicon: &'a Lexicon,
    prose: &'a Prose,
    /// Whether the post speaks of clothes.
    context: bool,
    /// Begin and end of products.
    products: Vec<(usize, usize)>,
    /// Ends of products in languages that put the brand behind.
    products_first: Vec<usize>,
    /// Begin and end of colours, materials and the like.
    qualities: Vec<(usize, usize)>,
}

impl<'a> Evidence<'a> {
    pub(super) fn of(lexicon: &'a Lexicon, prose: &'a Prose, context: bool) -> Self {
        let text = &prose.folded;
        let found = |finder: &super::lexicon::Finder<()>| -> Vec<(usize, usize)> {
            finder.find(text).map(|(s, e, ())| (s, e)).collect()
        };
        let mut products = found(&lexicon.clothes);
        products.retain(|(_, end)| !text[*end..].starts_with(" code"));
        Self {
            lexicon,
            prose,
            context,
            products,
            products_first: found(&lexicon.clothes_first)
                .into_iter()
                .map(|(_, end)| end)
                .collect(),
            qualities: found(&lexicon.qualities),
        }
    }

    /// How sure it is that a spelling means its brand; none where nothing shows it.
    pub(super) fn confidence(&self, start: usize, end: usize, spelling: Spelling) -> Option<f32> {
        let named = self.prose.is_name(start, end);
        let among_han = self.prose.is_name_among_han(start, end);
        if self.is_beside_a_product(start, end)
            && (spelling.sort != Sort::Word || named || among_han)
        {
            return Some(BESIDE_A_PRODUCT);
        }
        let name = match spelling.sort {
            Sort::Ambiguous => among_han || (named && self.tells_by_capital(start)),
            Sort::Word => among_han,
            _ => false,
        };
        (name && self.context).then_some(WRITTEN_AS_A_NAME)
    }

    /// Whether a capital shows a name here: German writes every noun with one, so there it does behind a preposition only, as in "ist von Mango".
    fn tells_by_capital(&self, start: usize) -> bool {
        self.before_maker(start).is_some() || !mostly_german(&self.prose.folded)
    }

    /// Whether a spelling with a capital is joined to a brand that ends or begins at one of these places, as in "Nike x Champion".
    pub(super) fn is_joined(&self, start: usize, end: usize, sure: &[(usize, usize)]) -> bool {
        let text = &self.prose.folded;
        let joins = |from: usize, to: usize| {
            text.get(from..to)
                .is_some_and(|between| JOINTS.contains(&between.trim()))
        };
        self.prose.is_capital(start)
            && sure
                .iter()
                .any(|(s, e)| (*e <= start && joins(*e, start)) || (end <= *s && joins(end, *s)))
    }

    fn is_beside_a_product(&self, start: usize, end: usize) -> bool {
        self.is_before_a_product(end)
            || self.is_behind_a_product(start)
            || self.is_before_a_product_in_han(start, end)
    }

    /// "Coach bag", "Coach Tabby bag", "coach's red bag".
    fn is_before_a_product(&self, end: usize) -> bool {
        let text = &self.prose.folded;
        let mut at = end + if text[end..].starts_with("'s ") { 2 } else { 0 };
        for _ in 0..=WORDS_BETWEEN {
            if !text[at..].starts_with([' ', '-']) {
                return false;
            }
            at += 1;
            if self.products.iter().any(|(begin, _)| *begin == at) {
                return true;
            }
            let quality = self.qualities.iter().find(|(begin, _)| *begin == at);
            at = match quality {
                Some((_, end)) => *end,
                None if self.is_model(at) => at + word_length(&text[at..]),
                None => return false,
            };
        }
        false
    }

    /// Whether the word here may be the name of a model: written with a capital or with digits.
    fn is_model(&self, at: usize) -> bool {
        let word = &self.prose.folded[at..][..word_length(&self.prose.folded[at..])];
        self.prose.is_capital(at) || word.bytes().any(|b| b.is_ascii_digit())
    }

    /// "jeans from Gap", "jacket: Gap", "borsa Guess", "camisas blancas de Guess".
    fn is_behind_a_product(&self, start: usize) -> bool {
        let text = &self.prose.folded;
        let before = text[..start].trim_end_matches(' ');
        let listed = before
            .strip_suffix([':', '-', '/', '=', '：'])
            .map(str::trim_end);
        if let Some(before) = listed {
            return self.ends_with_a_product(before);
        }
        match self.before_maker(start) {
            Some(before) => self.ends_with_a_product(before),
            None => self.prose.is_capital(start) && self.products_first.contains(&before.len()),
        }
    }

    /// What stands before the preposition that leads to a spelling; none where there is no such preposition.
    fn before_maker(&self, start: usize) -> Option<&str> {
        let before = self.prose.folded[..start].trim_end_matches(' ');
        let makers = self.lexicon.makers.iter();
        makers
            .filter_map(|maker| before.strip_suffix(maker.as_str())?.strip_suffix(' '))
            .min_by_key(|before| before.len())
    }

    /// Whether a product, or its quality behind it, ends this part of the text.
    fn ends_with_a_product(&self, text: &str) -> bool {
        let ends = |at: usize| self.products.iter().any(|(_, end)| *end == at);
        let quality = self.qualities.iter().find(|(_, end)| *end == text.len());
        ends(text.len()) || quality.is_some_and(|(begin, _)| *begin > 0 && ends(begin - 1))
    }

    /// "骆驼冲锋衣", "例外的棉麻长裙": Han sets no words apart, so the product is near and nothing begins between.
    fn is_before_a_product_in_han(&self, start: usize, end: usize) -> bool {
        let text = &self.prose.folded;
        let han = |c: Option<char>| c.is_some_and(is_han);
        if !han(text[start..end].chars().next_back()) && !han(text[end..].chars().next()) {
            return false;
        }
        let mut at = end;
        for c in text[end..].chars().take(HAN_BETWEEN + 1) {
            if self.products.iter().any(|(begin, _)| *begin == at) {
                return true;
            }
            if !c.is_alphanumeric() || HAN_APART.contains(c) {
                return false;
            }
            at += c.len_utf8();
        }
        false
    }
}

/// How many bytes the word takes with which a text begins.
fn word_length(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric())
        .unwrap_or(text.len())
}
