//! Access and refresh tokens: RFC 6749 §1.4, §1.5 and §6; the tables `access_token` and
//! `token_family`.

use std::sync::Arc;

use async_trait::async_trait;
use grantor_core::id::{AccessTokenId, FamilyId};
use grantor_core::model::{AccessToken, Consent, Family, OnNewToken};
use grantor_core::secret::Digest;
use grantor_core::store::{
    AccessView, FamilyView, Issued, JwtView, Renewal, Rotated, Rotation, Spent, StoreError,
    TokenStore,
};
use grantor_core::time::Timestamp;

use super::batch::Batcher;
use super::fault::Fault;
use super::pool::{As, Pool};
use super::rows::{Db, transposed};
use super::{Postgres, consents};
use crate::columns::{Value, values};
use crate::records::consents::consent_columns;
use crate::records::tokens::{
    self, Alive, access_columns, access_row, access_view, family_columns, family_row, family_view,
    jwt_view,
};
use crate::records::users::user_columns;

/// A family by id, with its person and the consent.
const SELECT_FAMILY: &str = concat!(
    "SELECT ",
    family_columns!("f."),
    ", ",
    user_columns!("u."),
    ", ",
    consent_columns!("c."),
    " FROM token_family f LEFT JOIN user_account u ON u.id = f.user_id
      LEFT JOIN consent c ON c.user_id = f.user_id AND c.client_id = f.client_id
      WHERE f.id = $1"
);

/// An access token by id, with its family and its person.
const SELECT_ACCESS: &str = concat!(
    "SELECT ",
    access_columns!("t."),
    ", ",
    family_columns!("f."),
    ", ",
    user_columns!("u."),
    " FROM access_token t LEFT JOIN token_family f ON f.id = t.family_id
      LEFT JOIN user_account u ON u.id = f.user_id
      WHERE t.id = $1"
);

/// What is kept of the JWT access token `$1` of the family `$2` that was exchanged for those in
/// `$3`: always one row.
const SELECT_JWT: &str = concat!(
    "SELECT EXISTS (SELECT 1 FROM revoked_token WHERE id = $1 OR id = ANY ($3)), ",
    family_columns!("f."),
    ", ",
    user_columns!("u."),
    " FROM (SELECT 1) AS one LEFT JOIN token_family f ON f.id = $2
      LEFT JOIN user_account u ON u.id = f.user_id"
);

const INSERT_FAMILY: &str = concat!(
    "INSERT INTO token_family (",
    family_columns!(""),
    ")
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
        $20, $21, $22)"
);

const INSERT_ACCESS: &str = concat!(
    "INSERT INTO access_token (",
    access_columns!(""),
    ") SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::text[], $5::text[],
        $6::text[], $7::text[], $8::bigint[], $9::bigint[])"
);

#[async_trait]
impl TokenStore for Postgres {
    async fn family(&self, id: FamilyId) -> Result<Option<FamilyView>, StoreError> {
        self.look(SELECT_FAMILY, &values![id.0], family_view).await
    }

    async fn rotate_refresh(
        &self,
        family: FamilyId,
        rotation: Rotation,
        now: Timestamp,
    ) -> Result<Rotated, StoreError> {
        self.write((family, rotation, now), |db, (family, rotation, now)| {
            Box::pin(rotate(db, *family, rotation, *now))
        })
        .await
    }

    async fn spend_refresh_use(
        &self,
        family: FamilyId,
        presented: &Digest,
        renewal: Renewal,
        now: Timestamp,
    ) -> Result<Spent, StoreError> {
        let presented = *presented;
        self.write((family, presented, renewal, now), |db, (family, presented, renewal, now)| {
            Box::pin(spend(db, *family, presented, renewal, *now))
        })
        .await
    }

    async fn issue_tokens(
        &self,
        issued: Issued,
        consent: Option<Consent>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write((issued, consent, now), |db, (issued, consent, now)| {
            Box::pin(async move {
                alone(db, issued).await?;
                if let Some(consent) = consent {
                    consents::remember(db, consent).await?;
                }
                issue(db, issued, *now).await
            })
        })
        .await
    }

    async fn issue_access(&self, access: AccessToken) -> Result<(), StoreError> {
        self.issued.add(access).await
    }

    async fn access_token(
        &self,
        id: AccessTokenId,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<AccessView>, StoreError> {
        let view = self.look(SELECT_ACCESS, &values![id.0], access_view).await?;
        let Some(view) = view.filter(|view| tokens::works(view, id, digest, now)) else {
            return Ok(None);
        };
        let from = view.token.exchanged.as_ref().map_or(&[][..], |exchanged| &exchanged.from);
        if !from.is_empty() {
            let revoked = "SELECT 1 FROM revoked_token WHERE id = ANY ($1) LIMIT 1";
            if self.look(revoked, &values![ids(from)], |_| Ok(())).await?.is_some() {
                return Ok(None);
            }
        }
        Ok(Some(view))
    }

    async fn jwt(
        &self,
        id: AccessTokenId,
        family: Option<FamilyId>,
        from: &[AccessTokenId],
    ) -> Result<JwtView, StoreError> {
        let values = values![id.0, family.map(|family| family.0), ids(from)];
        let view = self.look(SELECT_JWT, &values, jwt_view).await?;
        Ok(view.unwrap_or(JwtView { revoked: false, family: None, user: None }))
    }

    async fn revoke_access(
        &self,
        id: AccessTokenId,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write_one((id, expires_at), |db, (id, expires_at)| {
            Box::pin(async move {
                let revoke = "WITH gone AS (DELETE FROM access_token WHERE id = $1)
                    INSERT INTO revoked_token (id, expires_at) VALUES ($1, $2)
                    ON CONFLICT (id) DO UPDATE
                    SET expires_at = greatest(revoked_token.expires_at, excluded.expires_at)";
                db.run(revoke, &values![id.0, *expires_at]).await.map(drop)
            })
        })
        .await
    }

    async fn revoke_family(&self, id: FamilyId, now: Timestamp) -> Result<bool, StoreError> {
        self.write_one((id, now), |db, (id, now)| Box::pin(revoke(db, *id, *now))).await
    }
}

fn ids<'v>(ids: &[AccessTokenId]) -> Vec<Value<'v>> {
    ids.iter().map(|id| id.0.into()).collect()
}

/// Access tokens of many callers are stored together.
pub(super) fn batches(pool: &Arc<Pool>) -> Batcher<AccessToken, ()> {
    Batcher::start(pool, As::Statement, |db, tokens: &Vec<AccessToken>| {
        Box::pin(async move {
            insert_access(db, tokens.iter()).await?;
            Ok(vec![(); tokens.len()])
        })
    })
}

/// Stores access tokens, none or many.
async fn insert_access<'t>(
    db: Db<'_>,
    tokens: impl Iterator<Item = &'t AccessToken> + Send,
) -> Result<(), Fault> {
    let rows = tokens.map(access_row).collect::<Result<Vec<_>, _>>()?;
    if rows.is_empty() {
        return Ok(());
    }
    db.run(INSERT_ACCESS, &transposed(rows)).await.map(drop)
}

/// Lets nobody else issue tokens to the same client for the same person until the end of the
/// transaction, if they take the place of others. Comes before anything else is locked.
pub(super) async fn alone(db: Db<'_>, issued: &Issued) -> Result<(), Fault> {
    let family = &issued.family;
    let user = family.user.as_ref().map_or(&[][..], |user| user.0.as_bytes());
    match issued.previous {
        OnNewToken::Keep => Ok(()),
        OnNewToken::RevokePrevious => {
            db.lock_named(&[b"issuing", family.client_id.as_bytes(), user]).await
        }
    }
}

/// Stores tokens that are issued together, instead of earlier ones where the client wants that, which
/// [`alone`] was called for.
pub(super) async fn issue(db: Db<'_>, issued: &Issued, now: Timestamp) -> Result<(), Fault> {
    match issued.previous {
        OnNewToken::Keep => {}
        OnNewToken::RevokePrevious => revoke_others(db, &issued.family, now).await?,
    }
    db.run(INSERT_FAMILY, &family_row(&issued.family)?).await?;
    insert_access(db, issued.access.iter()).await
}

/// Revokes what the client holds for the same person; without a person, what it holds for itself.
async fn revoke_others(db: Db<'_>, family: &Family, now: Timestamp) -> Result<(), Fault> {
    let of_person = "UPDATE token_family SET revoked_at = $2
        WHERE client_id = $1 AND user_id = $3 AND revoked_at IS NULL";
    let of_itself = "UPDATE token_family SET revoked_at = $2
        WHERE client_id = $1 AND user_id IS NULL AND revoked_at IS NULL";
    match family.user {
        Some(user) => db.run(of_person, &values![&family.client_id, now, user.0]).await,
        None => db.run(of_itself, &values![&family.client_id, now]).await,
    }
    .map(drop)
}

/// Revokes a family; `false` when there is none or it was revoked before.
pub(super) async fn revoke(db: Db<'_>, id: FamilyId, now: Timestamp) -> Result<bool, Fault> {
    let revoke = "UPDATE token_family SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    Ok(db.run(revoke, &values![id.0, now]).await? == 1)
}

/// The refresh token of a family, which is locked.
async fn alive(db: Db<'_>, family: FamilyId, now: Timestamp) -> Result<Option<Alive>, Fault> {
    db.one(
        concat!(
            "SELECT ",
            tokens::alive_columns!(),
            " FROM token_family
              WHERE id = $1 AND revoked_at IS NULL AND refresh_current IS NOT NULL
                AND refresh_idle_expires_at > $2 AND refresh_expires_at > $2
              FOR UPDATE"
        ),
        &values![family.0, now],
        tokens::alive,
    )
    .await
}

async fn rotate(
    db: Db<'_>,
    family: FamilyId,
    rotation: &Rotation,
    now: Timestamp,
) -> Result<Rotated, Fault> {
    let Some(refresh) = alive(db, family, now).await? else {
        return Ok(Rotated::Gone);
    };
    let rotated = refresh.rotated(rotation, now);
    match rotated {
        Rotated::Done => advance(db, &refresh, rotation, now).await?,
        Rotated::SameAgain => keep(db, &refresh, &rotation.renewal).await?,
        Rotated::Reused => {
            revoke(db, family, now).await?;
            return Ok(rotated);
        }
        Rotated::Gone => return Ok(rotated),
    }
    insert_access(db, rotation.renewal.access.iter()).await?;
    Ok(rotated)
}

/// Puts the successor in place.
async fn advance(
    db: Db<'_>,
    refresh: &Alive,
    rotation: &Rotation,
    now: Timestamp,
) -> Result<(), Fault> {
    let renewal = &rotation.renewal;
    db.run(
        "UPDATE token_family
         SET refresh_current = $2, refresh_previous = $3,
             refresh_generation = refresh_generation + 1, refresh_rotated_at = $4,
             refresh_idle_expires_at = $5, expires_at = greatest(expires_at, $6), sole_access = $7
         WHERE id = $1",
        &values![
            refresh.family.0,
            rotation.successor,
            refresh.current,
            now,
            renewal.idle_expires_at,
            refresh.end(renewal),
            refresh.sole_access(renewal).map(|access| access.0),
        ],
    )
    .await
    .map(drop)
}

/// Leaves the refresh token as it is, for one more access token.
async fn keep(db: Db<'_>, refresh: &Alive, renewal: &Renewal) -> Result<(), Fault> {
    db.run(
        "UPDATE token_family SET expires_at = greatest(expires_at, $2), sole_access = $3
         WHERE id = $1 AND (expires_at < $2 OR sole_access IS DISTINCT FROM $3)",
        &values![
            refresh.family.0,
            renewal.access_expires_at,
            refresh.sole_access(renewal).map(|access| access.0),
        ],
    )
    .await
    .map(drop)
}

async fn spend(
    db: Db<'_>,
    family: FamilyId,
    presented: &Digest,
    renewal: &Renewal,
    now: Timestamp,
) -> Result<Spent, Fault> {
    let refresh = alive(db, family, now).await?;
    let refresh =
        refresh.filter(|refresh| refresh.current == *presented && refresh.uses_left != Some(0));
    let Some(refresh) = refresh else {
        return Ok(Spent::Gone);
    };
    let left = refresh.uses_left.map(|uses| uses - 1);
    db.run(
        "UPDATE token_family
         SET refresh_uses_left = $2, refresh_idle_expires_at = $3,
             expires_at = greatest(expires_at, $4), sole_access = $5
         WHERE id = $1",
        &values![
            refresh.family.0,
            left,
            renewal.idle_expires_at,
            refresh.end(renewal),
            refresh.sole_access(renewal).map(|access| access.0),
        ],
    )
    .await?;
    insert_access(db, renewal.access.iter()).await?;
    Ok(Spent::Done { left })
}
