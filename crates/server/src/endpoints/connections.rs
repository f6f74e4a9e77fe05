//! `/connections`: for a service with an API key JSON, for a person in a browser a page.

mod page;

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts as _, Path, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use grantor_core::error::{Failure, Refusal};
use grantor_core::id::ConnectionId;
use grantor_core::model::{ApiKeyAction, ApiKeyRights, Connection};
use grantor_core::params::Params;
use grantor_core::store::Selector;
use grantor_core::vault::describe;
use grantor_core::vault::disconnect::{self, Disconnected};
use serde_json::{Map, Value, json as object};

pub(crate) use page::{ask_disconnect, begin, disconnect};

use crate::app::App;
use crate::extract::{Caller, wants_html};
use crate::respond::json;
use crate::service::{Service, answer};
use crate::visit::Visit;

/// Connections in one answer, unless fewer are asked for.
const PAGE: u32 = 100;

/// An id in the path; one that is no text names nothing.
type Named = Result<Path<String>, PathRejection>;

/// `GET /connections`.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let (mut parts, _) = request.into_parts();
    if wants_html(&headers) && !headers.contains_key(header::AUTHORIZATION) {
        return match Visit::from_request_parts(&mut parts, &app).await {
            Ok(visit) => page::show(&visit, query.as_deref()).await,
            Err(response) => response,
        };
    }
    match Caller::from_request_parts(&mut parts, &app).await {
        Ok(caller) => {
            let read = read_list(&app, caller, &headers, query.as_deref()).await;
            answer(caller, read.map(|told| json(StatusCode::OK, &told)))
        }
        Err(rejection) => rejection.into_response(),
    }
}

/// `GET /connections/{id}`.
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Named,
    headers: HeaderMap,
) -> Response {
    let read = async {
        let service = manager(&app, caller, &headers).await?;
        let connection = reached(&app, service.rights(), id).await?;
        Ok::<_, Failure>(json(StatusCode::OK, &told(&app, &connection)))
    };
    answer(caller, read.await)
}

/// `DELETE /connections/{id}`.
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Named,
    headers: HeaderMap,
) -> Response {
    let removed = async {
        let service = manager(&app, caller, &headers).await?;
        let connection = reached(&app, service.rights(), id).await?;
        let (server, now) = (&app.server, caller.now);
        let ended = disconnect::disconnect(server, connection.id, &service.actor, now).await?;
        app.notices_queued.notify_one();
        Ok::<_, Failure>(match ended.ok_or(Refusal::ConnectionNotFound {})? {
            Disconnected::Done(upstream) => json(
                StatusCode::OK,
                &object!({ "status": "disconnected", "provider": upstream.as_str() }),
            ),
            // What the provider said is for the operator's log, not for a service.
            Disconnected::Pending { .. } => {
                json(StatusCode::ACCEPTED, &object!({ "status": "disconnecting" }))
            }
        })
    };
    answer(caller, removed.await)
}

/// A service whose key may manage connections.
async fn manager(app: &App, caller: Caller, headers: &HeaderMap) -> Result<Service, Failure> {
    let service = Service::of(app, caller, headers).await?;
    if !service.rights().may(ApiKeyAction::Manage) {
        return Err(Refusal::KeyMayNot { what: "manage connections" }.into());
    }
    Ok(service)
}

/// One that is out of reach looks as if it was not there.
async fn reached(app: &App, rights: &ApiKeyRights, id: Named) -> Result<Connection, Failure> {
    let id = id.ok().and_then(|Path(text)| ConnectionId::read(&text).ok());
    let id = id.ok_or(Refusal::ConnectionNotFound {})?;
    let found = app.server.store.connection(id).await?.filter(|own| rights.reaches(own));
    Ok(found.ok_or(Refusal::ConnectionNotFound {})?)
}

async fn read_list(
    app: &App,
    caller: Caller,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<Value, Failure> {
    let service = manager(app, caller, headers).await?;
    let params = Params::parse(query.unwrap_or_default().as_bytes())?;
    params.refuse_any_doubled()?;
    let Some(selector) = narrowed(service.rights(), &params) else {
        return Ok(object!({ "connections": [], "next": null }));
    };
    let status = status(&params)?;
    let (after, limit) = (after(&params)?, limit(&params)?);
    let store = &app.server.store;
    // One more tells whether there is a next page.
    let mut found = store.connections(&selector, status, after, limit + 1).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|last| last.id.shown());
    let connections: Vec<_> = found.iter().map(|own| told(app, own)).collect();
    Ok(object!({ "connections": connections, "next": next }))
}

fn told(app: &App, connection: &Connection) -> Map<String, Value> {
    let integration = app.server.policy.vault.integrations.get(&connection.integration);
    describe(connection, integration.map(AsRef::as_ref))
}

/// What is asked for within what the key reaches; `None` when that is nothing.
fn narrowed(rights: &ApiKeyRights, params: &Params<'_>) -> Option<Selector> {
    let mut selector = rights.selector();
    if let Some(name) = params.get("integration") {
        rights.reaches_integration(name).then_some(())?;
        selector.integrations = Some(vec![name.to_owned()]);
    }
    if let Some(subject) = params.get("subject") {
        rights.reaches_subject(subject).then_some(())?;
        selector.subjects = Some(vec![subject.to_owned()]);
    }
    selector.account = params.get("account").map(ToOwned::to_owned);
    Some(selector)
}

fn status<'a>(params: &'a Params<'_>) -> Result<Option<&'a str>, Refusal> {
    let named = params.get("status");
    let known = ["active", "reauth_required", "disconnecting"];
    if named.is_some_and(|own| !known.contains(&own)) {
        let want = "send active, reauth_required or disconnecting";
        return Err(Refusal::BadParameter { name: "status", want });
    }
    Ok(named)
}

fn after(params: &Params<'_>) -> Result<Option<ConnectionId>, Refusal> {
    let read = params.get("after").map(ConnectionId::read).transpose();
    let want = "send what the page before has as next";
    read.map_err(|_| Refusal::BadParameter { name: "after", want })
}

fn limit(params: &Params<'_>) -> Result<u32, Refusal> {
    let Some(text) = params.get("limit") else {
        return Ok(PAGE);
    };
    let number = text.parse().ok().filter(|number| (1..=1_000).contains(number));
    number.ok_or(Refusal::BadParameter { name: "limit", want: "send a number from 1 to 1000" })
}
