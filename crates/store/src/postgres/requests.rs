//! Authorization requests that wait for a person: the table `pending_request`.

use async_trait::async_trait;
use grantor_core::id::RequestId;
use grantor_core::model::PendingRequest;
use grantor_core::secret::Digest;
use grantor_core::store::{Bound, RequestStore, StoreError};
use grantor_core::time::Timestamp;

use super::Postgres;
use super::fault::Fault;
use super::rows::Db;
use crate::columns::values;
use crate::records::requests::{look, request, request_columns, row};

const SELECT: &str =
    concat!("SELECT ", request_columns!(""), " FROM pending_request WHERE id = $1");

const INSERT: &str = concat!(
    "INSERT INTO pending_request (",
    request_columns!(""),
    ") VALUES ($1, $2, $3, $4, $5, $6)"
);

/// Of two browsers, the second one finds the row as the first has left it.
const BIND: &str = concat!(
    "UPDATE pending_request SET browser = coalesce(browser, $2) WHERE id = $1 RETURNING ",
    request_columns!("")
);

#[async_trait]
impl RequestStore for Postgres {
    async fn add_request(&self, request: PendingRequest) -> Result<(), StoreError> {
        self.write_one(request, |db, request| {
            Box::pin(async move { db.run(INSERT, &row(request)).await.map(drop) })
        })
        .await
    }

    async fn bind_request(
        &self,
        id: RequestId,
        browser: &Digest,
        now: Timestamp,
    ) -> Result<Bound, StoreError> {
        let browser = *browser;
        // Every page of a flow asks, only the first one writes.
        let found = self.look(SELECT, &values![id.0], request).await?;
        match look(found, &browser, now) {
            Ok(bound) => Ok(bound),
            Err(_) => {
                self.write_one((id, browser, now), |db, (id, browser, now)| {
                    Box::pin(bind(db, *id, browser, *now))
                })
                .await
            }
        }
    }

    async fn choose_account(&self, id: RequestId, now: Timestamp) -> Result<(), StoreError> {
        self.write_one((id, now), |db, (id, now)| {
            Box::pin(async move {
                let choose = "UPDATE pending_request SET account_chosen = true
                              WHERE id = $1 AND expires_at > $2";
                db.run(choose, &values![id.0, *now]).await.map(drop)
            })
        })
        .await
    }

    async fn take_request(&self, id: RequestId, now: Timestamp) -> Result<bool, StoreError> {
        self.write_one((id, now), |db, (id, now)| Box::pin(take(db, *id, *now))).await
    }
}

/// Ends a request that is alive; `false` when it is not.
pub(super) async fn take(db: Db<'_>, id: RequestId, now: Timestamp) -> Result<bool, Fault> {
    let alive = "DELETE FROM pending_request WHERE id = $1 AND expires_at > $2";
    Ok(db.run(alive, &values![id.0, now]).await? == 1)
}

async fn bind(db: Db<'_>, id: RequestId, browser: &Digest, now: Timestamp) -> Result<Bound, Fault> {
    let found = db.one(BIND, &values![id.0, browser], request).await?;
    // It is tied to somebody now.
    Ok(look(found, browser, now).unwrap_or(Bound::Gone))
}
