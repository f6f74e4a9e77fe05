//! What these providers answer under `/_control/` beside what every stand-in does.
//!
//! | request | body | what it does |
//! |---|---|---|
//! | `POST /_control/end` | `{"person"?: "ada"}` | ends the grants of a person, or all: `{"ended": 2}` |
//! | `POST /_control/client` | `{"id"?, "secret"?}` | the client has this id or secret from now on |
//! | `POST /_control/reset` | | the clock is right, no faults, nothing held, counts from zero; tokens stay |

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::serve::Stage;
use crate::control::{Reply, read, router as common};

pub(super) fn router(stage: &Stage) -> Router<Arc<Stage>> {
    Router::new()
        .route("/_control/end", post(end))
        .route("/_control/client", post(client))
        .route("/_control/reset", post(reset))
        .merge(common(stage.desk.clone()).with_state(()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    person: Option<String>,
}

async fn end(State(stage): State<Arc<Stage>>, body: Result<Json<End>, JsonRejection>) -> Reply {
    let person = read(body)?.person;
    let ended = stage.state().0.end_person(person.as_deref());
    Ok(Json(json!({ "ended": ended })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewClient {
    id: Option<String>,
    secret: Option<String>,
}

async fn client(
    State(stage): State<Arc<Stage>>,
    body: Result<Json<NewClient>, JsonRejection>,
) -> Reply {
    let new = read(body)?;
    let mut state = stage.state();
    let client = &mut state.1;
    client.id = new.id.unwrap_or_else(|| client.id.clone());
    client.secret = new.secret.unwrap_or_else(|| client.secret.clone());
    Ok(Json(json!({ "id": client.id })))
}

async fn reset(State(stage): State<Arc<Stage>>) -> Json<Value> {
    stage.desk.reset();
    Json(json!({}))
}
