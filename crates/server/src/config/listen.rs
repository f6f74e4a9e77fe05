//! Settings of the listeners and of how long things live.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::Period;
use crate::forwarded::Cidr;
use crate::listen::Settings;

/// Where Grantor listens, and what it puts up with from those who connect.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Listen {
    /// The addresses to listen on: IP addresses, or `localhost` for 127.0.0.1 and, where there is
    /// one, ::1. `0.0.0.0` and `::` open the server to the network: use TLS or a proxy then.
    pub(crate) address: Vec<String>,
    /// The TCP port, the same on every address.
    #[schemars(range(min = 0, max = 65535))]
    pub(crate) port: u16,
    /// Certificate and key; without this table plain HTTP is spoken.
    pub(crate) tls: Option<Tls>,
    /// The address and port where `/metrics` is served for Prometheus, for example
    /// `127.0.0.1:5059`. Nothing is measured without it. Keep it off the public network.
    #[schemars(extend("format" = "socket"))]
    pub(crate) metrics: Option<String>,
    /// Open connections at most. Further ones wait in the queue of the operating system until one
    /// is closed. Stay below the limit of open files of the process (`ulimit -n`).
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) connections: usize,
    /// Bytes of request line and headers at most; more is answered with 431.
    #[schemars(range(min = 8192, max = 1_048_576))]
    pub(crate) header_bytes: usize,
    /// Headers of a request at most; more is answered with 431.
    #[schemars(range(min = 10, max = 1000))]
    pub(crate) headers: usize,
    /// Bytes of a request body at most; more is answered with 413.
    #[schemars(range(min = 1024, max = 16_777_216))]
    pub(crate) body_bytes: usize,
    /// How long a client may take to send its headers. An idle connection is closed after the same
    /// time.
    pub(crate) header_timeout: Period,
    /// How long a client may take to send the body of a request; longer is answered with 408.
    pub(crate) body_timeout: Period,
    /// How long a client may take for the TLS handshake.
    pub(crate) tls_timeout: Period,
    /// How long the server goes on answering when it is to stop, while `/readyz` says 503 and every
    /// connection ends with its answer: as long as a load balancer needs to notice. With one node, and
    /// with a proxy that tries another one when it cannot connect, none is needed.
    pub(crate) drain: Period,
    /// How long requests in flight may take to finish when the server is stopped, after that.
    pub(crate) shutdown_timeout: Period,
    /// The proxies, as addresses or blocks, whose `Forwarded` or `X-Forwarded-For` header is
    /// believed about who sent a request. From anybody else the headers are ignored.
    pub(crate) trusted_proxies: Vec<Cidr>,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            address: vec!["localhost".into()],
            port: 5050,
            tls: None,
            metrics: None,
            connections: 800,
            header_bytes: 32_768,
            headers: 100,
            body_bytes: 65_536,
            header_timeout: Period::of(30),
            body_timeout: Period::of(15),
            tls_timeout: Period::of(10),
            drain: Period::of(0),
            shutdown_timeout: Period::of(10),
            trusted_proxies: Vec::new(),
        }
    }
}

impl Listen {
    /// As the accept loop takes them.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            connections: self.connections,
            header_bytes: self.header_bytes,
            headers: self.headers,
            header_timeout: self.header_timeout.duration(),
            tls_timeout: self.tls_timeout.duration(),
            shutdown_timeout: self.shutdown_timeout.duration(),
        }
    }
}

/// TLS by certificate files, which are read again within a minute of a change.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    /// A PEM file with the certificate of the server first, then those that lead to the root.
    pub(crate) certificate: PathBuf,
    /// A PEM file with the private key of the certificate.
    pub(crate) key: PathBuf,
}

/// How long things live, unless a client has lifetimes of its own.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Lifetimes {
    /// An authorization code; ten minutes at most (RFC 6749 §4.1.2).
    pub(crate) code: Period,
    /// An access token.
    pub(crate) access_token: Period,
    /// A refresh token that is not used.
    pub(crate) refresh_idle: Period,
    /// A refresh token, however often it is used.
    pub(crate) refresh_absolute: Period,
    /// How long a client that lost an answer gets the same successor for a spent refresh token;
    /// `0s` for never, one minute at most.
    pub(crate) refresh_grace: Period,
    /// A device code: how long a person has to enter the code that a device shows.
    pub(crate) device_code: Period,
    /// An ID token.
    pub(crate) id_token: Period,
    /// A session that is not used.
    pub(crate) session_idle: Period,
    /// A session, however much it is used.
    pub(crate) session_absolute: Period,
    /// An authorization request that waits for the person to sign in and agree.
    pub(crate) pending_request: Period,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            code: Period::of(60),
            access_token: Period::of(3_600),
            refresh_idle: Period::of(30 * 86_400),
            refresh_absolute: Period::of(365 * 86_400),
            refresh_grace: Period::of(60),
            device_code: Period::of(600),
            id_token: Period::of(3_600),
            session_idle: Period::of(86_400),
            session_absolute: Period::of(30 * 86_400),
            pending_request: Period::of(1_800),
        }
    }
}
