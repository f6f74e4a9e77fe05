//! An API key of a service, and what it may do.

use serde::{Deserialize, Serialize};

use crate::model::Scope;
use crate::secret::Digest;
use crate::time::Timestamp;

/// A key that a service shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The eight characters after `grk_`.
    pub id: String,
    /// The service that it was given to.
    pub service: String,
    /// HMAC of the secret under the pepper.
    pub digest: Digest,
    /// The secret before it, which still works for a while after a rotation.
    pub previous: Option<PreviousSecret>,
    /// What it may do.
    pub rights: ApiKeyRights,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, within a minute.
    pub last_used_at: Option<Timestamp>,
}

/// A secret that was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviousSecret {
    /// HMAC of the secret under the pepper.
    pub digest: Digest,
    /// When it stops working.
    pub until: Timestamp,
}

/// What a key may do. An empty list allows nothing; `None` allows all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyRights {
    /// The actions.
    pub actions: Vec<ApiKeyAction>,
    /// The integrations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integrations: Option<Vec<String>>,
    /// The subjects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subjects: Option<Vec<String>>,
    /// The connections, as their ids are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<Vec<String>>,
    /// The scopes that a token it gets may have at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
}

/// An action that a key may be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApiKeyAction {
    /// Get tokens: `POST /oauth/token`, `POST /oauth/refresh`.
    Token,
    /// Make connect sessions and complete them.
    Connect,
    /// List, show and disconnect connections.
    Manage,
    /// Call the provider's API through the proxy.
    Proxy,
}
