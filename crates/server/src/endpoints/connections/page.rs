//! The page of connected accounts, and what can be done there.

use axum::extract::RawQuery;
use axum::response::Response;
use grantor_core::error::{Failure, Refusal};
use grantor_core::id::{ConnectionId, UserId};
use grantor_core::model::{ConnectMode, Connection, ConnectionStatus, ReauthReason};
use grantor_core::params::Params;
use grantor_core::store::{Selector, SessionView};
use grantor_core::vault::connect::{self, Asked};
use grantor_core::vault::disconnect::{self as leaving, Disconnected};
use grantor_core::vault::{Integration, IntegrationKind};

use crate::endpoints::connect::{account, actor, names};
use crate::extract;
use crate::onward::Onward;
use crate::pages::{Confirm, ConnectionRow, Connections, ConnectionsNotice, Offer, RowStatus};
use crate::visit::{Form, Visit};

/// The subject of the forms of this page.
const SUBJECT: &str = "connections";

/// Connections of one person that are shown.
const MOST: u32 = 200;

/// The accounts of whoever is signed in.
pub(super) async fn show(visit: &Visit, query: Option<&str>) -> Response {
    let Some(session) = &visit.session else {
        return sign_in(visit);
    };
    let done = match query {
        Some("done=disconnected") => Some(ConnectionsNotice::Disconnected),
        Some("done=disconnecting") => Some(ConnectionsNotice::Disconnecting),
        Some(_) | None => None,
    };
    match own(visit, session.user.id).await {
        Ok(connections) => visit.page(&page(visit, &connections, done), Form::person(SUBJECT)),
        Err(failure) => visit.fail(failure),
    }
}

/// `POST /connections/connect`: on to the page of a new link, for another account or the same again.
pub(crate) async fn begin(visit: Visit, form: extract::Form) -> Response {
    let Some(session) = &visit.session else {
        return sign_in(&visit);
    };
    match begun(&visit, session, &form).await {
        Ok(path) => visit.see_other(&path),
        Err(failure) => visit.fail(failure),
    }
}

/// `GET /connections/disconnect`: asks before an account is disconnected.
pub(crate) async fn ask_disconnect(visit: Visit, RawQuery(query): RawQuery) -> Response {
    let Some(session) = &visit.session else {
        return sign_in(&visit);
    };
    let query = query.unwrap_or_default();
    let found = match Params::parse(query.as_bytes()) {
        Ok(params) => named(&visit, session.user.id, &params).await,
        Err(refusal) => Err(refusal.into()),
    };
    match found {
        Ok(connection) => {
            let label = label(&visit, &connection);
            let shown = account(&connection.account).shown;
            let page = Confirm::disconnect(connection.id.shown(), label, shown);
            visit.page(&page, Form::person(SUBJECT))
        }
        Err(failure) => visit.fail(failure),
    }
}

/// `POST /connections/disconnect`.
pub(crate) async fn disconnect(visit: Visit, form: extract::Form) -> Response {
    let Some(session) = &visit.session else {
        return sign_in(&visit);
    };
    match disconnected(&visit, session, &form).await {
        Ok(Disconnected::Done(_)) => visit.see_other("/connections?done=disconnected"),
        Ok(Disconnected::Pending { .. }) => visit.see_other("/connections?done=disconnecting"),
        Err(failure) => visit.fail(failure),
    }
}

fn sign_in(visit: &Visit) -> Response {
    visit.see_other(&Onward::Connections.login())
}

async fn own(visit: &Visit, person: UserId) -> Result<Vec<Connection>, Failure> {
    let subjects = Some(vec![person.to_string()]);
    let selector = Selector { subjects, ..Selector::default() };
    let found = visit.app.server.store.connections(&selector, None, None, MOST).await;
    let mut found = found?;
    found.reverse();
    Ok(found)
}

/// A connection of this person; that of another looks as if it was not there.
async fn named(visit: &Visit, person: UserId, params: &Params<'_>) -> Result<Connection, Failure> {
    let id = ConnectionId::read(params.required("connection")?);
    let id = id.map_err(|_| Refusal::ConnectionNotFound {})?;
    let found = visit.app.server.store.connection(id).await?;
    let found = found.filter(|own| own.subject == person.to_string());
    Ok(found.ok_or(Refusal::ConnectionNotFound {})?)
}

async fn begun(
    visit: &Visit,
    session: &SessionView,
    form: &extract::Form,
) -> Result<String, Failure> {
    let params = form.params()?;
    params.refuse_any_doubled()?;
    visit.check_csrf(&params, SUBJECT, true)?;
    let mut asked = Asked {
        integration: params.get("integration").map(ToOwned::to_owned),
        subject: Some(session.user.id.to_string()),
        mode: Some(ConnectMode::SelfService),
        ..Asked::default()
    };
    if params.get("connection").is_some() {
        let connection = named(visit, session.user.id, &params).await?;
        asked.integration = Some(connection.integration);
        asked.scope = Some(connection.requested);
        asked.reconnect = Some(connection.id);
    }
    let (server, now) = (&visit.app.server, visit.caller.now);
    let link = connect::begin(server, asked, None, &actor(visit), now).await?;
    let path = link.connect_url.rsplit_once("/connect/").map(|(_, link)| link);
    Ok(format!("/connect/{}", path.unwrap_or_default()))
}

async fn disconnected(
    visit: &Visit,
    session: &SessionView,
    form: &extract::Form,
) -> Result<Disconnected, Failure> {
    let params = form.params()?;
    params.refuse_any_doubled()?;
    visit.check_csrf(&params, SUBJECT, true)?;
    let connection = named(visit, session.user.id, &params).await?;
    let (server, now) = (&visit.app.server, visit.caller.now);
    let ended = leaving::disconnect(server, connection.id, &actor(visit), now).await?;
    visit.app.notices_queued.notify_one();
    Ok(ended.ok_or(Refusal::ConnectionNotFound {})?)
}

fn page(visit: &Visit, connections: &[Connection], done: Option<ConnectionsNotice>) -> Connections {
    let offered = offered(visit).map(|own| Offer {
        integration: own.name.clone(),
        provider: own.label.clone(),
        more: connections.iter().any(|other| other.integration == own.name),
    });
    Connections {
        offered: offered.collect(),
        connections: connections.iter().map(|own| row(visit, own)).collect(),
        done,
    }
}

/// What people may connect by themselves.
fn offered(visit: &Visit) -> impl Iterator<Item = &Integration> {
    let all = visit.app.server.policy.vault.integrations.values().map(AsRef::as_ref);
    all.filter(|own: &&Integration| own.self_service && own.kind == IntegrationKind::Person)
}

fn row(visit: &Visit, own: &Connection) -> ConnectionRow {
    let status = status(own);
    let here = offered(visit).any(|other| other.name == own.integration);
    ConnectionRow {
        id: own.id.shown(),
        provider: label(visit, own),
        account: account(&own.account),
        scopes: names(&own.scope),
        status,
        again: here && status != RowStatus::Disconnecting,
        since: own.connected_at.epoch(),
        last_used: own.last_used_at.map(grantor_core::time::Timestamp::epoch),
    }
}

/// What people call the provider; the name of the integration when that is gone.
fn label(visit: &Visit, own: &Connection) -> String {
    let integration = visit.app.server.policy.vault.integrations.get(&own.integration);
    integration.map_or_else(|| own.integration.clone(), |found| found.label.clone())
}

fn status(own: &Connection) -> RowStatus {
    match &own.status {
        ConnectionStatus::Active if own.trouble.is_some() => RowStatus::Trouble,
        ConnectionStatus::Active => RowStatus::Active,
        ConnectionStatus::Disconnecting { .. } => RowStatus::Disconnecting,
        ConnectionStatus::ReauthRequired(reauth) => match reauth.reason {
            ReauthReason::GrantDead => RowStatus::GrantDead,
            ReauthReason::SignInAgain => RowStatus::SignInAgain,
            ReauthReason::RefreshTokenExpired => RowStatus::Expired,
            ReauthReason::NoRefreshToken => RowStatus::NoRefreshToken,
            ReauthReason::RefreshOutcomeLost => RowStatus::Lost,
            ReauthReason::ClientChanged | ReauthReason::Operator => RowStatus::Operator,
        },
    }
}
