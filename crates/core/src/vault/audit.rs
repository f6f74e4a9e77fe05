//! The audit log: who did what to which token, in a chain that cannot be changed unnoticed.

use serde_json::{Map, Value};

use crate::AuthorizationServer;
use crate::model::AuditEvent;
use crate::time::Timestamp;

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// `api_key:ab12cd34`, `user:<sub>`, `client:<client_id>`, `cli`, `sweeper`.
    pub name: String,
    /// The address of the request, if there is one.
    pub address: Option<String>,
    /// The id of the request, if there is one.
    pub request_id: Option<String>,
}

/// An entry; `details` gets address and request id of the actor besides what is in it.
#[expect(clippy::todo, unused_variables, clippy::needless_pass_by_value, reason = "skeleton")]
pub fn event(
    server: &AuthorizationServer,
    actor: &Actor,
    action: &'static str,
    target: &str,
    details: Map<String, Value>,
    now: Timestamp,
) -> AuditEvent {
    todo!()
}

/// The first 8 hexadecimal digits of the SHA-256 of a token: tells it from others, gives nothing away.
#[expect(clippy::todo, unused_variables, reason = "skeleton")]
pub fn fingerprint(token: &str) -> String {
    todo!()
}
