//! A provider whose refresh tokens are good for one use, with every quirk that can go with it.
//!
//! | request | what it does |
//! |---|---|
//! | `GET /authorize` | signs in and asks; `as=ada` or `as=grace` answers at once, `answer=deny` refuses, `grant=a b` allows only these scopes |
//! | `POST /token` | codes, refresh tokens and client credentials |
//! | `GET /userinfo` | who the access token is for |
//! | `POST /revoke` | RFC 7009 |
//!
//! # Control
//!
//! Beside what [`crate::control`] has (the endpoints are named `authorize`, `token`, `identity` and
//! `revoke`), here and for each provider of [`crate::catalogue`]:
//!
//! | request | body | what it does |
//! |---|---|---|
//! | `GET /_control/grants` | | what is allowed: accounts, scopes, and the fingerprints of unused refresh tokens |
//! | `POST /_control/issue` | `{"account", "scopes", "refresh_token"?}` | tokens as if the person had allowed the scopes; without a refresh token if that is `false` |
//! | `POST /_control/revoke` | `{"account"?}` | the person, or everybody, takes back what was allowed: `{"ended": 2}` |
//! | `POST /_control/access_tokens/end` | `{"account"?}` | access tokens stop working before their time |
//! | `PATCH /_control/clients/{id}` | any of `id`, `secret` | the client is another one, or has another secret |
//! | `POST /_control/reset` | | everything as at the start |
//!
//! An `account` is `ada` or `grace`, or the address of one of them.

use std::io;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::engine::answer::{Issued, with};
use crate::engine::api;
use crate::engine::lives::{Life, Lives, Once, Rotation};
use crate::engine::provider::{AsForm, Authorize, Endpoint, Provider, Token, on};
use crate::engine::serve::{Stage, router};
use crate::http;

pub use crate::engine::Client;
pub use crate::engine::lives::Again;

const API: &[Endpoint] = &[
    on("identity", "GET", "", "/userinfo", api::userinfo),
    on("revoke", "POST", "", "/revoke", api::revoke),
];

/// Which quirks it has. The default has none: single use without grace, and reuse ends the family.
#[derive(Clone, Debug)]
pub struct Config {
    /// Who may ask.
    pub client: Client,
    /// How long access tokens live, in seconds.
    pub lifetime: u32,
    /// For how many seconds a used refresh token is taken again.
    pub grace: u32,
    /// What it answers then.
    pub again: Again,
    /// Whether a used refresh token, shown after its grace, ends every token of its family.
    /// Without, it is refused and nothing else happens.
    pub reuse_ends_family: bool,
    /// Whether the access token that was issued with a refresh token ends when that one was used and
    /// its grace is over.
    pub ends_access: bool,
    /// Answers have no `expires_in`.
    pub no_expires_in: bool,
    /// Answers are JSON with everything below `data`.
    pub nested: bool,
    /// Answers are form-encoded.
    pub form_encoded: bool,
    /// Errors at the token endpoint have the status 200.
    pub errors_are_200: bool,
    /// Client credentials are read from the `Authorization` header only.
    pub basic_only: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            client: Client::default(),
            lifetime: 3600,
            grace: 0,
            again: Again::SameTokens,
            reuse_ends_family: true,
            ends_access: false,
            no_expires_in: false,
            nested: false,
            form_encoded: false,
            errors_are_200: false,
            basic_only: false,
        }
    }
}

/// Serves the provider on every listener until `stop` completes. Fails when a listener breaks.
pub async fn serve(
    config: Config,
    listeners: Vec<TcpListener>,
    stop: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let stage = Stage::new(describe(&config), config.client, "", Arc::default());
    http::serve(router(stage), listeners, stop).await
}

fn describe(config: &Config) -> Provider {
    let once = Once {
        grace: i64::from(config.grace),
        again: config.again,
        reuse_ends_family: config.reuse_ends_family,
        ends_access: config.ends_access,
    };
    Provider {
        name: "rotating",
        authorize: Authorize::PLAIN,
        token: Token {
            post: !config.basic_only,
            grants: &["authorization_code", "refresh_token", "client_credentials"],
            answer: if config.no_expires_in { silent } else { plain },
            as_form: if config.form_encoded { AsForm::Always } else { AsForm::Never },
            nested: config.nested.then_some("data"),
            errors_are_200: config.errors_are_200,
            ..Token::PLAIN
        },
        id_tokens: None,
        lives: Lives {
            access: Life::Seconds(i64::from(config.lifetime)),
            rotation: Rotation::Once(once),
            code_reuse_ends: true,
            ..Lives::HOUR
        },
        api: API,
    }
}

fn plain(issued: &Issued<'_>) -> Value {
    with(issued, [])
}

fn silent(issued: &Issued<'_>) -> Value {
    with(issued, [("expires_in", json!(null))])
}
