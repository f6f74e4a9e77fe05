//! Token exchange for a token that the vault keeps: RFC 8693, with an integration as its target.
//!
//! An application that holds a person's access token gets that person's token at a provider. Whose
//! it gets is decided by the access token alone, and which providers' by the operator.

use crate::error::{Failure, Refusal};
use crate::model::{ApiKeyAction, ApiKeyRights, Client, ConnectMode, Scope};
use crate::params::Params;
use crate::server::AuthorizationServer;
use crate::time::{Seconds, Timestamp};
use crate::tokens::{ActiveToken, TokenResponse};
use crate::vault::ask::{self, Asked, Caller, Given};
use crate::vault::audit::Origin;

use super::token_exchange::{ACCESS_TOKEN, subject};

/// What an audience begins with that is an integration. A logical name, because a provider has many
/// APIs, and one that no resource in the settings can have.
const INTEGRATION: &str = "urn:grantor:integration:";

/// The integration that a request names as its audience, if it does.
// RFC 8693 §2.1: audience, the logical name of the target service.
pub(super) fn target<'a>(params: &'a Params<'_>) -> Result<Option<&'a str>, Refusal> {
    let Some(name) = params.all("audience").find_map(|own| own.strip_prefix(INTEGRATION)) else {
        return Ok(None);
    };
    let alone = params.all("audience").count() == 1 && params.get("resource").is_none();
    if alone { Ok(Some(name)) } else { Err(Refusal::ProviderTargetAlone {}) }
}

/// Exchanges the person's access token for the one at the provider.
pub(super) async fn exchange(
    server: &AuthorizationServer,
    client: &Client,
    integration: &str,
    params: &Params<'_>,
    origin: Origin<'_>,
    now: Timestamp,
) -> Result<TokenResponse, Failure> {
    // RFC 8693 §2.1: requested_token_type
    if params.get("requested_token_type").is_some_and(|own| own != ACCESS_TOKEN) {
        return Err(Refusal::TokenTypeUnsupported {}.into());
    }
    // RFC 8693 §1.1: the provider's token would say nothing of who acts.
    if params.get("actor_token").or(params.get("actor_token_type")).is_some() {
        return Err(Refusal::ProviderActor {}.into());
    }
    let scope = params.get("scope").map(Scope::parse).transpose();
    let scope = scope.map_err(|_| Refusal::ScopeMalformed {})?;
    let known = server.policy.vault.integrations.contains_key(integration);
    // RFC 8693 §2.2.2: invalid_target, when the server is unwilling to issue a token for the target.
    if !known || !client.integrations.iter().any(|own| own == integration) {
        return Err(Refusal::IntegrationNotGiven {}.into());
    }
    let subject = person(subject(server, client, params, now).await?)?;
    let rights = ApiKeyRights {
        actions: vec![ApiKeyAction::Token, ApiKeyAction::Connect],
        integrations: Some(vec![integration.to_owned()]),
        subjects: Some(vec![subject.clone()]),
        ..ApiKeyRights::default()
    };
    let asked = Asked {
        integration: Some(integration.to_owned()),
        subject: Some(subject),
        account: params.get("account").map(str::to_owned),
        scope,
        ..Asked::default()
    };
    let actor = origin.actor(format!("client:{}", client.client_id));
    // The person is signed in here, and nobody but this person may follow the link.
    let mode = Some(ConnectMode::SelfService);
    let caller = Caller { rights: &rights, action: ApiKeyAction::Token, actor: &actor, mode };
    let given = ask::token(server, &asked, caller, now).await.map_err(in_words_of_oauth)?;
    Ok(answer(given))
}

/// The person that a token is about.
fn person(subject: ActiveToken) -> Result<String, Refusal> {
    let user = subject.user.ok_or(Refusal::ExchangeNoPerson {})?;
    Ok(user.id.to_string())
}

// RFC 8693 §2.2.1: issued_token_type, token_type, expires_in, scope.
fn answer(given: Given) -> TokenResponse {
    TokenResponse {
        access_token: (*given.access_token).clone(),
        issued_token_type: Some(ACCESS_TOKEN),
        expires_in: given.expires_in().map(Seconds),
        token_type: given.token_type.into(),
        refresh_token: None,
        scope: given.connection.scope,
        id_token: None,
    }
}

/// The vault answers in words of its own, the token endpoint in those of RFC 6749 §5.2 and RFC 8693
/// §2.2.2, with the members that help a program to go on.
fn in_words_of_oauth(failure: Failure) -> Failure {
    let Failure::Refused(refusal) = failure else {
        return failure;
    };
    let linked = refusal.details().is_some_and(|own| own.connect_url.is_some());
    let or_else = |with| match linked {
        true => with,
        false => "The operator can let people connect it: integrations.NAME.self_service",
    };
    let then = or_else("Send the browser to connect_url, and exchange again afterwards");
    match refusal {
        Refusal::NotConnected { details, .. } => Refusal::ExchangeNotConnected { then, details },
        Refusal::ReauthRequired { why, details, .. } => {
            Refusal::ExchangeReauth { why, then, details }
        }
        Refusal::ConnectionAmbiguous { details } => Refusal::ExchangeAmbiguous { details },
        Refusal::ScopeNotGranted { details, .. } => {
            let then = or_else("Send the browser to connect_url to grant missing_scopes as well");
            Refusal::ExchangeScopeMissing { then, details }
        }
        other => other,
    }
    .into()
}
