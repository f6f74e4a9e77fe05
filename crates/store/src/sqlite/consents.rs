//! Remembered consents: the table `consent`.

use async_trait::async_trait;
use grantor_core::id::UserId;
use grantor_core::model::Consent;
use grantor_core::store::{ConsentStore, StoreError};
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::Sqlite;
use super::fault::Fault;
use super::rows::{Db, bound, bytes};
use crate::records::consents::{consent, consent_columns, row};

const SELECT_ONE: &str =
    concat!("SELECT ", consent_columns!(""), " FROM consent WHERE user_id = ?1 AND client_id = ?2");

const SELECT_OF_USER: &str = concat!(
    "SELECT ",
    consent_columns!(""),
    " FROM consent WHERE user_id = ?1 ORDER BY updated_at DESC, client_id"
);

#[async_trait]
impl ConsentStore for Sqlite {
    async fn consent(&self, user: UserId, client_id: &str) -> Result<Option<Consent>, StoreError> {
        self.read(|db| db.one(SELECT_ONE, params![bytes(&user.0), client_id], consent))
    }

    async fn consents_of(&self, user: UserId) -> Result<Vec<Consent>, StoreError> {
        self.read(|db| db.all(SELECT_OF_USER, [bytes(&user.0)], consent))
    }

    async fn withdraw_consent(
        &self,
        user: UserId,
        client_id: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let client_id = client_id.to_owned();
        self.write(move |db| withdraw(db, user, &client_id, now)).await
    }
}

/// Remembers a consent together with an earlier one of the same person and client.
pub(super) fn remember(db: &Db<'_>, given: &Consent) -> Result<(), Fault> {
    let earlier = db.one(SELECT_ONE, params![bytes(&given.user.0), given.client_id], consent)?;
    let scope = earlier.map_or_else(|| given.scope.clone(), |old| old.scope.union(&given.scope));
    let both = Consent { scope, ..given.clone() };
    db.run(
        concat!(
            "INSERT INTO consent (",
            consent_columns!(""),
            ")
             VALUES (?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET scope = excluded.scope, updated_at = excluded.updated_at"
        ),
        bound(row(&both)),
    )?;
    Ok(())
}

fn withdraw(db: &Db<'_>, user: UserId, client_id: &str, now: Timestamp) -> Result<bool, Fault> {
    let own = params![client_id, bytes(&user.0)];
    let withdrawn = db.run("DELETE FROM consent WHERE client_id = ?1 AND user_id = ?2", own)?;
    db.run(
        "DELETE FROM authorization_code
         WHERE client_id = ?1 AND user_id = ?2 AND spent_at IS NULL",
        own,
    )?;
    db.run(
        "UPDATE token_family SET revoked_at = ?3
         WHERE client_id = ?1 AND user_id = ?2 AND revoked_at IS NULL",
        params![client_id, bytes(&user.0), now.epoch()],
    )?;
    db.run(
        "UPDATE device_authorization SET state = 'denied'
         WHERE client_id = ?1 AND user_id = ?2 AND state = 'approved'",
        own,
    )?;
    Ok(withdrawn == 1)
}
