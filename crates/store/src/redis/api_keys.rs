//! API keys of services: `api_key:<id>`, and `api_keys`, a sorted set of their ids by the time of
//! their making.

use std::sync::Arc;

use async_trait::async_trait;
use grantor_core::model::{ApiKey, PreviousSecret};
use grantor_core::store::{Added, ApiKeyStore, Recorded, StoreError};
use grantor_core::time::Timestamp;

use super::Redis;
use super::fault::Fault;
use super::fields::{Fields, Hash, yes};
use super::recorded::length;
use super::script::{Family, lua, scripts};

scripts! {
    READ = ["return hash(key())"];

    ADD = [lua::VAULT, "
local own, id, fields, created_at = key(), arg(), record(), arg()
local recorded = take_recorded()
if is_there(own) then return told(false) end
if is_stale(recorded) then return told('stale') end
put(own, fields)
call('ZADD', tag .. 'api_keys', created_at, id)
write_recorded(recorded)
changed()
return told(1)"];

    /// When it was made and last used stays.
    REPLACE = [lua::VAULT, "
local own, before, replacement = key(), record(), record()
local recorded = take_recorded()
if not is_still(own, before, 'last_used_at') then return told(false) end
if is_stale(recorded) then return told('stale') end
local kept = fields(own, 'created_at', 'last_used_at')
call('DEL', own)
put(own, replacement)
call('HSET', own, 'created_at', kept[1])
if kept[2] then call('HSET', own, 'last_used_at', kept[2]) end
write_recorded(recorded)
changed()
return told(1)"];

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
}

#[async_trait]
impl ApiKeyStore for Redis {
    async fn add_api_key(&self, key: ApiKey, recorded: Recorded) -> Result<Added, StoreError> {
        let call = || {
            let call = self.call(&ADD, Family::Vault).key(name(&key.id)).arg(&key.id);
            Ok(call.fields(fields(&key)?).arg(&key.created_at))
        };
        let added = self.record(&recorded, call).await;
        Ok(if yes(&self.changed(added)?) { Added::Done } else { Added::Exists })
    }

    async fn api_key(&self, id: &str) -> Result<Option<Arc<ApiKey>>, StoreError> {
        let read = async { self.key_hash(id).await?.as_ref().map(key).transpose() };
        self.cached(|caches| &caches.api_keys, id, read).await
    }

    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.all(Family::Vault, "api_keys", "api_key:", key).await.map_err(Fault::told)
    }

    async fn replace_api_key(
        &self,
        before: &ApiKey,
        after: ApiKey,
        recorded: Recorded,
    ) -> Result<bool, StoreError> {
        let replaced = self.replace(before, &after, &recorded).await;
        self.changed(replaced)
    }

    async fn touch_api_keys(&self, used: &[(String, Timestamp)]) -> Result<(), StoreError> {
        let mut call = self.call(&TOUCH, Family::Vault).arg(&length(used));
        for (id, at) in used {
            call = call.key(name(id)).arg(at);
        }
        call.write().await.map(drop).map_err(Fault::told)
    }
}

impl Redis {
    async fn key_hash(&self, id: &str) -> Result<Option<Hash>, Fault> {
        Hash::read(self.call(&READ, Family::Vault).key(name(id)).read().await?)
    }

    async fn replace(
        &self,
        before: &ApiKey,
        after: &ApiKey,
        recorded: &Recorded,
    ) -> Result<bool, Fault> {
        let Some(hash) = self.key_hash(&before.id).await? else {
            return Ok(false);
        };
        let there = ApiKey { last_used_at: before.last_used_at, ..key(&hash)? };
        if there != *before {
            return Ok(false);
        }
        let call = || {
            let call = self.call(&REPLACE, Family::Vault).key(name(&before.id));
            Ok(call.raw(hash.raw()).fields(fields(after)?))
        };
        Ok(yes(&self.record(recorded, call).await?))
    }
}

fn fields(key: &ApiKey) -> Result<Fields, Fault> {
    let previous = key.previous.as_ref();
    Fields::default()
        .with("id", &key.id)
        .with("service", &key.service)
        .with("digest", &key.digest)
        .maybe("previous_digest", previous.map(|previous| &previous.digest))
        .maybe("previous_until", previous.map(|previous| &previous.until))
        .with("created_at", &key.created_at)
        .maybe("expires_at", key.expires_at.as_ref())
        .maybe("revoked_at", key.revoked_at.as_ref())
        .maybe("last_used_at", key.last_used_at.as_ref())
        .json("rights", &key.rights)
}

fn key(hash: &Hash) -> Result<ApiKey, Fault> {
    let previous = hash.maybe("previous_digest")?.zip(hash.maybe("previous_until")?);
    Ok(ApiKey {
        id: hash.get("id")?,
        service: hash.get("service")?,
        digest: hash.get("digest")?,
        previous: previous.map(|(digest, until)| PreviousSecret { digest, until }),
        rights: hash.json("rights")?,
        created_at: hash.get("created_at")?,
        expires_at: hash.maybe("expires_at")?,
        revoked_at: hash.maybe("revoked_at")?,
        last_used_at: hash.maybe("last_used_at")?,
    })
}

fn name(id: &str) -> String {
    format!("api_key:{id}")
}
