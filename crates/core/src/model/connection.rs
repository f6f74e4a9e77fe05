//! A connection: what a person (or a service) has granted at a provider, and how it is doing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{ConnectionId, RefreshId};
use crate::model::Scope;
use crate::time::Timestamp;

/// A grant at a provider. The tokens are a record of their own: a list never touches them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Names it everywhere.
    pub id: ConnectionId,
    /// The integration (a provider with our client id) that it was made through.
    pub integration: String,
    /// Our client id at the provider when it was granted: the refresh token works for that one only.
    pub client_id: String,
    /// The company's own id of the user or service that it is for; empty for an integration that
    /// acts for itself.
    pub subject: String,
    /// Who it is at the provider.
    pub account: Account,
    /// The scopes that are granted, by their canonical names.
    pub scope: Scope,
    /// The scopes that were asked for when it was granted.
    pub requested: Scope,
    /// Whether it can be used.
    pub status: ConnectionStatus,
    /// Counts the grants: a reconnect is the next one. From 1.
    pub generation: u32,
    /// Counts the answers with tokens that were stored, in all generations. From 1.
    pub version: u64,
    /// When the access token was given.
    pub issued_at: Timestamp,
    /// When the access token expires; `None` when it never does.
    pub expires_at: Option<Timestamp>,
    /// Whether there is a refresh token.
    pub refreshable: bool,
    /// When the refresh token expires, if the provider says.
    pub refresh_expires_at: Option<Timestamp>,
    /// When the refresh token was last used or given: providers let idle ones expire.
    pub refresh_used_at: Timestamp,
    /// Whether a refresh answers a new refresh token; `None` until there was one.
    pub rotates: Option<bool>,
    /// What the provider told besides, and later calls need: `instance_url`, a data centre.
    pub variables: BTreeMap<String, String>,
    /// What went wrong since the last success.
    pub trouble: Option<Trouble>,
    /// When the sweeper looks at it next; `None` for never.
    pub due_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was granted, or granted again.
    pub connected_at: Timestamp,
    /// When a token of it was last given out, within an hour.
    pub last_used_at: Option<Timestamp>,
}

/// An account at a provider. What identifies it is `sub`, never the address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The provider's id of the account.
    pub sub: String,
    /// The address, to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The name, to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The organisation: Google's `hd`, a tenant, a workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
}

/// Whether a connection can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionStatus {
    /// It works, as far as is known.
    Active,
    /// The person has to grant it again.
    ReauthRequired(Reauth),
    /// It is being given back at the provider, and removed then.
    Disconnecting {
        /// Since when.
        since: Timestamp,
    },
}

/// Why a person has to grant a connection again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reauth {
    /// The class of reason.
    pub reason: ReauthReason,
    /// The provider's error code (`invalid_grant`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The provider's finer code (`invalid_rapt`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_subtype: Option<String>,
    /// Since when.
    pub since: Timestamp,
}

/// The classes of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReauthReason {
    /// The provider says that the grant is over: revoked by the person, expired, pushed out.
    GrantDead,
    /// The provider wants the person to sign in again (Google's `invalid_rapt`).
    SignInAgain,
    /// The refresh token reached the age that the provider had told.
    RefreshTokenExpired,
    /// There was never a refresh token, and the access token has expired, or the caller says that
    /// the provider's API refuses it.
    NoRefreshToken,
    /// A refresh ended without an answer that was kept, and the old refresh token is spent.
    RefreshOutcomeLost,
    /// The operator uses another client at the provider now, and the refresh token works for the one
    /// before only. Answered, and not stored: the settings may be wrong.
    ClientChanged,
    /// The operator says so.
    Operator,
}

impl ReauthReason {
    /// Its name in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GrantDead => "grant_dead",
            Self::SignInAgain => "sign_in_again",
            Self::RefreshTokenExpired => "refresh_token_expired",
            Self::NoRefreshToken => "no_refresh_token",
            Self::RefreshOutcomeLost => "refresh_outcome_lost",
            Self::ClientChanged => "client_changed",
            Self::Operator => "operator",
        }
    }

    /// What has happened, for whoever asks for a token.
    pub const fn why(self) -> &'static str {
        match self {
            Self::GrantDead => {
                "the provider says that the grant is over, because it was revoked or has expired"
            }
            Self::SignInAgain => "the provider wants the person to sign in again",
            Self::RefreshTokenExpired => "the refresh token has reached its age",
            Self::NoRefreshToken => {
                "the access token has expired or is refused, and the provider gave no refresh token"
            }
            Self::RefreshOutcomeLost => {
                "an answer of the provider was lost, and the refresh token before it is used up"
            }
            Self::ClientChanged => "it was connected through another client id",
            Self::Operator => "the operator wants it",
        }
    }
}

/// Refreshes that failed since the last one that did not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// How many.
    pub attempts: u32,
    /// Since when.
    pub since: Timestamp,
    /// When the last one was.
    pub last_at: Timestamp,
    /// Not to be tried again before.
    pub next_at: Timestamp,
    /// What class of failure the last one was, by the name of its variant in snake case.
    pub class: String,
    /// The provider's error code, if it told one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What it said, for the operator; up to 300 characters, never a token.
    pub detail: String,
}

/// The tokens of a connection, each sealed for its place under a data key of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedCredential {
    /// Whose.
    pub connection: ConnectionId,
    /// Of which grant; part of what each sealed value is bound to.
    pub generation: u32,
    /// As [`Connection::version`].
    pub version: u64,
    /// The data key, wrapped by a key-encryption key.
    pub data_key: Vec<u8>,
    /// The access token.
    pub access_token: Vec<u8>,
    /// `Bearer`, nearly always.
    pub token_type: String,
    /// The refresh token.
    pub refresh_token: Option<Vec<u8>>,
    /// The refresh token before it, for one version.
    pub previous_refresh_token: Option<Vec<u8>>,
    /// The ID token.
    pub id_token: Option<Vec<u8>>,
}

impl std::fmt::Debug for SealedCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedCredential({} v{})", self.connection, self.version)
    }
}

/// A refresh that is being made: written down before the provider is called, so that a crash
/// between its answer and our commit is known afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshAttempt {
    /// Of this attempt; whoever knows it owns the lease.
    pub id: RefreshId,
    /// What is refreshed.
    pub connection: ConnectionId,
    /// The generation that was read.
    pub generation: u32,
    /// The version that was read.
    pub version: u64,
    /// Whether the refresh token that it sends was sent before by an attempt whose outcome is not
    /// known.
    pub again: bool,
    /// When it began.
    pub started_at: Timestamp,
    /// Until when nobody else may begin one.
    pub until: Timestamp,
}

/// An integration whose client the provider refuses: no connection of it is refreshed meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Which.
    pub integration: String,
    /// The provider's error code.
    pub error: String,
    /// What it said; up to 300 characters.
    pub detail: String,
    /// A digest of client id and secret: with others it is not paused any more.
    pub fingerprint: String,
    /// Since when.
    pub since: Timestamp,
    /// When one refresh may try again.
    pub next_at: Timestamp,
}
