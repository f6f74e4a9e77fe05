//! The configuration: one TOML file, every key also from the environment, all problems at once.

mod check;
mod listen;
mod protocol;
mod reference;
mod sections;
mod sign_in;
mod store;
mod tree;
mod trust;
mod values;
mod vault;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

pub(crate) use listen::Lifetimes;
pub(crate) use protocol::{RegistrationPolicy, Resource, TokenFormat};
pub(crate) use reference::{reference, sections};
pub(crate) use sections::{Algorithm, Config, LogFormat};
pub(crate) use sign_in::{External, TokenMode};
pub(crate) use store::Store;
pub(crate) use trust::{Subject, TrustedIssuer};
pub(crate) use values::{Allowed, Period, Secret};
pub(crate) use vault::{Grant, Integration, Webhook};

/// Collects settings from their sources; what is added later overrides what came before.
#[derive(Debug)]
pub(crate) struct Loader {
    schema: Value,
    tree: Map<String, Value>,
    problems: Vec<Problem>,
}

impl Loader {
    /// Nothing but defaults.
    pub(crate) fn new() -> Self {
        Self { schema: schema(), tree: Map::new(), problems: Vec::new() }
    }

    /// One setting by its path (`listen.port`), such as a command line option or a preset.
    #[must_use]
    pub(crate) fn set(mut self, path: &str, value: impl Into<Value>) -> Self {
        let segments: Vec<&str> = path.split('.').collect();
        tree::insert(&mut self.tree, &segments, value.into());
        self
    }

    /// A TOML file.
    #[must_use]
    pub(crate) fn file(mut self, path: &Path) -> Self {
        match read(path) {
            Ok(table) => tree::merge(&mut self.tree, table),
            Err(text) => self.problems.push(Problem { path: String::new(), text }),
        }
        self
    }

    /// `GRANTOR__SECTION__KEY` variables; others are not looked at.
    #[must_use]
    pub(crate) fn environment(
        mut self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        for (name, value) in variables {
            let Some(key) = name.strip_prefix("GRANTOR__") else {
                continue;
            };
            let key = key.to_ascii_lowercase();
            let segments: Vec<&str> = key.split("__").collect();
            match tree::typed(&self.schema, &segments, &value) {
                Ok(value) => tree::insert(&mut self.tree, &segments, value),
                Err(text) => self.problems.push(Problem { path: name, text }),
            }
        }
        self
    }

    /// The settings, or everything that is wrong with them.
    pub(crate) fn load(mut self) -> Result<Config, Problems> {
        let mut tree = Value::Object(self.tree);
        tree::validate(&self.schema, &mut tree, "", &mut self.problems);
        tree::read_secret_files(&self.schema, &mut tree, "", &mut self.problems);
        match serde_json::from_value::<Config>(tree) {
            Ok(config) => {
                let found = check::problems(&config);
                self.problems.extend(check::not_consequences(found, &self.problems));
                if self.problems.is_empty() { Ok(config) } else { Err(Problems(self.problems)) }
            }
            Err(error) => {
                self.problems.push(Problem { path: String::new(), text: error.to_string() });
                Err(Problems(self.problems))
            }
        }
    }
}

fn read(path: &Path) -> Result<Map<String, Value>, String> {
    let file = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read the configuration file {file}: {error}"))?;
    toml::from_str(&text).map_err(|error| format!("{file} is not valid TOML: {error}"))
}

/// The JSON Schema of the configuration.
pub(crate) fn schema() -> Value {
    let settings =
        schemars::generate::SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<Config>().to_value()
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The setting (`listen.port`) or environment variable; empty for the file as a whole.
    pub(crate) path: String,
    /// What is wrong with it and what to do.
    pub(crate) text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.text),
            path => write!(f, "{path}: {}", self.text),
        }
    }
}

/// Everything that is wrong, one line each.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration cannot be used:")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl Config {
    /// The issuer: the configured one, or this machine on the configured port.
    pub(crate) fn issuer(&self) -> String {
        let scheme = if self.listen.tls.is_some() { "https" } else { "http" };
        let port = self.listen.port;
        self.issuer.clone().unwrap_or_else(|| format!("{scheme}://localhost:{port}"))
    }

    /// The settings in effect as TOML, without the secrets.
    pub(crate) fn effective(&self) -> String {
        let shown = Self { issuer: Some(self.issuer()), ..self.clone() };
        toml::to_string(&shown).unwrap_or_else(|error| format!("# cannot be printed: {error}\n"))
    }

    /// The key that seals, if one is configured. Checked when the settings are loaded.
    pub(crate) fn key_encryption_key(&self) -> Option<Zeroizing<[u8; 32]>> {
        let key = self.keys.key_encryption_key.as_ref();
        key.and_then(|key| check::key_bytes(key.expose())).map(Zeroizing::new)
    }

    /// The keys that only open. Checked when the settings are loaded.
    pub(crate) fn retired_key_encryption_keys(&self) -> Vec<Zeroizing<[u8; 32]>> {
        let keys = self.keys.retired_key_encryption_keys.iter();
        keys.filter_map(|key| check::key_bytes(key.expose())).map(Zeroizing::new).collect()
    }

    /// The keys of a webhook. Checked when the settings are loaded.
    pub(crate) fn webhook_keys(own: &Webhook) -> Vec<Vec<u8>> {
        own.secret.as_ref().and_then(|keys| check::webhook_keys(keys.expose())).unwrap_or_default()
    }

    /// The fixed admin token, in static mode.
    pub(crate) fn static_token(&self) -> Option<&Secret> {
        let admin = &self.sign_in.admin_token;
        admin.token.as_ref().filter(|_| admin.mode == TokenMode::Static)
    }
}
