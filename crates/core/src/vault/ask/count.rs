//! What requests for tokens came to, for whoever counts them: services that ask, applications that
//! exchange, and calls through the proxy, all in one place.

use std::sync::{Arc, OnceLock};

use super::{Asked, Given};
use crate::AuthorizationServer;
use crate::error::Failure;
use crate::model::ApiKeyRights;

/// Counts requests for tokens.
pub trait Count: Send + Sync {
    /// One for a token of `integration` (`None` when none that is known was meant) came to `result`:
    /// `stored`, `refreshed`, `stale` (with a warning), the code of an error, or `other`.
    fn asked(&self, integration: Option<&str>, result: &str);
}

/// Who counts; nobody on the command line.
#[derive(Default)]
pub struct Counter(OnceLock<Arc<dyn Count>>);

impl Counter {
    /// Says who, once.
    pub fn set(&self, count: Arc<dyn Count>) {
        // A second one would count everything twice.
        let _first = self.0.set(count);
    }
}

impl std::fmt::Debug for Counter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.get().is_some() { "Counter(set)" } else { "Counter" })
    }
}

/// Counts what [`super::token`] came to.
pub(super) fn answered(
    server: &AuthorizationServer,
    asked: &Asked,
    rights: &ApiKeyRights,
    given: &Result<Given, Failure>,
) {
    let Some(count) = server.vault.counter.0.get() else {
        return;
    };
    match given {
        Ok(given) => {
            let result = match (&given.warning, given.refreshed) {
                (Some(_), _) => "stale",
                (None, true) => "refreshed",
                (None, false) => "stored",
            };
            count.asked(Some(&given.integration.name), result);
        }
        Err(failure) => {
            let named = asked.integration.as_deref().or(asked.provider.as_deref());
            count.asked(known(server, named).or_else(|| only(server, rights)), result(failure));
        }
    }
}

/// Counts a request that was refused before it was known what it asks for: without `rights`, before
/// it was known who asks.
pub fn refused(server: &AuthorizationServer, rights: Option<&ApiKeyRights>, failure: &Failure) {
    if let Some(count) = server.vault.counter.0.get() {
        count.asked(rights.and_then(|own| only(server, own)), result(failure));
    }
}

/// The one integration within reach, if it is one.
fn only<'a>(server: &AuthorizationServer, rights: &'a ApiKeyRights) -> Option<&'a str> {
    let own = rights.integrations.as_ref().filter(|own| own.len() == 1)?;
    known(server, own.first().map(String::as_str))
}

/// Names that somebody made up are not counted by.
fn known<'a>(server: &AuthorizationServer, named: Option<&'a str>) -> Option<&'a str> {
    named.filter(|name| server.policy.vault.integrations.contains_key(*name))
}

fn result(failure: &Failure) -> &'static str {
    match failure {
        Failure::Refused(refusal) => refusal.code().as_str(),
        Failure::Broken(_) => "other",
    }
}
