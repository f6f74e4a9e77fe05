//! Refusals that say what to do: a link for the person, when to ask again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use super::select::Found;
use super::{Asked, Caller};
use crate::AuthorizationServer;
use crate::error::{Details, Failure, Refusal};
use crate::id::ConnectSessionId;
use crate::model::{ApiKeyAction, ConnectState, Connection, Reauth, Scope};
use crate::time::{Seconds, Timestamp};
use crate::vault::connect;
use crate::vault::refresh::{Outcome, Work};
use crate::vault::{Integration, IntegrationKind};

/// How long a link is answered again to the same caller for the same thing, so that one who asks
/// every second does not fill the store with sessions.
const SAME_LINK: Seconds = Seconds::minutes(5);
/// Links that are remembered.
const MOST_LINKS: usize = 10_000;

/// Links that were made lately, in memory only.
#[derive(Default)]
pub struct Links(Mutex<HashMap<Purpose, Known>>);

/// A link, and its session.
#[derive(Clone)]
struct Known {
    url: Zeroizing<String>,
    session: ConnectSessionId,
    until: Timestamp,
}

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Links")
    }
}

/// Who is to repair what.
type Purpose = (String, String);

/// Nobody has connected an account for this yet.
pub(super) async fn not_connected(
    server: &AuthorizationServer,
    asked: &Asked,
    caller: Caller<'_>,
    named: Option<&[Arc<Integration>]>,
    now: Timestamp,
) -> Failure {
    let only = |names: &Option<Vec<String>>| {
        names.as_ref().filter(|own| own.len() == 1).and_then(|own| own.first().cloned())
    };
    let integration = named.filter(|own| own.len() == 1).and_then(|own| own.first());
    let subject = asked.subject.clone().or_else(|| only(&caller.rights.subjects));
    let connect_url = match (integration, subject) {
        (Some(integration), Some(subject)) => {
            let usual = || within(&integration.scope, integration, caller);
            let scope = asked.scope.as_ref().map(|own| own.union(&usual()));
            let wanted = connect::Asked {
                integration: Some(integration.name.clone()),
                subject: Some(subject),
                scope,
                account_hint: asked.account.clone(),
                ..connect::Asked::default()
            };
            match link(server, wanted, caller, now).await {
                Ok(link) => link,
                Err(failure) => return failure,
            }
        }
        (_, _) => None,
    };
    let then = next(
        connect_url.is_some(),
        caller,
        "Send the person to connect_url",
        "Name integration and subject to be given a link, or make one with POST /connect/sessions",
    );
    let details = Box::new(Details { connect_url, ..Details::default() });
    Refusal::NotConnected { then, details }.into()
}

/// The connection does not have the scopes.
pub(super) async fn not_granted(
    server: &AuthorizationServer,
    (connection, integration): (&Connection, &Integration),
    wanted: &Scope,
    missing_scopes: Scope,
    caller: Caller<'_>,
    now: Timestamp,
) -> Failure {
    let scope = before(connection, integration, caller).union(wanted);
    let connect_url = match reconnect(server, connection, Some(scope), caller, now).await {
        Ok(link) => link,
        Err(failure) => return failure,
    };
    let then = next(
        connect_url.is_some(),
        caller,
        "Send the person to connect_url to grant missing_scopes as well",
        "Make a link that asks for missing_scopes as well: POST /connect/sessions",
    );
    let details = Box::new(Details { connect_url, missing_scopes, ..Details::default() });
    Refusal::ScopeNotGranted { then, details }.into()
}

/// Only a person can repair it.
pub(super) async fn reauth(
    server: &AuthorizationServer,
    found: &Found,
    reauth: &Reauth,
    caller: Caller<'_>,
    now: Timestamp,
) -> Failure {
    let connection = &found.held.connection;
    let scope = Some(before(connection, &found.integration, caller));
    let connect_url = match found.integration.kind {
        IntegrationKind::ClientCredentials => Ok(None),
        IntegrationKind::Person => reconnect(server, connection, scope, caller, now).await,
    };
    let connect_url = match connect_url {
        Ok(link) => link,
        Err(failure) => return failure,
    };
    let then = match found.integration.kind {
        IntegrationKind::ClientCredentials => "The operator has to look into the integration",
        IntegrationKind::Person => next(
            connect_url.is_some(),
            caller,
            "Send the person to connect_url",
            "Make a link for this connection with POST /connect/sessions",
        ),
    };
    let details = Details {
        connect_url,
        reason: Some(reauth.reason.as_str()),
        error_subtype: reauth.error_subtype.clone(),
        since: Some(reauth.since),
        ..Details::default()
    };
    let why = reauth.reason.why();
    Refusal::ReauthRequired { why, then, details: Box::new(details) }.into()
}

/// What to do next: `with` the link that is in the answer, else by an own one, if the caller may make
/// such.
fn next(linked: bool, caller: Caller<'_>, with: &'static str, own: &'static str) -> &'static str {
    match (linked, caller.rights.may(ApiKeyAction::Connect)) {
        (true, _) => with,
        (false, true) => own,
        (false, false) => {
            "A service whose key has the action connect can make a link for the person: \
             POST /connect/sessions"
        }
    }
}

/// There is no valid token, and none to be had now.
pub(super) fn away(
    server: &AuthorizationServer,
    connection: &Connection,
    later: Option<Outcome>,
    now: Timestamp,
) -> Failure {
    let shut = server.vault.gate.is_shut(&connection.integration, now);
    let (wait, reason, why) = match (later, &connection.trouble, shut) {
        (Some(Outcome::Later { wait, reason, why }), _, _) => (wait, reason, why),
        (_, _, Some((wait, shut))) => (wait, shut.as_str(), shut.why()),
        (_, Some(trouble), None) => {
            let (reason, why) = told(&trouble.class);
            (now.until(trouble.next_at), reason, why)
        }
        (_, None, None) => (Seconds(1), "transient", "the refresh did not come to an end"),
    };
    unavailable(wait, reason, why).into()
}

/// The class of the last failure, for programs and for people.
fn told(class: &str) -> (&'static str, &'static str) {
    match class {
        "throttled" => ("throttled", "the provider wants fewer requests"),
        "bad_request" => {
            ("bad_request", "the provider refuses the request, which the operator has to look into")
        }
        "unknown_outcome" => {
            ("unknown_outcome", "the provider did not finish to answer, and is asked again")
        }
        _ => ("transient", "the provider does not answer as it should"),
    }
}

fn unavailable(wait: Seconds, reason: &'static str, why: &'static str) -> Refusal {
    let retry_after = Some(wait.max(Seconds(1)));
    let details = Details { reason: Some(reason), retry_after, ..Details::default() };
    Refusal::ProviderAway { why, details: Box::new(details) }
}

/// Waits for `work`, as long as a caller is made to wait; why it is not done, if it is not.
pub(super) async fn waited(
    server: &AuthorizationServer,
    work: Work,
) -> Result<Option<Outcome>, Failure> {
    let policy = &server.policy.vault.refresh;
    let outcome = match server.vault.beside.get() {
        Some(background) => background.finish(work, policy.patience).await,
        None => Some(crate::vault::refresh::run(server, &work).await?.outcome),
    };
    Ok(match outcome {
        Some(Outcome::Stored) => None,
        Some(later @ Outcome::Later { .. }) => Some(later),
        None => Some(Outcome::Later {
            wait: Seconds((policy.patience.0 / 4).clamp(1, 10)),
            reason: "slow",
            why: "the provider takes long to answer, and is still waited for",
        }),
    })
}

/// The same, where nothing can be answered without it.
pub(super) async fn unless_stored(server: &AuthorizationServer, work: Work) -> Result<(), Failure> {
    match waited(server, work).await? {
        Some(Outcome::Later { wait, reason, why }) => Err(unavailable(wait, reason, why).into()),
        Some(Outcome::Stored) | None => Ok(()),
    }
}

/// What was asked for before, as far as the caller may have it: else there would be no link.
fn before(connection: &Connection, integration: &Integration, caller: Caller<'_>) -> Scope {
    within(&connection.requested.union(&connection.scope), integration, caller)
}

fn within(scope: &Scope, integration: &Integration, caller: Caller<'_>) -> Scope {
    let most = caller.rights.scope.as_ref();
    most.map_or_else(|| scope.clone(), |most| integration.provider.within(scope, most))
}

async fn reconnect(
    server: &AuthorizationServer,
    connection: &Connection,
    scope: Option<Scope>,
    caller: Caller<'_>,
    now: Timestamp,
) -> Result<Option<String>, Failure> {
    let wanted = connect::Asked {
        reconnect: Some(connection.id),
        account_hint: connection.account.email.clone(),
        scope,
        ..connect::Asked::default()
    };
    link(server, wanted, caller, now).await
}

/// A link that repairs it, if the caller may make one: else the answer does without.
async fn link(
    server: &AuthorizationServer,
    wanted: connect::Asked,
    caller: Caller<'_>,
    now: Timestamp,
) -> Result<Option<String>, Failure> {
    if !caller.rights.may(ApiKeyAction::Connect) {
        return Ok(None);
    }
    let wanted = connect::Asked { mode: caller.mode, ..wanted };
    let purpose = (caller.actor.name.clone(), format!("{wanted:?}"));
    if let Some(known) = server.vault.links.find(&purpose, now)
        && opens(server, known.session, now).await?
    {
        return Ok(Some(known.url.to_string()));
    }
    match connect::begin(server, wanted, Some(caller.rights), caller.actor, now).await {
        Ok(link) => {
            server.vault.links.keep(purpose, &link, now);
            Ok(Some(link.connect_url))
        }
        Err(Failure::Refused(_)) => Ok(None),
        Err(broken @ Failure::Broken(_)) => Err(broken),
    }
}

/// Whether the link of a session leads anywhere: not when it has done its work or was declined.
async fn opens(
    server: &AuthorizationServer,
    session: ConnectSessionId,
    now: Timestamp,
) -> Result<bool, Failure> {
    let session = server.store.connect_session(session, now).await?;
    Ok(session.is_some_and(|own| match own.state {
        ConnectState::Open | ConnectState::Started { .. } | ConnectState::Waiting { .. } => true,
        ConnectState::Done(_) | ConnectState::Failed(_) => false,
    }))
}

impl Links {
    fn find(&self, purpose: &Purpose, now: Timestamp) -> Option<Known> {
        let links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        links.get(purpose).filter(|known| now < known.until).cloned()
    }

    fn keep(&self, purpose: Purpose, link: &connect::Link, now: Timestamp) {
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if links.len() >= MOST_LINKS {
            links.retain(|_, known| now < known.until);
        }
        if links.len() < MOST_LINKS {
            let url = Zeroizing::new(link.connect_url.clone());
            let (session, until) = (link.session.id, now.plus(SAME_LINK));
            links.insert(purpose, Known { url, session, until });
        }
    }
}
