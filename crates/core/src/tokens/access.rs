//! Access tokens, opaque (RFC 6749 §1.4) or signed (RFC 9068), made and read.
//!
//! An opaque token is looked up. A signed one says everything itself but for what may have
//! happened since: that is looked up under its id and its family, so both end when they are revoked.

use serde_json::Value;

use super::jwt;
use crate::error::{Failure, Refusal};
use crate::id::{AccessTokenId, FamilyId, Id};
use crate::keys::longest_signed;
use crate::model::{
    AccessToken, AccessTokenFormat, Authentication, ClaimsRequest, Client, Exchanged, Family,
    Scope, User, UserStatus,
};
use crate::resource;
use crate::secret::{Credential, Kind};
use crate::server::AuthorizationServer;
use crate::store::AccessView;
use crate::time::{Seconds, Timestamp};

/// What an access token is to say.
pub(crate) struct Access<'a> {
    /// Who holds it.
    pub(crate) client: &'a Client,
    /// Where it is revoked.
    pub(crate) family: Option<FamilyId>,
    /// Whom it is about: an account, or a client that acts for itself.
    pub(crate) subject: &'a str,
    /// How the person signed in.
    pub(crate) authentication: Option<&'a Authentication>,
    /// What it opens.
    pub(crate) scope: Scope,
    /// The resources that it is for; empty for this server's own.
    pub(crate) audience: Vec<String>,
    /// Where it came from, if by token exchange.
    pub(crate) exchanged: Option<Exchanged>,
    /// How long it lives.
    pub(crate) lifetime: Seconds,
}

/// A new access token.
pub(crate) struct MintedAccess {
    /// What is given.
    pub(crate) text: String,
    /// Its id.
    pub(crate) id: AccessTokenId,
    /// How long it lives.
    pub(crate) lifetime: Seconds,
    /// When it stops working.
    pub(crate) expires_at: Timestamp,
    /// What is stored; `None` for a JWT.
    pub(crate) row: Option<AccessToken>,
}

/// Makes an access token in the form that its resources, or its client, want.
pub(crate) fn mint_access(
    server: &AuthorizationServer,
    mut access: Access<'_>,
    now: Timestamp,
) -> Result<MintedAccess, Failure> {
    let form = resource::form(&server.policy, access.client, &access.audience)?;
    if form.format == AccessTokenFormat::Jwt {
        // The key that signs it must be published for as long as it lives.
        access.lifetime = access.lifetime.min(longest_signed(&server.policy));
    }
    let lifetime = access.lifetime;
    let expires_at = now.plus(lifetime);
    match form.format {
        AccessTokenFormat::Opaque => {
            let credential = server.new_credential(Kind::AccessToken);
            let id = AccessTokenId(credential.id());
            let row = AccessToken {
                id,
                digest: credential.digest(),
                family: access.family,
                client_id: access.client.client_id.clone(),
                scope: access.scope,
                audience: access.audience,
                exchanged: access.exchanged,
                issued_at: now,
                expires_at,
            };
            Ok(MintedAccess { text: credential.reveal(), id, lifetime, expires_at, row: Some(row) })
        }
        AccessTokenFormat::Jwt => {
            let id = AccessTokenId(server.new_id());
            let text = jwt::sign(server, &access, form.algorithm, id, now)?;
            Ok(MintedAccess { text, id, lifetime, expires_at, row: None })
        }
    }
}

/// An access token that works, whatever it looks like.
#[derive(Clone, Debug)]
pub struct ActiveToken {
    /// Its id.
    pub id: AccessTokenId,
    /// What it looks like.
    pub format: AccessTokenFormat,
    /// Where it is revoked, unless by its own id.
    pub family: Option<FamilyId>,
    /// Who holds it.
    pub client_id: String,
    /// Whether the family belongs to the same client; not so after a token exchange.
    pub is_of_family_holder: bool,
    /// Whom it is about: the `sub` claim.
    pub subject: String,
    /// The account, if it is about a person.
    pub user: Option<User>,
    /// What it opens.
    pub scope: Scope,
    /// The resources that it is for; empty for this server's own.
    pub audience: Vec<String>,
    /// Claims that were asked for one by one.
    pub claims: ClaimsRequest,
    /// How the person signed in, if this server saw it.
    pub authentication: Option<Authentication>,
    /// Who acts for the subject: RFC 8693 §4.1.
    pub act: Option<Value>,
    /// The tokens that were exchanged for it.
    pub from: Vec<AccessTokenId>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// The access token behind `text`, if it is alive and so are its client and the account that
/// granted it.
// RFC 6750 §3.1: invalid_token
pub async fn read_access(
    server: &AuthorizationServer,
    text: &str,
    now: Timestamp,
) -> Result<ActiveToken, Failure> {
    let active = if let Some(credential) = Credential::parse(Kind::AccessToken, text) {
        read_opaque(server, &credential, now).await?
    } else if jwt::looks_like_one(text) {
        jwt::read(server, text, now).await?
    } else {
        None
    };
    let active = active.ok_or(Refusal::TokenInvalid {})?;
    // Whoever holds it, and after an exchange the client that it is about, if it is about none else.
    let about =
        Some(&active.subject).filter(|own| active.family.is_none() && **own != active.client_id);
    for client_id in std::iter::once(&active.client_id).chain(about) {
        let client = server.store.client(client_id).await?;
        // A client of the same name that came later has nothing to do with this token.
        if client.is_none_or(|client| client.created_at > active.issued_at) {
            return Err(Refusal::TokenInvalid {}.into());
        }
    }
    Ok(active)
}

async fn read_opaque(
    server: &AuthorizationServer,
    credential: &Credential,
    now: Timestamp,
) -> Result<Option<ActiveToken>, Failure> {
    let id = AccessTokenId(credential.id());
    let view = server.store.access_token(id, &credential.digest(), now).await?;
    Ok(view.and_then(|AccessView { token, family, user }| {
        let exchanged = token.exchanged.unwrap_or_default();
        let subject = subject(family.as_ref(), user.as_ref(), exchanged.sub, &token.client_id)?;
        let is_of_family_holder =
            family.as_ref().is_some_and(|family| family.client_id == token.client_id);
        let (claims, authentication) = asked(family, &token.scope);
        Some(ActiveToken {
            id: token.id,
            format: AccessTokenFormat::Opaque,
            family: token.family,
            client_id: token.client_id,
            is_of_family_holder,
            subject,
            user,
            scope: token.scope,
            audience: token.audience,
            claims,
            authentication,
            act: exchanged.act,
            from: exchanged.from,
            issued_at: token.issued_at,
            expires_at: token.expires_at,
        })
    }))
}

/// The claims that were asked for one by one, and how the person signed in. A token with less scope
/// than was granted was made for less, and opens only what its scope says.
pub(super) fn asked(
    family: Option<Family>,
    scope: &Scope,
) -> (ClaimsRequest, Option<Authentication>) {
    let Some(family) = family else {
        return Default::default();
    };
    let narrowed = family.scope.first_outside(scope).is_some();
    (if narrowed { ClaimsRequest::default() } else { family.claims }, family.authentication)
}

/// Whom a token is about; `None` when that account may not be used. Every path that issues or takes
/// something for a person asks this.
pub(super) fn subject(
    family: Option<&Family>,
    user: Option<&User>,
    exchanged: Option<String>,
    client_id: &str,
) -> Option<String> {
    match family {
        Some(Family { user: Some(_), .. }) => subject_active(user).map(|user| user.id.to_string()),
        Some(family) => Some(family.client_id.clone()),
        None => Some(exchanged.unwrap_or_else(|| client_id.to_owned())),
    }
}

/// The person, if the account is there and may be used.
pub(crate) fn subject_active(user: Option<&User>) -> Option<&User> {
    user.filter(|user| user.status == UserStatus::Active)
}

/// An id that no row has: "no family" in a place of fixed size.
pub(super) const fn no_id() -> Id {
    Id::from_bytes([0; 16])
}
