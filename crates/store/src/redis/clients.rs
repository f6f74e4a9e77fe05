//! Registered clients: `client:<client_id>`, and `clients`, a sorted set of their ids.
//! `removed:<id>` is the second in which a client of this id was removed, for a minute.

use std::sync::Arc;

use async_trait::async_trait;
use grantor_core::id::InitialTokenId;
use grantor_core::model::{Client, InitialToken};
use grantor_core::secret::Digest;
use grantor_core::store::{Added, ClientStore, Imported, Registered, StoreError};
use grantor_core::time::Timestamp;

use super::client_hash::{client, fields};
use super::fault::Fault;
use super::fields::{Hash, bytes, maybe_column, unexpected, yes};
use super::script::{Call, Family, lua, scripts};
use super::{Redis, initial_tokens};

scripts! {
    READ = ["return hash(key())"];

    ADD = [lua::CLIENT, "
local own, id, fields, created_at = key(), arg(), record(), arg()
if is_there(own) then return false end
add_client(own, id, fields, created_at)
changed()
return 1"];

    /// The digest was compared with what it was when it was read.
    REGISTER = [lua::CLIENT, "
local own, id, fields, created_at = key(), arg(), record(), arg()
local token, now, digest = key(), arg(), arg()
local was = call('HMGET', token, 'digest', 'expires_at', 'uses_left', 'epoch')
if was[1] ~= digest or not after(was[2], now) then return 'not_allowed' end
if was[3] and (was[3] == '0' or was[4] ~= epoch()) then return 'not_allowed' end
if is_there(own) then return 'exists' end
add_client(own, id, fields, created_at)
if was[3] then call('HINCRBY', token, 'uses_left', -1) end
changed()
return 'done'"];

    IMPORT = [lua::CLIENT, "
local replace, list, named = flag(), {}, {}
for i = 1, tonumber(arg()) do
  local one = { key = key(), id = arg(), fields = record(), created_at = arg() }
  one.there = is_there(one.key)
  if named[one.id] or one.there and not replace then return i - 1 end
  named[one.id], list[i] = true, one
end
for _, one in ipairs(list) do
  if one.there then
    call('DEL', one.key)
    put(one.key, one.fields)
  else
    add_client(one.key, one.id, one.fields, one.created_at)
  end
end
changed()
return false"];

    REPLACE = ["
local own, before, after = key(), record(), record()
if not is_still(own, before) then return false end
call('DEL', own)
put(own, after)
changed()
return 1"];

    REMOVE = [lua::HELD, lua::DROPS, "
local own, before, id, now = key(), record(), arg(), arg()
if not is_still(own, before) then return false end
local all = {}
for i, member in ipairs(call('ZRANGE', held(id), 0, -1)) do
  local user, kind, of = string.match(member, '^([^/]*)/([^/]*)/(.*)$')
  all[i] = { user = user, kind = kind, id = of }
  is_there(tag .. kind .. ':' .. of)
end
remove(own)
call('ZREM', tag .. 'clients', id)
local removed = key()
call('SET', removed, now)
over_at(removed, tonumber(now) + 60)
for _, one in ipairs(all) do
  if one.kind == 'consent' then drop_consent(one.user, id)
  elseif one.kind == 'code' then drop_code(id, one.user, one.id)
  elseif one.kind == 'device' then drop_device(one.id)
  else revoke(one.id, now) end
end
call('DEL', held(id))
changed()
return 1"];
}

#[async_trait]
impl ClientStore for Redis {
    async fn client(&self, client_id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        let read = async { self.client_hash(client_id).await?.as_ref().map(client).transpose() };
        self.cached(|caches| &caches.clients, client_id, read).await
    }

    async fn clients(&self) -> Result<Vec<Client>, StoreError> {
        self.all(Family::Oauth, "clients", "client:", client).await.map_err(Fault::told)
    }

    async fn add_client(&self, client: Client) -> Result<Added, StoreError> {
        let added = async {
            let call = with_client(self.call(&ADD, Family::Oauth), &client)?;
            Ok(if yes(&call.write().await?) { Added::Done } else { Added::Exists })
        };
        self.changed(added.await)
    }

    async fn register_client(
        &self,
        client: Client,
        (id, digest): (InitialTokenId, Digest),
        now: Timestamp,
    ) -> Result<Registered, StoreError> {
        let registered = async {
            let call = with_client(self.call(&REGISTER, Family::Oauth), &client)?;
            let call = call.key(format_args!("initial:{id}")).arg(&now).arg(&digest);
            match &*bytes(call.write().await?)? {
                b"done" => Ok(Registered::Done),
                b"exists" => Ok(Registered::Exists),
                b"not_allowed" => Ok(Registered::NotAllowed),
                _ => Err(unexpected("another outcome of a registration")),
            }
        };
        self.changed(registered.await)
    }

    async fn import_clients(
        &self,
        clients: Vec<Client>,
        replace: bool,
    ) -> Result<Imported, StoreError> {
        let imported = async {
            let count = u64::try_from(clients.len()).unwrap_or(u64::MAX);
            let mut call = self.call(&IMPORT, Family::Oauth).arg(&replace).arg(&count);
            for client in &clients {
                call = with_client(call, client)?;
            }
            let taken: Option<u64> = maybe_column(call.write().await?)?;
            let place = taken.map(|place| usize::try_from(place).unwrap_or(usize::MAX));
            Ok(place.map_or(Imported::Done, Imported::Exists))
        };
        self.changed(imported.await)
    }

    async fn replace_client(&self, before: &Client, after: Client) -> Result<bool, StoreError> {
        let replaced = async {
            let Some(there) = self.client_as(before).await? else {
                return Ok(false);
            };
            let call = self.call(&REPLACE, Family::Oauth).key(key(&before.client_id));
            let call = call.raw(there.raw()).fields(fields(&after)?);
            Ok(yes(&call.write().await?))
        };
        self.changed(replaced.await)
    }

    async fn remove_client(&self, client: &Client, now: Timestamp) -> Result<bool, StoreError> {
        let removed = async {
            let Some(there) = self.client_as(client).await? else {
                return Ok(false);
            };
            let call = self.call(&REMOVE, Family::Oauth).key(key(&client.client_id));
            let call = call.raw(there.raw()).arg(&client.client_id).arg(&now);
            let call = call.key(format_args!("removed:{}", client.client_id));
            Ok(yes(&call.write().await?))
        };
        self.changed(removed.await)
    }

    async fn add_initial_token(&self, token: InitialToken) -> Result<(), StoreError> {
        self.insert_initial_token(&token).await.map_err(Fault::told)
    }

    async fn initial_tokens(&self) -> Result<Vec<InitialToken>, StoreError> {
        let listed = self.all(Family::Oauth, "initials", "initial:", initial_tokens::token);
        listed.await.map_err(Fault::told)
    }

    async fn remove_initial_token(&self, id: InitialTokenId) -> Result<bool, StoreError> {
        self.drop_initial_token(id).await.map_err(Fault::told)
    }
}

impl Redis {
    async fn client_hash(&self, client_id: &str) -> Result<Option<Hash>, Fault> {
        Hash::read(self.call(&READ, Family::Oauth).key(key(client_id)).read().await?)
    }

    /// The client as it is stored, if that is what `before` says. The script that is told so
    /// compares it again, byte by byte.
    async fn client_as(&self, before: &Client) -> Result<Option<Hash>, Fault> {
        let there = self.client_hash(&before.client_id).await?;
        let Some(there) = there else {
            return Ok(None);
        };
        Ok((client(&there)? == *before).then_some(there))
    }
}

fn key(client_id: &str) -> String {
    format!("client:{client_id}")
}

/// Adds what a script needs to store a new client.
fn with_client<'i>(call: Call<'i>, client: &Client) -> Result<Call<'i>, Fault> {
    let call = call.key(key(&client.client_id)).arg(&client.client_id);
    Ok(call.fields(fields(client)?).arg(&client.created_at))
}
