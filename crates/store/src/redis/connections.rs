//! Connections and their tokens: `connection:<id>` and `credential:<id>`; `counts` has how many
//! there are of each status and integration.

use async_trait::async_trait;
use grantor_core::id::{ConnectSessionId, ConnectionId, RefreshId};
use grantor_core::model::{ConnectState, Connection, ConnectionStatus, Pause, RefreshAttempt};
use grantor_core::store::{
    Begun, ConnectionStore, Ended, Granted, Held, Leaving, Recorded, RefreshEnd, Selector,
    StoreError, WrappedDataKey,
};
use grantor_core::time::Timestamp;

use super::connect_sessions::{self, END_SESSION};
use super::connection_hash::{
    connection, connection_key, credential, with_connection, with_credential,
};
use super::fault::Fault;
use super::fields::{Fields, bytes, column, items, list, maybe_column, record, unexpected, yes};
use super::recorded::length;
use super::script::{Call, Family, lua, scripts};
use super::selections::Part;
use super::{Redis, pauses};

scripts! {
    READ = ["return hash(key())"];

    /// There is one connection for integration, subject and account.
    STORE = [lua::VAULT, END_SESSION, "
local own, tokens, lease = take_connection(), take_credential(), key()
local before, created_now = flag() and { generation = arg(), version = arg() }, arg()
local session = flag() and take_end()
local recorded = take_recorded()
if session and not may_end(session, created_now) then return told('session_over') end
local was, of, field = indexed(own.id), account(own)
if before then
  if not was or was.generation ~= before.generation or was.version ~= before.version
    or was.integration ~= own.integration or was.subject ~= own.subject or was.sub ~= own.sub
  then return told('changed') end
elseif was or call('HEXISTS', of, field) == 1 then
  return told('changed')
end
if is_stale(recorded) then return told('stale') end
local data_key = call('HGET', tokens.key, 'data_key')
if before then
  update_connection(was, own, false)
else
  add_connection(own)
end
call('DEL', tokens.key, lease)
put(tokens.key, tokens.fields)
file_data_key(own.id, data_key, tokens.data_key)
if session then end_session(session) end
write_recorded(recorded)
return told('done')"];

    TOUCH = ["
local used = {}
for i = 1, tonumber(arg()) do
  used[i] = { key = key(), at = arg() }
  local was = fields(used[i].key, 'id', 'last_used_at')
  used[i].newer = was[1] and not (was[2] and not after(used[i].at, was[2]))
end
for _, one in ipairs(used) do
  if one.newer then call('HSET', one.key, 'last_used_at', one.at) end
end"];

    STATUS = [lua::VAULT, "
local own, id, generation, status, reauth = key(), arg(), arg(), arg(), record()
local recorded = take_recorded()
local was = indexed(id)
if not was or was.generation ~= generation or was.status == 'disconnecting' then
  return told(false)
end
if is_stale(recorded) then return told('stale') end
restate(was, was.status, status)
call('HDEL', was.key, 'reauth', 'disconnecting_since', 'due_at')
put(was.key, reauth)
local next_look = status == 'active' and call('HGET', was.key, 'issued_at') or nil
if next_look then call('HSET', was.key, 'due_at', next_look) end
due(was, next_look)
write_recorded(recorded)
return told(1)"];

    LEAVE = [lua::VAULT, "
local own, tokens, lease, id, now = key(), key(), key(), arg(), arg()
local due_at, sharing = arg(), {}
for i = 1, tonumber(arg()) do sharing[arg()] = true end
local recorded = take_recorded()
local was = indexed(id)
if not was then return told(false) end
local siblings = 0
for _, other in ipairs(call('HVALS', key_of('account', was.sub))) do
  local of = fields(key_of('connection', other), 'integration', 'status')
  if other ~= id and sharing[of[1]] and of[2] ~= 'disconnecting' then siblings = siblings + 1 end
end
if was.status ~= 'disconnecting' then
  if is_stale(recorded) then return told('stale') end
  restate(was, was.status, 'disconnecting')
  due(was, due_at)
  call('HDEL', own, 'reauth')
  call('HSET', own, 'status', 'disconnecting', 'disconnecting_since', now, 'due_at', due_at)
  write_recorded(recorded)
end
local leased = call('HGET', lease, 'leased_until')
if not leased or not after(leased, now) then leased = false end
return told({ hash(own), hash(tokens), siblings, leased })"];

    REMOVE = [lua::VAULT, "
local own, tokens, lease, id = key(), key(), key(), arg()
local recorded = take_recorded()
local was = indexed(id)
if not was or was.status ~= 'disconnecting' then return told(false) end
if is_stale(recorded) then return told('stale') end
file_data_key(id, call('HGET', tokens, 'data_key'), nil)
drop_connection(was)
call('DEL', tokens, lease)
write_recorded(recorded)
return told(1)"];

    COUNT = ["return call('HGETALL', key())"];
}

#[async_trait]
impl ConnectionStore for Redis {
    async fn store_grant(
        &self,
        held: Held,
        before: Option<(u32, u64)>,
        session: Option<ConnectSessionId>,
        recorded: Recorded,
        now: Timestamp,
    ) -> Result<Granted, StoreError> {
        let call = || self.granting(&held, before, session, now);
        let outcome = self.record(&recorded, call).await.and_then(bytes).map_err(Fault::told)?;
        match &*outcome {
            b"done" => Ok(Granted::Done),
            b"changed" => Ok(Granted::Changed),
            b"session_over" => Ok(Granted::SessionOver),
            _ => Err(unexpected("another outcome of storing a grant").told()),
        }
    }

    async fn held(&self, selector: &Selector, limit: u32) -> Result<Vec<Held>, StoreError> {
        let part = Part { status: None, after: None, limit: to_usize(limit), served: true };
        let found = self.select(selector, part).await.map_err(Fault::told)?;
        Ok(found.into_iter().filter_map(|(_, held)| held).collect())
    }

    async fn recently_held(
        &self,
        selector: &Selector,
        limit: u32,
    ) -> Result<Vec<Held>, StoreError> {
        self.held(selector, limit).await
    }

    async fn connection(&self, id: ConnectionId) -> Result<Option<Connection>, StoreError> {
        let found = self.call(&READ, Family::Vault).key(connection_key(id)).read().await;
        found.and_then(|found| record(found, connection)).map_err(Fault::told)
    }

    async fn connections(
        &self,
        selector: &Selector,
        status: Option<&str>,
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Vec<Connection>, StoreError> {
        let part = Part { status, after, limit: to_usize(limit), served: false };
        let found = self.select(selector, part).await.map_err(Fault::told)?;
        Ok(found.into_iter().map(|(own, _)| own).collect())
    }

    async fn touch_connections(
        &self,
        used: &[(ConnectionId, Timestamp)],
    ) -> Result<(), StoreError> {
        let mut call = self.call(&TOUCH, Family::Vault).arg(&length(used));
        for (id, at) in used {
            call = call.key(connection_key(*id)).arg(at);
        }
        call.write().await.map(drop).map_err(Fault::told)
    }

    async fn begin_refresh(
        &self,
        attempt: RefreshAttempt,
        now: Timestamp,
    ) -> Result<Begun, StoreError> {
        self.begin(&attempt, now).await.map_err(Fault::told)
    }

    async fn extend_refresh(
        &self,
        connection: ConnectionId,
        id: RefreshId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.extend(connection, id, until, now).await.map_err(Fault::told)
    }

    async fn end_refresh(
        &self,
        attempt: &RefreshAttempt,
        end: RefreshEnd,
        recorded: Recorded,
        now: Timestamp,
    ) -> Result<Ended, StoreError> {
        self.end(attempt, &end, &recorded, now).await.map_err(Fault::told)
    }

    async fn claim_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Connection>, StoreError> {
        self.due(now, until, limit).await.map_err(Fault::told)
    }

    async fn put_off(
        &self,
        looks: Vec<(ConnectionId, u64, Option<Timestamp>)>,
        recorded: Recorded,
    ) -> Result<(), StoreError> {
        self.put_looks_off(&looks, &recorded).await.map_err(Fault::told)
    }

    async fn set_status(
        &self,
        id: ConnectionId,
        generation: u32,
        status: ConnectionStatus,
        recorded: Recorded,
    ) -> Result<bool, StoreError> {
        let call = || {
            let name = crate::records::connections::status_name(&status);
            let call = self.call(&STATUS, Family::Vault).key(connection_key(id)).arg(&id);
            Ok(call.arg(&generation).text(name).fields(Fields::default().status(&status)?))
        };
        let set = self.record(&recorded, call).await.map_err(Fault::told)?;
        Ok(yes(&set))
    }

    async fn start_disconnect(
        &self,
        id: ConnectionId,
        sharing: &[String],
        recorded: Recorded,
        due_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Leaving>, StoreError> {
        self.leave(id, sharing, &recorded, (due_at, now)).await.map_err(Fault::told)
    }

    async fn remove_connection(
        &self,
        id: ConnectionId,
        recorded: Recorded,
    ) -> Result<bool, StoreError> {
        let call = || Ok(Self::with_parts(self.call(&REMOVE, Family::Vault), id));
        let removed = self.record(&recorded, call).await.map_err(Fault::told)?;
        Ok(yes(&removed))
    }

    async fn count_connections(&self) -> Result<Vec<(String, String, u64)>, StoreError> {
        let counts =
            async { counted(self.call(&COUNT, Family::Vault).key("counts").read().await?) };
        counts.await.map_err(Fault::told)
    }

    async fn pause_integration(&self, pause: Pause, recorded: Recorded) -> Result<(), StoreError> {
        self.put_pause(&pause, &recorded).await.map_err(Fault::told)
    }

    async fn resume_integration(
        &self,
        integration: &str,
        recorded: Recorded,
    ) -> Result<bool, StoreError> {
        self.remove_pause(integration, &recorded).await.map_err(Fault::told)
    }

    async fn pauses(&self) -> Result<Vec<Pause>, StoreError> {
        self.all(Family::Vault, "pauses", "pause:", pauses::pause).await.map_err(Fault::told)
    }

    async fn data_keys_not_under(
        &self,
        key_id: &[u8; 8],
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Vec<WrappedDataKey>, StoreError> {
        self.not_under(key_id, after, limit).await.map_err(Fault::told)
    }

    async fn rewrap(&self, keys: Vec<(WrappedDataKey, Vec<u8>)>) -> Result<u32, StoreError> {
        self.wrap_anew(&keys).await.map_err(Fault::told)
    }

    async fn data_key_uses(&self) -> Result<Vec<([u8; 8], u64)>, StoreError> {
        self.key_uses().await.map_err(Fault::told)
    }
}

impl Redis {
    fn granting(
        &self,
        held: &Held,
        before: Option<(u32, u64)>,
        session: Option<ConnectSessionId>,
        now: Timestamp,
    ) -> Result<Call<'_>, Fault> {
        let own = &held.connection;
        let call = with_connection(self.call(&STORE, Family::Vault), own)?;
        let call = with_credential(call, &held.credential);
        let call = call.key(super::connection_hash::attempt_key(own.id)).arg(&before.is_some());
        let call = match before {
            Some((generation, version)) => call.arg(&generation).arg(&version),
            None => call,
        };
        let call = call.arg(&now).arg(&session.is_some());
        Ok(match session {
            Some(id) => connect_sessions::with_end(call, id, &ConnectState::Done(own.id)),
            None => call,
        })
    }

    async fn leave(
        &self,
        id: ConnectionId,
        sharing: &[String],
        recorded: &Recorded,
        (due_at, now): (Timestamp, Timestamp),
    ) -> Result<Option<Leaving>, Fault> {
        let call = || {
            let call =
                Self::with_parts(self.call(&LEAVE, Family::Vault), id).arg(&now).arg(&due_at);
            let call = call.arg(&length(sharing));
            Ok(sharing.iter().fold(call, Call::arg))
        };
        let found = self.record(recorded, call).await?;
        if !yes(&found) {
            return Ok(None);
        }
        let [own, tokens, siblings, leased] = items(found)?;
        let (own, tokens) = (record(own, connection)?, record(tokens, credential)?);
        let (siblings, refreshing_until) = (column(siblings)?, maybe_column(leased)?);
        Ok(own.zip(tokens).map(|(connection, credential)| Leaving {
            held: Held { connection, credential },
            siblings,
            refreshing_until,
        }))
    }
}

/// From `<status>:<integration>` and a number, in turn.
fn counted(value: redis::Value) -> Result<Vec<(String, String, u64)>, Fault> {
    let mut counts = Vec::new();
    let mut items = list(value)?.into_iter();
    while let (Some(name), Some(count)) = (items.next(), items.next()) {
        let (name, count): (String, u64) = (column(name)?, column(count)?);
        let (status, integration) =
            name.split_once(':').ok_or_else(|| unexpected("a count of nothing"))?;
        if count > 0 {
            counts.push((integration.to_owned(), status.to_owned(), count));
        }
    }
    counts.sort_unstable();
    Ok(counts)
}

fn to_usize(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
