//! The first token of an integration that acts for itself: RFC 6749 §4.4. Nobody connects it; it is
//! made when it is first asked for.

use std::collections::BTreeMap;

use serde_json::{Map, json};

use super::pause::{self, Standing};
use super::{Report, Shut, call, due_at, end, lease};
use crate::AuthorizationServer;
use crate::error::Broken;
use crate::id::ConnectionId;
use crate::model::{Account, Connection, ConnectionStatus};
use crate::store::{Held, Recorded, Selector};
use crate::time::Timestamp;
use crate::vault::answer::{FailureClass, ProviderFailure, TokenAnswer};
use crate::vault::audit::{self, Actor};
use crate::vault::notices::{self, NoticeEvent};
use crate::vault::seal::{self, Tokens};
use crate::vault::{Integration, IntegrationKind};

/// As if so many tries had failed: none is counted before there is a connection.
const ATTEMPTS: u32 = 3;

/// Makes the connection of an integration that acts for itself, unless it is there.
pub(super) async fn run(server: &AuthorizationServer, name: &str) -> Result<Report, Broken> {
    let integration = server.policy.vault.integrations.get(name);
    let Some(integration) =
        integration.filter(|own| own.kind == IntegrationKind::ClientCredentials)
    else {
        return Ok(Report::stored());
    };
    let own = Selector { integrations: Some(vec![name.to_owned()]), ..Selector::default() };
    if !server.store.held(&own, 1).await?.is_empty() {
        return Ok(Report::stored());
    }
    let now = server.clock.now();
    if let Some((wait, shut)) = server.vault.gate.is_shut(name, now) {
        return Ok(Report::later(wait, shut.as_str(), shut.why()));
    }
    let probe = match pause::standing(server, integration, now).await? {
        Standing::Open => false,
        Standing::Probe => true,
        Standing::Paused(wait) => {
            return Ok(Report::later(wait, Shut::Paused.as_str(), Shut::Paused.why()));
        }
    };
    let permit = match lease::enter(server, integration).await {
        Ok(permit) => permit,
        Err(report) => return Ok(report),
    };
    let (answer, began) = call::for_itself(server, integration).await;
    drop(permit);
    let report = match answer {
        Ok(answer) => store(server, integration, &answer, began).await?,
        Err(failure) => return failed(server, integration, failure).await,
    };
    if probe {
        pause::resume(server, integration, server.clock.now()).await?;
    }
    Ok(report)
}

async fn store(
    server: &AuthorizationServer,
    integration: &Integration,
    answer: &TokenAnswer,
    began: Timestamp,
) -> Result<Report, Broken> {
    let connection = connection(server, integration, answer, began);
    let tokens = Tokens {
        access_token: answer.access_token.clone(),
        token_type: answer.token_type.clone(),
        refresh_token: None,
        previous_refresh_token: None,
        id_token: None,
    };
    let credential = seal::seal(server, &connection, &tokens, None)?;
    let details = Map::from_iter([
        ("integration".to_owned(), json!(connection.integration)),
        ("account".to_owned(), json!(connection.account.sub)),
        ("scope".to_owned(), json!(connection.scope)),
        ("token".to_owned(), json!(audit::fingerprint(&answer.access_token))),
    ]);
    let (actor, target) = (Actor::local("server"), connection.id.shown());
    let entry = audit::event(server, &actor, "connection.connected", &target, details, began);
    let recorded = Recorded {
        audit: vec![entry],
        notices: notices::about(server, NoticeEvent::Connected, &connection, began),
    };
    let held = Held { connection, credential };
    // If another node was faster, its token is as good as ours.
    server.store.store_grant(held, None, None, recorded, began).await?;
    Ok(Report { result: Some("renewed"), ..Report::stored() })
}

fn connection(
    server: &AuthorizationServer,
    integration: &Integration,
    answer: &TokenAnswer,
    began: Timestamp,
) -> Connection {
    let mut connection = Connection {
        id: ConnectionId(server.new_id()),
        integration: integration.name.clone(),
        client_id: integration.client_id.clone(),
        subject: String::new(),
        account: Account { sub: integration.client_id.clone(), ..Account::default() },
        scope: answer.scope.clone().unwrap_or_else(|| integration.scope.clone()),
        requested: integration.scope.clone(),
        status: ConnectionStatus::Active,
        generation: 1,
        version: 1,
        issued_at: began,
        expires_at: answer.expires_at,
        refreshable: true,
        refresh_expires_at: None,
        refresh_used_at: began,
        rotates: None,
        variables: BTreeMap::clone(&answer.variables),
        trouble: None,
        due_at: None,
        created_at: began,
        connected_at: began,
        last_used_at: None,
    };
    connection.due_at = due_at(server, &connection, began);
    connection
}

/// There is no connection yet to note it at: the integration is left alone for a while.
async fn failed(
    server: &AuthorizationServer,
    integration: &Integration,
    failure: ProviderFailure,
) -> Result<Report, Broken> {
    let now = server.clock.now();
    let rest = end::rest(server, failure.class, ATTEMPTS, failure.retry_after);
    let (wait, shut) = match failure.class {
        FailureClass::GrantDead | FailureClass::ClientBroken => {
            pause::begin(server, integration, &failure, now).await?;
            (pause::PROBE, Shut::Paused)
        }
        FailureClass::BadRequest => (rest, Shut::Refused),
        FailureClass::Throttled => (rest, Shut::Throttled),
        FailureClass::Transient | FailureClass::UnknownOutcome => (rest, Shut::Away),
    };
    if shut != Shut::Paused {
        server.vault.gate.shut(&integration.name, now.plus(wait), shut);
    }
    let report = Report::later(wait, shut.as_str(), shut.why());
    Ok(Report { result: Some(failure.class.as_str()), failure: Some(failure), ..report })
}
