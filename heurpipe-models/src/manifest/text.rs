//! What a model of texts wants and gives.

use serde::{Deserialize, Serialize};

/// A model of texts: its tokenizer, its inputs and what becomes of its output.
///
/// The inputs `input_ids`, `attention_mask` and `token_type_ids` are fed where the model has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TextSpec {
    /// With `task = "zero-shot"`: the model of the pair that reads texts, relative to the folder. Otherwise none: the model is `[file]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// `sha256:` and 64 hexadecimal digits of that model; checked on load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The tokenizer, as Hugging Face's `tokenizer.json`, relative to the folder.
    #[serde(default = "tokenizer_file")]
    pub tokenizer: String,
    /// The most tokens of a text, special ones included; what is beyond is cut off.
    #[serde(default = "max_tokens")]
    pub max_tokens: usize,
    /// To what length texts are filled up.
    #[serde(default)]
    pub pad: Pad,
    /// The output's name; none: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// How an output of one vector a token becomes one vector a text.
    #[serde(default)]
    pub pool: Pool,
}

/// To what length texts are filled up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Pad {
    /// Not at all.
    #[default]
    No,
    /// `max_tokens`, always; CLIP's text models want this.
    MaxTokens,
}

/// How an output of one vector a token becomes one vector a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Pool {
    /// The output has one vector a text already.
    #[default]
    None,
    /// The mean of the vectors of the text's tokens, without the filling.
    Mean,
    /// The first token's vector.
    First,
}

fn tokenizer_file() -> String {
    "tokenizer.json".to_owned()
}

fn max_tokens() -> usize {
    128
}
