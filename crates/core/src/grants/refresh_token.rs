//! The refresh token grant: RFC 6749 §6, RFC 9700 §4.14, OpenID Connect Core 1.0 §12.

use crate::error::{Failure, Refusal};
use crate::id::FamilyId;
use crate::model::{Client, OnNewToken, Refresh, RefreshPolicy, Scope};
use crate::params::Params;
use crate::resource;
use crate::secret::{Credential, Kind};
use crate::server::AuthorizationServer;
use crate::store::{FamilyView, Renewal, Rotated, Rotation, Spent};
use crate::time::Timestamp;
use crate::tokens::{
    Access, IdToken, MintedAccess, TokenResponse, mint_access, mint_id_token, subject_active,
    successor,
};

/// Exchanges a refresh token. What held when it was issued must still hold.
pub(super) async fn exchange(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params<'_>,
    now: Timestamp,
) -> Result<TokenResponse, Failure> {
    let presented = Credential::parse(Kind::RefreshToken, params.required("refresh_token")?);
    let presented = presented.ok_or(Refusal::RefreshUnknown {})?;
    let view = server.store.family(FamilyId(presented.id())).await?;
    let view = view.ok_or(Refusal::RefreshUnknown {})?;
    let refresh = check(client, &view, now)?;
    // What the client may ask for no longer is not renewed.
    let granted = view.family.scope.only(|name| client.scope.contains(name));
    let granted = narrowed(&granted, params)?;
    let audience = resource::narrowed(&server.policy, &view.family.resource, params)?;
    let scope = resource::scope_for(&server.policy, &audience, &granted)?;

    let access = access(server, client, &view, (scope.clone(), audience), now)?;
    let id_token = id_token(server, client, &view, (&access.text, &granted), now)?;
    let answer = TokenResponse::bearer(access.text.clone(), access.lifetime, scope);
    let refresh_token = use_up(server, client, &view, &refresh, &presented, access, now).await?;
    Ok(TokenResponse { refresh_token: Some(refresh_token), id_token, ..answer })
}

fn access(
    server: &AuthorizationServer,
    client: &Client,
    view: &FamilyView,
    (scope, audience): (Scope, Vec<String>),
    now: Timestamp,
) -> Result<MintedAccess, Failure> {
    let subject = view.family.user.map(|user| user.to_string());
    let access = Access {
        client,
        family: Some(view.family.id),
        subject: subject.as_deref().unwrap_or(&client.client_id),
        authentication: view.family.authentication.as_ref(),
        scope,
        audience,
        exchanged: None,
        lifetime: server.policy.lifetimes.of(client).access_token,
    };
    mint_access(server, access, now)
}

/// OpenID Connect Core 1.0 §12.2
fn id_token(
    server: &AuthorizationServer,
    client: &Client,
    view: &FamilyView,
    (access_token, scope): (&str, &Scope),
    now: Timestamp,
) -> Result<Option<String>, Failure> {
    let (Some(user), Some(authentication)) = (&view.user, &view.family.authentication) else {
        return Ok(None);
    };
    if !scope.contains("openid") {
        return Ok(None);
    }
    let id_token = IdToken {
        client,
        user,
        authentication,
        asked: &view.family.claims.id_token,
        nonce: None,
        access_token: Some(access_token),
        code: None,
        with_scope: None,
    };
    mint_id_token(server, &id_token, now).map(Some)
}

fn check(client: &Client, view: &FamilyView, now: Timestamp) -> Result<Refresh, Refusal> {
    // RFC 6749 §10.4: the refresh token is bound to the client that it was issued to.
    if view.family.client_id != client.client_id {
        return Err(Refusal::RefreshOfOtherClient {});
    }
    let refresh = view.family.refresh.filter(|refresh| {
        let alive = now < refresh.idle_expires_at && now < refresh.expires_at;
        alive && view.family.revoked_at.is_none()
    });
    let refresh = refresh.ok_or(Refusal::RefreshUnknown {})?;
    if view.family.user.is_none() {
        return Ok(refresh);
    }
    subject_active(view.user.as_ref()).ok_or(Refusal::PersonGone {})?;
    match &view.consent {
        Some(consent) if view.family.scope.first_outside(&consent.scope).is_none() => Ok(refresh),
        Some(_) | None => Err(Refusal::ConsentGone {}),
    }
}

/// RFC 6749 §6: the scope may be narrowed for this access token, never widened.
fn narrowed(granted: &Scope, params: &Params<'_>) -> Result<Scope, Refusal> {
    let Some(text) = params.get("scope") else {
        return Ok(granted.clone());
    };
    let scope = Scope::parse(text).map_err(|_| Refusal::ScopeMalformed {})?;
    if scope.first_outside(granted).is_some() {
        return Err(Refusal::RefreshScopeWider {});
    }
    Ok(scope)
}

/// Spends the token as the client's policy says, and answers the one that works from now on.
async fn use_up(
    server: &AuthorizationServer,
    client: &Client,
    view: &FamilyView,
    refresh: &Refresh,
    presented: &Credential,
    access: MintedAccess,
    now: Timestamp,
) -> Result<String, Failure> {
    let lifetimes = server.policy.lifetimes.of(client);
    let family = view.family.id;
    // What a stricter setting has ended stays ended when the setting is relaxed.
    let sole =
        client.on_new_token == OnNewToken::RevokePrevious || view.family.sole_access.is_some();
    let renewal = Renewal {
        access: access.row,
        access_expires_at: access.expires_at,
        sole: sole.then_some(access.id),
        idle_expires_at: now.plus(lifetimes.refresh_idle).min(refresh.expires_at),
    };
    match client.refresh {
        RefreshPolicy::Rotate => {
            let next = successor(server, family, refresh, presented);
            let rotation = Rotation {
                presented: presented.digest(),
                successor: next.digest(),
                grace: lifetimes.refresh_grace,
                renewal,
            };
            match server.store.rotate_refresh(family, rotation, now).await? {
                Rotated::Done | Rotated::SameAgain => Ok(next.reveal()),
                Rotated::Reused => Err(Refusal::RefreshReused {}.into()),
                Rotated::Gone => Err(Refusal::RefreshUnknown {}.into()),
            }
        }
        RefreshPolicy::Reuse { .. } => {
            let digest = presented.digest();
            match server.store.spend_refresh_use(family, &digest, renewal, now).await? {
                Spent::Done { .. } => Ok(presented.reveal()),
                Spent::Gone => Err(Refusal::RefreshUnknown {}.into()),
            }
        }
    }
}
