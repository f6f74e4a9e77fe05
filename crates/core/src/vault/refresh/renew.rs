//! Another access token for a connection, from the beginning to the end.

use std::sync::Arc;

use super::call::Asker;
use super::end::{self, Made};
use super::lease::{self, Lease};
use super::{Renewal, Report, Shut, is_anothers, pause};
use crate::AuthorizationServer;
use crate::error::Broken;
use crate::model::{ConnectionStatus, ReauthReason};
use crate::store::{Held, Selector};
use crate::time::Seconds;
use crate::vault::{Integration, seal};

/// Renews the tokens of a connection, if they are still those that were read.
pub(super) async fn run(server: &AuthorizationServer, renewal: &Renewal) -> Result<Report, Broken> {
    let Some(integration) = server.policy.vault.integrations.get(&renewal.integration) else {
        let why = "its integration is not in the settings any more";
        return Ok(Report::later(Seconds::hours(1), "integration_unknown", why));
    };
    let Some(held) = still(server, renewal).await? else {
        return Ok(Report::stored());
    };
    let (connection, now) = (&held.connection, server.clock.now());
    if end::hopeless(connection, integration, now).is_some() {
        end::give_up(server, connection, integration).await?;
        return Ok(Report::stored());
    }
    if !connection.refreshable {
        return Ok(Report::stored());
    }
    if is_anothers(connection, integration) {
        let why = ReauthReason::ClientChanged.why();
        return Ok(Report::later(Seconds::hours(1), ReauthReason::ClientChanged.as_str(), why));
    }
    if let Some((wait, shut)) = server.vault.gate.is_shut(&integration.name, now)
        && shut == Shut::Throttled
    {
        return Ok(Report::later(wait, shut.as_str(), shut.why()));
    }
    if renewal.forced
        && let Err(wait) = server.vault.gate.may_force(connection.id, now)
    {
        let why = "another token than the one that is there was wanted too often";
        return Ok(Report::later(wait, "forced_often", why));
    }
    let lease = match lease::take(server, integration, connection).await? {
        Ok(lease) => lease,
        Err(report) => return Ok(report),
    };
    // Whoever had the lease before may have found out something that leaves the version as it is.
    let Some(held) = end::read(server, connection).await? else {
        end::release(server, &lease.attempt, connection.clone()).await?;
        return Ok(Report::stored());
    };
    let own = &held.connection;
    // A grant that came since is nothing that this lease is for, which is gone: were it refreshed,
    // what the provider answers could not be stored.
    let leased = &lease.attempt;
    if (own.generation, own.version) != (leased.generation, leased.version) {
        return Ok(Report::stored());
    }
    if own.status != ConnectionStatus::Active || own.trouble != connection.trouble {
        end::release(server, &lease.attempt, held.connection).await?;
        return Ok(Report::stored());
    }
    renew(server, integration, &held, lease).await
}

/// Another access token for a connection that is being given back, so that the provider takes the
/// grant back with it. `held` is what the lease is taken for: whatever else is stored by then wins.
pub(super) async fn leaving(server: &AuthorizationServer, held: &Held) -> Result<(), Broken> {
    let (connection, now) = (&held.connection, server.clock.now());
    let integration = server.policy.vault.integrations.get(&connection.integration);
    let hopeless = |own: &&Arc<Integration>| end::hopeless(connection, own, now).is_some();
    let Some(integration) = integration.filter(|own| !hopeless(own)) else {
        return Ok(());
    };
    if server.vault.gate.is_shut(&integration.name, now).is_some() {
        return Ok(());
    }
    if let Ok(lease) = lease::take(server, integration, connection).await? {
        renew(server, integration, held, lease).await?;
    }
    Ok(())
}

async fn renew(
    server: &AuthorizationServer,
    integration: &Integration,
    held: &Held,
    lease: Lease<'_>,
) -> Result<Report, Broken> {
    let tokens = seal::open(server, held)?;
    let connection = &held.connection;
    let called = Asker { server, integration, connection, tokens: &tokens }.ask(&lease).await?;
    let Lease { probe, attempt, permit } = lease;
    drop(permit);
    let answered = match &called.answer {
        Ok(_) => true,
        Err(failure) => failure.class.takes_our_client(),
    };
    let made = Made { server, integration, held, tokens: &tokens, attempt: &attempt };
    let report = made.end(called).await?;
    if probe && answered {
        pause::resume(server, integration, server.clock.now()).await?;
    }
    Ok(report)
}

/// The connection with its tokens, if it is what was read, and works.
async fn still(server: &AuthorizationServer, renewal: &Renewal) -> Result<Option<Held>, Broken> {
    let connections = Some(vec![renewal.connection]);
    let selector = Selector { connections, ..Selector::default() };
    let held = server.store.held(&selector, 1).await?.pop();
    Ok(held.filter(|held| {
        let own = &held.connection;
        own.status == ConnectionStatus::Active
            && (own.generation, own.version) == (renewal.generation, renewal.version)
    }))
}
