//! Who is calling the token endpoint: RFC 6749 §2.3.

mod basic;

use std::sync::Arc;

use crate::error::{Failure, Refusal};
use crate::model::{Client, ClientSecret};
use crate::params::Params;
use crate::secret::Digest;
use crate::server::AuthorizationServer;

/// What a request presents: the Authorization header, if it is there, and the body.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    /// The value of the Authorization header.
    pub authorization: Option<&'a str>,
    /// The parameters of the body.
    pub params: &'a Params<'a>,
}

/// The client that the request proves to come from.
pub async fn authenticate(
    server: &AuthorizationServer,
    presented: Presented<'_>,
) -> Result<Arc<Client>, Failure> {
    let (client_id, secret) = credentials(&presented)?;
    let client = server.store.client(&client_id).await?;
    let client = client.ok_or(Refusal::ClientAuthenticationFailed {})?;
    match (&client.secret, secret.as_deref()) {
        // RFC 6749 §2.3.1: the same secret may come in the header or in the body.
        (Some(ClientSecret::Sha256(stored)), Some(given))
            if *stored == digest(&client_id, given) =>
        {
            Ok(client)
        }
        (None, None) => Ok(client),
        // A public client that sends a secret has mixed something up; nobody checked that secret.
        (Some(_), None | Some(_)) | (None, Some(_)) => {
            Err(Refusal::ClientAuthenticationFailed {}.into())
        }
    }
}

/// What is stored of the secret of `client_id`.
pub fn digest(client_id: &str, secret: &str) -> Digest {
    Digest::of("grt_cs_", &[client_id.as_bytes(), secret.as_bytes()])
}

fn credentials(presented: &Presented<'_>) -> Result<(String, Option<String>), Refusal> {
    let body_id = presented.params.get("client_id");
    let body_secret = presented.params.get("client_secret");
    let Some(header) = presented.authorization else {
        let id = body_id.ok_or(Refusal::NoClientAuthentication {})?;
        return Ok((id.to_owned(), body_secret.map(ToOwned::to_owned)));
    };
    let (id, secret) = basic::parse(header)?;
    // RFC 6749 §2.3: the client must not use more than one authentication method in each request.
    if body_secret.is_some() || body_id.is_some_and(|body| body != id) {
        return Err(Refusal::TwoAuthenticationMethods {});
    }
    Ok((id, Some(secret).filter(|secret| !secret.is_empty())))
}
