//! The lease: one refresh at a time for a connection, on whichever node.

use std::time::Duration;

use super::gate::Permit;
use super::pause::{self, Standing};
use super::{Background, Report, Shut, slept, when};
use crate::AuthorizationServer;
use crate::error::Broken;
use crate::id::RefreshId;
use crate::model::{Connection, RefreshAttempt};
use crate::store::Begun;
use crate::time::{Seconds, Timestamp};
use crate::vault::Integration;

/// How much longer a lease is than a call may take.
const SPARE: Seconds = Seconds(15);
/// How long a refresh waits for its turn among those of its integration.
const LONGEST_QUEUE: Seconds = Seconds(60);
/// Between two looks whether another node is done.
const FIRST_LOOK: Duration = Duration::from_millis(50);
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// A refresh that may go on.
pub(super) struct Lease<'a> {
    /// As it is written down.
    pub(super) attempt: RefreshAttempt,
    /// Whether it tries if the integration still has to be paused.
    pub(super) probe: bool,
    /// Given back after the call.
    pub(super) permit: Permit<'a>,
}

/// An attempt to refresh what was read.
pub(super) fn attempt(
    server: &AuthorizationServer,
    connection: &Connection,
    now: Timestamp,
) -> RefreshAttempt {
    RefreshAttempt {
        id: RefreshId(server.new_id()),
        connection: connection.id,
        generation: connection.generation,
        version: connection.version,
        again: false,
        started_at: now,
        until: now.plus(length(server)),
    }
}

/// How long a lease is.
fn length(server: &AuthorizationServer) -> Seconds {
    Seconds(server.policy.vault.refresh.deadline.0.saturating_add(SPARE.0))
}

/// Takes the lease of `connection`, after whoever has it is done; else what to tell those who wait.
pub(super) async fn take<'a>(
    server: &'a AuthorizationServer,
    integration: &'a Integration,
    connection: &Connection,
) -> Result<Result<Lease<'a>, Report>, Broken> {
    loop {
        let probe = match pause::standing(server, integration, server.clock.now()).await? {
            Standing::Open => false,
            Standing::Probe => true,
            Standing::Paused(wait) => {
                let shut = Shut::Paused;
                return Ok(Err(Report::later(wait, shut.as_str(), shut.why())));
            }
        };
        let permit = match enter(server, integration).await {
            Ok(permit) => permit,
            Err(report) => return Ok(Err(report)),
        };
        let now = server.clock.now();
        let attempt = attempt(server, connection, now);
        match server.store.begin_refresh(attempt, now).await? {
            Begun::Yes(attempt) => return Ok(Ok(Lease { attempt, probe, permit })),
            Begun::Changed | Begun::Gone => return Ok(Err(Report::stored())),
            Begun::Busy { until } => {
                drop(permit);
                if let Some(report) = other(server, integration, connection, until).await? {
                    return Ok(Err(report));
                }
            }
        }
    }
}

/// Waits for a turn. A server that stops makes no more calls.
pub(super) async fn enter<'a>(
    server: &'a AuthorizationServer,
    integration: &'a Integration,
) -> Result<Permit<'a>, Report> {
    let give_up = server.clock.now().plus(LONGEST_QUEUE);
    loop {
        if let Some(report) = stopping(server) {
            return Err(report);
        }
        let wait = match server.vault.gate.enter(integration, server.clock.millis()) {
            Ok(permit) => return Ok(permit),
            Err(wait) => wait,
        };
        let spread = when::below(100, server.entropy.as_ref());
        let wait = wait.min(LONGEST_LOOK) + Duration::from_millis(u64::from(spread));
        if server.clock.now() >= give_up || !slept(server, wait).await {
            let why = "too many refreshes of this integration wait already";
            return Err(Report::later(Seconds(5), "busy", why));
        }
    }
}

/// Waits until whoever has the lease is done, or has run out of time; what to tell those who wait if
/// nothing is left to do.
async fn other(
    server: &AuthorizationServer,
    integration: &Integration,
    before: &Connection,
    until: Timestamp,
) -> Result<Option<Report>, Broken> {
    let mut pause = FIRST_LOOK;
    while server.clock.now() < until {
        if let Some(report) = stopping(server) {
            return Ok(Some(report));
        }
        if !slept(server, pause).await {
            let wait = server.clock.now().until(until);
            return Ok(Some(Report::later(wait, "busy", "it is being refreshed")));
        }
        pause = (pause * 3 / 2).min(LONGEST_LOOK);
        let after = server.store.connection(before.id).await?;
        let same = after.is_some_and(|after| {
            (after.generation, after.version) == (before.generation, before.version)
                && after.status == before.status
                && after.trouble == before.trouble
        });
        if !same {
            return Ok(Some(Report::stored()));
        }
        // A pause leaves no trace at the connection.
        if pause::stored(server, integration).await?.is_some() {
            return Ok(None);
        }
    }
    Ok(None)
}

/// What those are told who would have to wait for a server that stops.
fn stopping(server: &AuthorizationServer) -> Option<Report> {
    let stops = server.vault.beside.get().is_some_and(Background::is_stopping);
    let why = "this server is being stopped";
    stops.then(|| Report::later(Seconds(5), "stopping", why))
}

/// Makes the lease longer for another call; `false` when somebody else has it.
pub(super) async fn extend(
    server: &AuthorizationServer,
    attempt: &RefreshAttempt,
) -> Result<bool, Broken> {
    let now = server.clock.now();
    let until = now.plus(length(server));
    Ok(server.store.extend_refresh(attempt.connection, attempt.id, until, now).await?)
}
