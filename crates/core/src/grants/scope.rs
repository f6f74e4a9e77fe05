//! The scope of a grant that no person is asked about: RFC 6749 §3.3.

use crate::error::Refusal;
use crate::model::{Client, Scope};
use crate::params::Params;
use crate::policy::Policy;

/// What the request asks for, or everything that the client registered.
pub(crate) fn requested(
    policy: &Policy,
    client: &Client,
    params: &Params<'_>,
) -> Result<Scope, Refusal> {
    let known = |name: &str| client.scope.contains(name) && policy.scopes.contains_key(name);
    let asked = Scope::parse(params.get("scope").unwrap_or_default());
    let asked = asked.map_err(|_| Refusal::ScopeMalformed {})?;
    // RFC 6749 §3.3: without a scope parameter the server uses a default, here the registered scope
    // as far as the server knows it.
    if asked.is_empty() {
        return Ok(client.scope.only(known));
    }
    if let Some(unknown) = asked.iter().find(|name| !known(name)) {
        return Err(Refusal::ScopeNotAllowed { scope: unknown.chars().take(60).collect() });
    }
    Ok(asked)
}

/// The part of `scope` that is about a person, and so means nothing without one.
pub(super) const OF_PERSONS: [&str; 4] = ["openid", "profile", "email", "offline_access"];
