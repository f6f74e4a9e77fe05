//! The one connection that is meant, within the caller's reach, with the scopes that are wanted.

use std::sync::Arc;

use super::{Asked, Caller, may, refuse};
use crate::AuthorizationServer;
use crate::error::{Choice, Details, Failure, Refusal};
use crate::model::{Connection, ConnectionStatus};
use crate::store::{Held, Selector};
use crate::time::Timestamp;
use crate::vault::refresh::{self, Age, Work};
use crate::vault::{Integration, IntegrationKind};

/// Connections that are named when there is more than one, at most.
const MOST_CHOICES: u32 = 10;

/// A connection, and the integration that it was made through.
pub(super) struct Found {
    pub(super) held: Held,
    pub(super) integration: Arc<Integration>,
}

/// The one connection that `asked` means. What is out of reach looks as if it was not there.
pub(super) async fn one(
    server: &AuthorizationServer,
    asked: &Asked,
    caller: Caller<'_>,
    now: Timestamp,
) -> Result<Found, Failure> {
    may(caller)?;
    let named = integrations(server, asked, caller)?;
    let selector = selector(asked, caller, named.as_deref())?;
    let mut found = server.store.recently_held(&selector, MOST_CHOICES + 1).await?;
    if !matches!(&found[..], [one] if is_ready(one, asked, now)) {
        found = server.store.held(&selector, MOST_CHOICES + 1).await?;
    }
    if found.is_empty()
        && let Some(work) = for_itself(asked, named.as_deref())
    {
        refuse::unless_stored(server, work).await?;
        found = server.store.held(&selector, MOST_CHOICES + 1).await?;
    }
    let held = match (found.pop(), found.is_empty()) {
        (Some(held), true) => held,
        (None, _) if asked.connection.is_some() => {
            return Err(Refusal::ConnectionNotFound {}.into());
        }
        (None, _) => {
            return Err(refuse::not_connected(server, asked, caller, named.as_deref(), now).await);
        }
        (Some(last), false) => {
            found.push(last);
            return Err(ambiguous(&found).into());
        }
    };
    let integration = server.policy.vault.integrations.get(&held.connection.integration);
    let integration = integration.cloned().ok_or(Refusal::IntegrationUnknown {})?;
    let found = Found { held, integration };
    check_scopes(server, (&found.held.connection, &found.integration), asked, caller, now).await?;
    Ok(found)
}

/// Whether the token that is stored will be answered, whatever has changed in the last milliseconds.
fn is_ready(held: &Held, asked: &Asked, now: Timestamp) -> bool {
    asked.force.is_none()
        && held.connection.status == ConnectionStatus::Active
        && refresh::age(&held.connection, asked.min_ttl, now) == Age::Fresh
}

/// The integrations that may be meant; `None` when neither the request nor the caller's reach says.
fn integrations(
    server: &AuthorizationServer,
    asked: &Asked,
    caller: Caller<'_>,
) -> Result<Option<Vec<Arc<Integration>>>, Refusal> {
    if asked.provider.is_none()
        && asked.integration.is_none()
        && caller.rights.integrations.is_none()
    {
        return Ok(None);
    }
    let meant = |own: &&Arc<Integration>| {
        let provider = asked.provider.as_ref();
        asked.integration.as_ref().is_none_or(|name| *name == own.name)
            && provider.is_none_or(|name| *name == own.name || *name == own.provider.name)
    };
    let named: Vec<_> = server.policy.vault.integrations.values().filter(meant).collect();
    let within = |own: &&Arc<Integration>| caller.rights.reaches_integration(&own.name);
    let reached: Vec<_> = named.iter().copied().filter(within).cloned().collect();
    match (reached.is_empty(), caller.rights.integrations.is_some()) {
        (false, _) => Ok(Some(reached)),
        // Whether there is one that the caller may not use is not said.
        (true, true) => Err(Refusal::KeyMayNot { what: "use this integration" }),
        (true, false) => Err(Refusal::IntegrationUnknown {}),
    }
}

fn selector(
    asked: &Asked,
    caller: Caller<'_>,
    named: Option<&[Arc<Integration>]>,
) -> Result<Selector, Refusal> {
    let mut selector = caller.rights.selector();
    if let Some(id) = asked.connection {
        let within = selector.connections.as_ref().is_none_or(|own| own.contains(&id));
        selector.connections = Some(if within { vec![id] } else { Vec::new() });
    }
    if let Some(named) = named {
        selector.integrations = Some(named.iter().map(|own| own.name.clone()).collect());
    }
    if let Some(subject) = &asked.subject {
        if !caller.rights.reaches_subject(subject) {
            return Err(Refusal::KeyMayNot { what: "act for this subject" });
        }
        selector.subjects = Some(vec![subject.clone()]);
    }
    selector.account.clone_from(&asked.account);
    Ok(selector)
}

/// The work that makes the connection of an integration that acts for itself, if that is meant.
fn for_itself(asked: &Asked, named: Option<&[Arc<Integration>]>) -> Option<Work> {
    let only = named.filter(|named| named.len() == 1)?.first()?;
    let free = asked.connection.is_none() && asked.subject.is_none() && asked.account.is_none();
    (free && only.kind == IntegrationKind::ClientCredentials)
        .then(|| Work::Grant { integration: only.name.clone() })
}

fn ambiguous(found: &[Held]) -> Refusal {
    let choice = |held: &Held| Choice {
        connection_id: held.connection.id,
        integration: held.connection.integration.clone(),
        subject: held.connection.subject.clone(),
        account: held.connection.account.clone(),
    };
    let accounts = found.iter().take(MOST_CHOICES as usize).map(choice).collect();
    Refusal::ConnectionAmbiguous { details: Box::new(Details { accounts, ..Details::default() }) }
}

/// Whether the token of a connection has the scopes that are wanted, and none that the caller may not
/// have.
pub(super) async fn check_scopes(
    server: &AuthorizationServer,
    (connection, integration): (&Connection, &Integration),
    asked: &Asked,
    caller: Caller<'_>,
    now: Timestamp,
) -> Result<(), Failure> {
    let provider = &integration.provider;
    // RFC 6749 §3.3 lets a server narrow its own tokens; those of a provider are as they are.
    if let Some(most) = &caller.rights.scope {
        let wanted = asked.scope.as_ref().map(|own| own.union(&connection.scope));
        let beyond = provider.missing(wanted.as_ref().unwrap_or(&connection.scope), most);
        if let Some(scope) = beyond.iter().next() {
            return Err(Refusal::ScopeBeyondCaller { scope: scope.to_owned() }.into());
        }
    }
    // RFC 6749 §3.3: scopes are a set; a provider lists what it has granted in any order.
    if let Some(wanted) = &asked.scope {
        let missing = provider.missing(wanted, &connection.scope);
        if !missing.is_empty() {
            let own = (connection, integration);
            return Err(refuse::not_granted(server, own, wanted, missing, caller, now).await);
        }
    }
    Ok(())
}
