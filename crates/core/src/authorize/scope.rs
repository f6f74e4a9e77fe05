//! The scope of an authorization request: RFC 6749 §3.3.

use crate::error::Refusal;
use crate::model::{Client, Scope};
use crate::params::Params;
use crate::server::AuthorizationServer;

/// What is asked for: as the request says, or everything that the client registered.
pub(super) fn check(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params<'_>,
) -> Result<Scope, Refusal> {
    // RFC 6749 §3.3: without a scope parameter the server uses a default, here the registered scope.
    let Some(text) = params.get("scope") else {
        return Ok(client.scope.clone());
    };
    let scope = Scope::parse(text).map_err(|_| Refusal::ScopeMalformed {})?;
    let known = |name: &str| client.scope.contains(name) && server.policy.scopes.contains_key(name);
    if let Some(unknown) = scope.iter().find(|name| !known(name)) {
        return Err(Refusal::ScopeNotAllowed { scope: unknown.chars().take(60).collect() });
    }
    Ok(scope)
}
