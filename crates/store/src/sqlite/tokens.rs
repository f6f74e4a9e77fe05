//! Access and refresh tokens: RFC 6749 §1.4, §1.5 and §6; the tables `access_token` and
//! `token_family`.

use async_trait::async_trait;
use grantor_core::id::{AccessTokenId, FamilyId};
use grantor_core::model::{AccessToken, Consent, Family, OnNewToken};
use grantor_core::secret::Digest;
use grantor_core::store::{
    AccessView, FamilyView, Issued, JwtView, Renewal, Rotated, Rotation, Spent, StoreError,
    TokenStore,
};
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::Sqlite;
use super::consents;
use super::fault::Fault;
use super::rows::{Db, bytes};
use super::token_rows::{SELECT_ACCESS, SELECT_FAMILY, SELECT_JWT, insert_access, insert_family};
use crate::records::tokens::{self, Alive};

#[async_trait]
impl TokenStore for Sqlite {
    async fn family(&self, id: FamilyId) -> Result<Option<FamilyView>, StoreError> {
        self.read(|db| db.one(SELECT_FAMILY, [bytes(&id.0)], tokens::family_view))
    }

    async fn rotate_refresh(
        &self,
        family: FamilyId,
        rotation: Rotation,
        now: Timestamp,
    ) -> Result<Rotated, StoreError> {
        self.write(move |db| rotate(db, family, &rotation, now)).await
    }

    async fn spend_refresh_use(
        &self,
        family: FamilyId,
        presented: &Digest,
        renewal: Renewal,
        now: Timestamp,
    ) -> Result<Spent, StoreError> {
        let presented = *presented;
        self.write(move |db| spend(db, family, &presented, &renewal, now)).await
    }

    async fn issue_tokens(
        &self,
        issued: Issued,
        consent: Option<Consent>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |db| {
            consent.iter().try_for_each(|consent| consents::remember(db, consent))?;
            issue(db, &issued, now)
        })
        .await
    }

    async fn issue_access(&self, access: AccessToken) -> Result<(), StoreError> {
        self.write(move |db| insert_access(db, &access)).await
    }

    async fn access_token(
        &self,
        id: AccessTokenId,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<AccessView>, StoreError> {
        let view = self.read(|db| {
            let view = db.one(SELECT_ACCESS, [bytes(&id.0)], tokens::access_view)?;
            let Some(from) = view.as_ref().and_then(|view| view.token.exchanged.as_ref()) else {
                return Ok(view);
            };
            Ok(if any_revoked(db, &from.from)? { None } else { view })
        })?;
        Ok(view.filter(|view| tokens::works(view, id, digest, now)))
    }

    async fn jwt(
        &self,
        id: AccessTokenId,
        family: Option<FamilyId>,
        from: &[AccessTokenId],
    ) -> Result<JwtView, StoreError> {
        let family = family.as_ref().map(|family| bytes(&family.0));
        self.read(|db| {
            let view = db.one(SELECT_JWT, params![bytes(&id.0), family], tokens::jwt_view)?;
            let view = view.unwrap_or(JwtView { revoked: false, family: None, user: None });
            Ok(JwtView { revoked: view.revoked || any_revoked(db, from)?, ..view })
        })
    }

    async fn revoke_access(
        &self,
        id: AccessTokenId,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |db| {
            db.run("DELETE FROM access_token WHERE id = ?1", [bytes(&id.0)])?;
            db.run(
                "INSERT INTO revoked_token (id, expires_at) VALUES (?1, ?2)
                 ON CONFLICT DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)",
                params![bytes(&id.0), expires_at.epoch()],
            )
            .map(drop)
        })
        .await
    }

    async fn revoke_family(&self, id: FamilyId, now: Timestamp) -> Result<bool, StoreError> {
        self.write(move |db| revoke(db, id, now)).await
    }
}

/// Whether one of these tokens was revoked by its id.
fn any_revoked(db: &Db<'_>, ids: &[AccessTokenId]) -> Result<bool, Fault> {
    let revoked = "SELECT 1 FROM revoked_token WHERE id = ?1";
    for id in ids {
        if db.one(revoked, [bytes(&id.0)], |_| Ok(()))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Stores tokens that are issued together, instead of earlier ones where the client wants that.
pub(super) fn issue(db: &Db<'_>, issued: &Issued, now: Timestamp) -> Result<(), Fault> {
    match issued.previous {
        OnNewToken::Keep => {}
        OnNewToken::RevokePrevious => revoke_others(db, &issued.family, now)?,
    }
    insert_family(db, &issued.family)?;
    issued.access.iter().try_for_each(|access| insert_access(db, access))
}

/// Revokes what the client holds for the same person; without a person, what it holds for itself.
fn revoke_others(db: &Db<'_>, family: &Family, now: Timestamp) -> Result<(), Fault> {
    db.run(
        "UPDATE token_family INDEXED BY token_family_live SET revoked_at = ?3
         WHERE client_id = ?1 AND user_id IS ?2 AND revoked_at IS NULL",
        params![family.client_id, family.user.as_ref().map(|user| bytes(&user.0)), now.epoch()],
    )?;
    Ok(())
}

/// Revokes a family; `false` when there is none or it was revoked before.
pub(super) fn revoke(db: &Db<'_>, id: FamilyId, now: Timestamp) -> Result<bool, Fault> {
    let revoke = "UPDATE token_family SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL";
    Ok(db.run(revoke, params![bytes(&id.0), now.epoch()])? == 1)
}

fn alive(db: &Db<'_>, family: FamilyId, now: Timestamp) -> Result<Option<Alive>, Fault> {
    db.one(
        concat!(
            "SELECT ",
            tokens::alive_columns!(),
            " FROM token_family
              WHERE id = ?1 AND revoked_at IS NULL AND refresh_current IS NOT NULL
                AND refresh_idle_expires_at > ?2 AND refresh_expires_at > ?2"
        ),
        params![bytes(&family.0), now.epoch()],
        tokens::alive,
    )
}

fn rotate(
    db: &Db<'_>,
    family: FamilyId,
    rotation: &Rotation,
    now: Timestamp,
) -> Result<Rotated, Fault> {
    let Some(refresh) = alive(db, family, now)? else {
        return Ok(Rotated::Gone);
    };
    let rotated = refresh.rotated(rotation, now);
    match rotated {
        Rotated::Done => advance(db, &refresh, rotation, now)?,
        Rotated::SameAgain => keep(db, &refresh, &rotation.renewal)?,
        Rotated::Reused => {
            revoke(db, family, now)?;
            return Ok(rotated);
        }
        Rotated::Gone => return Ok(rotated),
    }
    rotation.renewal.access.iter().try_for_each(|access| insert_access(db, access))?;
    Ok(rotated)
}

/// Puts the successor in place.
fn advance(db: &Db<'_>, refresh: &Alive, rotation: &Rotation, now: Timestamp) -> Result<(), Fault> {
    db.run(
        "UPDATE token_family
         SET refresh_current = ?2, refresh_previous = ?3,
             refresh_generation = refresh_generation + 1, refresh_rotated_at = ?4,
             refresh_idle_expires_at = ?5, expires_at = max(expires_at, ?6), sole_access = ?7
         WHERE id = ?1",
        params![
            bytes(&refresh.family.0),
            rotation.successor.as_bytes(),
            refresh.current.as_bytes(),
            now.epoch(),
            rotation.renewal.idle_expires_at.epoch(),
            refresh.end(&rotation.renewal).epoch(),
            refresh.sole_access(&rotation.renewal).as_ref().map(|access| bytes(&access.0)),
        ],
    )?;
    Ok(())
}

/// Leaves the refresh token as it is, for one more access token.
fn keep(db: &Db<'_>, refresh: &Alive, renewal: &Renewal) -> Result<(), Fault> {
    db.run(
        "UPDATE token_family SET expires_at = max(expires_at, ?2), sole_access = ?3
         WHERE id = ?1 AND (expires_at < ?2 OR sole_access IS NOT ?3)",
        params![
            bytes(&refresh.family.0),
            renewal.access_expires_at.epoch(),
            refresh.sole_access(renewal).as_ref().map(|access| bytes(&access.0)),
        ],
    )?;
    Ok(())
}

fn spend(
    db: &Db<'_>,
    family: FamilyId,
    presented: &Digest,
    renewal: &Renewal,
    now: Timestamp,
) -> Result<Spent, Fault> {
    let refresh = alive(db, family, now)?
        .filter(|refresh| refresh.current == *presented && refresh.uses_left != Some(0));
    let Some(refresh) = refresh else {
        return Ok(Spent::Gone);
    };
    let left = refresh.uses_left.map(|uses| uses - 1);
    db.run(
        "UPDATE token_family
         SET refresh_uses_left = ?2, refresh_idle_expires_at = ?3,
             expires_at = max(expires_at, ?4), sole_access = ?5
         WHERE id = ?1",
        params![
            bytes(&refresh.family.0),
            left,
            renewal.idle_expires_at.epoch(),
            refresh.end(renewal).epoch(),
            refresh.sole_access(renewal).as_ref().map(|access| bytes(&access.0)),
        ],
    )?;
    renewal.access.iter().try_for_each(|access| insert_access(db, access))?;
    Ok(Spent::Done { left })
}
