//! A folder of models that are kept by name and version: which one is promoted, which were before it, and which runs in its shadow.
//!
//! ```text
//! DIR/NAME/VERSION/model.toml, model.onnx, …    never changed once added
//! DIR/NAME/registry.toml                        promoted, earlier, shadow; replaced as a whole
//! ```

use std::path::{Path, PathBuf};

use heurpipe_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::load::load;
use crate::manifest::{MANIFEST, Manifest};

const STATE: &str = "registry.toml";

/// A folder of models by name and version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    folder: PathBuf,
}

/// A model of a registry.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Registered {
    /// Its name.
    pub name: String,
    /// Its versions, in alphabetical order.
    pub versions: Vec<String>,
    /// What is in force.
    #[serde(flatten)]
    pub state: RegistryState,
}

/// What is in force of a model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RegistryState {
    /// The version whose word counts.
    pub promoted: String,
    /// The versions that were promoted before it, the latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<String>,
    /// The version that runs beside it, for comparison.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<ShadowVersion>,
}

/// A version that runs beside the promoted one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ShadowVersion {
    /// The version.
    pub version: String,
    /// On which share of posts it runs, 0 to 1.
    pub sample: f64,
}

impl Registry {
    /// The registry in a folder, which need not be there yet.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Checks a model folder, pins the digest of every file that its manifest names, and keeps a copy. The first version of a name is promoted; a later one is
    /// not until somebody says so.
    ///
    /// # Errors
    /// Whatever [`load`](crate::load) says of the folder; `InvalidInput` for a name or version that is no name for a folder; `Conflict` where this version is there
    /// already with another content; `Io` where it cannot be written.
    pub fn add(&self, folder: impl AsRef<Path>) -> Result<Registered> {
        let folder = folder.as_ref();
        load(folder)?; // whether it works at all
        let mut manifest = Manifest::read(folder)?;
        let (name, version) = (manifest.name.clone(), manifest.version.clone());
        plain(&name)?;
        plain(&version)?;
        let files = pinned(&mut manifest, folder)?;
        let written = manifest.to_toml()?;
        let target = self.folder.join(&name).join(&version);
        if target.exists() {
            let there = std::fs::read_to_string(target.join(MANIFEST)).unwrap_or_default();
            if there == written {
                return self.of(&name);
            }
            return Err(Error::new(ErrorKind::Conflict, "models.add")
                .message("this version is there already, and it is another: raise the version in model.toml")
                .with("model", &name)
                .with("version", &version));
        }
        // Under another name first, so that half a model is never taken for one.
        let beside = target.with_extension(format!("adding-{}", std::process::id()));
        write_model(&beside, folder, &files, &written)
            .and_then(|()| std::fs::rename(&beside, &target))
            .map_err(|error| unwritable(&target, error))?;
        if self.state(&name)?.is_none() {
            self.save(
                &name,
                &RegistryState {
                    promoted: version,
                    ..RegistryState::default()
                },
            )?;
        }
        self.of(&name)
    }

    /// All models, by name.
    ///
    /// # Errors
    /// `Corrupt` where what is in force of one cannot be read.
    pub fn list(&self) -> Result<Vec<Registered>> {
        let names = sub_folders(&self.folder);
        names
            .iter()
            .filter(|name| self.folder.join(name).join(STATE).is_file())
            .map(|name| self.of(name))
            .collect()
    }

    /// A model.
    ///
    /// # Errors
    /// `NotFound` where there is none; `Corrupt` where what is in force of it cannot be read.
    pub fn of(&self, name: &str) -> Result<Registered> {
        let state = self.state(name)?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "models.find")
                .message("the registry has no such model")
                .with("model", name)
                .with("registry", self.folder.display())
        })?;
        Ok(Registered {
            versions: sub_folders(&self.folder.join(name))
                .into_iter()
                .filter(|version| self.version_folder(name, version).join(MANIFEST).is_file())
                .collect(),
            name: name.to_owned(),
            state,
        })
    }

    /// The folder of the promoted version; none where the registry has no such model.
    ///
    /// # Errors
    /// `Corrupt` where what is in force of it cannot be read.
    pub fn promoted(&self, name: &str) -> Result<Option<PathBuf>> {
        let state = self.state(name)?;
        Ok(state.map(|state| self.version_folder(name, &state.promoted)))
    }

    /// The folder of the version that runs in the shadow, and on which share of posts.
    ///
    /// # Errors
    /// `Corrupt` where what is in force of it cannot be read.
    pub fn shadow(&self, name: &str) -> Result<Option<(PathBuf, f64)>> {
        let shadow = self.state(name)?.and_then(|state| state.shadow);
        Ok(shadow.map(|shadow| (self.version_folder(name, &shadow.version), shadow.sample)))
    }

    /// Has a version run beside the promoted one on this share of posts; none: no version any more.
    ///
    /// # Errors
    /// `NotFound` for a version that is not there, `InvalidInput` for a share that is none or the promoted version itself, `Io` where it cannot be written.
    pub fn set_shadow(&self, name: &str, shadow: Option<(&str, f64)>) -> Result<Registered> {
        let model = self.of(name)?;
        let mut state = model.state.clone();
        state.shadow = match shadow {
            None => None,
            Some((version, sample)) => {
                model.has(version)?;
                let share = sample > 0.0 && sample <= 1.0;
                if !share || version == state.promoted {
                    return Err(Error::new(ErrorKind::InvalidInput, "models.shadow")
                        .message("a shadow is another version than the promoted one, on a share of posts above 0 and up to 1")
                        .with("promoted", &state.promoted)
                        .with("version", version)
                        .with("sample", sample));
                }
                Some(ShadowVersion {
                    version: version.to_owned(),
                    sample,
                })
            }
        };
        self.save(name, &state)?;
        self.of(name)
    }

    /// Makes a version the one whose word counts; it is no shadow any more. What the earlier one analysed becomes stale.
    ///
    /// # Errors
    /// `NotFound` for a version that is not there, `Io` where it cannot be written.
    pub fn promote(&self, name: &str, version: &str) -> Result<Registered> {
        let model = self.of(name)?;
        model.has(version)?;
        let mut state = model.state;
        if state.promoted != version {
            let before = std::mem::replace(&mut state.promoted, version.to_owned());
            state.earlier.push(before);
        }
        state.shadow = state.shadow.filter(|shadow| shadow.version != version);
        self.save(name, &state)?;
        self.of(name)
    }

    /// Goes back to the version that was promoted before. Its analyses that are still in the ledger are not made again.
    ///
    /// # Errors
    /// `NotFound` where there was none, `Io` where it cannot be written.
    pub fn roll_back(&self, name: &str) -> Result<Registered> {
        let mut state = self.of(name)?.state;
        let before = state.earlier.pop().ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "models.rollback")
                .message("no version was promoted before this one")
                .with("model", name)
                .with("promoted", &state.promoted)
        })?;
        state.promoted = before;
        state.shadow = state
            .shadow
            .filter(|shadow| shadow.version != state.promoted);
        self.save(name, &state)?;
        self.of(name)
    }

    fn version_folder(&self, name: &str, version: &str) -> PathBuf {
        self.folder.join(name).join(version)
    }

    fn state(&self, name: &str) -> Result<Option<RegistryState>> {
        if plain(name).is_err() {
            return Ok(None);
        }
        let path = self.folder.join(name).join(STATE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(crate::source::unreadable(&path, error)),
        };
        toml::from_str(&text).map(Some).map_err(|error| {
            Error::new(ErrorKind::Corrupt, "models.read")
                .message(error.message().trim().to_owned())
                .with("file", path.display())
        })
    }

    fn save(&self, name: &str, state: &RegistryState) -> Result<()> {
        let path = self.folder.join(name).join(STATE);
        let text = toml::to_string(state)
            .map_err(|error| Error::new(ErrorKind::Internal, "models.write").cause(error))?;
        let beside = path.with_extension(format!("{}.tmp", std::process::id()));
        std::fs::write(&beside, text)
            .and_then(|()| std::fs::rename(&beside, &path))
            .map_err(|error| unwritable(&path, error))
    }
}

impl Registered {
    fn has(&self, version: &str) -> Result<()> {
        if self.versions.iter().any(|there| there == version) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::NotFound, "models.find")
            .message("the model has no such version")
            .with("model", &self.name)
            .with("version", version)
            .with("there_are", self.versions.join(", ")))
    }
}

/// The files that the manifest names, whose digests it is given.
fn pinned(manifest: &mut Manifest, folder: &Path) -> Result<Vec<String>> {
    let digest = |name: &str| {
        let path = folder.join(name);
        let bytes =
            std::fs::read(&path).map_err(|error| crate::source::unreadable(&path, error))?;
        Ok::<_, Error>(format!("sha256:{}", hex::encode(Sha256::digest(bytes))))
    };
    let mut files = vec![manifest.file.path.clone()];
    manifest.file.digest = Some(digest(&manifest.file.path)?);
    if let Some(text) = &mut manifest.text {
        files.push(text.tokenizer.clone());
        if let Some(path) = &text.path {
            text.digest = Some(digest(path)?);
            files.push(path.clone());
        }
    }
    if let Some(labels) = manifest.labels_file.take() {
        // They were read into the manifest.
        tracing::debug!(labels, "the labels are written into model.toml");
    }
    if let Some(outside) = files
        .iter()
        .find(|file| Path::new(file).components().count() != 1)
    {
        return Err(Error::new(ErrorKind::InvalidInput, "models.add")
            .message("all files of a model lie in its folder itself")
            .with("file", outside));
    }
    Ok(files)
}

fn write_model(
    target: &Path,
    from: &Path,
    files: &[String],
    manifest: &str,
) -> std::io::Result<()> {
    std::fs::create_dir_all(target)?;
    for file in files {
        std::fs::copy(from.join(file), target.join(file))?;
    }
    std::fs::write(target.join(MANIFEST), manifest)
}

/// A name that is no path.
fn plain(name: &str) -> Result<()> {
    let allowed = |c: char| c.is_alphanumeric() || "._-+".contains(c);
    if !name.is_empty() && !name.starts_with('.') && name.chars().all(allowed) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidInput, "models.add")
        .message("names and versions of models are letters, digits and . _ - +, and do not begin with a dot")
        .with("name", name))
}

fn sub_folders(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.contains(".adding-"))
        .collect();
    names.sort();
    names
}

fn unwritable(path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, "models.write")
        .message("the registry cannot be written")
        .with("path", path.display())
        .cause(error)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The shipped model of garments as this version, without a digest.
    fn model(version: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/garment");
        std::fs::copy(shipped.join("model.onnx"), folder.path().join("model.onnx")).unwrap();
        let text = std::fs::read_to_string(shipped.join(MANIFEST)).unwrap();
        let text = text.replace("version = \"1.0.0\"", &format!("version = \"{version}\""));
        let lines = text.lines().filter(|line| !line.starts_with("digest"));
        let text: Vec<&str> = lines.collect();
        std::fs::write(folder.path().join(MANIFEST), text.join("\n")).unwrap();
        folder
    }

    #[test]
    fn versions_are_added_promoted_and_rolled_back() {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::at(folder.path().join("models"));
        assert!(registry.list().unwrap().is_empty());
        registry.add(model("1").path()).unwrap();
        let added = registry.add(model("2").path()).unwrap();
        assert_eq!(added.versions, ["1", "2"]);
        assert_eq!(
            added.state.promoted, "1",
            "adding promotes nothing but the first"
        );

        registry.set_shadow("garment", Some(("2", 0.25))).unwrap();
        let (shadow, sample) = registry.shadow("garment").unwrap().unwrap();
        assert!(shadow.ends_with("garment/2") && sample == 0.25);
        let promoted = registry.promote("garment", "2").unwrap().state;
        assert_eq!((promoted.promoted.as_str(), promoted.shadow), ("2", None));
        assert!(
            registry
                .promoted("garment")
                .unwrap()
                .unwrap()
                .ends_with("garment/2")
        );
        assert_eq!(registry.roll_back("garment").unwrap().state.promoted, "1");
        let error = registry.roll_back("garment").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn what_is_added_is_pinned_and_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::at(folder.path());
        let original = model("1");
        registry.add(original.path()).unwrap();
        registry.add(original.path()).unwrap(); // the same once more is no matter
        let kept = registry.promoted("garment").unwrap().unwrap();
        assert!(Manifest::read(&kept).unwrap().file.digest.is_some());

        let changed = model("1");
        let path = changed.path().join(MANIFEST);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("threshold = 0.55", "threshold = 0.6")).unwrap();
        let error = registry.add(changed.path()).unwrap_err();
        assert!(error.to_string().contains("raise the version"), "{error}");

        std::fs::write(kept.join("model.onnx"), b"other").unwrap();
        assert_eq!(load(&kept).unwrap_err().kind(), ErrorKind::Corrupt);
    }

    #[test]
    fn bad_names_versions_and_samples_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::at(folder.path());
        let error = registry.add(model("../9").path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(registry.promote("garment", "1").is_err());
        assert!(registry.promoted("../etc").unwrap().is_none());
        registry.add(model("1").path()).unwrap();
        let error = registry.promote("garment", "3").unwrap_err();
        assert!(error.to_string().contains("there_are=1"), "{error}");
        for shadow in [("1", 0.5), ("2", 0.5)] {
            assert!(registry.set_shadow("garment", Some(shadow)).is_err());
        }
        registry.add(model("2").path()).unwrap();
        assert!(registry.set_shadow("garment", Some(("2", 1.5))).is_err());
    }
}
