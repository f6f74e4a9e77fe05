//! Accounts: the table `user_account`.

use async_trait::async_trait;
use grantor_core::id::UserId;
use grantor_core::model::{User, UserStatus};
use grantor_core::store::{Added, StoreError, UserStore};
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::Sqlite;
use super::fault::Fault;
use super::rows::{Db, bound, bytes};
use crate::records::users::{row, status_column, user, user_columns};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", user_columns!("u."), " FROM user_account u ", $rest)
    };
}

#[async_trait]
impl UserStore for Sqlite {
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.read(|db| db.one(select!("WHERE id = ?1"), [bytes(&id.0)], user))
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        self.read(|db| db.one(select!("WHERE email = ?1"), [email.to_lowercase()], user))
    }

    async fn user_by_username(&self, username: &str) -> Result<Option<User>, StoreError> {
        self.read(|db| db.one(select!("WHERE username = ?1"), [username.to_lowercase()], user))
    }

    async fn user_by_external_subject(&self, subject: &str) -> Result<Option<User>, StoreError> {
        self.read(|db| db.one(select!("WHERE external_subject = ?1"), [subject], user))
    }

    async fn users(&self) -> Result<Vec<User>, StoreError> {
        self.read(|db| db.all(select!("ORDER BY created_at, id"), (), user))
    }

    async fn add_user(&self, user: User) -> Result<Added, StoreError> {
        self.write(move |db| add(db, &user)).await
    }

    async fn set_password(
        &self,
        id: UserId,
        phc: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let phc = phc.to_owned();
        self.write(move |db| {
            let changed = db.run(
                "UPDATE user_account SET password = ?2, updated_at = ?3 WHERE id = ?1",
                params![bytes(&id.0), phc, now.epoch()],
            )?;
            db.run("DELETE FROM session WHERE user_id = ?1", [bytes(&id.0)])?;
            Ok(changed == 1)
        })
        .await
    }

    async fn link_external_subject(
        &self,
        id: UserId,
        subject: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let subject = subject.to_owned();
        self.write(move |db| {
            let linked = db.run(
                "UPDATE OR IGNORE user_account SET external_subject = ?2, updated_at = ?3
                 WHERE id = ?1 AND external_subject IS NULL",
                params![bytes(&id.0), subject, now.epoch()],
            )?;
            Ok(linked == 1)
        })
        .await
    }

    async fn mark_email_verified(&self, id: UserId, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |db| {
            db.run(
                "UPDATE user_account SET email_verified = 1, updated_at = ?2
                 WHERE id = ?1 AND email_verified = 0",
                params![bytes(&id.0), now.epoch()],
            )?;
            Ok(())
        })
        .await
    }

    async fn set_user_status(
        &self,
        id: UserId,
        status: UserStatus,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |db| set_status(db, id, status, now)).await
    }
}

fn add(db: &Db<'_>, user: &User) -> Result<Added, Fault> {
    let added = db.run(
        concat!(
            "INSERT INTO user_account (",
            user_columns!(""),
            ")
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        ),
        bound(row(user)),
    )?;
    Ok(if added == 1 { Added::Done } else { Added::Exists })
}

fn set_status(db: &Db<'_>, id: UserId, status: UserStatus, now: Timestamp) -> Result<bool, Fault> {
    let changed = db.run(
        "UPDATE user_account SET status = ?2, updated_at = ?3 WHERE id = ?1",
        params![bytes(&id.0), status_column(status), now.epoch()],
    )?;
    if changed == 1 && status == UserStatus::Disabled {
        shut_out(db, id, now)?;
    }
    Ok(changed == 1)
}

fn shut_out(db: &Db<'_>, id: UserId, now: Timestamp) -> Result<(), Fault> {
    db.run("DELETE FROM session WHERE user_id = ?1", [bytes(&id.0)])?;
    // By client, because the indexes begin with it; a removed client has nothing left to revoke.
    db.run(
        "DELETE FROM authorization_code INDEXED BY authorization_code_unspent
         WHERE client_id IN (SELECT client_id FROM oauth2_client) AND user_id = ?1
           AND spent_at IS NULL",
        [bytes(&id.0)],
    )?;
    db.run(
        "UPDATE token_family INDEXED BY token_family_live SET revoked_at = ?2
         WHERE client_id IN (SELECT client_id FROM oauth2_client) AND user_id = ?1
           AND revoked_at IS NULL",
        params![bytes(&id.0), now.epoch()],
    )?;
    db.run(
        "UPDATE device_authorization INDEXED BY device_authorization_of SET state = 'denied'
         WHERE client_id IN (SELECT client_id FROM oauth2_client) AND user_id = ?1
           AND state = 'approved'",
        [bytes(&id.0)],
    )?;
    Ok(())
}
