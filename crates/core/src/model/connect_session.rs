//! A connect session: a person on the way through a provider's sign-in and consent.

use crate::id::{ConnectSessionId, ConnectionId};
use crate::model::Scope;
use crate::secret::Digest;
use crate::time::Timestamp;

/// A link that connects an account, from its making to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectSession {
    /// Names it.
    pub id: ConnectSessionId,
    /// Of the credential in the link.
    pub digest: Digest,
    /// Through which integration.
    pub integration: String,
    /// For whom, as [`super::Connection::subject`].
    pub subject: String,
    /// The scopes to ask for.
    pub scope: Scope,
    /// The account that is expected, to make the provider's page shorter.
    pub account_hint: Option<String>,
    /// The connection that is to be granted again; only the same account may answer.
    pub reconnect: Option<ConnectionId>,
    /// Where the browser goes in the end.
    pub return_url: Option<String>,
    /// Who confirms that the person is the subject.
    pub mode: ConnectMode,
    /// Who made it: the id of an API key, or of a user, or `cli`.
    pub made_by: String,
    /// How far it is.
    pub state: ConnectState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is over, whatever its state.
    pub expires_at: Timestamp,
}

/// Who confirms that the person at the browser is the subject: without that, a link could be sent
/// to somebody else, whose account would then be attached to the sender's subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectMode {
    /// The application: the grant waits until it comes with the connect code and its API key.
    Bound,
    /// The person is signed in here, and is the subject.
    SelfService,
    /// The person, on a page that names account and subject.
    Link,
}

impl ConnectMode {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Bound, Self::SelfService, Self::Link];

    /// Its name in requests and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bound => "bound",
            Self::SelfService => "self_service",
            Self::Link => "link",
        }
    }

    /// The mode of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.as_str() == name)
    }
}

/// How far a connect session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectState {
    /// Nobody has opened it, or somebody has and did not go on.
    Open,
    /// The browser is at the provider.
    Started {
        /// Of the `state` parameter.
        state: Digest,
        /// Of the browser's cookie.
        browser: Digest,
        /// When the state expires.
        until: Timestamp,
        /// PKCE verifier and nonce, sealed.
        sealed: Vec<u8>,
    },
    /// The provider's answer is there, and somebody has to confirm.
    Waiting {
        /// Of the connect code (`bound`) or of the form (`link`).
        code: Digest,
        /// Of the browser's cookie.
        browser: Digest,
        /// The grant, sealed.
        sealed: Vec<u8>,
    },
    /// It made or renewed a connection.
    Done(ConnectionId),
    /// It cannot go on; why, by a name for programs.
    Failed(String),
}

/// The states without what they hold, to say from which one a step goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectStep {
    /// [`ConnectState::Open`].
    Open,
    /// [`ConnectState::Started`].
    Started,
    /// [`ConnectState::Waiting`].
    Waiting,
    /// [`ConnectState::Done`].
    Done,
    /// [`ConnectState::Failed`].
    Failed,
}

impl ConnectState {
    /// Which one it is.
    pub const fn step(&self) -> ConnectStep {
        match self {
            Self::Open => ConnectStep::Open,
            Self::Started { .. } => ConnectStep::Started,
            Self::Waiting { .. } => ConnectStep::Waiting,
            Self::Done(_) => ConnectStep::Done,
            Self::Failed(_) => ConnectStep::Failed,
        }
    }
}
