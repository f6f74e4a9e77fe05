//! Clients that register themselves: RFC 7591; and what becomes of them: RFC 7592.

mod answer;
mod keys;
pub mod manage;
mod metadata;
mod rules;
pub mod secret;
#[cfg(test)]
mod tests;
pub(crate) mod text;

use serde_json::{Map, Value};

pub use answer::ClientInformation;
pub use metadata::{default_response_types, default_scope};
pub use rules::check;

use crate::error::{Failure, Refusal};
use crate::id::InitialTokenId;
use crate::model::{AuthMethod, Client, GrantType, OnNewToken, RefreshPolicy};
use crate::policy::RegistrationMode;
use crate::ports::Entropy;
use crate::protected::scheme_bearer;
use crate::secret::{Credential, Digest, Kind};
use crate::server::AuthorizationServer;
use crate::store::{Added, Registered};
use crate::time::Timestamp;
use metadata::Metadata;

/// Who registers a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registrant {
    /// Whoever the policy admits. What that is allowed to be is for the operator to say.
    Itself,
    /// The operator.
    Operator,
}

/// That somebody may register a client.
#[derive(Debug)]
pub struct Invitation {
    token: Option<(InitialTokenId, Digest)>,
}

/// Whether the caller may register a client. To be asked before anything else of the request is
/// looked at.
pub async fn admit(
    server: &AuthorizationServer,
    authorization: Option<&str>,
    now: Timestamp,
) -> Result<Invitation, Failure> {
    match server.policy.registration.mode {
        RegistrationMode::Closed => Err(Refusal::RegistrationClosed {}.into()),
        RegistrationMode::Open => Ok(Invitation { token: None }),
        // RFC 7591 §3: the initial access token is a bearer token in the Authorization header.
        RegistrationMode::Token => {
            let text = authorization.and_then(scheme_bearer);
            let text = text.ok_or(Refusal::InitialTokenMissing {})?;
            let token = Credential::parse(Kind::InitialToken, text);
            let token = token.ok_or(Refusal::InitialTokenInvalid {})?;
            let token = (InitialTokenId(token.id()), token.digest());
            // What counts is the store's word when the client is added; this spares the work.
            let known = server.store.initial_tokens().await?;
            let good = known.iter().any(|own| {
                own.id == token.0
                    && own.digest == token.1
                    && own.uses_left != Some(0)
                    && now < own.expires_at
            });
            if !good {
                return Err(Refusal::InitialTokenInvalid {}.into());
            }
            Ok(Invitation { token: Some(token) })
        }
    }
}

/// The members of a request: RFC 7591 §3.1.
pub fn members(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    crate::jose::parse_object_strict(body).map_err(|_| Refusal::NotAnObject {})
}

/// Registers the client that `members` describe.
pub async fn register(
    server: &AuthorizationServer,
    invitation: Invitation,
    members: &Map<String, Value>,
    now: Timestamp,
) -> Result<ClientInformation, Failure> {
    let chosen = Chosen::read(members)?;
    let choice = chosen.client_id.is_some() || chosen.client_secret.is_some();
    if choice && !server.policy.registration.chosen_credentials {
        return Err(Refusal::CredentialsChosen {}.into());
    }
    let metadata = Metadata::read(members)?;
    let client_id = chosen.client_id.unwrap_or_else(|| random_client_id(server.entropy.as_ref()));
    let mut client = metadata.apply(&server.policy, Client::new(client_id, now));
    client.refresh = default_refresh(&client);
    rules::check(&server.policy, &client, Registrant::Itself, None)?;
    let method = client.token_endpoint_auth_method;
    let chosen = chosen.client_secret.as_deref();
    let secret = secret::make(server, &client.client_id, method, chosen).await?;
    let token = server.new_credential(Kind::RegistrationToken);
    client.secret = secret.as_ref().map(|own| own.stored.clone());
    client.registration_token = Some(token.digest());
    add(server, client.clone(), invitation.token, now).await?;
    let secret = secret.map(|own| own.text);
    Ok(ClientInformation::new(server, &client, secret.as_deref(), &token.reveal()))
}

/// A machine client as `/create-client` makes it; and its secret.
pub async fn register_machine(
    server: &AuthorizationServer,
    invitation: Invitation,
    now: Timestamp,
) -> Result<(String, String), Failure> {
    let client_id = random_client_id(server.entropy.as_ref());
    let method = AuthMethod::ClientSecretBasic;
    let secret = secret::make(server, &client_id, method, None).await?;
    let base = Client::new(client_id.clone(), now);
    let client = Client {
        token_endpoint_auth_method: method,
        secret: secret.as_ref().map(|own| own.stored.clone()),
        client_name: "Machine client".to_owned(),
        grant_types: vec![GrantType::ClientCredentials, GrantType::RefreshToken],
        scope: default_scope(&server.policy, &[GrantType::ClientCredentials]),
        refresh: MACHINE_REFRESH,
        on_new_token: OnNewToken::RevokePrevious,
        ..base
    };
    add(server, client, invitation.token, now).await?;
    Ok((client_id, secret.map(|own| own.text).unwrap_or_default()))
}

/// How often a refresh token of a machine client may be used.
const MACHINE_REFRESH: RefreshPolicy = RefreshPolicy::Reuse { uses: Some(5) };

/// How the refresh tokens of `client` behave when nobody says otherwise: RFC 9700 §4.14.2.
pub fn default_refresh(client: &Client) -> RefreshPolicy {
    match (client.is_public(), is_machine(&client.grant_types)) {
        (true, _) => RefreshPolicy::Rotate,
        (false, true) => MACHINE_REFRESH,
        (false, false) => RefreshPolicy::Reuse { uses: None },
    }
}

/// Whether a client with these grants acts for itself only.
pub fn is_machine(grants: &[GrantType]) -> bool {
    let for_itself = |grant: &GrantType| match grant {
        GrantType::ClientCredentials | GrantType::RefreshToken => true,
        GrantType::AuthorizationCode
        | GrantType::Implicit
        | GrantType::Password
        | GrantType::DeviceCode
        | GrantType::TokenExchange
        | GrantType::JwtBearer => false,
    };
    grants.contains(&GrantType::ClientCredentials) && grants.iter().all(for_itself)
}

/// A client_id for a client that does not choose one.
pub fn random_client_id(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 12];
    entropy.fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Credentials that a client brings.
struct Chosen {
    client_id: Option<String>,
    client_secret: Option<String>,
}

impl Chosen {
    fn read(members: &Map<String, Value>) -> Result<Self, Refusal> {
        let text = |name: &str| match members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                Err(refused(name, "it must be a string"))
            }
        };
        Ok(Self { client_id: text("client_id")?, client_secret: text("client_secret")? })
    }
}

/// One step: the client is there, and the token has one use less; or nothing has changed.
async fn add(
    server: &AuthorizationServer,
    client: Client,
    token: Option<(InitialTokenId, Digest)>,
    now: Timestamp,
) -> Result<(), Failure> {
    let done = match token {
        Some(token) => server.store.register_client(client, token, now).await?,
        None => match server.store.add_client(client).await? {
            Added::Done => Registered::Done,
            Added::Exists => Registered::Exists,
        },
    };
    match done {
        Registered::Done => Ok(()),
        Registered::Exists => Err(Refusal::ClientIdTaken {}.into()),
        Registered::NotAllowed => Err(Refusal::InitialTokenInvalid {}.into()),
    }
}

fn refused(member: &str, why: impl Into<String>) -> Refusal {
    Refusal::MetadataRefused { member: text::shown(member), why: why.into() }
}
