//! Wrapped data keys, found by the key-encryption key that wraps them: `under:<id of the key>` is a
//! sorted set of connections, `key_ids` has the ids of all keys that were ever used.

use grantor_core::id::ConnectionId;
use grantor_core::store::WrappedDataKey;

use super::Redis;
use super::connection_hash::credential_key;
use super::fault::Fault;
use super::fields::{column, items, list, unexpected};
use super::recorded::length;
use super::script::{Family, lua, scripts};

scripts! {
    USES = [lua::VAULT, "
local found = {}
for _, id in ipairs(call('SMEMBERS', key())) do
  found[#found + 1] = { id, call('ZCARD', key_of('under', id)) }
end
return found"];

    OTHERS = [lua::VAULT, "
local ids, but, from, limit, found = key(), arg(), maybe(), tonumber(arg()), {}
local all = {}
for _, key_id in ipairs(call('SMEMBERS', ids)) do
  if key_id ~= but then
    local index = key_of('under', key_id)
    local first = from and '(' .. from or '-'
    for _, id in ipairs(call('ZRANGEBYLEX', index, first, '+', 'LIMIT', 0, limit)) do
      all[#all + 1] = id
    end
  end
end
table.sort(all)
for i = 1, math.min(#all, limit) do
  found[i] = { all[i], call('HGET', key_of('connection', all[i]), 'integration'),
    call('HGET', key_of('credential', all[i]), 'data_key') }
end
return found"];

    REWRAP = [lua::VAULT, "
local replaced, list = 0, {}
for i = 1, tonumber(arg()) do
  list[i] = { key = key(), id = arg(), before = arg(), data_key = arg() }
  list[i].there = call('HGET', list[i].key, 'data_key')
end
for _, one in ipairs(list) do
  if one.there == one.before then
    call('HSET', one.key, 'data_key', one.data_key)
    file_data_key(one.id, one.before, one.data_key)
    replaced = replaced + 1
  end
end
return replaced"];
}

impl Redis {
    /// How many data keys each key-encryption key wraps.
    pub(super) async fn key_uses(&self) -> Result<Vec<([u8; 8], u64)>, Fault> {
        let mut uses = Vec::new();
        for one in list(self.call(&USES, Family::Vault).key("key_ids").read().await?)? {
            let [id, count] = items(one)?;
            let count = column(count)?;
            if count > 0 {
                uses.push((key_id(&column::<String>(id)?)?, count));
            }
        }
        uses.sort_unstable();
        Ok(uses)
    }

    /// The next data keys that other keys wrap.
    pub(super) async fn not_under(
        &self,
        but: &[u8; 8],
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Vec<WrappedDataKey>, Fault> {
        let but: String = but.iter().map(|byte| format!("{byte:02x}")).collect();
        let call = self.call(&OTHERS, Family::Vault).key("key_ids").text(&but);
        let found = call.maybe(after.as_ref()).arg(&limit).read().await?;
        let read = |one| {
            let [connection, integration, data_key] = items(one)?;
            Ok(WrappedDataKey {
                connection: column(connection)?,
                integration: column(integration)?,
                data_key: column(data_key)?,
            })
        };
        list(found)?.into_iter().map(read).collect()
    }

    /// Replaces data keys that are still what was read; says how many.
    pub(super) async fn wrap_anew(&self, keys: &[(WrappedDataKey, Vec<u8>)]) -> Result<u32, Fault> {
        let mut call = self.call(&REWRAP, Family::Vault).arg(&length(keys));
        for (before, data_key) in keys {
            call = call.key(credential_key(before.connection)).arg(&before.connection);
            call = call.arg(&before.data_key).arg(data_key);
        }
        column(call.write().await?)
    }
}

/// The id of a key, from hexadecimal digits.
fn key_id(digits: &str) -> Result<[u8; 8], Fault> {
    let number = u64::from_str_radix(digits, 16).map_err(|_| unexpected("no id of a key"))?;
    Ok(number.to_be_bytes())
}
