//! Refreshes, one at a time for each connection: `refresh:<connection id>`; and what is due: `due`,
//! a sorted set of connections.

use grantor_core::id::{ConnectionId, RefreshId};
use grantor_core::model::{Connection, RefreshAttempt};
use grantor_core::store::{Begun, Ended, Recorded, RefreshEnd};
use grantor_core::time::Timestamp;

use super::Redis;
use super::connection_hash::{
    attempt_fields, attempt_key, connection, connection_key, credential_key, with_connection,
    with_credential,
};
use super::fault::Fault;
use super::fields::{bytes, column, items, records, unexpected, yes};
use super::recorded::length;
use super::script::{Call, Family, lua, scripts};

scripts! {
    /// One that is still written down has not ended, or nobody knows how.
    BEGIN = [lua::VAULT, "
local own, lease, now, generation, version = key(), key(), arg(), arg(), arg()
local attempt = record()
local was = fields(own, 'generation', 'version')
if not was[1] then return { 'gone', false } end
if was[1] ~= generation or was[2] ~= version then return { 'changed', false } end
local other = fields(lease, 'leased_until', 'generation', 'version')
if other[1] and after(other[1], now) then return { 'busy', other[1] } end
local again = other[2] == generation and other[3] == version
put(lease, attempt)
call('HSET', lease, 'again', again and '1' or '0')
return { 'yes', again and 1 or 0 }"];

    EXTEND = ["
local lease, id, till, now = key(), arg(), arg(), arg()
local was = fields(lease, 'id', 'leased_until')
if was[1] ~= id or not after(was[2], now) then return false end
call('HSET', lease, 'leased_until', till)
return 1"];

    /// The lease is gone or of somebody else, whose knowledge is newer, after it ran out: then only
    /// new tokens are stored. After a failure, whether an earlier attempt has used the refresh
    /// token up is still not known.
    END = [lua::VAULT, "
local lease, id, kind, now = key(), arg(), arg(), arg()
local generation, version = arg(), arg()
local own = take_connection()
local tokens = kind == 'renewed' and take_credential()
local recorded = take_recorded()
local was = indexed(own.id)
if not was or was.generation ~= generation or was.version ~= version then
  return told('overtaken')
end
local of = fields(lease, 'id', 'again')
local has_lease = of[1] == id
if not tokens and not has_lease then return told('overtaken') end
if is_stale(recorded) then return told('stale') end
local operator = was.status == 'reauth_required' and cjson.decode(was.reauth).reason == 'operator'
update_connection(was, own, operator or was.status == 'disconnecting')
if tokens then
  local data_key = call('HGET', tokens.key, 'data_key')
  call('HDEL', tokens.key, 'refresh_token', 'previous_refresh_token', 'id_token')
  put(tokens.key, tokens.fields)
  call('HSET', tokens.key, 'data_key', data_key)
end
if tokens or kind == 'failed' and of[2] ~= '1' then
  call('DEL', lease)
else
  call('HSET', lease, 'leased_until', now)
end
write_recorded(recorded)
return told('done')"];

    DUE = [lua::VAULT, "
local index, now, new_due, limit = key(), arg(), arg(), tonumber(arg())
local found, first, claimed = {}, 0, {}
repeat
  local page = call('ZRANGEBYSCORE', index, '-inf', now, 'LIMIT', first, 64)
  for _, id in ipairs(page) do
    local leased = call('HGET', key_of('refresh', id), 'leased_until')
    if #found < limit and not (leased and after(leased, now)) then found[#found + 1] = id end
  end
  first = first + 64
until #page < 64 or #found >= limit
for i, id in ipairs(found) do claimed[i] = hash(key_of('connection', id)) end
for _, id in ipairs(found) do
  call('HSET', key_of('connection', id), 'due_at', new_due)
  call('ZADD', index, new_due, id)
end
return claimed"];

    PUT_OFF = [lua::VAULT, "
local looks = {}
for i = 1, tonumber(arg()) do
  looks[i] = { key = key(), id = arg(), version = arg(), at = maybe() }
end
local recorded = take_recorded()
if is_stale(recorded) then return told('stale') end
for _, look in ipairs(looks) do
  local was = indexed(look.id)
  if was and was.version == look.version and was.status ~= 'reauth_required' then
    due(was, look.at)
    if look.at then call('HSET', was.key, 'due_at', look.at)
    else call('HDEL', was.key, 'due_at') end
  end
end
write_recorded(recorded)
return told(1)"];
}

impl Redis {
    pub(super) async fn begin(
        &self,
        attempt: &RefreshAttempt,
        now: Timestamp,
    ) -> Result<Begun, Fault> {
        let call = self.call(&BEGIN, Family::Vault).key(connection_key(attempt.connection));
        let call = call.key(attempt_key(attempt.connection)).arg(&now);
        let call = call.arg(&attempt.generation).arg(&attempt.version);
        let [outcome, more] = items(call.fields(attempt_fields(attempt)).write().await?)?;
        let outcome: String = column(outcome)?;
        match &*outcome {
            "gone" => Ok(Begun::Gone),
            "changed" => Ok(Begun::Changed),
            "busy" => Ok(Begun::Busy { until: column(more)? }),
            "yes" => Ok(Begun::Yes(RefreshAttempt { again: yes(&more), ..attempt.clone() })),
            _ => Err(unexpected("another outcome of beginning a refresh")),
        }
    }

    pub(super) async fn extend(
        &self,
        connection: ConnectionId,
        id: RefreshId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, Fault> {
        let call = self.call(&EXTEND, Family::Vault).key(attempt_key(connection));
        Ok(yes(&call.arg(&id).arg(&until).arg(&now).write().await?))
    }

    pub(super) async fn end(
        &self,
        attempt: &RefreshAttempt,
        end: &RefreshEnd,
        recorded: &Recorded,
        now: Timestamp,
    ) -> Result<Ended, Fault> {
        let outcome = self.record(recorded, || self.ending(attempt, end, now)).await?;
        match &*bytes(outcome)? {
            b"done" => Ok(Ended::Done),
            b"overtaken" => Ok(Ended::Overtaken),
            _ => Err(unexpected("another outcome of ending a refresh")),
        }
    }

    fn ending(
        &self,
        attempt: &RefreshAttempt,
        end: &RefreshEnd,
        now: Timestamp,
    ) -> Result<Call<'_>, Fault> {
        let (kind, own): (_, &Connection) = match end {
            RefreshEnd::Renewed(held) => ("renewed", &held.connection),
            RefreshEnd::Failed(own) => ("failed", own),
            RefreshEnd::Unknown(own) => ("unknown", own),
        };
        let call = self.call(&END, Family::Vault).key(attempt_key(attempt.connection));
        let call = call.arg(&attempt.id).text(kind).arg(&now);
        let call = with_connection(call.arg(&attempt.generation).arg(&attempt.version), own)?;
        Ok(match end {
            RefreshEnd::Renewed(held) => with_credential(call, &held.credential),
            RefreshEnd::Failed(_) | RefreshEnd::Unknown(_) => call,
        })
    }

    pub(super) async fn due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Connection>, Fault> {
        let call = self.call(&DUE, Family::Vault).key("due").arg(&now).arg(&until).arg(&limit);
        records(call.write().await?, connection)
    }

    pub(super) async fn put_looks_off(
        &self,
        looks: &[(ConnectionId, u64, Option<Timestamp>)],
        recorded: &Recorded,
    ) -> Result<(), Fault> {
        let call = || {
            let mut call = self.call(&PUT_OFF, Family::Vault).arg(&length(looks));
            for (id, version, at) in looks {
                call = call.key(connection_key(*id)).arg(id).arg(version).maybe(at.as_ref());
            }
            Ok(call)
        };
        self.record(recorded, call).await.map(drop)
    }

    /// The keys of a connection beside its own.
    pub(super) fn with_parts<'i>(call: Call<'i>, id: ConnectionId) -> Call<'i> {
        call.key(connection_key(id)).key(credential_key(id)).key(attempt_key(id)).arg(&id)
    }
}
