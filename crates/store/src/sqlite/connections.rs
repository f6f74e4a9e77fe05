//! Connections and their tokens: the tables `connection` and `credential`.

use async_trait::async_trait;
use grantor_core::id::{ConnectSessionId, ConnectionId, RefreshId};
use grantor_core::model::{ConnectState, Connection, ConnectionStatus, Pause, RefreshAttempt};
use grantor_core::store::{
    Begun, ConnectionStore, Ended, Granted, Held, Leaving, Recorded, RefreshEnd, Selector,
    StoreError, WrappedDataKey,
};
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::connection_rows::{self, SELECT_HELD};
use super::fault::Fault;
use super::rows::{Db, bytes};
use super::selections::{self, Part};
use super::{Sqlite, connect_sessions, data_keys, pauses, recorded, refreshes};
use crate::columns::{Columns, json_column, single};
use crate::records::connections::{held, status_columns};

#[async_trait]
impl ConnectionStore for Sqlite {
    async fn store_grant(
        &self,
        held: Held,
        before: Option<(u32, u64)>,
        session: Option<ConnectSessionId>,
        recorded: Recorded,
        now: Timestamp,
    ) -> Result<Granted, StoreError> {
        self.write(move |db| store_grant(db, &held, before, session, &recorded, now)).await
    }

    async fn held(&self, selector: &Selector, limit: u32) -> Result<Vec<Held>, StoreError> {
        self.read(|db| selections::select_held(db, selector, limit))
    }

    async fn recently_held(
        &self,
        selector: &Selector,
        limit: u32,
    ) -> Result<Vec<Held>, StoreError> {
        self.read_recent(|db| selections::select_held(db, selector, limit))
    }

    async fn connection(&self, id: ConnectionId) -> Result<Option<Connection>, StoreError> {
        self.read(|db| connection_rows::find(db, id))
    }

    async fn connections(
        &self,
        selector: &Selector,
        status: Option<&str>,
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Vec<Connection>, StoreError> {
        let part = Part { status, after, limit };
        self.read(|db| selections::select_connections(db, selector, part))
    }

    async fn touch_connections(
        &self,
        used: &[(ConnectionId, Timestamp)],
    ) -> Result<(), StoreError> {
        let used = used.to_vec();
        self.write(move |db| {
            used.iter().try_for_each(|(id, at)| {
                let touch = "UPDATE connection SET last_used_at = ?2
                             WHERE id = ?1 AND coalesce(last_used_at < ?2, true)";
                db.run(touch, params![bytes(&id.0), at.epoch()]).map(drop)
            })
        })
        .await
    }

    async fn begin_refresh(
        &self,
        attempt: RefreshAttempt,
        now: Timestamp,
    ) -> Result<Begun, StoreError> {
        self.write(move |db| refreshes::begin(db, &attempt, now)).await
    }

    async fn extend_refresh(
        &self,
        connection: ConnectionId,
        id: RefreshId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |db| refreshes::extend(db, connection, id, until, now)).await
    }

    async fn end_refresh(
        &self,
        attempt: &RefreshAttempt,
        end: RefreshEnd,
        recorded: Recorded,
        now: Timestamp,
    ) -> Result<Ended, StoreError> {
        let attempt = attempt.clone();
        self.write(move |db| {
            let ended = refreshes::end(db, &attempt, &end, now)?;
            if ended == Ended::Done {
                recorded::write(db, &recorded)?;
            }
            Ok(ended)
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
        let due = "SELECT 1 FROM connection INDEXED BY connection_due WHERE due_at <= ?1 LIMIT 1";
        if self.read(|db| db.one(due, [now.epoch()], |_| Ok(())))?.is_none() {
            return Ok(Vec::new());
        }
        self.write(move |db| refreshes::claim_due(db, now, until, limit)).await
    }

    async fn put_off(
        &self,
        looks: Vec<(ConnectionId, u64, Option<Timestamp>)>,
        recorded: Recorded,
    ) -> Result<(), StoreError> {
        self.write(move |db| {
            refreshes::put_off(db, &looks)?;
            recorded::write(db, &recorded)
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
        self.write(move |db| {
            let set = set_status(db, id, generation, &status)?;
            if set {
                recorded::write(db, &recorded)?;
            }
            Ok(set)
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
        let sharing = sharing.to_vec();
        self.write(move |db| start_disconnect(db, id, &sharing, &recorded, (due_at, now))).await
    }

    async fn remove_connection(
        &self,
        id: ConnectionId,
        recorded: Recorded,
    ) -> Result<bool, StoreError> {
        self.write(move |db| {
            let removed = remove(db, id)?;
            if removed {
                recorded::write(db, &recorded)?;
            }
            Ok(removed)
        })
        .await
    }

    async fn count_connections(&self) -> Result<Vec<(String, String, u64)>, StoreError> {
        let counts = "SELECT integration, status, connections FROM connection_count
                      WHERE connections > 0 ORDER BY integration, status";
        self.read(|db| {
            db.all(counts, (), |columns: &mut Columns<'_>| {
                Ok((columns.value()?, columns.value()?, columns.value()?))
            })
        })
    }

    async fn pause_integration(&self, pause: Pause, recorded: Recorded) -> Result<(), StoreError> {
        self.write(move |db| {
            pauses::put(db, &pause)?;
            recorded::write(db, &recorded)
        })
        .await
    }

    async fn resume_integration(
        &self,
        integration: &str,
        recorded: Recorded,
    ) -> Result<bool, StoreError> {
        let integration = integration.to_owned();
        self.write(move |db| {
            let resumed = pauses::remove(db, &integration)?;
            if resumed {
                recorded::write(db, &recorded)?;
            }
            Ok(resumed)
        })
        .await
    }

    async fn pauses(&self) -> Result<Vec<Pause>, StoreError> {
        self.read(pauses::list)
    }

    async fn data_keys_not_under(
        &self,
        key_id: &[u8; 8],
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Vec<WrappedDataKey>, StoreError> {
        self.read(|db| data_keys::not_under(db, key_id, after, limit))
    }

    async fn rewrap(&self, keys: Vec<(WrappedDataKey, Vec<u8>)>) -> Result<u32, StoreError> {
        self.write(move |db| data_keys::rewrap(db, &keys)).await
    }

    async fn data_key_uses(&self) -> Result<Vec<([u8; 8], u64)>, StoreError> {
        self.read(data_keys::uses)
    }
}

fn store_grant(
    db: &Db<'_>,
    held: &Held,
    before: Option<(u32, u64)>,
    session: Option<ConnectSessionId>,
    recorded: &Recorded,
    now: Timestamp,
) -> Result<Granted, Fault> {
    if let Some(session) = session
        && !connect_sessions::may_end(db, session, now)?
    {
        return Ok(Granted::SessionOver);
    }
    let stored = match before {
        None => connection_rows::insert(db, &held.connection)?,
        Some(before) => replace(db, &held.connection, before)?,
    };
    if !stored {
        return Ok(Granted::Changed);
    }
    connection_rows::put_credential(db, &held.credential)?;
    if let Some(session) = session {
        connect_sessions::set_state(db, session, &ConnectState::Done(held.connection.id))?;
    }
    recorded::write(db, recorded)?;
    Ok(Granted::Done)
}

/// Stores the next grant of a connection, if it is still what was read, and of the same account.
fn replace(
    db: &Db<'_>,
    connection: &Connection,
    (generation, version): (u32, u64),
) -> Result<bool, Fault> {
    let current = connection_rows::find(db, connection.id)?.filter(|current| {
        (current.generation, current.version) == (generation, version)
            && current.integration == connection.integration
            && current.subject == connection.subject
            && current.account.sub == connection.account.sub
    });
    let Some(current) = current else {
        return Ok(false);
    };
    connection_rows::update(db, &current, connection)?;
    refreshes::forget(db, connection.id)?;
    Ok(true)
}

fn set_status(
    db: &Db<'_>,
    id: ConnectionId,
    generation: u32,
    status: &ConnectionStatus,
) -> Result<bool, Fault> {
    let (name, reauth, leaving) = status_columns(status)?;
    let set = db.run(
        "UPDATE connection
         SET status = ?3, reauth = ?4, due_at = iif(?3 = 'active', issued_at, NULL),
             disconnecting_since = ?5
         WHERE id = ?1 AND generation = ?2 AND status <> 'disconnecting'",
        params![bytes(&id.0), generation, name, reauth, leaving],
    )?;
    Ok(set == 1)
}

fn start_disconnect(
    db: &Db<'_>,
    id: ConnectionId,
    sharing: &[String],
    recorded: &Recorded,
    (due_at, now): (Timestamp, Timestamp),
) -> Result<Option<Leaving>, Fault> {
    let started = db.run(
        "UPDATE connection SET status = 'disconnecting', reauth = NULL, due_at = ?3,
            disconnecting_since = ?2
         WHERE id = ?1 AND status <> 'disconnecting'",
        params![bytes(&id.0), now.epoch(), due_at.epoch()],
    )?;
    if started == 1 {
        recorded::write(db, recorded)?;
    }
    let Some(held) = db.one(SELECT_HELD, [bytes(&id.0)], held)? else {
        return Ok(None);
    };
    let siblings = db.one(
        "SELECT count(*) FROM connection INDEXED BY connection_of_account
         WHERE account_sub = ?1 AND integration IN (SELECT value FROM json_each(?2))
           AND id <> ?3 AND status <> 'disconnecting'",
        params![held.connection.account.sub, json_column(&sharing)?, bytes(&id.0)],
        single,
    )?;
    let refreshing_until = refreshes::leased_until(db, id, now)?;
    Ok(Some(Leaving { held, siblings: siblings.unwrap_or(0), refreshing_until }))
}

/// The writer overwrites what it deletes with zeros (see `open`), so that no page of the table has
/// the wrapped data key any more. The file itself follows with the next checkpoint, within seconds;
/// until then, the write-ahead log has it too. Not reached are backups, and copies that the file
/// system or the disk has made; without the key-encryption key they are of no use.
fn remove(db: &Db<'_>, id: ConnectionId) -> Result<bool, Fault> {
    let number = "SELECT number FROM connection WHERE id = ?1 AND status = 'disconnecting'";
    let Some(number) = db.one(number, [bytes(&id.0)], single::<i64>)? else {
        return Ok(false);
    };
    db.run("DELETE FROM credential WHERE number = ?1", [number])?;
    db.run("DELETE FROM connection WHERE number = ?1", [number])?;
    refreshes::forget(db, id)?;
    Ok(true)
}
