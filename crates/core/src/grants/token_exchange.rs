//! Token exchange: RFC 8693, for access tokens of this server.
//!
//! A resource server that was called with a token gets one for the next resource: never with more
//! scope, never for longer, and ended together with the first. With an actor token the new one says
//! who acts (delegation, §1.1); without one it says only whom it is about (impersonation).

use serde_json::{Value, json};

use super::provider_token;
use crate::error::{Failure, Refusal};
use crate::introspect;
use crate::model::{Client, Exchanged, Scope};
use crate::params::Params;
use crate::resource;
use crate::server::AuthorizationServer;
use crate::time::{Seconds, Timestamp};
use crate::tokens::{Access, ActiveToken, MintedAccess, TokenResponse, mint_access, read_access};
use crate::vault::audit::Origin;

/// RFC 8693 §3.
pub(super) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// How often a token can be passed on; each time it gets longer.
const MOST_EXCHANGES: usize = 8;

/// Exchanges a token.
pub(super) async fn exchange(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params<'_>,
    origin: Origin<'_>,
    now: Timestamp,
) -> Result<TokenResponse, Failure> {
    // The subject's word is passed on, so the one who passes it on must be known.
    if client.is_public() {
        return Err(Refusal::ConfidentialOnly { grant: "token-exchange" }.into());
    }
    let wanted = issued_type(params)?;
    if let Some(integration) = provider_token::target(params)? {
        return provider_token::exchange(server, client, integration, params, origin, now).await;
    }
    let subject = subject(server, client, params, now).await?;
    let actor = actor(server, client, params, now).await?;
    if subject.from.len() >= MOST_EXCHANGES {
        return Err(Refusal::ExchangeTooDeep {}.into());
    }
    let audience = audience(server, &subject, params)?;
    let scope = scope(client, &subject, params)?;
    let scope = resource::scope_for(&server.policy, &audience, &scope)?;
    let act = actor.map(|actor| act(&actor, subject.act.clone())).or_else(|| subject.act.clone());
    let minted = mint(server, client, &subject, (scope.clone(), audience, act), now)?;
    if let Some(row) = minted.row {
        // RFC 8693 §2.1: requested_token_type
        if wanted == JWT {
            return Err(Refusal::TokenTypeUnsupported {}.into());
        }
        server.store.issue_access(row).await?;
    }
    let answer = TokenResponse::bearer(minted.text, minted.lifetime, scope);
    Ok(TokenResponse { issued_token_type: Some(wanted), ..answer })
}

fn issued_type(params: &Params<'_>) -> Result<&'static str, Refusal> {
    match params.get("requested_token_type") {
        None | Some(ACCESS_TOKEN) => Ok(ACCESS_TOKEN),
        Some(JWT) => Ok(JWT),
        Some(_) => Err(Refusal::TokenTypeUnsupported {}),
    }
}

/// The token that is exchanged.
pub(super) async fn subject(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params<'_>,
    now: Timestamp,
) -> Result<ActiveToken, Failure> {
    token(server, client, params, ("subject_token", "subject_token_type"), now).await
}

/// A token of this server that the client may speak for: one that was issued to it, or that it was
/// called with as the resource server.
async fn token(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params<'_>,
    (name, type_name): (&'static str, &'static str),
    now: Timestamp,
) -> Result<ActiveToken, Failure> {
    let text = params.required(name)?;
    match params.required(type_name)? {
        ACCESS_TOKEN | JWT => {}
        _ => return Err(Refusal::TokenTypeUnsupported {}.into()),
    }
    let active = match read_access(server, text, now).await {
        // RFC 8693 §2.2.2: a token that is not valid makes the request invalid.
        Err(Failure::Refused(_)) => return Err(Refusal::ExchangeTokenInvalid { name }.into()),
        other => other?,
    };
    if !introspect::may_see(server, client, &active.client_id, &active.audience) {
        return Err(Refusal::ExchangeTokenForeign { name }.into());
    }
    Ok(active)
}

async fn actor(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params<'_>,
    now: Timestamp,
) -> Result<Option<ActiveToken>, Failure> {
    if params.get("actor_token").is_some() {
        return token(server, client, params, ("actor_token", "actor_token_type"), now)
            .await
            .map(Some);
    }
    // RFC 8693 §2.1: actor_token_type must not be there without actor_token.
    match params.get("actor_token_type") {
        Some(_) => Err(Refusal::MissingParameter { name: "actor_token" }.into()),
        None => Ok(None),
    }
}

/// RFC 8693 §2.1: the target services, as resources or by the same names as audience. Without one
/// the audience stays. This server is none for a token that was not for it: an API must not read
/// with it what the person granted the client alone.
fn audience(
    server: &AuthorizationServer,
    subject: &ActiveToken,
    params: &Params<'_>,
) -> Result<Vec<String>, Refusal> {
    let policy = &server.policy;
    let mut named = params.all("resource").chain(params.all("audience")).peekable();
    if named.peek().is_none() {
        return Ok(subject.audience.clone());
    }
    let asked = resource::known(policy, named)?;
    if resource::is_own(policy, &asked) && !resource::is_own(policy, &subject.audience) {
        return Err(Refusal::ResourceNotGranted {});
    }
    Ok(asked)
}

/// No more than the subject's token had, and no more than the client may have.
fn scope(client: &Client, subject: &ActiveToken, params: &Params<'_>) -> Result<Scope, Refusal> {
    let most = subject.scope.only(|name| client.scope.contains(name));
    let Some(text) = params.get("scope") else {
        return Ok(most);
    };
    let asked = Scope::parse(text).map_err(|_| Refusal::ScopeMalformed {})?;
    match asked.first_outside(&most) {
        Some(_) => Err(Refusal::ExchangeScopeWider {}),
        None => Ok(asked),
    }
}

/// RFC 8693 §4.1: the actor outside, who acted before it inside.
fn act(actor: &ActiveToken, before: Option<Value>) -> Value {
    let mut act = json!({ "sub": actor.subject, "client_id": actor.client_id });
    if let (Some(object), Some(before)) = (act.as_object_mut(), before) {
        object.insert("act".to_owned(), before);
    }
    act
}

fn mint(
    server: &AuthorizationServer,
    client: &Client,
    subject: &ActiveToken,
    (scope, audience, act): (Scope, Vec<String>, Option<Value>),
    now: Timestamp,
) -> Result<MintedAccess, Failure> {
    let own: Seconds = server.policy.lifetimes.of(client).access_token;
    let exchanged = Exchanged {
        sub: subject.family.is_none().then(|| subject.subject.clone()),
        from: subject.from.iter().copied().chain([subject.id]).collect(),
        act,
    };
    let access = Access {
        client,
        // In the family of the first token, so that revoking that ends this one too.
        family: subject.family,
        subject: &subject.subject,
        authentication: subject.authentication.as_ref(),
        scope,
        audience,
        exchanged: Some(exchanged),
        lifetime: own.min(now.until(subject.expires_at)),
    };
    mint_access(server, access, now)
}
