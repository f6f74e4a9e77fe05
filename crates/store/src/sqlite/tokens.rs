//! Access and refresh tokens: RFC 6749 §1.4, §1.5 and §6; the tables `access_token` and
//! `token_family`.

use async_trait::async_trait;
use grantor_core::id::{AccessTokenId, FamilyId};
use grantor_core::model::AccessToken;
use grantor_core::secret::Digest;
use grantor_core::store::{
    AccessView, FamilyView, Rotated, Rotation, Spent, StoreError, TokenStore,
};
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::Sqlite;
use super::fault::Fault;
use super::rows::{Columns, Db, bytes};
use super::token_rows::{self, SELECT_ACCESS, SELECT_FAMILY};

pub(super) use super::token_rows::{insert_access, insert_family};

#[async_trait]
impl TokenStore for Sqlite {
    async fn family(&self, id: FamilyId) -> Result<Option<FamilyView>, StoreError> {
        self.read(|db| db.one(SELECT_FAMILY, [bytes(&id.0)], token_rows::family_view))
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
        access: AccessToken,
        idle_expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Spent, StoreError> {
        let presented = *presented;
        self.write(move |db| spend(db, family, &presented, &access, idle_expires_at, now)).await
    }

    async fn access_token(
        &self,
        id: AccessTokenId,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<AccessView>, StoreError> {
        let view =
            self.read(|db| db.one(SELECT_ACCESS, [bytes(&id.0)], token_rows::access_view))?;
        Ok(view.filter(|view| {
            let unrevoked = view.family.revoked_at.is_none();
            view.token.digest == *digest && now < view.token.expires_at && unrevoked
        }))
    }

    async fn revoke_family(&self, id: FamilyId, now: Timestamp) -> Result<bool, StoreError> {
        self.write(move |db| revoke(db, id, now)).await
    }
}

/// Revokes a family; `false` when there is none or it was revoked before.
pub(super) fn revoke(db: &Db<'_>, id: FamilyId, now: Timestamp) -> Result<bool, Fault> {
    let revoke = "UPDATE token_family SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL";
    Ok(db.run(revoke, params![bytes(&id.0), now.epoch()])? == 1)
}

/// The refresh token of a family that can still be used.
struct Alive {
    family: FamilyId,
    current: Digest,
    previous: Option<Digest>,
    rotated_at: Timestamp,
    expires_at: Timestamp,
    uses_left: Option<u32>,
}

fn alive(db: &Db<'_>, family: FamilyId, now: Timestamp) -> Result<Option<Alive>, Fault> {
    db.one(
        "SELECT id, refresh_current, refresh_previous, refresh_rotated_at, refresh_expires_at,
                refresh_uses_left
         FROM token_family
         WHERE id = ?1 AND revoked_at IS NULL AND refresh_current IS NOT NULL
           AND refresh_idle_expires_at > ?2 AND refresh_expires_at > ?2",
        params![bytes(&family.0), now.epoch()],
        |columns: &mut Columns<'_>| {
            Ok(Alive {
                family: FamilyId(columns.id()?),
                current: columns.digest()?,
                previous: columns.optional_digest()?,
                rotated_at: columns.time()?,
                expires_at: columns.time()?,
                uses_left: columns.value()?,
            })
        },
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
    if refresh.current == rotation.presented {
        advance(db, &refresh, rotation, now)?;
        insert_access(db, &rotation.access)?;
        return Ok(Rotated::Done);
    }
    let lasts = now < refresh.rotated_at.plus(rotation.grace);
    let same = refresh.previous.as_ref() == Some(&rotation.presented);
    if lasts && same && refresh.current == rotation.successor {
        keep(db, &refresh, &rotation.access)?;
        insert_access(db, &rotation.access)?;
        return Ok(Rotated::SameAgain);
    }
    // RFC 9700 §4.14.2: a spent refresh token came back, so one of two holders is a thief.
    revoke(db, family, now)?;
    Ok(Rotated::Reused)
}

/// Puts the successor in place. The family lasts as long as anything that it has given out.
fn advance(db: &Db<'_>, refresh: &Alive, rotation: &Rotation, now: Timestamp) -> Result<(), Fault> {
    let end = rotation.idle_expires_at.min(refresh.expires_at).max(rotation.access.expires_at);
    db.run(
        "UPDATE token_family
         SET refresh_current = ?2, refresh_previous = ?3,
             refresh_generation = refresh_generation + 1, refresh_rotated_at = ?4,
             refresh_idle_expires_at = ?5, expires_at = max(expires_at, ?6)
         WHERE id = ?1",
        params![
            bytes(&refresh.family.0),
            rotation.successor.as_bytes(),
            refresh.current.as_bytes(),
            now.epoch(),
            rotation.idle_expires_at.epoch(),
            end.epoch(),
        ],
    )?;
    Ok(())
}

fn keep(db: &Db<'_>, refresh: &Alive, access: &AccessToken) -> Result<(), Fault> {
    let keep = "UPDATE token_family SET expires_at = ?2 WHERE id = ?1 AND expires_at < ?2";
    db.run(keep, params![bytes(&refresh.family.0), access.expires_at.epoch()])?;
    Ok(())
}

fn spend(
    db: &Db<'_>,
    family: FamilyId,
    presented: &Digest,
    access: &AccessToken,
    idle_expires_at: Timestamp,
    now: Timestamp,
) -> Result<Spent, Fault> {
    let refresh = alive(db, family, now)?
        .filter(|refresh| refresh.current == *presented && refresh.uses_left != Some(0));
    let Some(refresh) = refresh else {
        return Ok(Spent::Gone);
    };
    let left = refresh.uses_left.map(|uses| uses - 1);
    let end = idle_expires_at.min(refresh.expires_at).max(access.expires_at);
    db.run(
        "UPDATE token_family
         SET refresh_uses_left = ?2, refresh_idle_expires_at = ?3, expires_at = max(expires_at, ?4)
         WHERE id = ?1",
        params![bytes(&refresh.family.0), left, idle_expires_at.epoch(), end.epoch()],
    )?;
    insert_access(db, access)?;
    Ok(Spent::Done { left })
}
