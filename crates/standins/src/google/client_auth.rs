//! Which client calls the token endpoint: RFC 6749 §2.3.1, in the body or by Basic.

use super::app::Asked;
use super::config::Client;
use super::refusal::Refusal;
use super::state::{Condition, State};
use crate::http::basic;

/// The client whose secret was sent.
pub(super) fn authenticate(state: &State, asked: &Asked) -> Result<Client, Refusal> {
    let form = &asked.form;
    let (id, secret) = match basic(&asked.headers) {
        Some((id, secret)) => (Some(id), Some(secret)),
        None => (
            form.first("client_id").map(ToOwned::to_owned),
            form.first("client_secret").map(ToOwned::to_owned),
        ),
    };
    let id = id.ok_or_else(|| {
        Refusal::bad("invalid_request", "Could not determine client ID from request.")
    })?;
    let unknown = || Refusal::unauthorized("invalid_client", "The OAuth client was not found.");
    let application = state.clients.get(&id).ok_or_else(unknown)?;
    match application.condition {
        Condition::Good => {}
        Condition::Deleted => {
            return Err(Refusal::unauthorized("deleted_client", "The OAuth client was deleted."));
        }
        Condition::Disabled => {
            return Err(Refusal::unauthorized("disabled_client", "The OAuth client was disabled."));
        }
    }
    // Desktop applications have a secret here too, which is none.
    match secret {
        None => Err(Refusal::bad("invalid_request", "client_secret is missing.")),
        Some(secret) if secret != application.client.secret => {
            Err(Refusal::unauthorized("invalid_client", "Unauthorized"))
        }
        Some(_) => Ok(application.client.clone()),
    }
}
