//! What came of a refresh is stored, or why nothing did.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::call::Called;
use super::sweep::agenda;
use super::{Report, Shut, due_at, lease, pause, slept, when};
use crate::AuthorizationServer;
use crate::error::Broken;
use crate::model::{Connection, ConnectionStatus, Reauth, ReauthReason, RefreshAttempt, Trouble};
use crate::store::{Begun, Ended, Held, Recorded, RefreshEnd, Selector, StoreError};
use crate::time::{Seconds, Timestamp};
use crate::vault::answer::{FailureClass, ProviderFailure, TokenAnswer};
use crate::vault::audit::{self, Actor};
use crate::vault::notices::{self, NoticeEvent};
use crate::vault::seal::{self, Tokens};
use crate::vault::{Integration, IntegrationKind};

/// After a request that the provider finds wrong: nothing changes by itself.
const AFTER_BAD_REQUEST: Seconds = Seconds::hours(1);
/// The longest that a provider may have itself left alone by a header.
const LONGEST_RETRY_AFTER: Seconds = Seconds::days(1);
/// How often an answer is put on top of what somebody else has stored meanwhile.
const MERGES: u32 = 5;
/// How often it is tried to store an answer while the store is away: five minutes.
const STORE_TRIES: u32 = 300;

/// A refresh that was made: of what, under which lease.
pub(super) struct Made<'a> {
    pub(super) server: &'a AuthorizationServer,
    pub(super) integration: &'a Integration,
    /// What was read before the call.
    pub(super) held: &'a Held,
    /// The tokens in it.
    pub(super) tokens: &'a Tokens,
    pub(super) attempt: &'a RefreshAttempt,
}

impl Made<'_> {
    /// Stores what came of it.
    pub(super) async fn end(&self, called: Called) -> Result<Report, Broken> {
        let lease_lost = called.lease_lost;
        let mut report = match &called.answer {
            Ok(answer) => self.renewed(answer, &called).await?,
            Err(failure) => {
                let mut report = self.failed(failure, &called).await?;
                report.failure = Some(failure.clone());
                report
            }
        };
        report.lease_lost |= lease_lost;
        Ok(report)
    }

    /// Nothing may come between the answer and this: until it is stored, a rotated refresh token is
    /// here and nowhere else.
    async fn renewed(&self, answer: &TokenAnswer, called: &Called) -> Result<Report, Broken> {
        let Self { server, integration, attempt, .. } = self;
        let (mut held, mut tokens) = (self.held.clone(), self.tokens.clone());
        let mut attempt = (*attempt).clone();
        let mut report = Report { result: Some("renewed"), ..Report::stored() };
        for _ in 0..MERGES {
            let (next, rotated) = next(server, integration, &held, &tokens, answer, called)?;
            let recorded = renewal(server, &next.connection, answer, rotated);
            let ended = self.store(&attempt, next, recorded).await?;
            report.rotated = rotated;
            if ended == Ended::Done {
                return Ok(report);
            }
            report.lease_lost = true;
            // Somebody has stored another answer since. If the refresh token is still the one that
            // was sent, ours is the newer one and must not be dropped; else theirs is.
            let now = read(server, &held.connection).await?;
            let Some(after) = now
                .filter(|now| now.connection.generation == held.connection.generation && rotated)
            else {
                break;
            };
            tokens = seal::open(server, &after)?;
            if tokens.refresh_token != called.sent {
                break;
            }
            attempt.version = after.connection.version;
            held = after;
        }
        Ok(Report { result: Some("overtaken"), rotated: false, ..report })
    }

    /// An answer is not given up because the store is away for a moment.
    async fn store(
        &self,
        attempt: &RefreshAttempt,
        next: Held,
        recorded: Recorded,
    ) -> Result<Ended, Broken> {
        let server = self.server;
        let mut tries = 0;
        loop {
            tries += 1;
            let (end, now) = (RefreshEnd::Renewed(Box::new(next.clone())), server.clock.now());
            match server.store.end_refresh(attempt, end, recorded.clone(), now).await {
                Err(StoreError::Unavailable(why)) => {
                    let wait = Duration::from_secs(1);
                    if tries >= STORE_TRIES || !slept(server, wait).await {
                        return Err(StoreError::Unavailable(why).into());
                    }
                }
                other => return Ok(other?),
            }
        }
    }

    async fn failed(&self, failure: &ProviderFailure, called: &Called) -> Result<Report, Broken> {
        let Self { server, integration, held, .. } = self;
        let (connection, now) = (&held.connection, server.clock.now());
        let class = match (failure.class, integration.kind) {
            // Without a person there is no grant that could be over, and none that could be spent.
            (FailureClass::GrantDead, IntegrationKind::ClientCredentials) => {
                FailureClass::ClientBroken
            }
            (FailureClass::UnknownOutcome, IntegrationKind::ClientCredentials) => {
                FailureClass::Transient
            }
            (class, _) => class,
        };
        let mut after = connection.clone();
        let mut recorded = Recorded::default();
        match class {
            FailureClass::GrantDead => {
                if called.lease_lost || self.is_raced().await? {
                    return Ok(Report { result: Some("raced"), ..Report::stored() });
                }
                let reauth = reauth(failure, called, connection, now);
                recorded = over(server, &mut after, reauth, now);
            }
            FailureClass::ClientBroken => {
                let pause = pause::begin(server, integration, failure, now).await?;
                let spread = when::below(60, server.entropy.as_ref());
                let next = pause.next_at.plus(Seconds(spread));
                after.due_at = Some(agenda(server, connection).no_later(next, called.began));
            }
            FailureClass::BadRequest
            | FailureClass::Throttled
            | FailureClass::Transient
            | FailureClass::UnknownOutcome => {
                let trouble = trouble(server, connection, class, failure, now);
                if class == FailureClass::Throttled {
                    server.vault.gate.shut(&integration.name, trouble.next_at, Shut::Throttled);
                }
                let next = agenda(server, connection).no_later(trouble.next_at, called.began);
                after.due_at = Some(next);
                after.trouble = Some(trouble);
            }
        }
        let unknown = match class {
            FailureClass::UnknownOutcome => true,
            // It is the answer about the token that was sent, whichever call used it up.
            FailureClass::GrantDead => false,
            // Says nothing of a call before, whose answer was lost.
            FailureClass::ClientBroken
            | FailureClass::BadRequest
            | FailureClass::Throttled
            | FailureClass::Transient => {
                called.again && integration.kind == IntegrationKind::Person
            }
        };
        let end = match unknown {
            true => RefreshEnd::Unknown(Box::new(after)),
            false => RefreshEnd::Failed(Box::new(after)),
        };
        let ended = server.store.end_refresh(self.attempt, end, recorded, now).await?;
        let lease_lost = ended == Ended::Overtaken;
        Ok(Report { result: Some(class.as_str()), lease_lost, ..Report::stored() })
    }

    /// Whether somebody has stored another refresh token, so that nothing is said about that one.
    async fn is_raced(&self) -> Result<bool, Broken> {
        let before = &self.held.connection;
        let after = self.server.store.connection(before.id).await?;
        Ok(after.is_none_or(|after| {
            (after.generation, after.version) != (before.generation, before.version)
        }))
    }
}

/// The connection with its tokens, as it is now.
pub(super) async fn read(
    server: &AuthorizationServer,
    connection: &Connection,
) -> Result<Option<Held>, Broken> {
    let selector = Selector { connections: Some(vec![connection.id]), ..Selector::default() };
    Ok(server.store.held(&selector, 1).await?.pop())
}

/// The records after an answer, and whether it brought another refresh token.
fn next(
    server: &AuthorizationServer,
    integration: &Integration,
    held: &Held,
    before: &Tokens,
    answer: &TokenAnswer,
    called: &Called,
) -> Result<(Held, bool), Broken> {
    let own = &held.connection;
    // RFC 6749 §6: without a new refresh token in the answer, the one that was sent goes on.
    let refresh_token = answer.refresh_token.clone().or_else(|| called.sent.clone());
    let rotated = answer.refresh_token.is_some() && answer.refresh_token != called.sent;
    let tokens = Tokens {
        access_token: answer.access_token.clone(),
        token_type: answer.token_type.clone(),
        previous_refresh_token: called.sent.clone().filter(|_| rotated),
        refresh_token,
        id_token: id_token(answer, &own.account.sub).or_else(|| before.id_token.clone()),
    };
    let mut variables = own.variables.clone();
    variables.extend(answer.variables.clone());
    let for_itself = integration.kind == IntegrationKind::ClientCredentials;
    let mut connection = Connection {
        // RFC 6749 §5.1: the scope is in the answer when it is another one than before.
        scope: answer.scope.clone().unwrap_or_else(|| own.scope.clone()),
        status: ConnectionStatus::Active,
        version: own.version.saturating_add(1),
        issued_at: called.began,
        expires_at: answer.expires_at,
        refreshable: for_itself || tokens.refresh_token.is_some(),
        refresh_expires_at: match rotated {
            true => answer.refresh_expires_at,
            false => answer.refresh_expires_at.or(own.refresh_expires_at),
        },
        refresh_used_at: called.began,
        rotates: if rotated { Some(true) } else { own.rotates.or(Some(false)) },
        variables,
        trouble: None,
        ..own.clone()
    };
    connection.due_at = due_at(server, &connection, called.began);
    let credential = seal::seal(server, &connection, &tokens, Some(&held.credential))?;
    Ok((Held { connection, credential }, rotated))
}

/// The ID token of a refresh, if it is about the account `sub`. It came from the provider itself, and
/// nothing is decided by it.
// OpenID Connect Core §12.2: its sub must be that of the first one; it should have no nonce.
fn id_token(answer: &TokenAnswer, sub: &str) -> Option<Zeroizing<String>> {
    let token = answer.id_token.as_ref()?;
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    (claims["sub"].as_str() == Some(sub)).then(|| token.clone())
}

fn renewal(
    server: &AuthorizationServer,
    after: &Connection,
    answer: &TokenAnswer,
    rotated: bool,
) -> Recorded {
    let details = Map::from_iter([
        ("integration".to_owned(), json!(after.integration)),
        ("version".to_owned(), json!(after.version)),
        ("scope".to_owned(), json!(after.scope)),
        ("rotated".to_owned(), json!(rotated)),
        ("token".to_owned(), json!(audit::fingerprint(&answer.access_token))),
    ]);
    let (actor, target) = (Actor::local("server"), after.id.shown());
    let now = after.issued_at;
    let entry = audit::event(server, &actor, "token.refreshed", &target, details, now);
    Recorded { audit: vec![entry], notices: Vec::new() }
}

/// Why a person has to connect the account again.
fn reauth(
    failure: &ProviderFailure,
    called: &Called,
    connection: &Connection,
    now: Timestamp,
) -> Reauth {
    let aged = connection.refresh_expires_at.is_some_and(|end| end <= now);
    let subtype = failure.error_subtype.as_deref();
    let reason = match () {
        // Google: the organisation wants the person to sign in again, not to consent again.
        () if subtype
            .is_some_and(|own| own.starts_with("invalid_rapt") || own == "rapt_required") =>
        {
            ReauthReason::SignInAgain
        }
        // The answer to an earlier call had the next one in it, perhaps.
        () if called.again && connection.rotates != Some(false) => ReauthReason::RefreshOutcomeLost,
        () if aged => ReauthReason::RefreshTokenExpired,
        () => ReauthReason::GrantDead,
    };
    Reauth {
        reason,
        error: failure.error.clone(),
        error_subtype: failure.error_subtype.clone(),
        since: now,
    }
}

/// Marks a connection that only a person can repair; what is written with it.
fn over(
    server: &AuthorizationServer,
    connection: &mut Connection,
    reauth: Reauth,
    now: Timestamp,
) -> Recorded {
    let details = Map::from_iter([
        ("integration".to_owned(), json!(connection.integration)),
        ("reason".to_owned(), json!(reauth.reason)),
        ("error".to_owned(), json!(reauth.error)),
        ("error_subtype".to_owned(), json!(reauth.error_subtype)),
    ]);
    connection.status = ConnectionStatus::ReauthRequired(reauth);
    connection.due_at = None;
    let (actor, target) = (Actor::local("server"), connection.id.shown());
    let action = "connection.reauth_required";
    Recorded {
        audit: vec![audit::event(server, &actor, action, &target, details, now)],
        notices: notices::about(server, NoticeEvent::ReauthRequired, connection, now),
    }
}

/// Why no call can be of use, whatever the settings say, if that is known without one.
pub(super) fn hopeless(
    connection: &Connection,
    integration: &Integration,
    now: Timestamp,
) -> Option<ReauthReason> {
    let past = |end: Option<Timestamp>| end.is_some_and(|end| end <= now);
    match () {
        () if integration.kind == IntegrationKind::ClientCredentials => None,
        () if !connection.refreshable => {
            past(connection.expires_at).then_some(ReauthReason::NoRefreshToken)
        }
        () => past(connection.refresh_expires_at).then_some(ReauthReason::RefreshTokenExpired),
    }
}

/// Stores that a connection cannot be refreshed, if it is so; under the lease, so that it is told
/// once.
pub(super) async fn give_up(
    server: &AuthorizationServer,
    connection: &Connection,
    integration: &Integration,
) -> Result<(), Broken> {
    let now = server.clock.now();
    let attempt = lease::attempt(server, connection, now);
    let Begun::Yes(attempt) = server.store.begin_refresh(attempt, now).await? else {
        return Ok(());
    };
    let Some(Held { mut connection, .. }) = read(server, connection).await? else {
        // It is being given back.
        return release(server, &attempt, connection.clone()).await;
    };
    let reason = hopeless(&connection, integration, now);
    let mut recorded = Recorded::default();
    if let (ConnectionStatus::Active, Some(reason)) = (&connection.status, reason) {
        let reauth = Reauth { reason, error: None, error_subtype: None, since: now };
        recorded = over(server, &mut connection, reauth, now);
    }
    let end = RefreshEnd::Failed(Box::new(connection));
    server.store.end_refresh(&attempt, end, recorded, now).await?;
    Ok(())
}

/// Gives a lease back without a call; `connection` is as it was read under it.
pub(super) async fn release(
    server: &AuthorizationServer,
    attempt: &RefreshAttempt,
    connection: Connection,
) -> Result<(), Broken> {
    let end = RefreshEnd::Failed(Box::new(connection));
    server.store.end_refresh(attempt, end, Recorded::default(), server.clock.now()).await?;
    Ok(())
}

/// How long nothing is tried after so many failures in a row, the last of `class`.
pub(super) fn rest(
    server: &AuthorizationServer,
    class: FailureClass,
    attempts: u32,
    wanted: Option<Seconds>,
) -> Seconds {
    match class {
        FailureClass::BadRequest => AFTER_BAD_REQUEST,
        FailureClass::Throttled
        | FailureClass::Transient
        | FailureClass::UnknownOutcome
        | FailureClass::GrantDead
        | FailureClass::ClientBroken => {
            let wanted = wanted.unwrap_or_default().min(LONGEST_RETRY_AFTER);
            when::pause(attempts, server.entropy.as_ref()).max(wanted)
        }
    }
}

fn trouble(
    server: &AuthorizationServer,
    connection: &Connection,
    class: FailureClass,
    failure: &ProviderFailure,
    now: Timestamp,
) -> Trouble {
    let before = connection.trouble.as_ref();
    let attempts = before.map_or(1, |own| own.attempts.saturating_add(1));
    let wait = rest(server, class, attempts, failure.retry_after);
    Trouble {
        attempts,
        since: before.map_or(now, |own| own.since),
        last_at: now,
        next_at: now.plus(wait),
        class: class.as_str().to_owned(),
        error: failure.error.clone(),
        detail: failure.detail.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn an_id_token_of_another_account_is_not_kept() {
        let signed = |claims: &Value| {
            let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
            Zeroizing::new(format!("e30.{claims}.c2ln"))
        };
        let answer = |id_token: Option<Zeroizing<String>>| TokenAnswer {
            access_token: Zeroizing::default(),
            token_type: "Bearer".to_owned(),
            refresh_token: None,
            id_token,
            scope: None,
            expires_at: None,
            refresh_expires_at: None,
            variables: BTreeMap::new(),
            raw: Value::Null,
        };
        let own = signed(&json!({ "sub": "ada" }));
        assert_eq!(id_token(&answer(Some(own.clone())), "ada"), Some(own));
        for other in [
            signed(&json!({ "sub": "grace" })),
            signed(&json!({})),
            signed(&json!("ada")),
            Zeroizing::new("nonsense".to_owned()),
            Zeroizing::new("a.!.c".to_owned()),
        ] {
            assert_eq!(id_token(&answer(Some(other)), "ada"), None);
        }
        assert_eq!(id_token(&answer(None), "ada"), None);
    }
}
