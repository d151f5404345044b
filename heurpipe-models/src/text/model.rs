//! A model of texts: a tokenizer and a network that makes one vector a text.

use heurpipe_core::{Error, ErrorKind, Result};
use tokenizers::{Tokenizer, TruncationParams};

use crate::folder::ModelFolder;
use crate::manifest::{Pad, Pool, TextSpec};
use crate::runtime::{Feed, SessionPool, Tensor, Values};
use crate::vector::normalised;

/// A model of texts, ready to run.
pub(crate) struct TextModel {
    spec: TextSpec,
    name: String,
    tokenizer: Tokenizer,
    /// The token that texts are filled up with.
    filling: i64,
    sessions: SessionPool,
    output: String,
    /// SHA-256 of the network and of the tokenizer.
    pub(crate) digests: [String; 2],
}

/// The numbers of a text's tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tokens {
    ids: Vec<i64>,
    mask: Vec<i64>,
    types: Vec<i64>,
}

impl TextModel {
    /// Opens the folder's model of texts with its tokenizer.
    ///
    /// # Errors
    /// As a model of pictures; `Corrupt` for a tokenizer that cannot be read.
    pub(crate) fn open(folder: &ModelFolder) -> Result<Self> {
        let spec = folder.manifest.text_input()?.clone();
        let (model, digest) = folder.text_model()?;
        let sessions = SessionPool::open(model, 1)?;
        sessions.input(Some("input_ids"))?;
        let output = sessions.output(spec.output.as_deref())?.name.clone();
        let path = folder.path(&spec.tokenizer)?;
        let bytes =
            std::fs::read(&path).map_err(|error| crate::source::unreadable(&path, error))?;
        let (tokenizer, filling) = tokenizer(&bytes, &spec).map_err(|error| {
            Error::new(ErrorKind::Corrupt, "model.load")
                .message("the tokenizer cannot be read")
                .with("file", path.display())
                .cause(std::io::Error::other(error))
        })?;
        Ok(Self {
            spec,
            name: folder.manifest.name.clone(),
            tokenizer,
            filling,
            sessions,
            output,
            digests: [digest, heurpipe_core::Digest::of(&bytes).to_string()],
        })
    }

    /// One vector a text, of length one, in order; on the calling thread.
    ///
    /// Each text is a call by itself: in a network whose activations are quantised while it runs, a text's vector would depend on its neighbours.
    ///
    /// # Errors
    /// `InvalidInput` for a text that cannot be tokenised, `Internal` where the runtime fails.
    pub(crate) fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        texts.iter().map(|text| self.embed_one(text)).collect()
    }

    /// The numbers of a text's tokens.
    pub(crate) fn token_ids(&self, text: &str) -> Result<Vec<i64>> {
        Ok(self.tokens(text)?.ids)
    }

    /// Runs all sessions once.
    pub(crate) fn warm_up(&self) -> Result<()> {
        let tokens = self.padded(self.tokens("warm")?);
        self.sessions
            .warm_up(&self.feeds(&tokens), &[self.output.as_str()])
    }

    fn tokens(&self, text: &str) -> Result<Tokens> {
        let encoding = self.tokenizer.encode(text, true).map_err(|error| {
            Error::new(ErrorKind::InvalidInput, "text.tokenise")
                .message("the text cannot be tokenised")
                .with("model", &self.name)
                .cause(std::io::Error::other(error))
        })?;
        let wide = |numbers: &[u32]| numbers.iter().copied().map(i64::from).collect();
        Ok(Tokens {
            ids: wide(encoding.get_ids()),
            mask: wide(encoding.get_attention_mask()),
            types: wide(encoding.get_type_ids()),
        })
    }

    fn embed_one(&self, text: &str) -> Result<Vec<f32>> {
        let padded = self.padded(self.tokens(text)?);
        let given = self
            .sessions
            .run(&self.feeds(&padded), &[self.output.as_str()])?;
        let output = given.first().ok_or_else(|| {
            Error::new(ErrorKind::Internal, "model.run").message("the model gave no output")
        })?;
        normalised(self.pooled(output, &padded)?, &self.name)
    }

    /// Filled up where the model wants texts of one length.
    fn padded(&self, mut tokens: Tokens) -> Tokens {
        if self.spec.pad == Pad::MaxTokens {
            tokens.ids.resize(self.spec.max_tokens, self.filling);
            tokens.mask.resize(self.spec.max_tokens, 0);
            tokens.types.resize(self.spec.max_tokens, 0);
        }
        tokens
    }

    fn feeds<'a>(&'a self, tokens: &'a Tokens) -> Vec<Feed<'a>> {
        let there = self.sessions.inputs().iter();
        there
            .filter_map(|port| {
                let values = match port.name.as_str() {
                    "input_ids" => &tokens.ids,
                    "attention_mask" => &tokens.mask,
                    "token_type_ids" => &tokens.types,
                    _ => return None,
                };
                Some(Feed {
                    name: &port.name,
                    shape: vec![1, tokens.ids.len()],
                    values: Values::Integers(values),
                })
            })
            .collect()
    }

    fn pooled(&self, output: &Tensor, tokens: &Tokens) -> Result<Vec<f32>> {
        let values = &output.values;
        match (self.spec.pool, output.shape.as_slice()) {
            (Pool::None, [1, _]) => Ok(values.clone()),
            (Pool::Mean, [1, length, size]) if *length == tokens.ids.len() && *size > 0 => {
                Ok(mean(values, &tokens.mask, *size))
            }
            (Pool::First, [1, _, size]) if *size > 0 && values.len() >= *size => {
                Ok(values[..*size].to_vec())
            }
            _ => Err(Error::new(ErrorKind::Config, "model.run")
                .message("the output is not one vector a text; what should become of it is text.pool in the manifest")
                .with("model", &self.name)
                .with("shape", format_args!("{:?}", output.shape))),
        }
    }
}

/// The mean of the vectors of a text's own tokens.
fn mean(row: &[f32], mask: &[i64], size: usize) -> Vec<f32> {
    let mut sum = vec![0.0; size];
    let mut own = 0.0_f32;
    for (vector, mask) in row.chunks_exact(size).zip(mask) {
        if *mask == 0 {
            continue;
        }
        own += 1.0;
        for (sum, value) in sum.iter_mut().zip(vector) {
            *sum += value;
        }
    }
    sum.iter().map(|x| x / own.max(1.0)).collect()
}

/// Reads a tokenizer, sets where it cuts off, and gives the token that texts are filled up with. Filling up is done here, since it depends on the batch.
fn tokenizer(bytes: &[u8], spec: &TextSpec) -> tokenizers::Result<(Tokenizer, i64)> {
    let mut tokenizer = Tokenizer::from_bytes(bytes)?;
    let named = || {
        let names = ["[PAD]", "<pad>", "<|endoftext|>"];
        names.iter().find_map(|name| tokenizer.token_to_id(name))
    };
    let filling = tokenizer.get_padding().map(|padding| padding.pad_id);
    let filling = filling.or_else(named).unwrap_or(0);
    tokenizer.with_padding(None);
    tokenizer.with_truncation(Some(TruncationParams {
        max_length: spec.max_tokens,
        ..TruncationParams::default()
    }))?;
    Ok((tokenizer, filling.into()))
}
