//! The rows of `access_token` and `token_family`, written and read.

use grantor_core::id::{AccessTokenId, FamilyId, SessionId, UserId};
use grantor_core::model::{AccessToken, Family, Refresh};
use grantor_core::secret::Digest;
use grantor_core::store::{AccessView, FamilyView};
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::consents::consent;
use super::fault::Fault;
use super::rows::{Columns, Db, bytes, claims_column};
use super::users::{user, user_columns};

macro_rules! family_columns {
    () => {
        "f.id, f.client_id, f.user_id, f.session_id, f.scope, f.claims, f.auth_time, \
         f.method, f.amr, f.refresh_current, f.refresh_previous, f.refresh_generation, \
         f.refresh_rotated_at, f.refresh_idle_expires_at, f.refresh_expires_at, \
         f.refresh_uses_left, f.created_at, f.expires_at, f.revoked_at"
    };
}

/// A family by id, with its person and the consent.
pub(super) const SELECT_FAMILY: &str = concat!(
    "SELECT ",
    family_columns!(),
    ", ",
    user_columns!(),
    ", c.user_id IS NOT NULL, c.user_id, c.client_id, c.scope, c.created_at, c.updated_at
     FROM token_family f JOIN user_account u ON u.id = f.user_id
     LEFT JOIN consent c ON c.user_id = f.user_id AND c.client_id = f.client_id
     WHERE f.id = ?1"
);

/// An access token by id, with its family and its person.
pub(super) const SELECT_ACCESS: &str = concat!(
    "SELECT t.id, t.digest, t.family_id, t.scope, t.issued_at, t.expires_at, ",
    family_columns!(),
    ", ",
    user_columns!(),
    " FROM access_token t JOIN token_family f ON f.id = t.family_id
      JOIN user_account u ON u.id = f.user_id
      WHERE t.id = ?1"
);

/// Reads [`SELECT_FAMILY`].
pub(super) fn family_view(columns: &mut Columns<'_>) -> Result<FamilyView, Fault> {
    Ok(FamilyView {
        family: family(columns)?,
        user: user(columns)?,
        consent: if columns.value()? { Some(consent(columns)?) } else { None },
    })
}

/// Reads [`SELECT_ACCESS`].
pub(super) fn access_view(columns: &mut Columns<'_>) -> Result<AccessView, Fault> {
    let token = AccessToken {
        id: AccessTokenId(columns.id()?),
        digest: columns.digest()?,
        family: FamilyId(columns.id()?),
        scope: columns.scope()?,
        issued_at: columns.time()?,
        expires_at: columns.time()?,
    };
    Ok(AccessView { token, family: family(columns)?, user: user(columns)? })
}

/// Stores a family.
pub(super) fn insert_family(db: &Db<'_>, family: &Family) -> Result<(), Fault> {
    let authentication = &family.authentication;
    let refresh = family.refresh.as_ref();
    db.run(
        "INSERT INTO token_family (id, client_id, user_id, session_id, scope, claims,
            auth_time, method, amr, created_at, expires_at, revoked_at, refresh_current,
            refresh_previous, refresh_generation, refresh_rotated_at, refresh_idle_expires_at,
            refresh_expires_at, refresh_uses_left)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
            ?19)",
        params![
            bytes(&family.id.0),
            family.client_id,
            bytes(&family.user.0),
            bytes(&family.session.0),
            family.scope.as_str(),
            claims_column(&family.claims)?,
            authentication.auth_time.epoch(),
            authentication.method.as_str(),
            authentication.amr.join(" "),
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
        "INSERT INTO access_token (id, digest, family_id, scope, issued_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            bytes(&access.id.0),
            access.digest.as_bytes(),
            bytes(&access.family.0),
            access.scope.as_str(),
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
        user: UserId(columns.id()?),
        session: SessionId(columns.id()?),
        scope: columns.scope()?,
        claims: columns.claims()?,
        authentication: columns.authentication()?,
        refresh: refresh(columns)?,
        created_at: columns.time()?,
        expires_at: columns.time()?,
        revoked_at: columns.optional_time()?,
    })
}

fn refresh(columns: &mut Columns<'_>) -> Result<Option<Refresh>, Fault> {
    let Some(current) = columns.optional_digest()? else {
        columns.skip(6);
        return Ok(None);
    };
    Ok(Some(Refresh {
        current,
        previous: columns.optional_digest()?,
        generation: columns.value()?,
        rotated_at: columns.time()?,
        idle_expires_at: columns.time()?,
        expires_at: columns.time()?,
        uses_left: columns.value()?,
    }))
}
