//! GitHub Apps, user access tokens: they end after eight hours, and a refresh ends both tokens
//! before. What may be done is the app's business, so scopes are not looked at.
//!
//! - <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app>
//! - <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens>

use serde_json::{Value, json};

use super::github::{API, AUTHORIZE, TOKEN};
use crate::engine::answer::Issued;
use crate::engine::lives::{Life, Lives, ONCE, Once, Prefixes, Rotation};
use crate::engine::provider::{Authorize, Offline, Provider, Token};

pub(super) const PROVIDER: Provider = Provider {
    name: "github-app",
    authorize: Authorize { scope_in: &[], offline: Offline::Always, ..AUTHORIZE },
    token: Token { grants: &["authorization_code", "refresh_token"], answer, ..TOKEN },
    id_tokens: None,
    lives: Lives {
        access: Life::Seconds(28_800),
        refresh: Life::Seconds(15_897_600),
        rotation: Rotation::Once(Once { ends_access: true, ..ONCE }),
        most: None,
        prefixes: Prefixes { code: "", access: "ghu_", refresh: "ghr_" },
        ..Lives::HOUR
    },
    api: API,
};

fn answer(issued: &Issued<'_>) -> Value {
    json!({
        "access_token": issued.tokens.access,
        "expires_in": issued.expires_in(),
        "refresh_token": issued.tokens.refresh,
        "refresh_token_expires_in": issued.refresh_expires_in(),
        "scope": "",
        "token_type": "bearer",
    })
}
