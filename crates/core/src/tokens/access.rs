//! Opaque access tokens: RFC 6749 §1.4. What they open is looked up, so revoking one is instant.

use crate::error::{Failure, Refusal};
use crate::id::{AccessTokenId, FamilyId};
use crate::model::{AccessToken, Scope, UserStatus};
use crate::secret::{Credential, Kind};
use crate::server::AuthorizationServer;
use crate::store::AccessView;
use crate::time::{Seconds, Timestamp};

/// A new access token of `family`: what is given and what is stored.
pub(crate) fn mint_access(
    server: &AuthorizationServer,
    family: FamilyId,
    scope: Scope,
    lifetime: Seconds,
    now: Timestamp,
) -> (String, AccessToken) {
    let credential = server.new_credential(Kind::AccessToken);
    let token = AccessToken {
        id: AccessTokenId(credential.id()),
        digest: credential.digest(),
        family,
        scope,
        issued_at: now,
        expires_at: now.plus(lifetime),
    };
    (credential.reveal(), token)
}

/// The access token behind `text`, if it is alive and so is the account that granted it.
// RFC 6750 §3.1: invalid_token
pub async fn read_access(
    server: &AuthorizationServer,
    text: &str,
    now: Timestamp,
) -> Result<AccessView, Failure> {
    let credential = Credential::parse(Kind::AccessToken, text).ok_or(Refusal::TokenInvalid {})?;
    let id = AccessTokenId(credential.id());
    let view = server.store.access_token(id, &credential.digest(), now).await?;
    let view = view.filter(|view| view.user.status == UserStatus::Active);
    Ok(view.ok_or(Refusal::TokenInvalid {})?)
}
