//! Authorization requests that wait for a person: the table `pending_request`.

use async_trait::async_trait;
use grantor_core::id::RequestId;
use grantor_core::model::PendingRequest;
use grantor_core::secret::Digest;
use grantor_core::store::{Bound, RequestStore, StoreError};
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::Sqlite;
use super::fault::Fault;
use super::rows::{Db, bound, bytes};
use crate::records::requests::{self, request, request_columns, row};

#[async_trait]
impl RequestStore for Sqlite {
    async fn add_request(&self, request: PendingRequest) -> Result<(), StoreError> {
        self.write(move |db| insert(db, &request)).await
    }

    async fn bind_request(
        &self,
        id: RequestId,
        browser: &Digest,
        now: Timestamp,
    ) -> Result<Bound, StoreError> {
        let browser = *browser;
        // Every page of a flow asks, only the first one writes.
        match self.read(|db| look(db, id, &browser, now))? {
            Ok(bound) => Ok(bound),
            Err(_) => self.write(move |db| bind(db, id, &browser, now)).await,
        }
    }

    async fn choose_account(&self, id: RequestId, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |db| {
            db.run(
                "UPDATE pending_request SET account_chosen = 1 WHERE id = ?1 AND expires_at > ?2",
                params![bytes(&id.0), now.epoch()],
            )?;
            Ok(())
        })
        .await
    }

    async fn take_request(&self, id: RequestId, now: Timestamp) -> Result<bool, StoreError> {
        self.write(move |db| take(db, id, now)).await
    }
}

/// Ends a request that is alive; `false` when it is not.
pub(super) fn take(db: &Db<'_>, id: RequestId, now: Timestamp) -> Result<bool, Fault> {
    let alive = "DELETE FROM pending_request WHERE id = ?1 AND expires_at > ?2";
    Ok(db.run(alive, params![bytes(&id.0), now.epoch()])? == 1)
}

/// How the request stands to `browser`, or the request when it is not tied to any.
fn look(
    db: &Db<'_>,
    id: RequestId,
    browser: &Digest,
    now: Timestamp,
) -> Result<Result<Bound, PendingRequest>, Fault> {
    let select = concat!("SELECT ", request_columns!(""), " FROM pending_request WHERE id = ?1");
    let found = db.one(select, [bytes(&id.0)], request)?;
    Ok(requests::look(found, browser, now))
}

fn bind(db: &Db<'_>, id: RequestId, browser: &Digest, now: Timestamp) -> Result<Bound, Fault> {
    match look(db, id, browser, now)? {
        Ok(bound) => Ok(bound),
        Err(request) => {
            let tie = "UPDATE pending_request SET browser = ?2 WHERE id = ?1";
            db.run(tie, params![bytes(&id.0), browser.as_bytes()])?;
            Ok(Bound::Done(PendingRequest { browser: Some(*browser), ..request }))
        }
    }
}

fn insert(db: &Db<'_>, request: &PendingRequest) -> Result<(), Fault> {
    db.run(
        concat!(
            "INSERT INTO pending_request (",
            request_columns!(""),
            ")
             VALUES (?, ?, ?, ?, ?, ?)"
        ),
        bound(row(request)),
    )?;
    Ok(())
}
