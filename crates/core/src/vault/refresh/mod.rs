//! Refreshes: one at a time for each connection, made by the server and not by a request, so that
//! nobody who goes away takes an answer with him. RFC 6749 §6, OpenID Connect Core §12.
//!
//! [`run`] is a refresh from its beginning to its end. What happens, in its order; each is a file:
//!
//! 1. `pause`: an integration whose client the provider refuses is left alone.
//! 2. `gate`: how many calls an integration may make, and addresses that do not answer.
//! 3. `lease`: nobody else refreshes the connection, on this node or another; written down before
//!    the provider is called, so that a crash is known afterwards.
//! 4. `call`: the provider is asked; what may be tried again at once is.
//! 5. `end`: what came of it is stored, or why nothing did.

mod call;
mod end;
mod gate;
mod grant;
mod lease;
mod pause;
mod renew;
mod sweep;
mod when;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;

use crate::AuthorizationServer;
use crate::error::Broken;
use crate::id::ConnectionId;
use crate::model::Connection;
use crate::store::Held;
use crate::time::{Seconds, Timestamp};
use crate::vault::answer::ProviderFailure;
use crate::vault::{Integration, IntegrationKind};

pub use gate::{Gate, Shut};
pub use sweep::{Found, look, put_off};
pub use when::{Age, age};

/// Something to be done at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Another access token for a connection.
    Renew(Renewal),
    /// The first one for an integration that acts for itself.
    Grant {
        /// Its name.
        integration: String,
    },
}

/// A connection as it was read: if it is another version by now, somebody was faster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// Which.
    pub connection: ConnectionId,
    /// Its integration.
    pub integration: String,
    /// The generation that was read.
    pub generation: u32,
    /// The version that was read.
    pub version: u64,
    /// Whether the access token is good for a while, and somebody wants another one all the same.
    pub forced: bool,
}

/// What there is one piece of work at a time for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A connection.
    Connection(ConnectionId),
    /// An integration that acts for itself.
    Integration(String),
}

impl Work {
    /// Renewing the tokens of `connection`.
    pub fn renew(connection: &Connection) -> Self {
        Self::Renew(Renewal {
            connection: connection.id,
            integration: connection.integration.clone(),
            generation: connection.generation,
            version: connection.version,
            forced: false,
        })
    }

    /// The same although the stored token is good for a while; that is not done without an end.
    pub fn force(connection: &Connection) -> Self {
        match Self::renew(connection) {
            Self::Renew(renewal) => Self::Renew(Renewal { forced: true, ..renewal }),
            grant @ Self::Grant { .. } => grant,
        }
    }

    /// What it is done to.
    pub fn target(&self) -> Target {
        match self {
            Self::Renew(renewal) => Target::Connection(renewal.connection),
            Self::Grant { integration } => Target::Integration(integration.clone()),
        }
    }

    /// The name of the integration.
    pub fn integration(&self) -> &str {
        match self {
            Self::Renew(renewal) => &renewal.integration,
            Self::Grant { integration } => integration,
        }
    }
}

/// What those who wait are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What came of it is in the store: read again.
    Stored,
    /// Nothing was done, and nothing can be before `wait` is over.
    Later {
        /// How long.
        wait: Seconds,
        /// For programs.
        reason: &'static str,
        /// For people.
        why: &'static str,
    },
}

/// A piece of work that is done, for logs and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What those who wait are told.
    pub outcome: Outcome,
    /// What became of the call at the provider: `renewed`, `raced`, `overtaken`, or the name of a
    /// [`crate::vault::answer::FailureClass`]; `None` when there was none.
    pub result: Option<&'static str>,
    /// What the provider said, if it was not what was asked for.
    pub failure: Option<ProviderFailure>,
    /// Whether the provider gave another refresh token.
    pub rotated: bool,
    /// Whether somebody else took over before the end.
    pub lease_lost: bool,
}

impl Report {
    const fn of(outcome: Outcome) -> Self {
        Self { outcome, result: None, failure: None, rotated: false, lease_lost: false }
    }

    const fn stored() -> Self {
        Self::of(Outcome::Stored)
    }

    const fn later(wait: Seconds, reason: &'static str, why: &'static str) -> Self {
        Self::of(Outcome::Later { wait, reason, why })
    }
}

/// Does work beside requests: one piece at a time for a target, to its end, even when nobody waits
/// for it and while the server stops.
#[async_trait]
pub trait Background: Send + Sync {
    /// Begins `work`, unless some for the same target is being done in this process.
    fn begin(&self, work: Work);

    /// The same, and waits for the end; `None` when it has not come after `patience`.
    async fn finish(&self, work: Work, patience: Seconds) -> Option<Outcome>;

    /// Waits.
    async fn sleep(&self, time: Duration);

    /// Whether the server stops: what has not begun does not begin any more.
    fn is_stopping(&self) -> bool;
}

/// Who does work beside requests; nobody on the command line.
#[derive(Default)]
pub struct Beside(OnceLock<Arc<dyn Background>>);

impl Beside {
    /// Says who, once.
    pub fn set(&self, background: Arc<dyn Background>) {
        // A second one would be a second flight for the same target.
        let _first = self.0.set(background);
    }

    pub(crate) fn get(&self) -> Option<&dyn Background> {
        self.0.get().map(AsRef::as_ref)
    }
}

impl std::fmt::Debug for Beside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.get().is_some() { "Beside(set)" } else { "Beside" })
    }
}

/// Does `work`. What is broken here (the store, a key) is an error; what the provider says is not.
pub async fn run(server: &AuthorizationServer, work: &Work) -> Result<Report, Broken> {
    match work {
        Work::Renew(renewal) => renew::run(server, renewal).await,
        Work::Grant { integration } => grant::run(server, integration).await,
    }
}

/// Whether the refresh token of `connection` is of another client than the one in the settings.
/// Nothing is stored of that: the settings may be wrong, and with the client from before all is well.
// RFC 6749 §6: a refresh token is bound to the client that it was given to.
pub fn is_anothers(connection: &Connection, integration: &Integration) -> bool {
    integration.kind == IntegrationKind::Person
        && connection.refreshable
        && connection.client_id != integration.client_id
}

/// Renews a connection that is being given back, for a provider that revokes with a living access
/// token only. Nothing but the lease keeps others away: for the sweeper, which has it alone.
pub async fn renew_leaving(server: &AuthorizationServer, held: &Held) -> Result<(), Broken> {
    renew::leaving(server, held).await
}

/// When the sweeper looks at `connection` first, or next; `None` for never.
pub fn due_at(
    server: &AuthorizationServer,
    connection: &Connection,
    now: Timestamp,
) -> Option<Timestamp> {
    sweep::agenda(server, connection).next(now, server.entropy.as_ref())
}

/// Waits; `false` when there is nobody who could.
async fn slept(server: &AuthorizationServer, time: Duration) -> bool {
    match server.vault.beside.get() {
        Some(background) => {
            background.sleep(time).await;
            true
        }
        None => false,
    }
}
