//! What the operator has decided, as the protocol sees it. Made from the configuration at start.

use std::collections::BTreeMap;

use crate::jose::Algorithm;
use crate::model::{Client, MethodName};
use crate::secret::Digest;
use crate::store::AttemptLimits;
use crate::time::Seconds;

/// The operator's decisions.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The issuer identifier (RFC 8414 §2): fixed, never taken from a request.
    pub issuer: String,
    /// How long things live.
    pub lifetimes: ServerLifetimes,
    /// The scopes that exist, with what they mean to a person where the operator says so.
    pub scopes: BTreeMap<String, Option<String>>,
    /// Who may sign in, and how.
    pub sign_in: SignInPolicy,
    /// Signing keys.
    pub keys: KeyPolicy,
    /// Whether `/protected` and `/api-secure-data` answer.
    pub sample_api: bool,
}

/// How long things live unless the client has a lifetime of its own.
#[derive(Clone, Copy, Debug)]
pub struct ServerLifetimes {
    /// An authorization code.
    pub code: Seconds,
    /// An access token.
    pub access_token: Seconds,
    /// A refresh token that is not used.
    pub refresh_idle: Seconds,
    /// A refresh token, however often it is used.
    pub refresh_absolute: Seconds,
    /// How long a spent refresh token gets the same successor again.
    pub refresh_grace: Seconds,
    /// An ID token.
    pub id_token: Seconds,
    /// A session that is not used.
    pub session_idle: Seconds,
    /// A session, however much it is used.
    pub session_absolute: Seconds,
    /// An authorization request that waits for a person.
    pub pending_request: Seconds,
}

impl Default for ServerLifetimes {
    fn default() -> Self {
        Self {
            code: Seconds(60),
            access_token: Seconds::hours(1),
            refresh_idle: Seconds::days(30),
            refresh_absolute: Seconds::days(365),
            refresh_grace: Seconds(60),
            id_token: Seconds::hours(1),
            session_idle: Seconds::hours(24),
            session_absolute: Seconds::days(30),
            pending_request: Seconds::minutes(30),
        }
    }
}

impl ServerLifetimes {
    /// The lifetimes that hold for `client`.
    #[must_use]
    pub fn of(&self, client: &Client) -> Self {
        let own = client.lifetimes;
        Self {
            code: own.code.unwrap_or(self.code),
            access_token: own.access_token.unwrap_or(self.access_token),
            refresh_idle: own.refresh_idle.unwrap_or(self.refresh_idle),
            refresh_absolute: own.refresh_absolute.unwrap_or(self.refresh_absolute),
            id_token: own.id_token.unwrap_or(self.id_token),
            ..*self
        }
    }
}

/// Who may sign in, and how.
#[derive(Clone, Debug)]
pub struct SignInPolicy {
    /// The methods that are offered, the first one first.
    pub methods: Vec<MethodName>,
    /// The admin token.
    pub admin_token: AdminTokenPolicy,
    /// Whether an allowed address without an account gets one.
    pub sign_up: bool,
}

/// How admin tokens work.
#[derive(Clone, Debug)]
pub struct AdminTokenPolicy {
    /// Where the token comes from.
    pub mode: AdminTokenMode,
    /// Which addresses may sign in.
    pub allowed: Vec<AllowedAddress>,
    /// How long a token works.
    pub lifetime: Seconds,
    /// Wrong tokens that are taken.
    pub tries: u32,
    /// How often one address may ask.
    pub limits: AttemptLimits,
}

/// Where an admin token comes from.
#[derive(Clone, Debug)]
pub enum AdminTokenMode {
    /// Made at random and sent by e-mail.
    Emailed,
    /// One fixed token for everybody: its digest by [`crate::signin::static_token_digest`].
    Static(Digest),
}

/// Which addresses may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedAddress {
    /// Any.
    Any,
    /// Every address of this domain, lower case.
    Domain(String),
    /// This address, lower case.
    Address(String),
}

impl AllowedAddress {
    /// Whether `email`, in lower case, is meant.
    pub fn covers(&self, email: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Domain(domain) => email.rsplit_once('@').is_some_and(|(_, own)| own == domain),
            Self::Address(address) => address == email,
        }
    }
}

/// Signing keys.
#[derive(Clone, Debug)]
pub struct KeyPolicy {
    /// What the server can sign with; RS256 is always among them (OpenID Connect Core 1.0 §15.1).
    pub algorithms: Vec<Algorithm>,
    /// How long a key signs before the next one takes over.
    pub rotate_after: Seconds,
    /// How long a key is published before it signs, so that every verifier has read it.
    pub publish_ahead: Seconds,
}
