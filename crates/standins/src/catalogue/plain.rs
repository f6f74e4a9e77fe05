//! Nobody in particular: the standards as they are written.
//!
//! - <https://www.rfc-editor.org/rfc/rfc6749>, RFC 7009, RFC 7636

use crate::engine::api::{revoke, userinfo};
use crate::engine::lives::Lives;
use crate::engine::provider::{Authorize, Endpoint, Provider, Token, on};

pub(super) const PROVIDER: Provider = Provider {
    name: "plain",
    authorize: Authorize::PLAIN,
    token: Token {
        grants: &["authorization_code", "refresh_token", "client_credentials"],
        ..Token::PLAIN
    },
    id_tokens: None,
    lives: Lives { code_reuse_ends: true, ..Lives::HOUR },
    api: API,
};

const API: &[Endpoint] = &[
    on("identity", "GET", "", "/userinfo", userinfo),
    on("revoke", "POST", "", "/revoke", revoke),
];
