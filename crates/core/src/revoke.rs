//! Giving a token back: RFC 7009. A token takes its whole family with it.

use crate::error::Failure;
use crate::id::FamilyId;
use crate::model::Client;
use crate::params::Params;
use crate::secret::{Credential, Kind};
use crate::server::AuthorizationServer;
use crate::time::Timestamp;
use crate::tokens::{ActiveToken, read_access};

/// Revokes the token in `params`, if it is one of `client`. Every other token is none of its
/// business, and answered the same.
// RFC 7009 §2.2: an invalid token is no error; the client could do nothing about it.
pub async fn revoke(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params<'_>,
    now: Timestamp,
) -> Result<(), Failure> {
    let text = params.required("token")?;
    if let Some(credential) = Credential::parse(Kind::RefreshToken, text) {
        return refresh_token(server, client, &credential, now).await;
    }
    match read_access(server, text, now).await {
        // RFC 7009 §2.1: the token must have been issued to the client that revokes it.
        Ok(token) if token.client_id == client.client_id => access_token(server, token, now).await,
        Ok(_) | Err(Failure::Refused(_)) => Ok(()),
        Err(broken @ Failure::Broken(_)) => Err(broken),
    }
}

/// RFC 7009 §2.1: with a refresh token the access tokens of the same grant end. An older token of
/// the chain counts too: whoever shows it was given it.
async fn refresh_token(
    server: &AuthorizationServer,
    client: &Client,
    presented: &Credential,
    now: Timestamp,
) -> Result<(), Failure> {
    let id = FamilyId(presented.id());
    let view = server.store.family(id).await?;
    if view.is_some_and(|view| view.family.client_id == client.client_id) {
        server.store.revoke_family(id, now).await?;
    }
    Ok(())
}

/// RFC 7009 §2.1: with an access token the refresh token ends too. One that was exchanged ends
/// alone: its family belongs to another client.
async fn access_token(
    server: &AuthorizationServer,
    token: ActiveToken,
    now: Timestamp,
) -> Result<(), Failure> {
    if let Some(family) = token.family.filter(|_| token.is_of_family_holder) {
        server.store.revoke_family(family, now).await?;
        return Ok(());
    }
    Ok(server.store.revoke_access(token.id, token.expires_at).await?)
}
