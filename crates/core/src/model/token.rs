//! Tokens, and the family of all that came from one authorization.

use serde::{Deserialize, Serialize};

use crate::id::{AccessTokenId, FamilyId, SessionId, UserId};
use crate::model::{Authentication, Scope};
use crate::secret::Digest;
use crate::time::Timestamp;

/// One authorization and its refresh token. Revoking it ends every token that came from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// Names the row; part of the refresh token.
    pub id: FamilyId,
    /// The client that holds the tokens.
    pub client_id: String,
    /// The person who granted them.
    pub user: UserId,
    /// The browser session in which that happened.
    pub session: SessionId,
    /// What was granted.
    pub scope: Scope,
    /// OpenID Connect Core 1.0 §5.5.
    pub claims: ClaimsRequest,
    /// How the person signed in.
    pub authentication: Authentication,
    /// The refresh token, if the client has one.
    pub refresh: Option<Refresh>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When nothing of it can be alive any more; extended by each refresh.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// The state of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// Of the token that works.
    pub current: Digest,
    /// Of the token before it.
    pub previous: Option<Digest>,
    /// How often it was rotated.
    pub generation: u32,
    /// When that last happened.
    pub rotated_at: Timestamp,
    /// When it stops working if it is not used.
    pub idle_expires_at: Timestamp,
    /// When it stops working however much it is used.
    pub expires_at: Timestamp,
    /// Uses that are left; `None` for no limit.
    pub uses_left: Option<u32>,
}

/// An opaque access token: RFC 6749 §1.4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// Names the row; part of the token.
    pub id: AccessTokenId,
    /// Of the token.
    pub digest: Digest,
    /// Where client, person and revocation are kept.
    pub family: FamilyId,
    /// What it opens.
    pub scope: Scope,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// Claims that a client asked for one by one: OpenID Connect Core 1.0 §5.5.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimsRequest {
    /// For the UserInfo answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub userinfo: Vec<String>,
    /// For the ID token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub id_token: Vec<String>,
}

impl ClaimsRequest {
    /// Whether nothing was asked for.
    pub const fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }
}
