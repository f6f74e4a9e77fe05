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
    let asked = Scope::parse(params.get("scope").unwrap_or_default());
    let asked = asked.map_err(|_| Refusal::ScopeMalformed {})?;
    // RFC 6749 §3.3: without a scope parameter the server uses a default, here the registered scope
    // as far as the server knows it.
    if asked.is_empty() {
        return Ok(client.scope.only(|name| server.policy.scopes.contains_key(name)));
    }
    let known = |name: &str| client.scope.contains(name) && server.policy.scopes.contains_key(name);
    if let Some(unknown) = asked.iter().find(|name| !known(name)) {
        return Err(Refusal::ScopeNotAllowed { scope: unknown.chars().take(60).collect() });
    }
    Ok(asked)
}
