//! The session of a signed-in browser.

use super::SignedIn;
use crate::error::Failure;
use crate::id::SessionId;
use crate::model::{Session, UserStatus};
use crate::secret::{Credential, Kind};
use crate::server::AuthorizationServer;
use crate::store::SessionView;
use crate::time::{Seconds, Timestamp};

/// The browser that signs in.
#[derive(Clone, Copy, Debug)]
pub struct Device<'a> {
    /// Its User-Agent.
    pub user_agent: &'a str,
    /// Its address.
    pub address: &'a str,
}

/// Begins a session with an id of its own and ends the one that the browser had.
pub async fn start(
    server: &AuthorizationServer,
    signed_in: &SignedIn,
    device: Device<'_>,
    replaces: Option<&SessionView>,
    now: Timestamp,
) -> Result<(Credential, SessionView), Failure> {
    let lifetimes = &server.policy.lifetimes;
    let credential = server.new_credential(Kind::Session);
    let session = Session {
        id: SessionId(credential.id()),
        digest: credential.digest(),
        user: signed_in.user.id,
        authentication: signed_in.authentication.clone(),
        created_at: now,
        last_seen_at: now,
        idle_expires_at: now.plus(lifetimes.session_idle),
        expires_at: now.plus(lifetimes.session_absolute),
        user_agent: device.user_agent.chars().filter(|c| !c.is_control()).take(200).collect(),
        address: device.address.to_owned(),
    };
    let replaced = replaces.map(|view| view.session.id);
    server.store.start_session(session.clone(), replaced).await?;
    Ok((credential, SessionView { session, user: signed_in.user.clone() }))
}

/// The live session behind a cookie, of a person whose account is active.
pub async fn current(
    server: &AuthorizationServer,
    cookie: &str,
    now: Timestamp,
) -> Result<Option<SessionView>, Failure> {
    let Some(credential) = Credential::parse(Kind::Session, cookie) else {
        return Ok(None);
    };
    let id = SessionId(credential.id());
    let view = server.store.session(id, &credential.digest(), now).await?;
    let Some(view) = view.filter(|view| view.user.status == UserStatus::Active) else {
        return Ok(None);
    };
    let idle = server.policy.lifetimes.session_idle;
    if view.session.last_seen_at.until(now) >= touch_after(idle) {
        // A page is worth more than the time of its last use: a full disk must not keep a person out.
        let _ = server.store.touch_session(id, now, now.plus(idle)).await;
    }
    Ok(Some(view))
}

/// How stale `last_seen_at` may get, so that not every page is a write: a minute, or a quarter of
/// the idle lifetime where that is short.
fn touch_after(idle: Seconds) -> Seconds {
    Seconds(idle.0 / 4).min(Seconds(60))
}
