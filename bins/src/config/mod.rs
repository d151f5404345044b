//! The configuration: `heurpipe.toml`, then `HEURPIPE_…` environment, then flags.

mod enricher;
mod load;
mod secret;
mod source;
mod suggest;

use std::collections::BTreeMap;
use std::path::PathBuf;

use heurpipe_core::Budget;
use heurpipe_models::PerceptualHash;
use serde::{Deserialize, Serialize};

pub use enricher::EnricherUse;
pub use load::{ConfigError, Loaded, load};
pub use secret::resolve as resolve_secret;
pub use source::{
    InstagramSource, Nearby, Network, PathSource, RecheckSource, Source, WeiboSource, duration,
};
pub use suggest::closest;

/// Everything that can be set. Unknown keys are errors that suggest the right one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where things are kept.
    pub stores: Stores,
    /// Access to the Instagram Graph API.
    pub instagram: Instagram,
    /// Access to the Weibo Open API.
    pub weibo: Weibo,
    /// Fetching pictures.
    pub media: Media,
    /// Models and their runtime.
    pub models: Models,
    /// The HTTP API and its pages.
    pub api: Api,
    /// Settings of each use case.
    pub use_cases: BTreeMap<String, UseCase>,
    /// What the demo made this folder from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demo: Option<Demo>,
}

/// Store URLs; relative paths are relative to the configuration file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stores {
    /// `sqlite:PATH`, or with the feature `mongodb` `mongodb(+srv)://HOST[:PORT][/DATABASE]`.
    pub documents: String,
    /// `tantivy:PATH`, or with the feature `elasticsearch` `http(s)://HOST[:PORT][/NAME]`.
    pub search: String,
    /// `file:PATH`, with the feature `gcs` or `s3` a bucket as for blobs, or with `bigquery` `bigquery://PROJECT/DATASET[/TABLE]?bucket=NAME[/FOLDER]`.
    pub warehouse: String,
    /// `file:PATH`, or with the feature `gcs` `gs://BUCKET[/FOLDER]`, with `s3` `s3://BUCKET[/FOLDER]`.
    pub blobs: String,
}

impl Default for Stores {
    fn default() -> Self {
        Self {
            documents: "sqlite:heurpipe-data/documents.sqlite".to_owned(),
            search: "tantivy:heurpipe-data/search".to_owned(),
            warehouse: "file:heurpipe-data/warehouse".to_owned(),
            blobs: "file:heurpipe-data/blobs".to_owned(),
        }
    }
}

/// Access to the Instagram Graph API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Instagram {
    /// The API's address, without the version.
    pub base_url: String,
    /// The API's version.
    pub version: String,
    /// The Instagram user id of the account that asks.
    pub user_id: String,
    /// `env:NAME` or `file:PATH`.
    pub token: String,
}

impl Default for Instagram {
    fn default() -> Self {
        Self {
            base_url: "https://graph.facebook.com".to_owned(),
            version: "v25.0".to_owned(),
            user_id: String::new(),
            token: "env:INSTAGRAM_TOKEN".to_owned(),
        }
    }
}

/// Access to the Weibo Open API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Weibo {
    /// The API's address, with the version.
    pub base_url: String,
    /// The address of the calls that need a commercial permission, where it is not the network's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commercial_base_url: Option<String>,
    /// Where pictures are fetched from by their ids, instead of the network's own hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_base: Option<String>,
    /// `env:NAME` or `file:PATH`.
    pub token: String,
}

impl Default for Weibo {
    fn default() -> Self {
        Self {
            base_url: "https://api.weibo.com/2".to_owned(),
            commercial_base_url: None,
            media_base: None,
            token: "env:WEIBO_TOKEN".to_owned(),
        }
    }
}

/// Fetching pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Media {
    /// Whether hosts on loopback, private and link-local addresses may be asked.
    pub allow_private_hosts: bool,
    /// Whether what hosts ask of robots is honoured.
    pub robots: bool,
    /// Pictures and videos that are fetched at a time.
    pub downloads: usize,
    /// Of these, from one host.
    pub downloads_per_host: usize,
}

impl Default for Media {
    fn default() -> Self {
        Self {
            allow_private_hosts: false,
            robots: true,
            downloads: 32,
            downloads_per_host: 16,
        }
    }
}

/// Models and their runtime.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Models {
    /// `auto`, `tract`, or the path of ONNX Runtime's library.
    pub runtime: String,
    /// The registry: the folder into which `models add` puts models, by name and version. A model of it stands in for a shipped one of its name.
    pub dir: PathBuf,
    /// Folders of models that stand in for all others of their name, by enricher name.
    pub folders: BTreeMap<String, PathBuf>,
}

impl Default for Models {
    fn default() -> Self {
        Self {
            runtime: "auto".to_owned(),
            dir: PathBuf::from("heurpipe-data/models"),
            folders: BTreeMap::new(),
        }
    }
}

/// The HTTP API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Api {
    /// Address and port.
    pub listen: String,
}

impl Default for Api {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
        }
    }
}

/// Settings of a use case; what is left out is the use case's own default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UseCase {
    /// Where its posts come from.
    pub sources: Vec<Source>,
    /// The enrichers, by name, each with a condition where it has one. A use case that the program does not know is made of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enrichers: Option<Vec<EnricherUse>>,
    /// Which posts its sinks take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relevant: Option<String>,
    /// When people are asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// For how long the search index keeps its posts: `365d`. Without it, for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<String>,
    /// What its analysis may cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// Whether what was found in a picture may be taken over by those that look nearly the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near_duplicates: Option<NearDuplicates>,
}

/// Which pictures look nearly the same, and for whom that is not enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NearDuplicates {
    /// In how many bits of 64 their hashes may differ.
    pub distance: u32,
    /// Enrichers that look at every picture themselves.
    pub except: Vec<String>,
}

impl Default for NearDuplicates {
    fn default() -> Self {
        Self {
            distance: PerceptualHash::USUAL_DISTANCE,
            except: Vec::new(),
        }
    }
}

/// When people are asked about predicted attributes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// About which attributes.
    pub attributes: Vec<String>,
    /// When a model's confidence is less than this away from its threshold.
    #[serde(default)]
    pub uncertain: f32,
    /// And a sample of this share of all posts.
    #[serde(default)]
    pub audit: f64,
}

/// What the demo made its folder from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demo {
    /// Posts in the simulated world.
    pub posts: u64,
    /// The world's seed.
    pub seed: u64,
    /// The simulator's port; media URLs of stored posts hold it.
    pub port: u16,
}
