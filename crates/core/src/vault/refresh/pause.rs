//! An integration whose client the provider refuses is paused as a whole: it is no fault of any
//! connection, and trying each would be of no use.

use serde_json::{Map, json};

use super::Shut;
use crate::AuthorizationServer;
use crate::error::Broken;
use crate::model::Pause;
use crate::store::Recorded;
use crate::time::{Seconds, Timestamp};
use crate::vault::answer::ProviderFailure;
use crate::vault::audit::{self, Actor};
use crate::vault::{Integration, notices};

/// How often one refresh tries whether the provider takes the client again.
pub(super) const PROBE: Seconds = Seconds::hours(1);
/// How long that refresh has until another one may try, if it brings no answer about the client; at
/// least.
const PROBE_TAKES: Seconds = Seconds::minutes(5);
/// How long the store is not asked again whether a pause is over.
const REMEMBERED: Seconds = Seconds(10);

/// Whether an integration may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It may.
    Open,
    /// It is paused, and this is the refresh that tries whether it still has to be.
    Probe,
    /// It is paused for so long.
    Paused(Seconds),
}

/// Whether `integration` may be used now. A pause was of a client: with another id or secret it is
/// over.
pub(super) async fn standing(
    server: &AuthorizationServer,
    integration: &Integration,
    now: Timestamp,
) -> Result<Standing, Broken> {
    let Some(pause) = stored(server, integration).await? else {
        return Ok(Standing::Open);
    };
    if pause.fingerprint != fingerprint(server, integration) {
        resume(server, integration, now).await?;
        return Ok(Standing::Open);
    }
    if now < pause.next_at {
        let soon = now.plus(REMEMBERED).min(pause.next_at);
        server.vault.gate.shut(&integration.name, soon, Shut::Paused);
        return Ok(Standing::Paused(now.until(pause.next_at)));
    }
    // A refusal of the client moves it to the next hour, anything else says nothing about it.
    let call = server.policy.vault.refresh.deadline.0;
    let takes = PROBE_TAKES.max(Seconds(call.saturating_mul(2)));
    let next = Pause { next_at: now.plus(takes), ..pause };
    server.store.pause_integration(next, Recorded::default()).await?;
    Ok(Standing::Probe)
}

/// Pauses `integration`; says so once, however often the client is refused.
pub(super) async fn begin(
    server: &AuthorizationServer,
    integration: &Integration,
    failure: &ProviderFailure,
    now: Timestamp,
) -> Result<Pause, Broken> {
    let fingerprint = fingerprint(server, integration);
    let before = stored(server, integration).await?;
    let before = before.filter(|own| own.fingerprint == fingerprint);
    let pause = Pause {
        integration: integration.name.clone(),
        error: failure.error.clone().unwrap_or_default(),
        detail: failure.detail.clone(),
        fingerprint,
        since: before.as_ref().map_or(now, |own| own.since),
        next_at: now.plus(PROBE),
    };
    let recorded = match before {
        Some(_) => Recorded::default(),
        None => Recorded {
            audit: vec![entry(server, "integration.paused", &pause, now)],
            notices: notices::about_pause(server, &pause, now),
        },
    };
    server.store.pause_integration(pause.clone(), recorded).await?;
    server.vault.gate.shut(&integration.name, now.plus(REMEMBERED), Shut::Paused);
    Ok(pause)
}

/// Ends the pause, if there is one.
pub(super) async fn resume(
    server: &AuthorizationServer,
    integration: &Integration,
    now: Timestamp,
) -> Result<(), Broken> {
    if let Some(pause) = stored(server, integration).await? {
        let audit = vec![entry(server, "integration.resumed", &pause, now)];
        let recorded = Recorded { audit, notices: Vec::new() };
        server.store.resume_integration(&integration.name, recorded).await?;
    }
    server.vault.gate.open(&integration.name);
    Ok(())
}

/// The pause of `integration`, whichever client it was of.
pub(super) async fn stored(
    server: &AuthorizationServer,
    integration: &Integration,
) -> Result<Option<Pause>, Broken> {
    let pauses = server.store.pauses().await?;
    Ok(pauses.into_iter().find(|own| own.integration == integration.name))
}

fn entry(
    server: &AuthorizationServer,
    action: &'static str,
    pause: &Pause,
    now: Timestamp,
) -> crate::model::AuditEvent {
    let details = Map::from_iter([
        ("error".to_owned(), json!(pause.error)),
        ("detail".to_owned(), json!(pause.detail)),
        ("since".to_owned(), json!(pause.since.rfc3339())),
    ]);
    let actor = Actor::local("server");
    let target = format!("integration:{}", pause.integration);
    audit::event(server, &actor, action, &target, details, now)
}

/// Tells one client from another without giving its secret away: under a key of this server.
fn fingerprint(server: &AuthorizationServer, integration: &Integration) -> String {
    let secret = integration.client_secret.as_ref().map_or("", |own| own.as_str());
    let tag = server.secrets.client.tag(&[integration.client_id.as_bytes(), secret.as_bytes()]);
    tag[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}
