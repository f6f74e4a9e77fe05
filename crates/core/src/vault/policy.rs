//! What the operator has decided about the vault.

use std::collections::BTreeMap;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::Integration;
use crate::time::Seconds;

/// What the operator has decided about the vault.
#[derive(Clone, Debug, Default)]
pub struct VaultPolicy {
    /// The integrations, by name.
    pub integrations: BTreeMap<String, Arc<Integration>>,
    /// How tokens are refreshed.
    pub refresh: RefreshPolicy,
    /// Who is told.
    pub webhooks: Vec<Webhook>,
    /// Where a browser may be sent after a connect session: URLs that `return_url` must begin with,
    /// up to the end of their path.
    pub return_urls: Vec<String>,
}

/// How tokens are refreshed.
#[derive(Clone, Copy, Debug)]
pub struct RefreshPolicy {
    /// How long a provider may take to answer, from the first packet to the last byte.
    pub deadline: Seconds,
    /// How long a caller without a valid token waits for a refresh before it is answered 503.
    pub patience: Seconds,
    /// How long before a refresh token idles out it is used to keep it alive.
    pub keep_alive: Seconds,
    /// Connections that the sweeper claims at once.
    pub batch: u32,
}

impl Default for RefreshPolicy {
    fn default() -> Self {
        Self {
            deadline: Seconds(90),
            patience: Seconds(30),
            keep_alive: Seconds::days(7),
            batch: 50,
        }
    }
}

/// An endpoint of the operator that is told what happens to connections.
#[derive(Clone)]
pub struct Webhook {
    /// Its name in the settings.
    pub name: String,
    /// Where.
    pub url: String,
    /// The keys that sign, each by itself: one, or two while the receiver changes over.
    pub keys: Vec<Zeroizing<Vec<u8>>>,
    /// The events that it wants; empty for all.
    pub events: Vec<String>,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Webhook({})", self.name)
    }
}
