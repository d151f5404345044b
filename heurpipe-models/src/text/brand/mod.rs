//! Brands that a caption names.

mod evidence;
mod find;
mod handle;
mod lexicon;
mod misspelt;
mod prose;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use heurpipe_core::{
    Batch, Enriched, Enricher, EnricherSpec, Error, ErrorKind, Finding, Fingerprint, Post, Result,
};

use super::enrich::each_post;
use lexicon::Lexicon;

const SHIPPED: &str = include_str!("../../../data/brands.toml");
const VERSION: &str = "2";

/// An enricher that finds the brands named by a post's text, hashtags and mentions.
///
/// The list of brands ships with the crate; [`load`](Self::load) takes one's own. It gives the attribute `brand`: a label for each brand, with how
/// sure it is.
///
/// - **In the text**, a brand's spellings count as whole words, whatever their case and diacritics (0.95). Chinese spellings count wherever they
///   stand, since Chinese does not set words apart. Names of eight letters or more count with one letter wrong, too (0.75).
/// - **Hashtags** count when the whole tag is a spelling or a handle (0.95), or one followed by a product, as `#guccibag` (0.85), or one among
///   Han, as `#Prada春夏#` (0.85).
/// - **Mentions** count when they are the brand's handle (0.95), or the handle with a country or a word such as `official` added, as
///   `@gucci.fr` or `@nikewomen` (0.9).
/// - **Ambiguous** spellings (mango, guess, coach …) are words of their own. In the text they count beside a product, as "coach bag", "jeans from Gap"
///   or "borsa Guess" (0.8); joined to a brand, as "Nike x Champion" (0.75); and with a capital in the middle of a sentence of a post about clothes, unless
///   the text is German, which writes every noun so (0.7). As a hashtag they count with a word about clothes (0.8) or without (0.6). Names of people, animals
///   and places (Chloé, Patagonia) count only beside a product or a brand, or as a hashtag in a post about clothes (0.6); words that stand before
///   products anyhow (next, only) take a capital as well. None counts beside a word that says that something else is meant, as "mango smoothie".
///
/// ```
/// use heurpipe_core::{Post, PostId};
/// use heurpipe_models::text::brand::Brands;
///
/// let brands = Brands::shipped()?;
/// let found = |text: &str| {
///     let mut post = Post::new("instagram:1".parse().unwrap(), jiff::Timestamp::UNIX_EPOCH);
///     post.text = text.to_owned();
///     brands.find(&post).into_iter().map(|found| found.brand).collect::<Vec<_>>()
/// };
/// assert_eq!(found("My HERMES scarf and a #guccibag"), ["gucci", "hermès"]);
/// assert_eq!(found("In love with this Mango dress"), ["mango"]);
/// assert!(found("mango and coconut, dress code summer").is_empty());
/// # Ok::<(), heurpipe_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Brands {
    lexicon: Arc<Lexicon>,
    spec: EnricherSpec,
}

/// A brand that a post names.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundBrand {
    /// The canonical name, lower case.
    pub brand: String,
    /// How sure, 0 to 1.
    pub confidence: f32,
}

impl Brands {
    /// With the list that ships with the crate.
    ///
    /// # Errors
    /// None that a user can cause; see [`parse`](Self::parse).
    pub fn shipped() -> Result<Self> {
        Self::parse(SHIPPED)
    }

    /// With the list in a file of the form that [`parse`](Self::parse) describes.
    ///
    /// # Errors
    /// `NotFound` or `Io` where the file cannot be read, else as [`parse`](Self::parse); the error names the file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let toml = std::fs::read_to_string(path).map_err(|error| {
            let kind = match error.kind() {
                std::io::ErrorKind::NotFound => ErrorKind::NotFound,
                _ => ErrorKind::Io,
            };
            Error::new(kind, "brands.load")
                .message("the list of brands cannot be read")
                .with("path", path.display())
                .cause(error)
        })?;
        Self::parse(&toml).map_err(|error| error.with("path", path.display()))
    }

    /// With a list in TOML: `[[brand]]` tables with `name`, `aliases`, `mostly`, `ambiguous`, `names`, `words`, `handles` and `unless`, and the
    /// lists `context`, `products`, `products_first`, `tag_ends`, `qualities`, `makers` and `near_words` for all of them. The shipped list, `data/brands.toml`, says what each is.
    ///
    /// # Errors
    /// `Config` for what is not such a list.
    pub fn parse(toml: &str) -> Result<Self> {
        let lexicon = Lexicon::parse(toml)?;
        let digest = lexicon.digest.to_string();
        let spec = EnricherSpec::new("brand", VERSION)
            .gives(["brand"])
            .fingerprint(Fingerprint::of(["brand", VERSION, digest.as_str()]));
        Ok(Self {
            lexicon: Arc::new(lexicon),
            spec,
        })
    }

    /// How many brands it knows.
    pub fn len(&self) -> usize {
        self.lexicon.names.len()
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.lexicon.names.is_empty()
    }

    /// The brands that a post names, by name.
    pub fn find(&self, post: &Post) -> Vec<FoundBrand> {
        find::brands(&self.lexicon, post)
    }
}

#[async_trait]
impl Enricher for Brands {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        let this = self.clone();
        let read = move |post: &Post| this.find(post).into_iter().map(finding).collect();
        each_post(&self.spec, batch, read).await
    }
}

fn finding(found: FoundBrand) -> Finding {
    Finding::label("brand", found.brand).confidence(found.confidence)
}
