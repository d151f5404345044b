//! The project's own small models. How they were made and how good they are: the `CARD.md` in each one's folder.

use std::path::PathBuf;

use heurpipe_core::{Error, ErrorKind, Result};

use crate::classify::Classify;
use crate::folder::ModelFolder;

/// The environment variable that names a folder of model folders to use instead of what is compiled in.
pub const VARIABLE: &str = "HEURPIPE_MODELS";

/// A model that is compiled in.
struct Shipped {
    name: &'static str,
    manifest: &'static str,
    card: &'static str,
    model: &'static [u8],
}

const SHIPPED: [Shipped; 2] = [
    Shipped {
        name: "garment",
        manifest: include_str!("../models/garment/model.toml"),
        card: include_str!("../models/garment/CARD.md"),
        model: include_bytes!("../models/garment/model.onnx"),
    },
    Shipped {
        name: "pattern",
        manifest: include_str!("../models/pattern/model.toml"),
        card: include_str!("../models/pattern/CARD.md"),
        model: include_bytes!("../models/pattern/model.onnx"),
    },
];

/// Which of ten garments a picture shows.
///
/// # Errors
/// As [`load`].
pub fn garment() -> Result<Classify> {
    load("garment")
}

/// Which of six patterns the fabric in a picture has.
///
/// # Errors
/// As [`load`].
pub fn pattern() -> Result<Classify> {
    load("pattern")
}

/// The names of the models that are compiled in.
pub fn names() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().map(|shipped| shipped.name)
}

/// The model card of a model that is compiled in, in Markdown.
pub fn card(name: &str) -> Option<&'static str> {
    SHIPPED
        .iter()
        .find(|shipped| shipped.name == name)
        .map(|shipped| shipped.card)
}

/// A model by name: from the folder that [`VARIABLE`] names where it has one, else what is compiled in.
///
/// # Errors
/// `NotFound` for a name that is neither; else as [`Classify::load`].
pub fn load(name: &str) -> Result<Classify> {
    if let Some(folder) = folder_of(name) {
        return Classify::load(folder);
    }
    let Some(shipped) = SHIPPED.iter().find(|shipped| shipped.name == name) else {
        return Err(Error::new(ErrorKind::NotFound, "model.load")
            .message("there is no such model")
            .with("model", name)
            .with("there_are", names().collect::<Vec<_>>().join(", ")));
    };
    Classify::open(ModelFolder::embedded(
        shipped.name,
        shipped.manifest,
        shipped.model,
    )?)
}

fn folder_of(name: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os(VARIABLE)?).join(name);
    folder.join("model.toml").is_file().then_some(folder)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_shipped_model_loads_is_small_and_has_a_card() {
        for shipped in &SHIPPED {
            let model = load(shipped.name).unwrap();
            assert_eq!(model.manifest().name, shipped.name);
            assert!(shipped.model.len() <= 5 << 20, "{}", shipped.name);
            assert!(model.manifest().licence.is_some());
            assert!(card(shipped.name).unwrap().contains("top-1 accuracy"));
        }
    }

    #[test]
    fn an_unknown_name_is_told_the_known_ones() {
        let error = load("hats").unwrap_err();
        assert!(error.to_string().contains("garment, pattern"), "{error}");
    }
}
