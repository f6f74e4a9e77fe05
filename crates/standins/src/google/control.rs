//! The control endpoints that only this stand-in has; the table is in the documentation of the
//! module.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::routing::{get, patch, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::app::App;
use super::config::{Client, Person};
use super::grants::{self, Wanted};
use super::keys::Rotation;
use super::scopes::{OPENID, canonical, in_answer};
use super::state::{Account, Application, Behaviour, Condition, Organisation, State};
use crate::control::{Reply, read, refuse};
use crate::http::Body;
use crate::random::fingerprint;

type Sent<T> = Result<Json<T>, JsonRejection>;

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/_control/behaviour", get(behaviour).put(behave))
        .route("/_control/grants", get(grants))
        .route("/_control/issue", post(issue))
        .route("/_control/revoke", post(revoke))
        .route("/_control/people", post(person))
        .route("/_control/accounts", post(account))
        .route("/_control/clients", post(register))
        .route("/_control/clients/{id}", patch(change_client))
        .route("/_control/organisations/{hd}", put(organisation))
        .route("/_control/access_tokens/end", post(end_access))
        .route("/_control/keys", post(keys))
        .route("/_control/reset", post(reset))
}

async fn behaviour(Shared(app): Shared<Arc<App>>) -> Json<Value> {
    Json(json!(app.state().behaviour))
}

async fn behave(Shared(app): Shared<Arc<App>>, body: Sent<Behaviour>) -> Reply {
    app.state().behaviour = read(body)?;
    Ok(behaviour(Shared(app)).await)
}

async fn grants(Shared(app): Shared<Arc<App>>) -> Json<Value> {
    let (state, now) = (app.state(), app.now());
    let mut rows = Vec::new();
    for ((project, sub), scopes) in &state.grants {
        let email = state.people.get(sub).map(|own| own.person.email.as_str());
        let clients = state.clients.values().filter(|own| own.client.project == *project);
        for Application { client, .. } in clients {
            let live = state.tokens.live(&client.id, sub, now);
            let live: Vec<String> = live.into_iter().map(fingerprint).collect();
            rows.push(json!({
                "client_id": client.id,
                "project": project,
                "sub": sub,
                "email": email,
                "scope": in_answer(scopes),
                "live_refresh_tokens": live.len(),
                "refresh_tokens": live,
            }));
        }
    }
    Json(json!({"grants": rows}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Issue {
    client_id: String,
    account: String,
    scopes: Vec<String>,
    #[serde(default = "yes")]
    refresh_token: bool,
}

fn yes() -> bool {
    true
}

async fn issue(Shared(app): Shared<Arc<App>>, body: Sent<Issue>) -> Reply {
    let wanted = read(body)?;
    if wanted.scopes.iter().any(|scope| scope == OPENID) {
        app.keys.prepare();
        app.keys.settled().await;
    }
    let issued = {
        let mut state = app.state();
        let client = client(&state, &wanted.client_id)?;
        let sub = sub(&state, &wanted.account)?;
        let scopes: Option<BTreeSet<String>> =
            wanted.scopes.iter().map(|scope| canonical(scope)).collect();
        let scopes = scopes.ok_or_else(|| {
            refuse(StatusCode::BAD_REQUEST, "one of the scopes does not exist: look into scopes.rs")
        })?;
        let key = (client.project.clone(), sub.clone());
        state.grants.entry(key).or_default().append(&mut scopes.clone());
        let wanted = Wanted {
            client: &client,
            sub: &sub,
            scopes,
            nonce: None,
            with_refresh_token: wanted.refresh_token,
        };
        grants::issue(&mut state, wanted, app.now())
    };
    match issued.answer(&app).map(|answer| answer.body) {
        Ok(Body::Json(body)) => Ok(Json(body)),
        Ok(Body::Text(_)) | Err(_) => {
            Err(refuse(StatusCode::INTERNAL_SERVER_ERROR, "the tokens could not be signed"))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    account: String,
    client_id: Option<String>,
}

async fn revoke(Shared(app): Shared<Arc<App>>, body: Sent<Revoke>) -> Reply {
    let wanted = read(body)?;
    {
        let mut state = app.state();
        let sub = sub(&state, &wanted.account)?;
        let projects: Vec<String> = match &wanted.client_id {
            Some(id) => vec![client(&state, id)?.project],
            None => state.clients.values().map(|own| own.client.project.clone()).collect(),
        };
        for project in projects {
            state.revoke(&project, &sub);
        }
    }
    Ok(grants(Shared(app)).await)
}

async fn person(Shared(app): Shared<Arc<App>>, body: Sent<Person>) -> Reply {
    let person = read(body)?;
    let shown = json!(person);
    app.state().people.insert(person.sub.clone(), Account::new(person));
    Ok(Json(shown))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeAccount {
    account: String,
    must_sign_in: Option<bool>,
    deleted: Option<bool>,
}

async fn account(Shared(app): Shared<Arc<App>>, body: Sent<ChangeAccount>) -> Reply {
    let wanted = read(body)?;
    let mut state = app.state();
    let sub = sub(&state, &wanted.account)?;
    if let Some(account) = state.people.get_mut(&sub) {
        account.must_sign_in = wanted.must_sign_in.unwrap_or(account.must_sign_in);
        account.deleted = wanted.deleted.unwrap_or(account.deleted);
    }
    Ok(Json(json!({"sub": sub})))
}

async fn register(Shared(app): Shared<Arc<App>>, body: Sent<Client>) -> Reply {
    let client = read(body)?;
    let id = client.id.clone();
    let application = Application { client, condition: Condition::default() };
    app.state().clients.insert(id.clone(), application);
    Ok(Json(json!({"client_id": id})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeClient {
    secret: Option<String>,
    condition: Option<Condition>,
    testing: Option<bool>,
    internal_to: Option<String>,
}

async fn change_client(
    Shared(app): Shared<Arc<App>>,
    Path(id): Path<String>,
    body: Sent<ChangeClient>,
) -> Reply {
    let wanted = read(body)?;
    let mut state = app.state();
    let own = state.clients.get_mut(&id).ok_or_else(no_client)?;
    own.condition = wanted.condition.unwrap_or(own.condition);
    own.client.testing = wanted.testing.unwrap_or(own.client.testing);
    if let Some(secret) = wanted.secret {
        own.client.secret = secret;
    }
    if wanted.internal_to.is_some() {
        own.client.internal_to = wanted.internal_to;
    }
    Ok(Json(json!({"client_id": id})))
}

async fn organisation(
    Shared(app): Shared<Arc<App>>,
    Path(hd): Path<String>,
    body: Sent<Organisation>,
) -> Reply {
    let organisation = read(body)?;
    let shown = json!(organisation);
    app.state().organisations.insert(hd, organisation);
    Ok(Json(shown))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndAccess {
    account: Option<String>,
}

async fn end_access(Shared(app): Shared<Arc<App>>, body: Sent<EndAccess>) -> Reply {
    let wanted = read(body)?;
    let mut state = app.state();
    let sub = wanted.account.map(|who| sub(&state, &who)).transpose()?;
    state.tokens.end_access(sub.as_deref());
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotate {
    rotate: Rotation,
}

async fn keys(Shared(app): Shared<Arc<App>>, body: Sent<Rotate>) -> Reply {
    let rotation = read(body)?.rotate;
    app.keys.prepare();
    app.keys.settled().await;
    match app.keys.rotate(rotation).and_then(|()| app.keys.published()) {
        Ok(published) => Ok(Json(published)),
        Err(_) => Err(refuse(StatusCode::INTERNAL_SERVER_ERROR, "no key could be made")),
    }
}

async fn reset(Shared(app): Shared<Arc<App>>) -> Json<Value> {
    app.reset();
    Json(json!({}))
}

fn client(state: &State, id: &str) -> Result<Client, (StatusCode, Json<Value>)> {
    state.clients.get(id).map(|own| own.client.clone()).ok_or_else(no_client)
}

fn no_client() -> (StatusCode, Json<Value>) {
    refuse(StatusCode::NOT_FOUND, "there is no such client: POST it to /_control/clients")
}

fn sub(state: &State, who: &str) -> Result<String, (StatusCode, Json<Value>)> {
    let found = state.account(who).or(state.people.get(who)).map(|own| own.person.sub.clone());
    found.ok_or_else(|| {
        refuse(StatusCode::NOT_FOUND, "there is no such account: POST it to /_control/people")
    })
}
