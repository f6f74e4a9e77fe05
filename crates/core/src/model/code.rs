//! An authorization code: RFC 6749 §4.1.2.

use crate::id::{CodeId, FamilyId, SessionId, UserId};
use crate::model::{Authentication, ClaimsRequest, Scope};
use crate::secret::Digest;
use crate::time::Timestamp;

/// What was granted, until the client fetches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Names the row; part of the code.
    pub id: CodeId,
    /// Of the code.
    pub digest: Digest,
    /// The client that it was issued to.
    pub client_id: String,
    /// The person.
    pub user: UserId,
    /// The browser session that it came from.
    pub session: SessionId,
    /// Where the code was sent.
    pub redirect_uri: String,
    /// Whether the request named the redirect URI, so that the exchange must name it too.
    pub redirect_uri_given: bool,
    /// What was granted.
    pub scope: Scope,
    /// The resources that it was granted for (RFC 8707).
    pub resource: Vec<String>,
    /// OpenID Connect Core 1.0 §5.5.
    pub claims: ClaimsRequest,
    /// OpenID Connect Core 1.0 §3.1.2.1.
    pub nonce: Option<String>,
    /// RFC 7636 §4.3.
    pub challenge: Option<Challenge>,
    /// How the person signed in.
    pub authentication: Authentication,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// What was issued for it, once it is spent.
    pub redeemed_as: Option<FamilyId>,
}

/// A PKCE challenge by S256: the SHA-256 of the verifier (RFC 7636 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge(pub Digest);
