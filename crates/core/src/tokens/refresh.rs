//! Refresh tokens: RFC 6749 §1.5, RFC 9700 §4.14.
//!
//! A successor is derived from the token that was presented. A client that lost the answer, or two
//! tabs that refresh at once, get the same successor again, and the server keeps nothing in clear.

use crate::id::FamilyId;
use crate::model::{Client, GrantType, Refresh, RefreshPolicy};
use crate::secret::{Credential, Kind};
use crate::server::AuthorizationServer;
use crate::time::Timestamp;

/// The first refresh token of a family, whose id is that of the credential; `None` for a client that
/// may not refresh.
pub(crate) fn mint_refresh(
    server: &AuthorizationServer,
    client: &Client,
    credential: &Credential,
    now: Timestamp,
) -> Option<(String, Refresh)> {
    if !client.may_use(GrantType::RefreshToken) {
        return None;
    }
    let lifetimes = server.policy.lifetimes.of(client);
    let expires_at = now.plus(lifetimes.refresh_absolute);
    let refresh = Refresh {
        current: credential.digest(),
        previous: None,
        generation: 0,
        rotated_at: now,
        idle_expires_at: now.plus(lifetimes.refresh_idle).min(expires_at),
        expires_at,
        uses_left: match client.refresh {
            RefreshPolicy::Rotate => None,
            RefreshPolicy::Reuse { uses } => uses,
        },
    };
    Some((credential.reveal(), refresh))
}

/// The token that follows `presented`. If `presented` was rotated before, its successor has the
/// generation that the family has now; otherwise the next one.
pub(crate) fn successor(
    server: &AuthorizationServer,
    family: FamilyId,
    refresh: &Refresh,
    presented: &Credential,
) -> Credential {
    let rotated_before = refresh.previous.is_some_and(|previous| previous == presented.digest());
    let generation = refresh.generation + u32::from(!rotated_before);
    let secret = server.secrets.refresh.tag(&[
        family.0.as_bytes(),
        &generation.to_be_bytes(),
        presented.secret_bytes(),
    ]);
    Credential::derived(Kind::RefreshToken, family.0, secret)
}
