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
use super::rows::{Columns, Db, bytes};

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
    let found = db.one(
        "SELECT id, parameters, browser, account_chosen, created_at, expires_at
         FROM pending_request WHERE id = ?1",
        [bytes(&id.0)],
        request,
    )?;
    Ok(match found.filter(|request| now < request.expires_at) {
        None => Ok(Bound::Gone),
        Some(request) => match request.browser {
            None => Err(request),
            Some(own) if own == *browser => Ok(Bound::Done(request)),
            Some(_) => Ok(Bound::Foreign),
        },
    })
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
        "INSERT INTO pending_request (id, parameters, browser, account_chosen, created_at,
                                      expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            bytes(&request.id.0),
            request.parameters,
            request.browser.as_ref().map(Digest::as_bytes),
            request.account_chosen,
            request.created_at.epoch(),
            request.expires_at.epoch(),
        ],
    )?;
    Ok(())
}

fn request(columns: &mut Columns<'_>) -> Result<PendingRequest, Fault> {
    Ok(PendingRequest {
        id: RequestId(columns.id()?),
        parameters: columns.value()?,
        browser: columns.optional_digest()?,
        account_chosen: columns.value()?,
        created_at: columns.time()?,
        expires_at: columns.time()?,
    })
}
