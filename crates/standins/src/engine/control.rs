//! What these providers answer under `/_control/` beside what every stand-in does.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Issued;
use super::ledger::{Asked, Grant};
use super::people::Person;
use super::request::Fields;
use super::serve::Stage;
use crate::control::{Reply, read, refuse, router as common};
use crate::random::fingerprint;

type Sent<T> = Result<Json<T>, JsonRejection>;

pub(super) fn router(stage: &Stage) -> Router<Arc<Stage>> {
    Router::new()
        .route("/_control/grants", get(grants))
        .route("/_control/issue", post(issue))
        .route("/_control/revoke", post(revoke))
        .route("/_control/access_tokens/end", post(end_access))
        .route("/_control/clients/{id}", patch(change_client))
        .route("/_control/reset", post(reset))
        .merge(common(stage.desk.clone()).with_state(()))
}

async fn grants(State(stage): State<Arc<Stage>>) -> Json<Value> {
    let state = stage.state();
    let rows = state.0.grants().filter(|grant| !grant.ended).map(|grant| {
        let live = state.0.live_refresh_tokens(grant.id, stage.desk.clock.now());
        json!({
            "account": grant.person.map(|person| person.key),
            "scopes": grant.scopes,
            "refresh_tokens": live.map(fingerprint).collect::<Vec<_>>(),
        })
    });
    Json(json!({ "grants": rows.collect::<Vec<_>>() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Issue {
    account: String,
    scopes: Vec<String>,
    #[serde(default = "yes")]
    refresh_token: bool,
}

fn yes() -> bool {
    true
}

async fn issue(State(stage): State<Arc<Stage>>, headers: HeaderMap, body: Sent<Issue>) -> Reply {
    let wanted = read(body)?;
    let base = stage.base(&headers);
    let now = stage.desk.clock.now();
    let mut grant = Grant {
        id: 0,
        person: Some(person(&wanted.account)?),
        scopes: wanted.scopes,
        asked: Fields::new(),
        vars: Fields::new(),
        base: base.clone(),
        prefix: None,
        ended: false,
    };
    let ledger = &mut stage.state().0;
    grant.id = ledger.grant(grant.clone(), stage.provider.lives.most);
    let asked = Asked { refresh: wanted.refresh_token, ..Asked::default() };
    let tokens = ledger.issue(grant.id, now, &stage.provider.lives, asked);
    let issued = Issued { grant: &grant, tokens: &tokens, refreshed: false, now, base: &base };
    Ok(Json((stage.provider.token.answer)(&issued)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfAccount {
    account: Option<String>,
}

impl OfAccount {
    fn key(&self) -> Result<Option<&'static str>, (StatusCode, Json<Value>)> {
        self.account.as_deref().map(|own| person(own).map(|person| person.key)).transpose()
    }
}

async fn revoke(State(stage): State<Arc<Stage>>, body: Sent<OfAccount>) -> Reply {
    let key = read(body)?.key()?;
    let ended = stage.state().0.end_person(key);
    Ok(Json(json!({ "ended": ended })))
}

async fn end_access(State(stage): State<Arc<Stage>>, body: Sent<OfAccount>) -> Reply {
    let key = read(body)?.key()?;
    stage.state().0.end_access_of_person(key);
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeClient {
    id: Option<String>,
    secret: Option<String>,
}

async fn change_client(
    State(stage): State<Arc<Stage>>,
    Path(id): Path<String>,
    body: Sent<ChangeClient>,
) -> Reply {
    let new = read(body)?;
    let client = &mut stage.state().1;
    if client.id != id {
        let text = format!("there is no such client: the one client here is {}", client.id);
        return Err(refuse(StatusCode::NOT_FOUND, &text));
    }
    client.secret = new.secret.unwrap_or_else(|| client.secret.clone());
    client.id = new.id.unwrap_or(id);
    Ok(Json(json!({ "client_id": client.id })))
}

async fn reset(State(stage): State<Arc<Stage>>) -> Json<Value> {
    stage.reset();
    Json(json!({}))
}

fn person(account: &str) -> Result<&'static Person, (StatusCode, Json<Value>)> {
    let text = "there is no such account: ada and grace are the people here";
    Person::find(account).ok_or_else(|| refuse(StatusCode::NOT_FOUND, text))
}
