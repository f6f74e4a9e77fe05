//! A registered client: RFC 6749 §2, with the metadata names of RFC 7591 §2.

use serde::{Deserialize, Serialize};

use crate::jose::Algorithm;
use crate::model::{MethodName, Scope};
use crate::secret::Digest;
use crate::time::{Seconds, Timestamp};

/// An application that may ask for tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// What it calls itself in a request.
    pub client_id: String,
    /// How it proves that; `None` for a public client (RFC 6749 §2.1), which only names itself.
    #[serde(skip)]
    pub secret: Option<ClientSecret>,
    /// What people read on the consent page.
    pub client_name: String,
    /// The home page of the application.
    pub client_uri: Option<String>,
    /// Its logo.
    pub logo_uri: Option<String>,
    /// What it does with data.
    pub policy_uri: Option<String>,
    /// The terms of its use.
    pub tos_uri: Option<String>,
    /// Where answers may go, compared byte by byte.
    pub redirect_uris: Vec<String>,
    /// Where a person may land after signing out.
    pub post_logout_redirect_uris: Vec<String>,
    /// The grants it may use.
    pub grant_types: Vec<GrantType>,
    /// The scopes it may ask for, and those it gets when it names none.
    pub scope: Scope,
    /// Whether a code needs a challenge (RFC 7636); public clients need one whatever this says.
    pub require_pkce: bool,
    /// How its refresh tokens behave.
    pub refresh: RefreshPolicy,
    /// What its ID tokens are signed with.
    pub id_token_signed_response_alg: Algorithm,
    /// Lifetimes that differ from the server's.
    pub lifetimes: Lifetimes,
    /// The sign-in methods it allows; empty for all.
    pub sign_in_methods: Vec<MethodName>,
    /// Requests a minute on the token endpoint; 0 for no limit, `None` for the server's default.
    pub requests_per_minute: Option<u32>,
    /// When it was registered.
    pub created_at: Timestamp,
}

impl Client {
    /// Whether the client cannot keep a secret.
    pub const fn is_public(&self) -> bool {
        self.secret.is_none()
    }

    /// Whether it is registered for `grant`.
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }
}

/// A client secret as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientSecret {
    /// SHA-256 of a secret that Grantor made from 256 random bits.
    Sha256(Digest),
}

/// A grant type: RFC 6749 §1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §6.
    RefreshToken,
}

impl GrantType {
    /// All that this server has.
    pub const ALL: [Self; 2] = [Self::AuthorizationCode, Self::RefreshToken];

    /// The value of the `grant_type` parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
        }
    }

    /// The grant type with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == text)
    }
}

/// How refresh tokens of a client behave: RFC 9700 §4.14.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "policy", rename_all = "snake_case")]
pub enum RefreshPolicy {
    /// Each use gives a new token and spends the old one.
    Rotate,
    /// The token stays the same.
    Reuse {
        /// How often it may be used; `None` for as long as it lives.
        uses: Option<u32>,
    },
}

/// Lifetimes that a client has of its own; `None` is the server's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetimes {
    /// An authorization code.
    pub code: Option<Seconds>,
    /// An access token.
    pub access_token: Option<Seconds>,
    /// A refresh token that is not used.
    pub refresh_idle: Option<Seconds>,
    /// A refresh token, however often it is used.
    pub refresh_absolute: Option<Seconds>,
    /// An ID token; at most a day, because the key that signed it leaves the JWK set after that.
    pub id_token: Option<Seconds>,
    /// The oldest sign-in that the client takes before a person must sign in again.
    pub session: Option<Seconds>,
}
