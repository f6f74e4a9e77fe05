//! `POST /connect/sessions`, `GET /connect/sessions/{id}` and `POST /connect/complete`: what an
//! application does to have an account connected.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use grantor_core::error::{Failure, Refusal};
use grantor_core::id::{ConnectSessionId, ConnectionId};
use grantor_core::model::{ConnectMode, ConnectSession, ConnectState, Scope};
use grantor_core::params::shorten;
use grantor_core::vault::connect::{self, Asked, Link};
use grantor_core::vault::describe;
use serde::Deserialize;
use serde_json::{Map, Value, json as object};

use crate::app::App;
use crate::extract::{Caller, JsonObject};
use crate::respond::json;
use crate::service::{Service, answer};

/// What the body may say.
const MEMBERS: [&str; 7] =
    ["integration", "subject", "scopes", "account_hint", "connection_id", "return_url", "mode"];

/// What it says.
#[derive(Deserialize)]
struct Wanted {
    integration: Option<String>,
    subject: Option<String>,
    scopes: Option<Names>,
    account_hint: Option<String>,
    connection_id: Option<String>,
    return_url: Option<String>,
    mode: Option<String>,
}

/// A list of names, or a text with spaces between them: RFC 6749 §3.3.
#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    List(Vec<String>),
    Text(String),
}

/// `POST /connect/sessions`: makes a link.
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    JsonObject(body): JsonObject,
) -> Response {
    let made = async {
        let service = Service::of(&app, caller, &headers).await?;
        let asked = asked(body?)?;
        let rights = Some(service.rights());
        connect::begin(&app.server, asked, rights, &service.actor, caller.now).await
    };
    answer(caller, made.await.map(|link| created(&link)))
}

/// `GET /connect/sessions/{id}`: how far it is.
pub(crate) async fn status(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let read = async {
        let service = Service::of(&app, caller, &headers).await?;
        let id = id.ok().and_then(|Path(text)| text.parse().ok());
        let id: ConnectSessionId = id.ok_or(Refusal::ConnectSessionNotFound {})?;
        connect::status(&app.server, id, service.rights(), caller.now).await
    };
    answer(caller, read.await.map(|session| json(StatusCode::OK, &told(&session))))
}

/// `POST /connect/complete`: the application says that the browser with the connect code was that of
/// its own signed-in person.
pub(crate) async fn complete(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    JsonObject(body): JsonObject,
) -> Response {
    let completed = async {
        let service = Service::of(&app, caller, &headers).await?;
        let body = body?;
        refuse_others(&body, &["connect_code", "subject"])?;
        let member = |name| body.get(name).and_then(Value::as_str);
        let missing = |name| Refusal::MissingParameter { name };
        let code = member("connect_code").ok_or(missing("connect_code"))?;
        let subject = member("subject").ok_or(missing("subject"))?;
        let (server, rights, actor) = (&app.server, service.rights(), &service.actor);
        let connected = connect::complete(server, code, subject, rights, actor, caller.now).await?;
        let integration = server.policy.vault.integrations.get(&connected.connection.integration);
        let told = describe(&connected.connection, integration.map(AsRef::as_ref));
        Ok::<_, Failure>(json(StatusCode::OK, &told))
    };
    answer(caller, completed.await)
}

fn asked(body: Map<String, Value>) -> Result<Asked, Refusal> {
    refuse_others(&body, &MEMBERS)?;
    let wanted: Wanted = serde_json::from_value(body.into()).map_err(|_| Refusal::BadJson {})?;
    let unknown = |name, want| Refusal::BadParameter { name, want };
    let reconnect = wanted.connection_id.as_deref().map(ConnectionId::read).transpose();
    let mode = wanted.mode.as_deref().map(|name| {
        let named = ConnectMode::named(name);
        named.ok_or(unknown("mode", "send bound, self_service or link"))
    });
    Ok(Asked {
        integration: wanted.integration,
        subject: wanted.subject,
        scope: wanted.scopes.map(scope).transpose()?,
        account_hint: wanted.account_hint,
        reconnect: reconnect.map_err(|_| Refusal::ConnectionNotFound {})?,
        return_url: wanted.return_url,
        mode: mode.transpose()?,
    })
}

/// A member that is spelt wrong is told by its name, and not passed over.
fn refuse_others(body: &Map<String, Value>, known: &[&str]) -> Result<(), Refusal> {
    match body.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Refusal::MemberUnknown { name: shorten(name) }),
        None => Ok(()),
    }
}

fn scope(names: Names) -> Result<Scope, Refusal> {
    let text = match names {
        Names::List(names) => names.join(" "),
        Names::Text(text) => text,
    };
    Scope::parse(&text).map_err(|_| Refusal::ScopeMalformed {})
}

fn created(link: &Link) -> Response {
    let session = &link.session;
    let told = object!({
        "id": session.id,
        "connect_url": link.connect_url,
        "mode": session.mode.as_str(),
        "expires_at": session.expires_at.rfc3339(),
    });
    json(StatusCode::CREATED, &told)
}

fn told(session: &ConnectSession) -> Value {
    let (status, connection, error) = match &session.state {
        ConnectState::Open => ("open", None, None),
        ConnectState::Started { .. } => ("started", None, None),
        ConnectState::Waiting { .. } => ("waiting", None, None),
        ConnectState::Done(id) => ("done", Some(id.shown()), None),
        ConnectState::Failed(why) => ("failed", None, Some(why)),
    };
    object!({
        "id": session.id,
        "status": status,
        "connection_id": connection,
        "error": error,
        "integration": session.integration,
        "subject": session.subject,
        "scope": session.scope,
        "mode": session.mode.as_str(),
        "created_at": session.created_at.rfc3339(),
        "expires_at": session.expires_at.rfc3339(),
    })
}
