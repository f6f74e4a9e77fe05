//! Tokens, and the family of all that came from one authorization.

use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    /// The person who granted them; `None` for a client that acts for itself.
    pub user: Option<UserId>,
    /// The browser session in which that happened, if it did in one.
    pub session: Option<SessionId>,
    /// What was granted.
    pub scope: Scope,
    /// The resources that it was granted for (RFC 8707); empty for none in particular.
    pub resource: Vec<String>,
    /// OpenID Connect Core 1.0 §5.5.
    pub claims: ClaimsRequest,
    /// How the person signed in, if this server saw it.
    pub authentication: Option<Authentication>,
    /// The refresh token, if the client has one.
    pub refresh: Option<Refresh>,
    /// The one access token of the client that works, where a new one ends those before it.
    pub sole_access: Option<AccessTokenId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When nothing of it can be alive any more; extended by each refresh.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl Family {
    /// Whether the access token `id` of this family has not been ended, by itself or by a later one.
    /// One that was exchanged ends with the token of the client that came first.
    pub fn keeps(&self, id: AccessTokenId, exchanged_from: &[AccessTokenId]) -> bool {
        let first = exchanged_from.first().copied().unwrap_or(id);
        self.revoked_at.is_none() && self.sole_access.is_none_or(|sole| sole == first)
    }
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
    /// Where person and revocation are kept. `None` for a token that a client got for itself alone:
    /// it ends with its time, with its client, or when it is revoked.
    pub family: Option<FamilyId>,
    /// The client that holds it.
    pub client_id: String,
    /// What it opens.
    pub scope: Scope,
    /// The resources that it is for (RFC 8707); empty for this server's own.
    pub audience: Vec<String>,
    /// Where it came from, if by token exchange.
    pub exchanged: Option<Exchanged>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// What a token exchange adds to a token: RFC 8693 §4.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchanged {
    /// The subject of the token that was exchanged, where it had no family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// The tokens that it came from, the first one first. It ends when one of them is revoked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<AccessTokenId>,
    /// Who acts for the subject: the `act` claim (§4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Value>,
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
