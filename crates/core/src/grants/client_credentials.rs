//! The client credentials grant: RFC 6749 §4.4. The client acts for itself.

use super::scope::{self, OF_PERSONS};
use crate::error::{Failure, Refusal};
use crate::model::{ClaimsRequest, Client, GrantType, OnNewToken, Scope};
use crate::params::Params;
use crate::resource;
use crate::server::AuthorizationServer;
use crate::time::Timestamp;
use crate::tokens::{Access, Granted, TokenResponse, issue, mint_access};

/// Issues a token about the client itself.
pub(super) async fn exchange(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params<'_>,
    now: Timestamp,
) -> Result<TokenResponse, Failure> {
    // RFC 6749 §4.4: only for confidential clients.
    if client.is_public() {
        return Err(Refusal::ConfidentialOnly { grant: "client_credentials" }.into());
    }
    let scope = scope(server, client, params)?;
    let audience = resource::requested(&server.policy, params)?;
    // What can be ended early or refreshed needs a record of its own.
    if client.may_use(GrantType::RefreshToken) || client.on_new_token == OnNewToken::RevokePrevious
    {
        return with_family(server, client, scope, audience, now).await;
    }
    let lifetime = server.policy.lifetimes.of(client).access_token;
    let scope = resource::scope_for(&server.policy, &audience, &scope)?;
    let access = Access {
        client,
        family: None,
        subject: &client.client_id,
        authentication: None,
        scope: scope.clone(),
        audience,
        exchanged: None,
        lifetime,
    };
    let access = mint_access(server, access, now)?;
    if let Some(row) = access.row {
        server.store.issue_access(row).await?;
    }
    Ok(TokenResponse::bearer(access.text, access.lifetime, scope))
}

/// The registered scope is for persons too, where the client has other grants.
fn scope(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params<'_>,
) -> Result<Scope, Refusal> {
    let scope = scope::requested(&server.policy, client, params)?;
    if params.get("scope").is_none() {
        return Ok(scope.only(|name| !OF_PERSONS.contains(&name)));
    }
    if let Some(name) = scope.iter().find(|name| OF_PERSONS.contains(name)) {
        return Err(Refusal::ScopeOfPersons { scope: name.to_owned() });
    }
    Ok(scope)
}

/// RFC 6749 §4.4.3 advises against a refresh token; a client that was registered for both grants
/// wants to count on it all the same.
async fn with_family(
    server: &AuthorizationServer,
    client: &Client,
    scope: Scope,
    audience: Vec<String>,
    now: Timestamp,
) -> Result<TokenResponse, Failure> {
    let granted = Granted {
        client,
        user: None,
        session: None,
        authentication: None,
        scope,
        resource: audience.clone(),
        audience,
        claims: ClaimsRequest::default(),
        nonce: None,
        refresh: true,
        id_token: false,
    };
    let (issued, answer) = issue(server, granted, now)?;
    server.store.issue_tokens(issued, None, now).await?;
    Ok(answer)
}
