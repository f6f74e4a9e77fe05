//! What did not work is for the operator to see, too: the entry in the audit log.

use serde_json::{Map, json};

use crate::AuthorizationServer;
use crate::error::Failure;
use crate::model::ConnectSession;
use crate::time::Timestamp;
use crate::vault::audit::{self, Actor};

/// Writes down that `session` has got no further, and why.
pub(super) async fn failed(
    server: &AuthorizationServer,
    session: &ConnectSession,
    actor: &Actor,
    reason: &str,
    detail: Option<String>,
    now: Timestamp,
) -> Result<(), Failure> {
    let mut details = Map::from_iter([
        ("connect_session".to_owned(), json!(session.id)),
        ("subject".to_owned(), json!(session.subject)),
        ("reason".to_owned(), json!(reason)),
    ]);
    if let Some(detail) = detail {
        details.insert("detail".to_owned(), json!(detail));
    }
    let entry = audit::event(server, actor, "connect.failed", &session.integration, details, now);
    Ok(server.store.append_audit(vec![entry]).await?)
}
