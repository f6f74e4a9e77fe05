//! The token set of a signed-in browser, and how long each token lives.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Seconds since the epoch.
#[expect(clippy::disallowed_methods, reason = "a program of its own, with the system's clock")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Who signed in, from the ID token and the user information endpoint.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Person {
    pub(crate) sub: String,
    pub(crate) name: Option<String>,
    pub(crate) preferred_username: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) email_verified: Option<bool>,
}

impl Person {
    /// The best name there is to greet with.
    pub(crate) fn display_name(&self) -> &str {
        [&self.name, &self.preferred_username, &self.email]
            .into_iter()
            .find_map(|name| name.as_deref())
            .unwrap_or(&self.sub)
    }
}

/// The tokens of one sign-in. They leave this type only for the provider and the API.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct TokenSet {
    pub(crate) access_token: String,
    pub(crate) token_type: String,
    pub(crate) refresh_token: Option<String>,
    pub(crate) id_token: String,
    pub(crate) id_token_expires_at: u64,
    pub(crate) scopes: Vec<String>,
    pub(crate) received_at: u64,
    /// `None` where the provider did not say.
    pub(crate) expires_at: Option<u64>,
}

impl TokenSet {
    pub(crate) fn expired(&self, now: u64) -> bool {
        self.expires_at.is_some_and(|at| now >= at)
    }

    /// Whether so little life is left that a request should not start with this token.
    pub(crate) fn due(&self, now: u64) -> bool {
        self.refresh_at().is_some_and(|at| now >= at)
    }

    /// When to refresh: a tenth of the lifetime before the end, between 5 and 60 seconds, and never
    /// more than half of it, so that a very short token is still used.
    pub(crate) fn refresh_at(&self) -> Option<u64> {
        let expires_at = self.expires_at?;
        let lifetime = expires_at.saturating_sub(self.received_at);
        Some(expires_at - (lifetime / 10).clamp(5, 60).min(lifetime / 2))
    }
}

impl fmt::Debug for TokenSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSet")
            .field("scopes", &self.scopes)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn living(lifetime: u64) -> TokenSet {
        TokenSet {
            access_token: "secret-access".into(),
            token_type: "Bearer".into(),
            refresh_token: Some("secret-refresh".into()),
            id_token: "secret-id".into(),
            id_token_expires_at: 0,
            scopes: vec!["openid".into()],
            received_at: 1000,
            expires_at: Some(1000 + lifetime),
        }
    }

    #[test]
    fn the_margin_is_a_tenth_within_its_bounds() {
        let margin = |lifetime| 1000 + lifetime - living(lifetime).refresh_at().expect("known");
        let margins = [3600, 300, 30, 4, 1, 0].map(margin);
        assert_eq!(margins, [60, 30, 5, 2, 0, 0]);
    }

    #[test]
    fn debug_shows_no_token() {
        assert!(!format!("{:?}", living(60)).contains("secret"));
    }
}
