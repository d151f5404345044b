//! A model of texts: a tokenizer and a network that makes one vector a text.

use heurpipe_core::{Error, ErrorKind, Result};
use tokenizers::{Tokenizer, TruncationParams};

use crate::folder::ModelFolder;
use crate::manifest::{Pad, Pool, TextSpec};
use crate::runtime::{Feed, Runtime, RuntimeKind, SessionPool, Tensor, Values};
use crate::vector::normalised;

/// Texts a call. Texts of like length go together, since all are filled up to the longest.
const BATCH: usize = 16;

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
    /// # Errors
    /// `InvalidInput` for a text that cannot be tokenised, `Internal` where the runtime fails.
    pub(crate) fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        let tokens = texts
            .iter()
            .map(|text| self.tokens(text))
            .collect::<Result<Vec<_>>>()?;
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|index| tokens[*index].ids.len());
        let mut vectors = vec![Vec::new(); texts.len()];
        // A tract session is specialised to the shapes it first sees.
        let tract = Runtime::get()?.status().kind == RuntimeKind::Tract;
        for chunk in order.chunks(if tract { 1 } else { BATCH }) {
            let batch: Vec<&Tokens> = chunk.iter().map(|index| &tokens[*index]).collect();
            for (index, vector) in chunk.iter().zip(self.embed_batch(&batch)?) {
                vectors[*index] = vector;
            }
        }
        Ok(vectors)
    }

    /// The numbers of a text's tokens.
    pub(crate) fn token_ids(&self, text: &str) -> Result<Vec<i64>> {
        Ok(self.tokens(text)?.ids)
    }

    /// Runs all sessions once.
    pub(crate) fn warm_up(&self) -> Result<()> {
        let tokens = self.tokens("warm")?;
        let batch = Padded::of(&[&tokens], self.length(&[&tokens]), self.filling);
        self.sessions
            .warm_up(&self.feeds(&batch), &[self.output.as_str()])
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

    fn embed_batch(&self, batch: &[&Tokens]) -> Result<Vec<Vec<f32>>> {
        let padded = Padded::of(batch, self.length(batch), self.filling);
        let given = self
            .sessions
            .run(&self.feeds(&padded), &[self.output.as_str()])?;
        let output = given.first().ok_or_else(|| {
            Error::new(ErrorKind::Internal, "model.run").message("the model gave no output")
        })?;
        self.vectors(output, &padded)
    }

    /// How many tokens all texts of a batch are filled up to.
    fn length(&self, batch: &[&Tokens]) -> usize {
        match self.spec.pad {
            Pad::MaxTokens => self.spec.max_tokens,
            Pad::Longest => batch.iter().map(|t| t.ids.len()).max().unwrap_or(1).max(1),
        }
    }

    fn feeds<'a>(&'a self, batch: &'a Padded) -> Vec<Feed<'a>> {
        let there = self.sessions.inputs().iter();
        there
            .filter_map(|port| {
                let values = match port.name.as_str() {
                    "input_ids" => &batch.ids,
                    "attention_mask" => &batch.mask,
                    "token_type_ids" => &batch.types,
                    _ => return None,
                };
                Some(Feed {
                    name: &port.name,
                    shape: vec![batch.texts, batch.length],
                    values: Values::Integers(values),
                })
            })
            .collect()
    }

    fn vectors(&self, output: &Tensor, batch: &Padded) -> Result<Vec<Vec<f32>>> {
        let odd = || {
            Error::new(ErrorKind::Config, "model.run")
                .message("the output is not one vector a text; what should become of it is text.pool in the manifest")
                .with("model", &self.name)
                .with("shape", format_args!("{:?}", output.shape))
                .with("texts", batch.texts)
        };
        let vectors: Vec<Vec<f32>> = match (self.spec.pool, output.shape.as_slice()) {
            (Pool::None, [texts, _]) if *texts == batch.texts => {
                output.rows().map(<[f32]>::to_vec).collect()
            }
            (Pool::Mean, [texts, length, size])
                if *texts == batch.texts && *length == batch.length && *size > 0 =>
            {
                let masks = batch.mask.chunks_exact(batch.length);
                let rows = output.rows().zip(masks);
                rows.map(|(row, mask)| mean(row, mask, *size)).collect()
            }
            (Pool::First, [texts, _, size]) if *texts == batch.texts && *size > 0 => {
                output.rows().map(|row| row[..*size].to_vec()).collect()
            }
            _ => return Err(odd()),
        };
        vectors
            .into_iter()
            .map(|vector| normalised(vector, &self.name))
            .collect()
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

/// Texts of one length.
struct Padded {
    texts: usize,
    length: usize,
    ids: Vec<i64>,
    mask: Vec<i64>,
    types: Vec<i64>,
}

impl Padded {
    fn of(batch: &[&Tokens], length: usize, filling: i64) -> Self {
        let fill = |of: fn(&Tokens) -> &Vec<i64>, with: i64| {
            let rows = batch.iter().flat_map(|tokens| {
                let own = of(tokens).iter().copied();
                own.chain(std::iter::repeat(with)).take(length)
            });
            rows.collect()
        };
        Self {
            texts: batch.len(),
            length,
            ids: fill(|t| &t.ids, filling),
            mask: fill(|t| &t.mask, 0),
            types: fill(|t| &t.types, 0),
        }
    }
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
