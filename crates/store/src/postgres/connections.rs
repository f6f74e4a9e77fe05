//! Connections and their tokens: the tables `connection` and `credential`.

use std::sync::Arc;

use async_trait::async_trait;
use grantor_core::id::{ConnectSessionId, ConnectionId, RefreshId};
use grantor_core::model::{ConnectState, Connection, ConnectionStatus, Pause, RefreshAttempt};
use grantor_core::store::{
    Begun, ConnectionStore, Ended, Granted, Held, Leaving, Recorded, RefreshEnd, Selector,
    StoreError, WrappedDataKey,
};
use grantor_core::time::Timestamp;

use super::batch::Batcher;
use super::connection_rows::{self, SELECT_CONNECTION, SELECT_HELD};
use super::fault::Fault;
use super::pool::{As, Pool};
use super::rows::{Db, transposed};
use super::{Postgres, connect_sessions, data_keys, pauses, recorded, refreshes, selections};
use crate::columns::{Value, single, values};
use crate::records::connections::{connection, held, status_columns};

/// In the order of the connections, so that two nodes do not wait for each other.
const TOUCH: &str = "UPDATE connection c SET last_used_at = used.at
    FROM (SELECT id, max(at) AS at FROM unnest($1::bytea[], $2::bigint[]) AS each (id, at)
          GROUP BY id ORDER BY id) used
    WHERE c.id = used.id AND (c.last_used_at IS NULL OR c.last_used_at < used.at)";

#[async_trait]
impl ConnectionStore for Postgres {
    async fn store_grant(
        &self,
        held: Held,
        before: Option<(u32, u64)>,
        session: Option<ConnectSessionId>,
        recorded: Recorded,
        now: Timestamp,
    ) -> Result<Granted, StoreError> {
        let grant = (held, before, session, recorded, now);
        self.write(grant, |db, (held, before, session, recorded, now)| {
            Box::pin(store_grant(db, held, *before, *session, recorded, *now))
        })
        .await
    }

    async fn held(&self, selector: &Selector, limit: u32) -> Result<Vec<Held>, StoreError> {
        selections::held(self, selector, limit).await
    }

    /// Every read sees what was committed before it, by whichever node.
    async fn recently_held(
        &self,
        selector: &Selector,
        limit: u32,
    ) -> Result<Vec<Held>, StoreError> {
        self.held(selector, limit).await
    }

    async fn connection(&self, id: ConnectionId) -> Result<Option<Connection>, StoreError> {
        self.look(SELECT_CONNECTION, &values![id.0], connection).await
    }

    async fn connections(
        &self,
        selector: &Selector,
        status: Option<&str>,
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Vec<Connection>, StoreError> {
        selections::connections(self, selector, status, after, limit).await
    }

    async fn touch_connections(
        &self,
        used: &[(ConnectionId, Timestamp)],
    ) -> Result<(), StoreError> {
        self.used_connections.add(used.to_vec()).await
    }

    async fn begin_refresh(
        &self,
        attempt: RefreshAttempt,
        now: Timestamp,
    ) -> Result<Begun, StoreError> {
        self.write((attempt, now), |db, (attempt, now)| {
            Box::pin(refreshes::begin(db, attempt, *now))
        })
        .await
    }

    async fn extend_refresh(
        &self,
        connection: ConnectionId,
        id: RefreshId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write_one((connection, id, until, now), |db, (connection, id, until, now)| {
            Box::pin(refreshes::extend(db, *connection, *id, *until, *now))
        })
        .await
    }

    async fn end_refresh(
        &self,
        attempt: &RefreshAttempt,
        end: RefreshEnd,
        recorded: Recorded,
        now: Timestamp,
    ) -> Result<Ended, StoreError> {
        let own = (attempt.clone(), end, recorded, now);
        self.write(own, |db, (attempt, end, recorded, now)| {
            Box::pin(async move {
                let ended = refreshes::end(db, attempt, end, *now).await?;
                if ended == Ended::Done {
                    recorded::write(db, recorded).await?;
                }
                Ok(ended)
            })
        })
        .await
    }

    async fn claim_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Connection>, StoreError> {
        // Asked every moment, and often there is none.
        let due = "SELECT 1 FROM connection WHERE due_at <= $1 LIMIT 1";
        if self.look(due, &values![now], |_| Ok(())).await?.is_none() {
            return Ok(Vec::new());
        }
        self.write_one((now, until, limit), |db, (now, until, limit)| {
            Box::pin(refreshes::claim_due(db, *now, *until, *limit))
        })
        .await
    }

    async fn put_off(
        &self,
        looks: Vec<(ConnectionId, u64, Option<Timestamp>)>,
        recorded: Recorded,
    ) -> Result<(), StoreError> {
        self.write((looks, recorded), |db, (looks, recorded)| {
            Box::pin(async move {
                refreshes::put_off(db, looks).await?;
                recorded::write(db, recorded).await
            })
        })
        .await
    }

    async fn set_status(
        &self,
        id: ConnectionId,
        generation: u32,
        status: ConnectionStatus,
        recorded: Recorded,
    ) -> Result<bool, StoreError> {
        let own = (id, generation, status, recorded);
        self.write(own, |db, (id, generation, status, recorded)| {
            Box::pin(async move {
                let set = set_status(db, *id, *generation, status).await?;
                if set {
                    recorded::write(db, recorded).await?;
                }
                Ok(set)
            })
        })
        .await
    }

    async fn start_disconnect(
        &self,
        id: ConnectionId,
        sharing: &[String],
        recorded: Recorded,
        due_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Leaving>, StoreError> {
        let own = (id, sharing.to_vec(), recorded, (due_at, now));
        self.write(own, |db, (id, sharing, recorded, times)| {
            Box::pin(start_disconnect(db, *id, sharing, recorded, *times))
        })
        .await
    }

    async fn remove_connection(
        &self,
        id: ConnectionId,
        recorded: Recorded,
    ) -> Result<bool, StoreError> {
        self.write((id, recorded), |db, (id, recorded)| {
            Box::pin(async move {
                let removed = remove(db, *id).await?;
                if removed {
                    recorded::write(db, recorded).await?;
                }
                Ok(removed)
            })
        })
        .await
    }

    async fn count_connections(&self) -> Result<Vec<(String, String, u64)>, StoreError> {
        let mut counts: Vec<(String, String, u64)> = self
            .read((), |db, ()| {
                let counts = "SELECT integration, status, count(*) FROM connection GROUP BY 1, 2";
                Box::pin(db.all(counts, &[], |columns| {
                    Ok((columns.value()?, columns.value()?, columns.value()?))
                }))
            })
            .await?;
        counts.sort_unstable();
        Ok(counts)
    }

    async fn pause_integration(&self, pause: Pause, recorded: Recorded) -> Result<(), StoreError> {
        self.write((pause, recorded), |db, (pause, recorded)| {
            Box::pin(async move {
                pauses::put(db, pause).await?;
                recorded::write(db, recorded).await
            })
        })
        .await
    }

    async fn resume_integration(
        &self,
        integration: &str,
        recorded: Recorded,
    ) -> Result<bool, StoreError> {
        self.write((integration.to_owned(), recorded), |db, (integration, recorded)| {
            Box::pin(async move {
                let resumed = pauses::remove(db, integration).await?;
                if resumed {
                    recorded::write(db, recorded).await?;
                }
                Ok(resumed)
            })
        })
        .await
    }

    async fn pauses(&self) -> Result<Vec<Pause>, StoreError> {
        self.read((), |db, ()| Box::pin(pauses::list(db))).await
    }

    async fn data_keys_not_under(
        &self,
        key_id: &[u8; 8],
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Vec<WrappedDataKey>, StoreError> {
        self.read((*key_id, after, limit), |db, (key_id, after, limit)| {
            Box::pin(data_keys::not_under(db, key_id, *after, *limit))
        })
        .await
    }

    async fn rewrap(&self, keys: Vec<(WrappedDataKey, Vec<u8>)>) -> Result<u32, StoreError> {
        self.write_one(keys, |db, keys| Box::pin(data_keys::rewrap(db, keys))).await
    }

    async fn data_key_uses(&self) -> Result<Vec<([u8; 8], u64)>, StoreError> {
        self.read((), |db, ()| Box::pin(data_keys::uses(db))).await
    }
}

/// Uses that many have noted are written together.
pub(super) fn batches(pool: &Arc<Pool>) -> Batcher<Vec<(ConnectionId, Timestamp)>, ()> {
    Batcher::start(pool, As::Statement, |db, calls: &Vec<Vec<(ConnectionId, Timestamp)>>| {
        Box::pin(async move {
            let used = calls.iter().flatten().map(|(id, at)| values![id.0, *at]).collect();
            db.run(TOUCH, &transposed(used)).await?;
            Ok(vec![(); calls.len()])
        })
    })
}

async fn store_grant(
    db: Db<'_>,
    held: &Held,
    before: Option<(u32, u64)>,
    session: Option<ConnectSessionId>,
    recorded: &Recorded,
    now: Timestamp,
) -> Result<Granted, Fault> {
    if let Some(session) = session
        && !connect_sessions::may_end(db, session, now).await?
    {
        return Ok(Granted::SessionOver);
    }
    let stored = match before {
        None => connection_rows::insert(db, &held.connection).await?,
        Some(before) => replace(db, &held.connection, before).await?,
    };
    if !stored {
        return Ok(Granted::Changed);
    }
    connection_rows::put_credential(db, &held.credential).await?;
    if let Some(session) = session {
        let done = ConnectState::Done(held.connection.id);
        connect_sessions::set_state(db, session, &done).await?;
    }
    recorded::write(db, recorded).await?;
    Ok(Granted::Done)
}

/// Stores the next grant of a connection, if it is still what was read, and of the same account.
async fn replace(
    db: Db<'_>,
    connection: &Connection,
    (generation, version): (u32, u64),
) -> Result<bool, Fault> {
    let current = connection_rows::locked(db, connection.id).await?.filter(|current| {
        (current.generation, current.version) == (generation, version)
            && current.integration == connection.integration
            && current.subject == connection.subject
            && current.account.sub == connection.account.sub
    });
    let Some(current) = current else {
        return Ok(false);
    };
    connection_rows::update(db, &current, connection).await?;
    refreshes::forget(db, connection.id).await?;
    Ok(true)
}

async fn set_status(
    db: Db<'_>,
    id: ConnectionId,
    generation: u32,
    status: &ConnectionStatus,
) -> Result<bool, Fault> {
    let (name, reauth, leaving) = status_columns(status)?;
    let set = "UPDATE connection
        SET status = $3, reauth = $4,
            due_at = CASE WHEN $3 = 'active' THEN issued_at END, disconnecting_since = $5
        WHERE id = $1 AND generation = $2 AND status <> 'disconnecting'";
    Ok(db.run(set, &values![id.0, generation, name, reauth, leaving]).await? == 1)
}

async fn start_disconnect(
    db: Db<'_>,
    id: ConnectionId,
    sharing: &[String],
    recorded: &Recorded,
    (due_at, now): (Timestamp, Timestamp),
) -> Result<Option<Leaving>, Fault> {
    let start = "UPDATE connection
        SET status = 'disconnecting', reauth = NULL, due_at = $3, disconnecting_since = $2
        WHERE id = $1 AND status <> 'disconnecting'";
    let started = db.run(start, &values![id.0, now, due_at]).await?;
    let Some(held) = db.one(SELECT_HELD, &values![id.0], held).await? else {
        return Ok(None);
    };
    let sharing: Vec<Value<'_>> = sharing.iter().map(Value::from).collect();
    let siblings = "SELECT count(*) FROM connection
        WHERE account_sub = $1 AND integration = ANY ($2) AND id <> $3
          AND status <> 'disconnecting'";
    let siblings =
        db.one(siblings, &values![&held.connection.account.sub, sharing, id.0], single).await?;
    if started == 1 {
        recorded::write(db, recorded).await?;
    }
    let refreshing_until = refreshes::leased_until(db, id, now).await?;
    Ok(Some(Leaving { held, siblings: siblings.unwrap_or(0), refreshing_until }))
}

/// What is removed lies in the files of the database until it is vacuumed, and in its write-ahead
/// log and backups for as long as these are kept; without the key-encryption key it is of no use.
async fn remove(db: Db<'_>, id: ConnectionId) -> Result<bool, Fault> {
    let remove = "DELETE FROM connection WHERE id = $1 AND status = 'disconnecting'";
    if db.run(remove, &values![id.0]).await? == 0 {
        return Ok(false);
    }
    db.run("DELETE FROM credential WHERE connection_id = $1", &values![id.0]).await?;
    refreshes::forget(db, id).await?;
    Ok(true)
}
