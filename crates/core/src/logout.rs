//! Signing out at the request of a client: OpenID Connect RP-Initiated Logout 1.0 §2, §3.

use std::sync::Arc;

use crate::error::{Failure, Refusal};
use crate::id::UserId;
use crate::model::Client;
use crate::params::Params;
use crate::server::AuthorizationServer;
use crate::time::Timestamp;
use crate::tokens::read_hint;

/// A logout request that was read and checked.
#[derive(Clone, Debug, Default)]
pub struct LogoutRequest {
    /// Who asks, if it is known.
    pub client: Option<Arc<Client>>,
    /// Whose session it is, proved by an ID token of ours.
    pub subject: Option<UserId>,
    /// Where the person may go back to: registered, with the state.
    pub return_to: Option<String>,
}

/// Reads a logout request. Nothing in it is trusted to end a session by itself: without a hint
/// about the person who is signed in, the page asks.
pub async fn read(
    server: &AuthorizationServer,
    params: &Params<'_>,
    now: Timestamp,
) -> Result<LogoutRequest, Failure> {
    params.refuse_any_doubled()?;
    // A hint whose key has left the set proves nothing any more; the person is asked instead.
    let hint = params.get("id_token_hint").and_then(|token| read_hint(server, token, now).ok());
    let named = params.get("client_id");
    // RP-Initiated Logout 1.0 §2: client_id must be the one that the hint was issued to.
    if let (Some(hint), Some(named)) = (&hint, named)
        && hint.client_id != named
    {
        let want = "it is not the client that the id_token_hint was issued to";
        return Err(Refusal::BadParameter { name: "client_id", want }.into());
    }
    let client_id = named.or(hint.as_ref().map(|hint| hint.client_id.as_str()));
    let client = match client_id {
        Some(id) => server.store.client(id).await?,
        None => None,
    };
    Ok(LogoutRequest {
        subject: hint.map(|hint| hint.subject),
        return_to: return_to(client.as_deref(), params)?,
        client,
    })
}

/// RP-Initiated Logout 1.0 §3: an unregistered place must not be redirected to.
fn return_to(client: Option<&Client>, params: &Params<'_>) -> Result<Option<String>, Refusal> {
    let Some(uri) = params.get("post_logout_redirect_uri") else {
        return Ok(None);
    };
    let registered =
        client.is_some_and(|client| client.post_logout_redirect_uris.iter().any(|own| own == uri));
    if !registered {
        let want = "it is not registered for this application";
        return Err(Refusal::BadParameter { name: "post_logout_redirect_uri", want });
    }
    let Some(state) = params.get("state") else {
        return Ok(Some(uri.to_owned()));
    };
    let separator = if uri.contains('?') { '&' } else { '?' };
    let mut state_pair = form_urlencoded::Serializer::new(String::new());
    let encoded = state_pair.append_pair("state", state).finish();
    Ok(Some(format!("{uri}{separator}{encoded}")))
}
