//! What the operator's application is told about a sign-in.

use serde::Serialize;

use super::Challenge;
use crate::authorize::{self, AuthorizationRequest};
use crate::error::{Failure, Refusal};
use crate::id::ExternalId;
use crate::model::{Client, ExternalSignIn};
use crate::server::AuthorizationServer;
use crate::store::Bound;
use crate::time::{Seconds, Timestamp};

/// A sign-in, for the application that is to do it.
#[derive(Clone, Debug, Serialize)]
pub struct ExternalRequest {
    /// The `jti` of the challenge.
    pub id: ExternalId,
    /// The application that the person wants to get into; `null` when they only sign in here.
    pub client: Option<ExternalClient>,
    /// What it asks for.
    pub requested_scope: Vec<RequestedScope>,
    /// Who it thinks it is.
    pub login_hint: Option<String>,
    /// How the person should sign in, in the words of the request.
    pub acr_values: Vec<&'static str>,
    /// Whether nothing else will do.
    pub acr_essential: bool,
    /// The languages that it asks for, best first.
    pub ui_locales: Option<String>,
    /// Which pages must be shown: `login` for a new sign-in whoever is signed in, `select_account`
    /// for a choice of who it is.
    pub prompt: Vec<&'static str>,
    /// How old a sign-in at the application may be, in seconds.
    pub max_age: Option<Seconds>,
    /// The language of the page that the person came from.
    pub language: String,
    /// When it is over.
    pub expires_at: Timestamp,
}

/// The application that asks.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the members are named and described by RFC 7591 §2")]
pub struct ExternalClient {
    pub client_id: String,
    pub client_name: String,
    pub client_uri: Option<String>,
    pub logo_uri: Option<String>,
    pub policy_uri: Option<String>,
    pub tos_uri: Option<String>,
}

/// A scope that is asked for.
#[derive(Clone, Debug, Serialize)]
pub struct RequestedScope {
    /// As in the request.
    pub name: String,
    /// What it means to a person, in the operator's words.
    pub description: Option<String>,
}

pub(super) async fn read(
    server: &AuthorizationServer,
    challenge: &Challenge,
    sign_in: &ExternalSignIn,
    now: Timestamp,
) -> Result<ExternalRequest, Failure> {
    let mut told = ExternalRequest {
        id: sign_in.id,
        client: None,
        requested_scope: Vec::new(),
        login_hint: None,
        acr_values: Vec::new(),
        acr_essential: false,
        ui_locales: None,
        prompt: if challenge.select_account { vec!["select_account"] } else { Vec::new() },
        max_age: None,
        language: challenge.locale.clone(),
        expires_at: sign_in.expires_at,
    };
    if let Some(id) = sign_in.request {
        let Bound::Done(pending) = server.store.bind_request(id, &sign_in.browser, now).await?
        else {
            return Err(Refusal::ExternalUnknown {}.into());
        };
        let request = authorize::read_pending(server, &pending, now).await?;
        tell(server, &mut told, &request.ok_or(Refusal::ExternalUnknown {})?);
    }
    Ok(told)
}

fn tell(server: &AuthorizationServer, told: &mut ExternalRequest, request: &AuthorizationRequest) {
    let scope = request.scope_to_consent();
    told.client = Some(client(&request.client));
    told.requested_scope = scope
        .iter()
        .map(|name| RequestedScope {
            name: name.to_owned(),
            description: server.policy.scopes.get(name).cloned().flatten(),
        })
        .collect();
    told.login_hint.clone_from(&request.login_hint);
    told.acr_values = request.acr_values.methods.iter().map(|method| method.as_str()).collect();
    told.acr_essential = request.acr_values.essential;
    told.ui_locales.clone_from(&request.ui_locales);
    told.max_age = [request.max_age, request.client.lifetimes.session].into_iter().flatten().min();
    let asked =
        [("login", request.prompt.login), ("select_account", request.prompt.select_account)];
    for (name, wanted) in asked {
        if wanted && !told.prompt.contains(&name) {
            told.prompt.push(name);
        }
    }
}

fn client(own: &Client) -> ExternalClient {
    ExternalClient {
        client_id: own.client_id.clone(),
        client_name: own.client_name.clone(),
        client_uri: own.client_uri.clone(),
        logo_uri: own.logo_uri.clone(),
        policy_uri: own.policy_uri.clone(),
        tos_uri: own.tos_uri.clone(),
    }
}
