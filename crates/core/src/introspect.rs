//! What a resource server may know of a token: RFC 7662.

use serde::Serialize;
use serde_json::Value;

use crate::error::{Failure, Refusal};
use crate::id::FamilyId;
use crate::model::{Client, Scope};
use crate::params::Params;
use crate::secret::{Credential, Kind};
use crate::server::AuthorizationServer;
use crate::time::Timestamp;
use crate::tokens::{ActiveToken, read_access, subject_active};

/// The answer: §2.2. Of a token that is not active, or that the asker may not see, nothing else is
/// told.
#[derive(Clone, Debug, Default, Serialize)]
#[expect(missing_docs, reason = "the members are named and described by the specifications")]
pub struct Introspection {
    pub active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Value>,
}

/// What `client`, which has authenticated, may know of the token in `params`.
pub async fn answer(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params<'_>,
    now: Timestamp,
) -> Result<Introspection, Failure> {
    // RFC 7662 §2.1: the endpoint must not be open to everybody who finds a token.
    if client.is_public() {
        return Err(Refusal::ClientAuthenticationFailed {}.into());
    }
    let text = params.required("token")?;
    // RFC 7662 §2.1: token_type_hint helps to find the token; the prefix says what it is.
    if let Some(credential) = Credential::parse(Kind::RefreshToken, text) {
        return of_refresh_token(server, client, &credential, now).await;
    }
    match read_access(server, text, now).await {
        Ok(token) if may_see(server, client, &token.client_id, &token.audience) => {
            Ok(of_access_token(server, token))
        }
        // RFC 7662 §2.2: a token of others is as unknown as one that does not exist.
        Ok(_) | Err(Failure::Refused(_)) => Ok(Introspection::default()),
        Err(broken @ Failure::Broken(_)) => Err(broken),
    }
}

/// Whether `client` may know about a token of `holder` for `audience`: it is its own, or it is the
/// resource server that the token is for.
pub(crate) fn may_see(
    server: &AuthorizationServer,
    client: &Client,
    holder: &str,
    audience: &[String],
) -> bool {
    let serves = &client.resource_server_for;
    client.client_id == holder
        || audience.iter().any(|own| serves.contains(own))
        || (audience.is_empty() && serves.contains(&server.policy.issuer))
}

fn of_access_token(server: &AuthorizationServer, token: ActiveToken) -> Introspection {
    let authentication = token.authentication.as_ref();
    let auth_time = authentication.map(|own| own.auth_time);
    let acr = authentication.map(|own| own.acr().to_owned());
    let issuer = &server.policy.issuer;
    // What a person is called is for those who may read the profile.
    let profile = token.scope.contains("profile");
    let audience = if token.audience.is_empty() { vec![issuer.clone()] } else { token.audience };
    Introspection {
        active: true,
        scope: Some(token.scope),
        client_id: Some(token.client_id),
        username: token.user.and_then(|user| user.username).filter(|_| profile),
        token_type: Some("Bearer"),
        exp: Some(token.expires_at),
        iat: Some(token.issued_at),
        sub: Some(token.subject),
        aud: Some(audience),
        iss: Some(issuer.clone()),
        auth_time,
        acr,
        act: token.act,
    }
}

/// A refresh token is between its client and this server: nobody else may know about it.
async fn of_refresh_token(
    server: &AuthorizationServer,
    client: &Client,
    presented: &Credential,
    now: Timestamp,
) -> Result<Introspection, Failure> {
    let view = server.store.family(FamilyId(presented.id())).await?;
    let Some(view) = view.filter(|view| view.family.client_id == client.client_id) else {
        return Ok(Introspection::default());
    };
    let family = view.family;
    let refresh = family.refresh.filter(|refresh| {
        refresh.current == presented.digest()
            && refresh.uses_left != Some(0)
            && now < refresh.idle_expires_at.min(refresh.expires_at)
            && family.revoked_at.is_none()
    });
    let user = subject_active(view.user.as_ref());
    let Some(refresh) = refresh.filter(|_| family.user.is_none() || user.is_some()) else {
        return Ok(Introspection::default());
    };
    let subject = family.user.map_or_else(|| family.client_id.clone(), |user| user.to_string());
    let profile = family.scope.contains("profile");
    let audience = Some(family.resource).filter(|own| !own.is_empty());
    Ok(Introspection {
        active: true,
        scope: Some(family.scope),
        client_id: Some(family.client_id),
        username: user.and_then(|user| user.username.clone()).filter(|_| profile),
        exp: Some(refresh.idle_expires_at.min(refresh.expires_at)),
        iat: Some(family.created_at),
        sub: Some(subject),
        aud: audience,
        iss: Some(server.policy.issuer.clone()),
        ..Introspection::default()
    })
}
