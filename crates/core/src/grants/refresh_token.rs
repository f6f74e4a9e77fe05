//! The refresh token grant: RFC 6749 §6, RFC 9700 §4.14, OpenID Connect Core 1.0 §12.

use crate::error::{Failure, Refusal};
use crate::id::FamilyId;
use crate::model::{AccessToken, Client, Refresh, RefreshPolicy, Scope, UserStatus};
use crate::params::Params;
use crate::secret::{Credential, Kind};
use crate::server::AuthorizationServer;
use crate::store::{FamilyView, Rotated, Rotation, Spent};
use crate::time::Timestamp;
use crate::tokens::{TokenResponse, mint_access, mint_id_token, successor};

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
    let scope = narrowed(&granted, params)?;

    let lifetime = server.policy.lifetimes.of(client).access_token;
    let family = &view.family;
    let (access_token, access) = mint_access(server, family.id, scope.clone(), lifetime, now);
    let id_token =
        mint_id_token(server, client, family, &view.user, None, (&access_token, &scope), now)?;
    let refresh_token = use_up(server, client, &view, &refresh, &presented, access, now).await?;
    Ok(TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in: lifetime,
        refresh_token: Some(refresh_token),
        scope,
        id_token,
    })
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
    if view.user.status != UserStatus::Active {
        return Err(Refusal::PersonGone {});
    }
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
    access: AccessToken,
    now: Timestamp,
) -> Result<String, Failure> {
    let lifetimes = server.policy.lifetimes.of(client);
    let family = view.family.id;
    let idle_expires_at = now.plus(lifetimes.refresh_idle).min(refresh.expires_at);
    match client.refresh {
        RefreshPolicy::Rotate => {
            let next = successor(server, family, refresh, presented);
            let rotation = Rotation {
                presented: presented.digest(),
                successor: next.digest(),
                grace: lifetimes.refresh_grace,
                idle_expires_at,
                access,
            };
            match server.store.rotate_refresh(family, rotation, now).await? {
                Rotated::Done | Rotated::SameAgain => Ok(next.reveal()),
                Rotated::Reused => Err(Refusal::RefreshReused {}.into()),
                Rotated::Gone => Err(Refusal::RefreshUnknown {}.into()),
            }
        }
        RefreshPolicy::Reuse { .. } => {
            let digest = presented.digest();
            let spent =
                server.store.spend_refresh_use(family, &digest, access, idle_expires_at, now);
            match spent.await? {
                Spent::Done { .. } => Ok(presented.reveal()),
                Spent::Gone => Err(Refusal::RefreshUnknown {}.into()),
            }
        }
    }
}
