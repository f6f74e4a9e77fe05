//! The tokens of a grant, made in memory: what is answered and what is to be stored.

use super::access::{Access, mint_access};
use super::id_token::{IdToken, mint_id_token};
use super::refresh::mint_refresh;
use super::{TokenResponse, no_expiry_before};
use crate::error::Failure;
use crate::id::{FamilyId, SessionId};
use crate::model::{Authentication, ClaimsRequest, Client, Family, Scope, User};
use crate::resource;
use crate::secret::Kind;
use crate::server::AuthorizationServer;
use crate::store::Issued;
use crate::time::Timestamp;

/// What was granted, by a person or to a client itself.
pub(crate) struct Granted<'a> {
    /// Who gets it.
    pub(crate) client: &'a Client,
    /// Who granted it; `None` for a client that acts for itself.
    pub(crate) user: Option<&'a User>,
    /// In which browser session.
    pub(crate) session: Option<SessionId>,
    /// How the person had signed in.
    pub(crate) authentication: Option<Authentication>,
    /// What.
    pub(crate) scope: Scope,
    /// For which resources.
    pub(crate) resource: Vec<String>,
    /// For which of them the access token is.
    pub(crate) audience: Vec<String>,
    /// Claims that were asked for one by one.
    pub(crate) claims: ClaimsRequest,
    /// Repeated in the ID token.
    pub(crate) nonce: Option<&'a str>,
    /// Whether a refresh token comes with it, if the client may refresh.
    pub(crate) refresh: bool,
    /// Whether an ID token comes with it, if the scope has `openid`.
    pub(crate) id_token: bool,
}

/// A new family with its tokens.
pub(crate) fn issue(
    server: &AuthorizationServer,
    granted: Granted<'_>,
    now: Timestamp,
) -> Result<(Issued, TokenResponse), Failure> {
    let Granted { client, user, .. } = granted;
    let credential = server.new_credential(Kind::RefreshToken);
    let minted = granted.refresh.then(|| mint_refresh(server, client, &credential, now)).flatten();
    let (refresh_token, refresh) = minted.unzip();
    let lifetime = server.policy.lifetimes.of(client).access_token;
    let scope = resource::scope_for(&server.policy, &granted.audience, &granted.scope)?;
    let subject = user.map(|user| user.id.to_string());
    let access = Access {
        client,
        family: Some(FamilyId(credential.id())),
        subject: subject.as_deref().unwrap_or(&client.client_id),
        authentication: granted.authentication.as_ref(),
        scope: scope.clone(),
        audience: granted.audience,
        exchanged: None,
        lifetime,
    };
    let access = mint_access(server, access, now)?;
    let id_token = match (user, &granted.authentication) {
        (Some(user), Some(authentication))
            if granted.id_token && granted.scope.contains("openid") =>
        {
            let id_token = IdToken {
                client,
                user,
                authentication,
                asked: &granted.claims.id_token,
                nonce: granted.nonce,
                access_token: Some(&access.text),
                code: None,
                with_scope: None,
            };
            Some(mint_id_token(server, &id_token, now)?)
        }
        _ => None,
    };
    let family = Family {
        id: FamilyId(credential.id()),
        client_id: client.client_id.clone(),
        user: user.map(|user| user.id),
        session: granted.session,
        scope: granted.scope,
        resource: granted.resource,
        claims: granted.claims,
        authentication: granted.authentication,
        refresh,
        sole_access: None,
        created_at: now,
        expires_at: no_expiry_before(access.expires_at, refresh.as_ref()),
        revoked_at: None,
    };
    let issued = Issued { family, access: access.row, previous: client.on_new_token };
    let answer = TokenResponse::bearer(access.text, access.lifetime, scope);
    Ok((issued, TokenResponse { refresh_token, id_token, ..answer }))
}
