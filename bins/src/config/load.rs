//! Reading the configuration from file and environment.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::Config;
use super::suggest::with_suggestion;

/// The file that is looked for in the current folder.
const FILE: &str = "heurpipe.toml";
/// `HEURPIPE_STORES__DOCUMENTS` sets `documents` in `[stores]`.
const PREFIX: &str = "HEURPIPE_";
const NESTING: &str = "__";

/// A configuration and where it came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The file, if there was one.
    pub file: Option<PathBuf>,
    /// The folder that relative paths are relative to.
    pub base: PathBuf,
    /// Environment variables that set something.
    pub environment: Vec<String>,
}

/// Why there is no configuration: a sentence that names the file or variable and what is wrong with it.
#[derive(Debug)]
pub struct ConfigError(pub String);

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// Reads the file (`heurpipe.toml` in the current folder if none is named), then the environment.
///
/// # Errors
/// When a named file is not there, when something is not TOML, when a key is unknown or a value is of the wrong kind.
pub fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded, ConfigError> {
    let file = match file {
        Some(file) => Some(file.to_owned()),
        None => Some(PathBuf::from(FILE)).filter(|file| file.exists()),
    };
    let mut table = match &file {
        Some(file) => read(file)?,
        None => Table::new(),
    };
    // The file is checked by itself first, so that its errors name it.
    if let Some(file) = &file {
        check(&table, &file.display().to_string())?;
    }
    let mut names = Vec::new();
    for (name, value) in environment {
        if overlay(&mut table, &name, &value)? {
            check(&table, &name)?;
            names.push(name);
        }
    }
    let config = check(&table, "the configuration")?;
    let base = match file.as_deref().and_then(Path::parent) {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    Ok(Loaded {
        config,
        file,
        base,
        environment: names,
    })
}

fn read(file: &Path) -> Result<Table, ConfigError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| ConfigError(format!("{}: {error}", file.display())))?;
    text.parse()
        .map_err(|error| ConfigError(format!("{}: {error}", file.display())))
}

fn check(table: &Table, place: &str) -> Result<Config, ConfigError> {
    Config::deserialize_table(table.clone())
        .map_err(|sentence| ConfigError(format!("{place}: {sentence}")))
}

impl Config {
    fn deserialize_table(table: Table) -> Result<Self, String> {
        Value::Table(table)
            .try_into()
            .map_err(|error: toml::de::Error| with_suggestion(error.to_string().trim()))
    }
}

/// Sets what an environment variable names; says whether it names a setting at all.
fn overlay(table: &mut Table, name: &str, value: &str) -> Result<bool, ConfigError> {
    let Some(path) = name.strip_prefix(PREFIX).filter(|p| p.contains(NESTING)) else {
        return Ok(false);
    };
    let mut keys: Vec<String> = path.split(NESTING).map(str::to_lowercase).collect();
    let Some(last) = keys.pop() else {
        return Ok(false);
    };
    let mut place = table;
    for key in keys {
        let entry = place
            .entry(key)
            .or_insert_with(|| Value::Table(Table::new()));
        place = match entry {
            Value::Table(inner) => inner,
            _ => {
                return Err(ConfigError(format!(
                    "{name}: it names a value as if it were a table"
                )));
            }
        };
    }
    place.insert(last, typed(value));
    Ok(true)
}

/// Numbers, booleans and lists as TOML writes them; all else is a string.
fn typed(value: &str) -> Value {
    let parsed = format!("v = {value}").parse::<Table>().ok();
    parsed
        .and_then(|mut table| table.remove("v"))
        .filter(|v| !v.is_datetime())
        .unwrap_or_else(|| Value::String(value.to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn in_file(text: &str, environment: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("heurpipe.toml");
        std::fs::write(&file, text).unwrap();
        let environment = environment
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        load(Some(&file), environment)
    }

    #[test]
    fn environment_wins_over_file() {
        let text = "[stores]\ndocuments = \"sqlite:a\"\nsearch = \"tantivy:b\"\n";
        let loaded = in_file(
            text,
            &[
                ("HEURPIPE_STORES__DOCUMENTS", "sqlite:c"),
                ("HEURPIPE_MODELS", "x"),
            ],
        )
        .unwrap();
        assert_eq!(loaded.config.stores.documents, "sqlite:c");
        assert_eq!(loaded.config.stores.search, "tantivy:b");
        assert_eq!(loaded.environment, ["HEURPIPE_STORES__DOCUMENTS"]);
    }

    #[test]
    fn the_example_is_understood() {
        let example = include_str!("../../../config.example.toml");
        let loaded = in_file(example, &[]).unwrap();
        let names: Vec<_> = loaded.config.use_cases.keys().collect();
        assert_eq!(names, ["evening", "tendencies"]);
    }

    #[test]
    fn an_unknown_key_names_file_and_suggests() {
        let error = in_file("[stores]\ndocumets = \"sqlite:a\"\n", &[]).unwrap_err();
        assert!(error.0.contains("heurpipe.toml"), "{error}");
        assert!(error.0.contains("did you mean `documents`?"), "{error}");
    }

    #[test]
    fn an_unknown_variable_is_named() {
        let error = in_file("", &[("HEURPIPE_API__LISTN", "0.0.0.0:1")]).unwrap_err();
        assert!(error.0.starts_with("HEURPIPE_API__LISTN: "), "{error}");
        assert!(error.0.contains("did you mean `listen`?"), "{error}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = load(Some(Path::new("/nowhere/heurpipe.toml")), []).unwrap_err();
        assert!(error.0.starts_with("/nowhere/heurpipe.toml: "), "{error}");
    }

    #[test]
    fn booleans_and_lists_come_from_the_environment() {
        let loaded = in_file("", &[("HEURPIPE_MEDIA__ALLOW_PRIVATE_HOSTS", "true")]).unwrap();
        assert!(loaded.config.media.allow_private_hosts);
    }
}
