//! Accounts: the table `user_account`.

use async_trait::async_trait;
use grantor_core::id::UserId;
use grantor_core::model::{User, UserStatus};
use grantor_core::store::{Added, StoreError, UserStore};
use grantor_core::time::Timestamp;

use super::Postgres;
use super::fault::Fault;
use super::rows::Db;
use crate::columns::values;
use crate::records::users::{row, status_column, user, user_columns};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", user_columns!(""), " FROM user_account ", $rest)
    };
}

const INSERT: &str = concat!(
    "INSERT INTO user_account (",
    user_columns!(""),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING"
);

#[async_trait]
impl UserStore for Postgres {
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.look(select!("WHERE id = $1"), &values![id.0], user).await
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        self.look(select!("WHERE email = $1"), &values![email.to_lowercase()], user).await
    }

    async fn user_by_username(&self, username: &str) -> Result<Option<User>, StoreError> {
        self.look(select!("WHERE username = $1"), &values![username.to_lowercase()], user).await
    }

    async fn user_by_external_subject(&self, subject: &str) -> Result<Option<User>, StoreError> {
        self.look(select!("WHERE external_subject = $1"), &values![subject], user).await
    }

    async fn users(&self) -> Result<Vec<User>, StoreError> {
        self.read((), |db, ()| Box::pin(db.all(select!("ORDER BY created_at, id"), &[], user)))
            .await
    }

    async fn add_user(&self, user: User) -> Result<Added, StoreError> {
        self.write_one(user, |db, user| {
            Box::pin(async move {
                let added = db.run(INSERT, &row(user)).await?;
                Ok(if added == 1 { Added::Done } else { Added::Exists })
            })
        })
        .await
    }

    async fn set_password(
        &self,
        id: UserId,
        phc: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write_one((id, phc.to_owned(), now), |db, (id, phc, now)| {
            Box::pin(async move {
                let set = "WITH ended AS (DELETE FROM session WHERE user_id = $1)
                    UPDATE user_account SET password = $2, updated_at = $3 WHERE id = $1";
                Ok(db.run(set, &values![id.0, phc, *now]).await? == 1)
            })
        })
        .await
    }

    async fn link_external_subject(
        &self,
        id: UserId,
        subject: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write_one((id, subject.to_owned(), now), |db, (id, subject, now)| {
            Box::pin(async move {
                let link = "UPDATE user_account SET external_subject = $2, updated_at = $3
                            WHERE id = $1 AND external_subject IS NULL";
                match db.run(link, &values![id.0, subject, *now]).await {
                    Err(fault) if fault.not_unique() => Ok(false),
                    linked => Ok(linked? == 1),
                }
            })
        })
        .await
    }

    async fn mark_email_verified(&self, id: UserId, now: Timestamp) -> Result<(), StoreError> {
        self.write_one((id, now), |db, (id, now)| {
            Box::pin(async move {
                let mark = "UPDATE user_account SET email_verified = true, updated_at = $2
                            WHERE id = $1 AND NOT email_verified";
                db.run(mark, &values![id.0, *now]).await.map(drop)
            })
        })
        .await
    }

    async fn set_user_status(
        &self,
        id: UserId,
        status: UserStatus,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write((id, status, now), |db, (id, status, now)| {
            Box::pin(set_status(db, *id, *status, *now))
        })
        .await
    }
}

async fn set_status(
    db: Db<'_>,
    id: UserId,
    status: UserStatus,
    now: Timestamp,
) -> Result<bool, Fault> {
    let set = "UPDATE user_account SET status = $2, updated_at = $3 WHERE id = $1";
    let changed = db.run(set, &values![id.0, status_column(status), now]).await?;
    if changed == 1 && status == UserStatus::Disabled {
        shut_out(db, id, now).await?;
    }
    Ok(changed == 1)
}

/// Families come last: by then, what is being exchanged for one at this moment has been.
async fn shut_out(db: Db<'_>, id: UserId, now: Timestamp) -> Result<(), Fault> {
    db.run("DELETE FROM session WHERE user_id = $1", &values![id.0]).await?;
    // By client, because the indexes begin with it; a removed client has nothing left to revoke.
    db.run(
        "DELETE FROM authorization_code
         WHERE client_id IN (SELECT client_id FROM oauth2_client) AND user_id = $1
           AND spent_at IS NULL",
        &values![id.0],
    )
    .await?;
    db.run(
        "UPDATE device_authorization SET state = 'denied'
         WHERE client_id IN (SELECT client_id FROM oauth2_client) AND user_id = $1
           AND state = 'approved'",
        &values![id.0],
    )
    .await?;
    db.run(
        "UPDATE token_family SET revoked_at = $2
         WHERE client_id IN (SELECT client_id FROM oauth2_client) AND user_id = $1
           AND revoked_at IS NULL",
        &values![id.0, now],
    )
    .await?;
    Ok(())
}
