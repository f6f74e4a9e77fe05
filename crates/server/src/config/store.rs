//! Where accounts, clients and tokens are kept.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::values::Period;

/// One of the back ends. Its URL is shown without the password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Store {
    /// A file in the data folder.
    Sqlite,
    /// A Postgres database, by its URL.
    Postgres(String),
    /// A Redis server, the primary that Sentinel names, or a cluster, by its URL.
    Redis(String),
}

impl FromStr for Store {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        match scheme {
            None if text == "sqlite" => Ok(Self::Sqlite),
            Some("postgres" | "postgresql") => Ok(Self::Postgres(text.to_owned())),
            Some("unix") => Ok(Self::Redis(text.to_owned())),
            Some(scheme) if scheme.starts_with("redis") => Ok(Self::Redis(text.to_owned())),
            // What was written may have a password in it.
            None | Some(_) => Err("must be \"sqlite\", or begin with postgres:// or redis:// (or \
                 rediss://, redis+sentinel://, redis+cluster://)"
                .to_owned()),
        }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite => f.write_str("sqlite"),
            Self::Postgres(url) | Self::Redis(url) => f.write_str(&without_password(url)),
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The URL, with neither user nor parameters if it has them: a password can stand in both.
fn without_password(url: &str) -> String {
    let url = match url.split_once('?') {
        Some((before, _)) => format!("{before}?[redacted]"),
        None => url.to_owned(),
    };
    // A password with an @ or a slash that is not escaped is covered too.
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://[redacted]@{rest}"),
        (None, _) | (_, None) => url,
    }
}

impl Serialize for Store {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Store {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Store {
    fn schema_name() -> Cow<'static, str> {
        "Store".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "store", "writeOnly": true })
    }
}

/// How a Postgres database is used.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Postgres {
    /// Connections for writes, at most; more writes at once wait for one. Each node has so many, two
    /// to four for reads, and one to hear of changes.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) connections: u32,
    /// How long a write waits for a connection, and a connection for its server, before requests are
    /// answered with 503.
    pub(crate) wait: Period,
    /// How long a statement, or a transaction, may take.
    pub(crate) statement_timeout: Period,
    /// Certificates, in PEM, of those who may have signed the server's, for a URL without
    /// `sslrootcert`. By default, those that the system trusts. It makes `sslmode` `verify-full`.
    pub(crate) ca_file: Option<PathBuf>,
}

impl Default for Postgres {
    fn default() -> Self {
        Self {
            connections: 16,
            wait: Period::of(2),
            statement_timeout: Period::of(5),
            ca_file: None,
        }
    }
}

/// How Redis is used.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Redis {
    /// What every key begins with; two servers with different ones can share a Redis. Letters,
    /// digits and `-_.`.
    pub(crate) prefix: String,
    /// How long a call may take before requests are answered with 503.
    pub(crate) timeout: Period,
    /// How many replicas must have what was written before it is acknowledged (`WAIT`).
    pub(crate) wait_replicas: u32,
    /// How long to wait for them. After that the request is answered with 503, though it may have
    /// been done.
    pub(crate) wait_timeout: Period,
    /// That a restart or a failover loses nothing that was acknowledged: `appendfsync always`, and,
    /// where there are replicas, `wait_replicas`. Then nobody has to sign in again after one. If that
    /// is said and is not true, codes and tokens can be used twice.
    pub(crate) keeps_acknowledged: bool,
    /// Certificates, in PEM, of those who may have signed the servers'. By default, those that the
    /// system trusts.
    pub(crate) ca_file: Option<PathBuf>,
}

impl Default for Redis {
    fn default() -> Self {
        Self {
            prefix: "grantor".to_owned(),
            timeout: Period::of(3),
            wait_replicas: 0,
            wait_timeout: Period::of(1),
            keeps_acknowledged: false,
            ca_file: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_named_by_its_url() {
        for (text, store) in [
            ("sqlite", Store::Sqlite),
            ("postgres://a/b", Store::Postgres("postgres://a/b".into())),
            ("rediss+sentinel://a,b/c", Store::Redis("rediss+sentinel://a,b/c".into())),
            ("unix:///run/redis.sock", Store::Redis("unix:///run/redis.sock".into())),
        ] {
            assert_eq!(text.parse(), Ok(store), "{text}");
        }
        for text in ["", "mysql://ann:s3cret@a", "s3cret"] {
            let error = text.parse::<Store>().expect_err(text);
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_store_is_shown_without_its_password() {
        for (url, shown) in [
            ("postgres://ann:s3cret@db:5432/grantor", "postgres://[redacted]@db:5432/grantor"),
            ("postgres://ann:s3c/@ret@db/grantor", "postgres://[redacted]@db/grantor"),
            ("postgres://db/grantor?password=s3cret", "postgres://db/grantor?[redacted]"),
            ("redis://a,b:7000", "redis://a,b:7000"),
        ] {
            assert_eq!(url.parse::<Store>().expect(url).to_string(), shown);
        }
    }
}
