//! Access tokens and families as hashes: `access:<id>` and `family:<id>`.

use grantor_core::id::{AccessTokenId, FamilyId};
use grantor_core::model::{AccessToken, Family as TokenFamily, OnNewToken, Refresh};
use grantor_core::store::Issued;

use super::fault::Fault;
use super::fields::{Fields, Hash};
use super::script::Call;

/// Adds what a script needs to store tokens that are issued together.
pub(super) fn with_issued<'i>(call: Call<'i>, issued: &Issued) -> Result<Call<'i>, Fault> {
    let family = &issued.family;
    let replaces = match issued.previous {
        OnNewToken::Keep => false,
        OnNewToken::RevokePrevious => true,
    };
    let call = call.key(family_key(family.id)).fields(family_fields(family)?);
    let call = call.arg(&family.id).arg(&family.client_id).maybe(family.user.as_ref());
    let call = call.arg(&family.expires_at).arg(&replaces);
    with_access(call, issued.access.as_ref())
}

/// Adds what a script needs to store an access token, if there is one.
pub(super) fn with_access<'i>(
    call: Call<'i>,
    access: Option<&AccessToken>,
) -> Result<Call<'i>, Fault> {
    let Some(access) = access else {
        return Ok(call.arg(&false));
    };
    let call = call.arg(&true).key(access_key(access.id)).fields(access_fields(access)?);
    Ok(call.arg(&access.expires_at))
}

fn access_fields(access: &AccessToken) -> Result<Fields, Fault> {
    Fields::default()
        .with("id", &access.id)
        .with("digest", &access.digest)
        .maybe("family_id", access.family.as_ref())
        .with("client_id", &access.client_id)
        .with("scope", &access.scope)
        .with("issued_at", &access.issued_at)
        .with("expires_at", &access.expires_at)
        .json_if(!access.audience.is_empty(), "audience", &access.audience)?
        .json_if(access.exchanged.is_some(), "exchanged", &access.exchanged)
}

/// Reads an access token.
pub(super) fn access(hash: &Hash) -> Result<AccessToken, Fault> {
    Ok(AccessToken {
        id: hash.get("id")?,
        digest: hash.get("digest")?,
        family: hash.maybe("family_id")?,
        client_id: hash.get("client_id")?,
        scope: hash.get("scope")?,
        audience: hash.json_or_none("audience")?,
        exchanged: hash.maybe_json("exchanged")?,
        issued_at: hash.get("issued_at")?,
        expires_at: hash.get("expires_at")?,
    })
}

fn family_fields(family: &TokenFamily) -> Result<Fields, Fault> {
    let fields = Fields::default()
        .with("id", &family.id)
        .with("client_id", &family.client_id)
        .maybe("user_id", family.user.as_ref())
        .maybe("session_id", family.session.as_ref())
        .with("scope", &family.scope)
        .authentication(family.authentication.as_ref())
        .maybe("sole_access", family.sole_access.as_ref())
        .with("created_at", &family.created_at)
        .with("expires_at", &family.expires_at)
        .maybe("revoked_at", family.revoked_at.as_ref())
        .json_if(!family.resource.is_empty(), "resource", &family.resource)?
        .json_if(!family.claims.is_empty(), "claims", &family.claims)?;
    let Some(refresh) = &family.refresh else {
        return Ok(fields);
    };
    Ok(fields
        .with("refresh_current", &refresh.current)
        .maybe("refresh_previous", refresh.previous.as_ref())
        .with("refresh_generation", &refresh.generation)
        .with("refresh_rotated_at", &refresh.rotated_at)
        .with("refresh_idle_expires_at", &refresh.idle_expires_at)
        .with("refresh_expires_at", &refresh.expires_at)
        .maybe("refresh_uses_left", refresh.uses_left.as_ref()))
}

/// Reads a family.
pub(super) fn family(hash: &Hash) -> Result<TokenFamily, Fault> {
    Ok(TokenFamily {
        id: hash.get("id")?,
        client_id: hash.get("client_id")?,
        user: hash.maybe("user_id")?,
        session: hash.maybe("session_id")?,
        scope: hash.get("scope")?,
        resource: hash.json_or_none("resource")?,
        claims: hash.json_or_none("claims")?,
        authentication: hash.maybe_authentication()?,
        refresh: refresh(hash)?,
        sole_access: hash.maybe("sole_access")?,
        created_at: hash.get("created_at")?,
        expires_at: hash.get("expires_at")?,
        revoked_at: hash.maybe("revoked_at")?,
    })
}

fn refresh(hash: &Hash) -> Result<Option<Refresh>, Fault> {
    let Some(current) = hash.maybe("refresh_current")? else {
        return Ok(None);
    };
    Ok(Some(Refresh {
        current,
        previous: hash.maybe("refresh_previous")?,
        generation: hash.get("refresh_generation")?,
        rotated_at: hash.get("refresh_rotated_at")?,
        idle_expires_at: hash.get("refresh_idle_expires_at")?,
        expires_at: hash.get("refresh_expires_at")?,
        uses_left: hash.maybe("refresh_uses_left")?,
    }))
}

pub(super) fn access_key(id: AccessTokenId) -> String {
    format!("access:{id}")
}

pub(super) fn family_key(id: FamilyId) -> String {
    format!("family:{id}")
}
