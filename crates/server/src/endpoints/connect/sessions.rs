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
use serde_json::{Map, Value, json as object};

use crate::app::App;
use crate::extract::{Caller, JsonObject};
use crate::respond::json;
use crate::service::{Service, answer};

/// What the body may say.
const MEMBERS: [&str; 7] =
    ["integration", "subject", "scopes", "account_hint", "connection_id", "return_url", "mode"];

/// `POST /connect/sessions`: makes a link.
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    JsonObject(body): JsonObject,
) -> Response {
    let made = async {
        let service = Service::of(&app, caller, &headers).await?;
        let asked = asked(&body?)?;
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
        let missing = |name| Refusal::MissingParameter { name };
        let code = text(&body, "connect_code")?.ok_or(missing("connect_code"))?;
        let subject = text(&body, "subject")?.ok_or(missing("subject"))?;
        let (server, rights, actor) = (&app.server, service.rights(), &service.actor);
        let connected = connect::complete(server, code, subject, rights, actor, caller.now).await?;
        app.notices_queued.notify_one();
        let integration = server.policy.vault.integrations.get(&connected.connection.integration);
        let told = describe(&connected.connection, integration.map(AsRef::as_ref));
        Ok::<_, Failure>(json(StatusCode::OK, &told))
    };
    answer(caller, completed.await)
}

fn asked(body: &Map<String, Value>) -> Result<Asked, Refusal> {
    refuse_others(body, &MEMBERS)?;
    let bad = |name, want| Refusal::BadParameter { name, want };
    let owned = |name| Ok::<_, Refusal>(text(body, name)?.map(str::to_owned));
    let reconnect = text(body, "connection_id")?.map(|own| {
        let id = ConnectionId::read(own);
        id.map_err(|_| bad("connection_id", "send the id of a connection: con_ and a UUID"))
    });
    let mode = text(body, "mode")?.map(|name| {
        ConnectMode::named(name).ok_or(bad("mode", "send bound, self_service or link"))
    });
    Ok(Asked {
        integration: owned("integration")?,
        subject: owned("subject")?,
        scope: scope(body)?,
        account_hint: owned("account_hint")?,
        reconnect: reconnect.transpose()?,
        return_url: owned("return_url")?,
        mode: mode.transpose()?,
    })
}

/// A member that is a text, if it is there.
fn text<'a>(body: &'a Map<String, Value>, name: &'static str) -> Result<Option<&'a str>, Refusal> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(own)) => Ok(Some(own)),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(Refusal::BadParameter { name, want: "send a text" })
        }
    }
}

/// A member that is spelt wrong is told by its name, and not passed over.
fn refuse_others(body: &Map<String, Value>, known: &[&str]) -> Result<(), Refusal> {
    match body.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Refusal::MemberUnknown { name: shorten(name) }),
        None => Ok(()),
    }
}

/// A list of names, or a text with spaces between them: RFC 6749 §3.3.
fn scope(body: &Map<String, Value>) -> Result<Option<Scope>, Refusal> {
    let text = match body.get("scopes") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Array(names)) => {
            let names: Option<Vec<&str>> = names.iter().map(Value::as_str).collect();
            names.map(|names| names.join(" "))
        }
        Some(Value::Bool(_) | Value::Number(_) | Value::Object(_)) => None,
    };
    let want = "send an array of scopes, or a text with spaces between them";
    let text = text.ok_or(Refusal::BadParameter { name: "scopes", want })?;
    Scope::parse(&text).map(Some).map_err(|_| Refusal::ScopeMalformed {})
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
