//! API keys: `grk_<8-char id>_<43-char secret><6-char checksum>`, known here as an HMAC only.

use zeroize::Zeroizing;

use crate::AuthorizationServer;
use crate::error::Failure;
use crate::id::ConnectionId;
use crate::model::{ApiKey, ApiKeyAction, ApiKeyRights, Connection};
use crate::store::Selector;
use crate::time::Timestamp;

/// A new key for `service`, and the text that is shown once. Not stored yet.
#[expect(clippy::todo, unused_variables, clippy::needless_pass_by_value, reason = "skeleton")]
pub fn make(
    server: &AuthorizationServer,
    service: String,
    rights: ApiKeyRights,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> (ApiKey, Zeroizing<String>) {
    todo!()
}

/// The key whose text was presented, if it works at `now`; else why not, as 401. Its use is noted.
#[expect(clippy::todo, unused_variables, clippy::unused_async, reason = "skeleton")]
pub async fn authenticate(
    server: &AuthorizationServer,
    presented: &str,
    now: Timestamp,
) -> Result<ApiKey, Failure> {
    todo!()
}

impl ApiKeyRights {
    /// Whether an action is allowed at all.
    pub fn may(&self, action: ApiKeyAction) -> bool {
        self.actions.contains(&action)
    }

    /// Whether an integration is within reach.
    pub fn reaches_integration(&self, name: &str) -> bool {
        self.integrations.as_ref().is_none_or(|own| own.iter().any(|own| own == name))
    }

    /// Whether a subject is within reach.
    pub fn reaches_subject(&self, subject: &str) -> bool {
        self.subjects.as_ref().is_none_or(|own| own.iter().any(|own| own == subject))
    }

    /// Whether a connection is within reach.
    pub fn reaches(&self, connection: &Connection) -> bool {
        self.reaches_integration(&connection.integration)
            && self.reaches_subject(&connection.subject)
            && self.reaches_connection(connection.id)
    }

    /// What is within reach, as the store takes it.
    #[expect(clippy::todo, reason = "skeleton")]
    pub fn selector(&self) -> Selector {
        todo!()
    }

    fn reaches_connection(&self, id: ConnectionId) -> bool {
        let id = id.to_string();
        self.connections.as_ref().is_none_or(|own| own.contains(&id))
    }
}
