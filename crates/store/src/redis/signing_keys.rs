//! Signing keys, sealed: `signing_key:<kid>`, and `signing_keys:<algorithm>`, a list of the kids in
//! the order in which they were added.

use async_trait::async_trait;
use grantor_core::jose::Algorithm;
use grantor_core::model::SealedSigningKey;
use grantor_core::store::{KeyStore, RotationOutcome, StoreError};
use grantor_core::time::Timestamp;

use super::Redis;
use super::client_hash::algorithm;
use super::fault::Fault;
use super::fields::{Fields, Hash, records, yes};
use super::script::{Family, scripts};

scripts! {
    LIST = ["
local found = {}
for i, kid in ipairs(call('ZRANGE', key(), 0, -1)) do found[i] = hash(tag .. 'signing_key:' .. kid) end
return found"];

    /// `place` counts the keys, because two may be made in one second.
    ADD = ["
local own, all, kid, algorithm, expected, retire = key(), key(), arg(), arg(), maybe(), arg()
local made, others, newest, most = record(), {}, nil, nil
for _, other in ipairs(call('ZRANGE', all, 0, -1)) do
  local was = fields(tag .. 'signing_key:' .. other, 'algorithm', 'retires_at', 'created_at')
  if was[1] == algorithm then
    if not most or not after(most, was[3]) then newest, most = other, was[3] end
    if not was[2] then others[#others + 1] = tag .. 'signing_key:' .. other end
  end
end
if newest ~= expected then return false end
for _, other in ipairs(others) do
  call('HSET', other, 'retires_at', retire)
  over_at(other, retire)
end
put(own, made)
local leaves = fields(own, 'retires_at')[1]
if leaves then over_at(own, leaves) end
call('ZADD', all, call('HINCRBY', meta, 'keys_made', 1), kid)
return 1"];

    RESEAL = ["
local own, before, sealed = key(), arg(), arg()
if call('HGET', own, 'sealed') ~= before then return false end
call('HSET', own, 'sealed', sealed)
return 1"];
}

#[async_trait]
impl KeyStore for Redis {
    async fn signing_keys(&self, now: Timestamp) -> Result<Vec<SealedSigningKey>, StoreError> {
        let listed = self.call(&LIST, Family::Keys).key("signing_keys").read().await;
        let mut keys =
            listed.and_then(|listed| records(listed, signing_key)).map_err(Fault::told)?;
        keys.retain(|key| key.retires_at.is_none_or(|retires_at| now < retires_at));
        // Stable: of those that were made in one second, the order of adding stays.
        keys.sort_by_key(|key| key.created_at);
        Ok(keys)
    }

    async fn add_signing_key(
        &self,
        made: SealedSigningKey,
        expected_newest: Option<&str>,
        others_retire_at: Timestamp,
    ) -> Result<RotationOutcome, StoreError> {
        let call = self.call(&ADD, Family::Keys).key(key(&made.kid)).key("signing_keys");
        let call = call.arg(&made.kid).text(made.algorithm.as_str());
        let call = call.text(expected_newest.unwrap_or_default()).arg(&others_retire_at);
        let added = call.fields(fields(&made)).write().await.map_err(Fault::told)?;
        Ok(if yes(&added) { RotationOutcome::Done } else { RotationOutcome::Raced })
    }

    async fn reseal_signing_key(
        &self,
        kid: &str,
        before: &[u8],
        sealed: Vec<u8>,
    ) -> Result<bool, StoreError> {
        let call = self.call(&RESEAL, Family::Keys).key(key(kid));
        let resealed = call.arg(&before.to_vec()).arg(&sealed).write().await;
        resealed.map(|resealed| yes(&resealed)).map_err(Fault::told)
    }
}

fn fields(key: &SealedSigningKey) -> Fields {
    let algorithm: Algorithm = key.algorithm;
    Fields::default()
        .with("kid", &key.kid)
        .text("algorithm", algorithm.as_str())
        .with("sealed", &key.sealed)
        .with("created_at", &key.created_at)
        .with("active_from", &key.active_from)
        .maybe("retires_at", key.retires_at.as_ref())
}

fn signing_key(hash: &Hash) -> Result<SealedSigningKey, Fault> {
    Ok(SealedSigningKey {
        kid: hash.get("kid")?,
        algorithm: algorithm(hash, "algorithm")?,
        sealed: hash.get("sealed")?,
        created_at: hash.get("created_at")?,
        active_from: hash.get("active_from")?,
        retires_at: hash.maybe("retires_at")?,
    })
}

fn key(kid: &str) -> String {
    format!("signing_key:{kid}")
}
