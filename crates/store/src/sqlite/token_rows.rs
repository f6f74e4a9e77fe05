//! The rows of `access_token` and `token_family`, written and read.

use grantor_core::id::{AccessTokenId, FamilyId, SessionId, UserId};
use grantor_core::model::{AccessToken, Family, Refresh};
use grantor_core::secret::Digest;
use grantor_core::store::{AccessView, FamilyView, JwtView};
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::consents::{CONSENT_COLUMNS, consent};
use super::fault::Fault;
use super::rows::{AUTHENTICATION, Columns, Db, bytes, claims_column, json_column, list_column};
use super::users::{USER_COLUMNS, user, user_columns};

macro_rules! family_columns {
    () => {
        "f.id, f.client_id, f.user_id, f.session_id, f.scope, f.resource, f.claims, \
         f.auth_time, f.method, f.amr, f.acr, f.refresh_current, f.refresh_previous, \
         f.refresh_generation, f.refresh_rotated_at, f.refresh_idle_expires_at, \
         f.refresh_expires_at, f.refresh_uses_left, f.sole_access, f.created_at, f.expires_at, \
         f.revoked_at"
    };
}

/// How many they are, and how many of them are about the refresh token.
const FAMILY_COLUMNS: usize = 22;
const REFRESH_COLUMNS: usize = 7;

/// A family by id, with its person and the consent.
pub(super) const SELECT_FAMILY: &str = concat!(
    "SELECT ",
    family_columns!(),
    ", ",
    user_columns!(),
    ", c.user_id, c.client_id, c.scope, c.created_at, c.updated_at
     FROM token_family f LEFT JOIN user_account u ON u.id = f.user_id
     LEFT JOIN consent c ON c.user_id = f.user_id AND c.client_id = f.client_id
     WHERE f.id = ?1"
);

/// An access token by id, with its family and its person. Without a family it is one look-up: a
/// join on NULL looks nowhere.
pub(super) const SELECT_ACCESS: &str = concat!(
    "SELECT t.id, t.digest, t.family_id, t.client_id, t.scope, t.audience, t.exchanged,
        t.issued_at, t.expires_at, ",
    family_columns!(),
    ", ",
    user_columns!(),
    " FROM access_token t LEFT JOIN token_family f ON f.id = t.family_id
      LEFT JOIN user_account u ON u.id = f.user_id
      WHERE t.id = ?1"
);

/// What is kept of the JWT access token `?1` of the family `?2`: always one row.
pub(super) const SELECT_JWT: &str = concat!(
    "SELECT EXISTS (SELECT 1 FROM revoked_token WHERE id = ?1), ",
    family_columns!(),
    ", ",
    user_columns!(),
    " FROM (SELECT 1) LEFT JOIN token_family f ON f.id = ?2
      LEFT JOIN user_account u ON u.id = f.user_id"
);

/// Reads [`SELECT_FAMILY`].
pub(super) fn family_view(columns: &mut Columns<'_>) -> Result<FamilyView, Fault> {
    Ok(FamilyView {
        family: family(columns)?,
        user: columns.optional(USER_COLUMNS, user)?,
        consent: columns.optional(CONSENT_COLUMNS, consent)?,
    })
}

/// Reads [`SELECT_ACCESS`].
pub(super) fn access_view(columns: &mut Columns<'_>) -> Result<AccessView, Fault> {
    let token = AccessToken {
        id: AccessTokenId(columns.id()?),
        digest: columns.digest()?,
        family: columns.optional_id()?.map(FamilyId),
        client_id: columns.value()?,
        scope: columns.scope()?,
        audience: columns.json_or_none()?,
        exchanged: columns.optional_json()?,
        issued_at: columns.time()?,
        expires_at: columns.time()?,
    };
    let family = columns.optional(FAMILY_COLUMNS, family)?;
    Ok(AccessView { token, family, user: columns.optional(USER_COLUMNS, user)? })
}

/// Reads [`SELECT_JWT`].
pub(super) fn jwt_view(columns: &mut Columns<'_>) -> Result<JwtView, Fault> {
    Ok(JwtView {
        revoked: columns.value()?,
        family: columns.optional(FAMILY_COLUMNS, family)?,
        user: columns.optional(USER_COLUMNS, user)?,
    })
}

/// Stores a family.
pub(super) fn insert_family(db: &Db<'_>, family: &Family) -> Result<(), Fault> {
    let authentication = family.authentication.as_ref();
    let refresh = family.refresh.as_ref();
    db.run(
        "INSERT INTO token_family (id, client_id, user_id, session_id, scope, resource,
            claims, auth_time, method, amr, acr, sole_access, created_at, expires_at, revoked_at,
            refresh_current, refresh_previous, refresh_generation, refresh_rotated_at,
            refresh_idle_expires_at, refresh_expires_at, refresh_uses_left)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
            ?19, ?20, ?21, ?22)",
        params![
            bytes(&family.id.0),
            family.client_id,
            family.user.as_ref().map(|user| bytes(&user.0)),
            family.session.as_ref().map(|session| bytes(&session.0)),
            family.scope.as_str(),
            list_column(&family.resource)?,
            claims_column(&family.claims)?,
            authentication.map(|own| own.auth_time.epoch()),
            authentication.map(|own| own.method.as_str()),
            authentication.map(|own| own.amr.join(" ")),
            authentication.and_then(|own| own.acr.as_deref()),
            family.sole_access.as_ref().map(|access| bytes(&access.0)),
            family.created_at.epoch(),
            family.expires_at.epoch(),
            family.revoked_at.map(Timestamp::epoch),
            refresh.map(|refresh| refresh.current.as_bytes()),
            refresh.and_then(|refresh| refresh.previous.as_ref()).map(Digest::as_bytes),
            refresh.map(|refresh| refresh.generation),
            refresh.map(|refresh| refresh.rotated_at.epoch()),
            refresh.map(|refresh| refresh.idle_expires_at.epoch()),
            refresh.map(|refresh| refresh.expires_at.epoch()),
            refresh.and_then(|refresh| refresh.uses_left),
        ],
    )?;
    Ok(())
}

/// Stores an access token: one append to one tree.
pub(super) fn insert_access(db: &Db<'_>, access: &AccessToken) -> Result<(), Fault> {
    db.run(
        "INSERT INTO access_token (id, digest, family_id, client_id, scope, audience, exchanged,
                                   issued_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            bytes(&access.id.0),
            access.digest.as_bytes(),
            access.family.as_ref().map(|family| bytes(&family.0)),
            access.client_id,
            access.scope.as_str(),
            list_column(&access.audience)?,
            access.exchanged.as_ref().map(json_column).transpose()?,
            access.issued_at.epoch(),
            access.expires_at.epoch(),
        ],
    )?;
    Ok(())
}

fn family(columns: &mut Columns<'_>) -> Result<Family, Fault> {
    Ok(Family {
        id: FamilyId(columns.id()?),
        client_id: columns.value()?,
        user: columns.optional_id()?.map(UserId),
        session: columns.optional_id()?.map(SessionId),
        scope: columns.scope()?,
        resource: columns.json_or_none()?,
        claims: columns.json_or_none()?,
        authentication: columns.optional(AUTHENTICATION, Columns::authentication)?,
        refresh: columns.optional(REFRESH_COLUMNS, refresh)?,
        sole_access: columns.optional_id()?.map(AccessTokenId),
        created_at: columns.time()?,
        expires_at: columns.time()?,
        revoked_at: columns.optional_time()?,
    })
}

fn refresh(columns: &mut Columns<'_>) -> Result<Refresh, Fault> {
    Ok(Refresh {
        current: columns.digest()?,
        previous: columns.optional_digest()?,
        generation: columns.value()?,
        rotated_at: columns.time()?,
        idle_expires_at: columns.time()?,
        expires_at: columns.time()?,
        uses_left: columns.value()?,
    })
}
