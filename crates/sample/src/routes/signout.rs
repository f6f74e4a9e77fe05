//! Signing out: here at once, then at the provider. OpenID Connect RP-Initiated Logout 1.0 §2.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};

use super::session;
use crate::app::App;
use crate::browser::Cookie;
use crate::provider::Role;
use crate::sessions::Session;

/// `POST /signout`
pub(super) async fn leave(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let mut next = "/?note=signed-out".to_owned();
    if let Ok(session) = session(&app, &headers).await
        && let Some(id_token) = forget(app.clone(), session).await
        && let Some(url) = app.provider.end_session(&id_token).await
    {
        next = url.into();
    }
    let cookie = (header::SET_COOKIE, Cookie::Session.set("", &app.settings));
    (AppendHeaders([cookie]), Redirect::to(&next)).into_response()
}

/// Ends a session here and revokes its refresh token; returns the ID token as a hint for the provider.
pub(super) async fn forget(app: Arc<App>, session: Arc<Session>) -> Option<String> {
    // On a task of its own, behind the gate: a refresh under way ends first, and its newest token is
    // the one that gets revoked even when the browser hangs up.
    let task = tokio::spawn(async move {
        let _gate = session.gate.lock().await;
        let record = session.record().ok()?;
        app.sessions.end(&session).await;
        if let Some(refresh_token) = &record.tokens.refresh_token {
            app.provider.revoke(Role::Site, refresh_token).await;
        }
        Some(record.tokens.id_token)
    });
    task.await.ok().flatten()
}
