//! A connection as the API and the command line tell of it: everything but its tokens.

use serde_json::{Map, Value, json};

use super::Integration;
use crate::model::{Connection, ConnectionStatus};
use crate::time::Timestamp;

/// The members, in the order in which they are written.
pub fn describe(connection: &Connection, integration: Option<&Integration>) -> Map<String, Value> {
    let mut told = Map::new();
    let mut put = |name: &str, value: Value| drop(told.insert(name.to_owned(), value));
    put("connection_id", connection.id.shown().into());
    put("integration", connection.integration.as_str().into());
    put("provider", integration.map(|own| own.provider.name.as_str()).into());
    put("subject", connection.subject.as_str().into());
    put("account", json!(connection.account));
    put("scope", connection.scope.as_str().into());
    put("requested_scope", connection.requested.as_str().into());
    put("status", status_name(&connection.status).into());
    match &connection.status {
        ConnectionStatus::Active => {}
        ConnectionStatus::ReauthRequired(reauth) => {
            put("reason", json!(reauth.reason));
            put("error", reauth.error.as_deref().into());
            put("error_subtype", reauth.error_subtype.as_deref().into());
            put("since", reauth.since.rfc3339().into());
        }
        ConnectionStatus::Disconnecting { since } => put("since", since.rfc3339().into()),
    }
    put("generation", connection.generation.into());
    put("version", connection.version.into());
    put("expires_at", connection.expires_at.map(Timestamp::rfc3339).into());
    put("refreshable", connection.refreshable.into());
    put("refresh_token_expires_at", connection.refresh_expires_at.map(Timestamp::rfc3339).into());
    put("created_at", connection.created_at.rfc3339().into());
    put("connected_at", connection.connected_at.rfc3339().into());
    put("last_used_at", connection.last_used_at.map(Timestamp::rfc3339).into());
    if let Some(trouble) = &connection.trouble {
        let told = json!({
            "attempts": trouble.attempts,
            "class": trouble.class,
            "error": trouble.error,
            "detail": trouble.detail,
            "since": trouble.since.rfc3339(),
            "next_at": trouble.next_at.rfc3339(),
        });
        put("trouble", told);
    }
    told
}

/// The name of a status, as filters take it.
pub const fn status_name(status: &ConnectionStatus) -> &'static str {
    match status {
        ConnectionStatus::Active => "active",
        ConnectionStatus::ReauthRequired(_) => "reauth_required",
        ConnectionStatus::Disconnecting { .. } => "disconnecting",
    }
}
