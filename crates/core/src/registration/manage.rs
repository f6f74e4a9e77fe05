//! Reading, changing and removing a registration: RFC 7592 §2.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::metadata::Metadata;
use super::{Chosen, ClientInformation, Registrant, default_refresh, refused, rules, secret};
use crate::error::{Failure, Refusal};
use crate::model::{Client, RefreshPolicy};
use crate::protected::scheme_bearer;
use crate::secret::{Credential, Kind};
use crate::server::AuthorizationServer;
use crate::time::Timestamp;

/// A client that has shown its registration access token.
pub struct Managed {
    client: Arc<Client>,
    token: Credential,
}

/// The client `client_id`, if the caller has its registration access token.
// RFC 7592 §2.1: the same answer whether the client or the token is unknown.
pub async fn authenticate(
    server: &AuthorizationServer,
    client_id: &str,
    authorization: Option<&str>,
) -> Result<Managed, Failure> {
    let text = authorization.and_then(scheme_bearer).ok_or(Refusal::RegistrationTokenMissing {})?;
    let token = Credential::parse(Kind::RegistrationToken, text);
    let token = token.ok_or(Refusal::RegistrationTokenInvalid {})?;
    let client = server.store.client(client_id).await?;
    let client = client.filter(|own| own.registration_token == Some(token.digest()));
    let client = client.ok_or(Refusal::RegistrationTokenInvalid {})?;
    Ok(Managed { client, token })
}

impl Managed {
    /// What is registered: RFC 7592 §2.1.
    pub fn read(&self, server: &AuthorizationServer) -> ClientInformation {
        ClientInformation::new(server, &self.client, None, &self.token.reveal())
    }

    /// Replaces all metadata: RFC 7592 §2.2.
    pub async fn update(
        &self,
        server: &AuthorizationServer,
        members: &Map<String, Value>,
    ) -> Result<ClientInformation, Failure> {
        let before = self.client.as_ref();
        let given = self.own_credentials(server, members).await?;
        let metadata = Metadata::read(members)?;
        let mut client = metadata.apply(&server.policy, before.clone());
        client.refresh = refresh(before, &client);
        rules::check(&server.policy, &client, Registrant::Itself, Some(before))?;
        let method = client.token_endpoint_auth_method;
        let mut shown = given;
        if !secret::fits(before.secret.as_ref(), method) {
            let new = secret::make(server, &client.client_id, method, None).await?;
            client.secret = new.as_ref().map(|own| own.stored.clone());
            shown = new.map(|own| own.text);
        }
        if !server.store.replace_client(before, client.clone()).await? {
            return Err(self.overtaken(server).await);
        }
        Ok(ClientInformation::new(server, &client, shown.as_deref(), &self.token.reveal()))
    }

    /// Removes the client and everything that was issued to it: RFC 7592 §2.3.
    pub async fn remove(
        &self,
        server: &AuthorizationServer,
        now: Timestamp,
    ) -> Result<(), Failure> {
        // The client may have changed hands since its token was looked at.
        if server.store.remove_client(&self.client, now).await? {
            Ok(())
        } else {
            Err(self.overtaken(server).await)
        }
    }

    /// Why a change was not made: another one was, or the client is not this one any more.
    async fn overtaken(&self, server: &AuthorizationServer) -> Failure {
        match server.store.client(&self.client.client_id).await {
            Ok(now) => match now {
                Some(now) if now.registration_token == self.client.registration_token => {
                    Refusal::RegistrationChanged {}.into()
                }
                Some(_) | None => Refusal::RegistrationTokenInvalid {}.into(),
            },
            Err(error) => error.into(),
        }
    }

    /// Checks what a client says about its credentials; the secret that it named, if it did.
    async fn own_credentials(
        &self,
        server: &AuthorizationServer,
        members: &Map<String, Value>,
    ) -> Result<Option<String>, Failure> {
        // RFC 7592 §2.2: these four must not be in the request.
        let answered_only = [
            "registration_access_token",
            "registration_client_uri",
            "client_secret_expires_at",
            "client_id_issued_at",
        ];
        if let Some(name) = answered_only.into_iter().find(|name| members.contains_key(*name)) {
            return Err(refused(name, "it is for the server to say; leave it out").into());
        }
        let own = Chosen::read(members)?;
        let id = &self.client.client_id;
        // RFC 7592 §2.2: the request must include the client_id, which must be the current one.
        if own.client_id.as_ref() != Some(id) {
            return Err(refused("client_id", "it must be the one of this client").into());
        }
        // RFC 7592 §2.2: a client_secret must be the current one; a client does not choose another.
        if let Some(given) = &own.client_secret {
            let stored = self.client.secret.as_ref();
            if !secret::matches(server, id, stored, given).await? {
                return Err(refused("client_secret", "it must be the one of this client").into());
            }
        }
        Ok(own.client_secret)
    }
}

/// What the operator set stays, as far as the client is still of that kind.
fn refresh(before: &Client, after: &Client) -> RefreshPolicy {
    match (before.is_public(), after.is_public()) {
        (false, false) => before.refresh,
        (true, true) | (true, false) | (false, true) => default_refresh(after),
    }
}
