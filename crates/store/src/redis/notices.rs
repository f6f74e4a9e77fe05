//! Webhooks on their way: `notice:<id>`, and `notices:<endpoint>`, a sorted set of their ids by
//! when they are due. `meta` counts them.

use async_trait::async_trait;
use grantor_core::id::NoticeId;
use grantor_core::model::Notice;
use grantor_core::store::{NoticeStore, StoreError};
use grantor_core::time::{Seconds, Timestamp};
use redis::Value;

use super::Redis;
use super::fault::Fault;
use super::fields::{Fields, Hash, column, records};
use super::script::{Call, Family, lua, scripts};

/// How long one that has expired waits for somebody who claims it and gives it up. After a month
/// its endpoint is not configured any more.
const UNCLAIMED: Seconds = Seconds(30 * 86_400);

scripts! {
    /// Asked every moment, and nearly always there is none.
    CLAIM = [lua::VAULT, "
local due, now, new_due, limit, notices = key(), arg(), arg(), arg(), {}
local found = call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, limit)
for _, id in ipairs(found) do is_there(key_of('notice', id)) end
for i, id in ipairs(found) do
  local own = key_of('notice', id)
  call('HINCRBY', own, 'attempts', 1)
  call('HSET', own, 'due_at', new_due)
  call('ZADD', due, new_due, id)
  notices[i] = hash(own)
end
return notices"];

    REMOVE = [lua::VAULT, "
key()
drop_notice(arg())"];

    RETRY = [lua::VAULT, "
local own, id, at = key(), arg(), arg()
local endpoint = call('HGET', own, 'endpoint')
if not endpoint then return end
call('HSET', own, 'due_at', at)
call('ZADD', key_of('notices', endpoint), at, id)"];

    COUNT = ["return fields(meta, 'notices')[1]"];
}

#[async_trait]
impl NoticeStore for Redis {
    async fn claim_notices(
        &self,
        endpoint: &str,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Notice>, StoreError> {
        let call = self.call(&CLAIM, Family::Vault).key(format_args!("notices:{endpoint}"));
        let claimed = call.arg(&now).arg(&until).arg(&limit).write().await;
        claimed.and_then(|claimed| records(claimed, notice)).map_err(Fault::told)
    }

    async fn remove_notice(&self, id: NoticeId) -> Result<(), StoreError> {
        let call = self.call(&REMOVE, Family::Vault).key(key(id)).arg(&id);
        call.write().await.map(drop).map_err(Fault::told)
    }

    async fn retry_notice(&self, id: NoticeId, at: Timestamp) -> Result<(), StoreError> {
        let call = self.call(&RETRY, Family::Vault).key(key(id)).arg(&id).arg(&at);
        call.write().await.map(drop).map_err(Fault::told)
    }

    async fn pending_notices(&self) -> Result<u32, StoreError> {
        match self.call(&COUNT, Family::Vault).read().await {
            Ok(Value::Nil) => Ok(0),
            counted => counted.and_then(column).map_err(Fault::told),
        }
    }
}

/// Adds what a script needs to queue a webhook.
pub(super) fn with_notice<'i>(call: Call<'i>, notice: &Notice) -> Call<'i> {
    let fields = Fields::default()
        .with("id", &notice.id)
        .with("endpoint", &notice.endpoint)
        .with("event", &notice.event)
        .with("body", &notice.body)
        .with("attempts", &notice.attempts)
        .with("due_at", &notice.due_at)
        .with("expires_at", &notice.expires_at);
    let call = call.key(key(notice.id)).fields(fields).arg(&notice.id).arg(&notice.endpoint);
    call.arg(&notice.due_at).arg(&notice.expires_at.plus(UNCLAIMED))
}

fn notice(hash: &Hash) -> Result<Notice, Fault> {
    Ok(Notice {
        id: hash.get("id")?,
        endpoint: hash.get("endpoint")?,
        event: hash.get("event")?,
        body: hash.get("body")?,
        attempts: hash.get("attempts")?,
        due_at: hash.get("due_at")?,
        expires_at: hash.get("expires_at")?,
    })
}

fn key(id: NoticeId) -> String {
    format!("notice:{id}")
}
