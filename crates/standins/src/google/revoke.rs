//! `/revoke`: somebody who holds a token gives all of it back. RFC 7009 without client
//! authentication; Google, "Revoking a token".

use axum::http::StatusCode;
use serde_json::json;

use super::app::{App, Asked};
use super::refusal::Refusal;
use super::state::State;
use super::tokens::Found;
use crate::http::Answer;

pub(super) fn revoke(app: &App, asked: &Asked) -> Answer {
    let Some(token) = asked.form.first("token") else {
        return Refusal::missing("token").answer();
    };
    let mut state = app.state();
    match owner(&state, token, app.now()) {
        Some((project, sub)) => {
            state.revoke(&project, &sub);
            Answer::json(StatusCode::OK, json!({}))
        }
        // Unlike RFC 7009 §2.2, a token that is dead already is an error.
        None => Refusal::bad("invalid_token", "Token expired or revoked").answer(),
    }
}

/// The project and the account of a live token of either kind.
fn owner(state: &State, token: &str, now: i64) -> Option<(String, String)> {
    let (client_id, sub) = match (state.tokens.access(token, now), state.tokens.refresh(token, now))
    {
        (Some(access), _) => (access.client_id.clone(), access.sub.clone()),
        (None, Found::Alive(refresh)) => (refresh.client_id, refresh.sub),
        (None, Found::Dead | Found::Unknown) => return None,
    };
    let application = state.clients.get(&client_id)?;
    Some((application.client.project.clone(), sub))
}
