//! Webhooks: what the operator's endpoints are told, and how it is signed.

use crate::AuthorizationServer;
use crate::model::{Connection, Notice};
use crate::time::Timestamp;

/// What can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeEvent {
    /// An account was connected, or connected again.
    Connected,
    /// A person has to grant it again.
    ReauthRequired,
    /// It works again.
    Recovered,
    /// Its refresh token expires soon.
    ExpiringSoon,
    /// It was disconnected.
    Disconnected,
    /// The provider refuses our client: nothing of this integration is refreshed.
    IntegrationPaused,
}

impl NoticeEvent {
    /// All there are.
    pub const ALL: [Self; 6] = [
        Self::Connected,
        Self::ReauthRequired,
        Self::Recovered,
        Self::ExpiringSoon,
        Self::Disconnected,
        Self::IntegrationPaused,
    ];

    /// Its name in settings and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connection.connected",
            Self::ReauthRequired => "connection.reauth_required",
            Self::Recovered => "connection.recovered",
            Self::ExpiringSoon => "connection.expiring_soon",
            Self::Disconnected => "connection.disconnected",
            Self::IntegrationPaused => "integration.paused",
        }
    }
}

/// A notice for each endpoint that wants the event.
#[expect(clippy::todo, unused_variables, reason = "skeleton")]
pub fn about(
    server: &AuthorizationServer,
    event: NoticeEvent,
    connection: &Connection,
    now: Timestamp,
) -> Vec<Notice> {
    todo!()
}
