//! The URL of a database, as libpq reads it.
//!
//! `postgres://user:password@host1,host2:5433/database?target_session_attrs=read-write`, with
//! `sslmode`, `sslrootcert`, `sslcert` and `sslkey`, which are looked at here.

use std::path::PathBuf;
use std::str::FromStr as _;

use grantor_core::store::StoreError;
use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use super::Options;
use super::fault::describe;

/// What a server has to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checked {
    /// Nothing: an attacker in between could read along.
    Nothing,
    /// A certificate of a known authority, whatever its name.
    Authority,
    /// A certificate of a known authority for the name in the URL.
    Name,
}

/// How connections are protected.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Protection {
    pub(super) checked: Checked,
    /// The authorities, in PEM; `None` for those of the system.
    pub(super) roots: Option<PathBuf>,
    /// Our own certificate and its key, in PEM.
    pub(super) own: Option<(PathBuf, PathBuf)>,
}

/// Reads a URL. The error does not have it, because of the password.
pub(super) fn read(url: &str, options: &Options) -> Result<(Config, Protection), StoreError> {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let mut tls = Tls::default();
    let rest: Vec<&str> =
        query.split('&').filter(|pair| !pair.is_empty() && !tls.takes(pair)).collect();
    let (mode, protection) = tls.protection(options)?;
    let mut config = Config::from_str(&format!("{address}?{}", rest.join("&")))
        .map_err(|error| wrong(&describe(&error)))?;
    config.ssl_mode(mode);
    if config.get_application_name().is_none() {
        config.application_name("grantor");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(options.wait);
    }
    Ok((config, protection))
}

fn wrong(why: &str) -> StoreError {
    StoreError::Unavailable(format!(
        "the URL of the Postgres database cannot be used: {why}. It has the form \
         postgres://user:password@host:port/database?sslmode=verify-full"
    ))
}

/// The parameters that are looked at here.
#[derive(Default)]
struct Tls {
    mode: Option<String>,
    root: Option<String>,
    cert: Option<String>,
    key: Option<String>,
}

impl Tls {
    /// Whether a parameter is one of these, which is then kept.
    fn takes(&mut self, pair: &str) -> bool {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
        let kept = match name {
            "sslmode" => &mut self.mode,
            "sslrootcert" => &mut self.root,
            "sslcert" => &mut self.cert,
            "sslkey" => &mut self.key,
            _ => return false,
        };
        *kept = Some(value);
        true
    }

    /// As in the manual of libpq, "Protection Provided in Different Modes".
    fn protection(self, options: &Options) -> Result<(SslMode, Protection), StoreError> {
        let system = self.root.as_deref() == Some("system");
        let configured = options.authorities.clone().filter(|_| self.root.is_none());
        let strict = system || configured.is_some();
        let roots = self.root.filter(|root| root != "system").map(PathBuf::from).or(configured);
        let (mode, checked) = match self.mode.as_deref() {
            None if strict => (SslMode::Require, Checked::Name),
            Some("verify-full") => (SslMode::Require, Checked::Name),
            Some(_) if system => {
                return Err(wrong("sslrootcert=system needs sslmode=verify-full"));
            }
            Some("disable") => (SslMode::Disable, Checked::Nothing),
            None | Some("prefer") => (SslMode::Prefer, Checked::Nothing),
            Some("require") if roots.is_none() => (SslMode::Require, Checked::Nothing),
            Some("require" | "verify-ca") => (SslMode::Require, Checked::Authority),
            Some(other) => {
                return Err(wrong(&format!(
                    "sslmode={other:?} is none of disable, prefer, require, verify-ca and \
                     verify-full"
                )));
            }
        };
        let own = match (self.cert, self.key) {
            (Some(cert), Some(key)) => Some((PathBuf::from(cert), PathBuf::from(key))),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(wrong("sslcert and sslkey belong together"));
            }
        };
        Ok((mode, Protection { checked, roots, own }))
    }
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::{Host, TargetSessionAttrs};

    use super::*;

    fn protection(query: &str) -> (SslMode, Protection) {
        let url = format!("postgres://u:p%3Fw@db.example/grantor?{query}");
        let (config, protection) = read(&url, &Options::default()).expect(query);
        assert_eq!(config.get_password(), Some(&b"p?w"[..]));
        (config.get_ssl_mode(), protection)
    }

    #[test]
    fn modes_protect_as_those_of_libpq() {
        for (query, mode, checked) in [
            ("", SslMode::Prefer, Checked::Nothing),
            ("sslmode=disable", SslMode::Disable, Checked::Nothing),
            ("sslmode=prefer", SslMode::Prefer, Checked::Nothing),
            ("sslmode=require", SslMode::Require, Checked::Nothing),
            ("sslmode=require&sslrootcert=/ca.pem", SslMode::Require, Checked::Authority),
            ("sslrootcert=/ca.pem&sslmode=verify-ca", SslMode::Require, Checked::Authority),
            ("sslmode=verify-full", SslMode::Require, Checked::Name),
            ("sslrootcert=system", SslMode::Require, Checked::Name),
        ] {
            let (own, protection) = protection(query);
            assert_eq!((own, protection.checked), (mode, checked), "{query}");
        }
        let (_, files) = protection("sslmode=verify-full&sslrootcert=%2Fa%20b&sslcert=c&sslkey=k");
        assert_eq!(files.roots, Some(PathBuf::from("/a b")));
        assert_eq!(files.own, Some((PathBuf::from("c"), PathBuf::from("k"))));
    }

    #[test]
    fn authorities_of_the_settings_count_where_the_url_names_none() {
        let options = Options { authorities: Some("/set.pem".into()), ..Options::default() };
        for (query, mode, checked, roots) in [
            ("", SslMode::Require, Checked::Name, Some("/set.pem")),
            ("sslmode=disable", SslMode::Disable, Checked::Nothing, Some("/set.pem")),
            ("sslmode=prefer", SslMode::Prefer, Checked::Nothing, Some("/set.pem")),
            ("sslmode=require", SslMode::Require, Checked::Authority, Some("/set.pem")),
            ("sslmode=verify-full", SslMode::Require, Checked::Name, Some("/set.pem")),
            ("sslrootcert=/own.pem", SslMode::Prefer, Checked::Nothing, Some("/own.pem")),
            ("sslrootcert=system", SslMode::Require, Checked::Name, None),
        ] {
            let url = format!("postgres://u@db.example/grantor?{query}");
            let (config, protection) = read(&url, &options).expect(query);
            let roots = roots.map(PathBuf::from);
            assert_eq!((config.get_ssl_mode(), protection.checked), (mode, checked), "{query}");
            assert_eq!(protection.roots, roots, "{query}");
        }
    }

    #[test]
    fn several_hosts_and_what_libpq_knows_besides_are_kept() {
        let url = "postgres://u@one,two:5433/grantor?target_session_attrs=read-write\
                   &sslmode=require&connect_timeout=9&options=-csearch_path%3Down";
        let (config, _) = read(url, &Options::default()).expect("reads");
        assert_eq!(config.get_hosts(), [Host::Tcp("one".into()), Host::Tcp("two".into())]);
        assert_eq!(config.get_ports(), [5432, 5433]);
        assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        assert_eq!(config.get_options(), Some("-csearch_path=own"));
        assert_eq!(config.get_connect_timeout().map(std::time::Duration::as_secs), Some(9));
    }

    #[test]
    fn what_cannot_be_used_is_told_without_the_password() {
        for query in ["sslmode=off", "sslmode=require&sslrootcert=system", "sslkey=k", "colour=red"]
        {
            let url = format!("postgres://u:secret@db.example/grantor?{query}");
            let Err(error) = read(&url, &Options::default()) else {
                panic!("{query} was taken");
            };
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
