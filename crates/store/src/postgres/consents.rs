//! Remembered consents: the table `consent`.

use async_trait::async_trait;
use grantor_core::id::UserId;
use grantor_core::model::Consent;
use grantor_core::store::{ConsentStore, StoreError};
use grantor_core::time::Timestamp;

use super::Postgres;
use super::fault::Fault;
use super::rows::Db;
use crate::columns::{single, values};
use crate::records::consents::{consent, consent_columns, row};

const SELECT_ONE: &str =
    concat!("SELECT ", consent_columns!(""), " FROM consent WHERE user_id = $1 AND client_id = $2");

const SELECT_OF_USER: &str = concat!(
    "SELECT ",
    consent_columns!(""),
    " FROM consent WHERE user_id = $1 ORDER BY updated_at DESC"
);

/// Locks an earlier consent, and gives its scope.
const REMEMBER: &str = concat!(
    "INSERT INTO consent (",
    consent_columns!(""),
    ") VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (user_id, client_id) DO UPDATE SET updated_at = excluded.updated_at
     RETURNING scope"
);

#[async_trait]
impl ConsentStore for Postgres {
    async fn consent(&self, user: UserId, client_id: &str) -> Result<Option<Consent>, StoreError> {
        self.look(SELECT_ONE, &values![user.0, client_id], consent).await
    }

    async fn consents_of(&self, user: UserId) -> Result<Vec<Consent>, StoreError> {
        let mut found = self
            .read(user, |db, user| {
                Box::pin(async move { db.all(SELECT_OF_USER, &values![user.0], consent).await })
            })
            .await?;
        // Byte by byte, which is not the order of every database.
        found.sort_by(|a, b| b.updated_at.cmp(&a.updated_at).then(a.client_id.cmp(&b.client_id)));
        Ok(found)
    }

    async fn withdraw_consent(
        &self,
        user: UserId,
        client_id: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write((user, client_id.to_owned(), now), |db, (user, client_id, now)| {
            Box::pin(withdraw(db, *user, client_id, *now))
        })
        .await
    }
}

/// Remembers a consent together with an earlier one of the same person and client.
pub(super) async fn remember(db: Db<'_>, given: &Consent) -> Result<(), Fault> {
    let there = db.one(REMEMBER, &row(given), single).await?;
    let there = there.unwrap_or_else(|| given.scope.clone());
    let both = there.union(&given.scope);
    if both != there {
        let widen = "UPDATE consent SET scope = $3 WHERE user_id = $1 AND client_id = $2";
        db.run(widen, &values![given.user.0, &given.client_id, both.as_str()]).await?;
    }
    Ok(())
}

/// Families come last: by then, what is being exchanged for one at this moment has been.
async fn withdraw(
    db: Db<'_>,
    user: UserId,
    client_id: &str,
    now: Timestamp,
) -> Result<bool, Fault> {
    let own = values![client_id, user.0];
    let withdrawn =
        db.run("DELETE FROM consent WHERE client_id = $1 AND user_id = $2", &own).await?;
    db.run(
        "DELETE FROM authorization_code
         WHERE client_id = $1 AND user_id = $2 AND spent_at IS NULL",
        &own,
    )
    .await?;
    db.run(
        "UPDATE device_authorization SET state = 'denied'
         WHERE client_id = $1 AND user_id = $2 AND state = 'approved'",
        &own,
    )
    .await?;
    db.run(
        "UPDATE token_family SET revoked_at = $3
         WHERE client_id = $1 AND user_id = $2 AND revoked_at IS NULL",
        &values![client_id, user.0, now],
    )
    .await?;
    Ok(withdrawn == 1)
}
