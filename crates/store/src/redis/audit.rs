//! The audit log: `audit`, a stream in which the id of an entry is its sequence number.

use async_trait::async_trait;
use grantor_core::model::{AuditEntry, AuditEvent};
use grantor_core::store::{AuditStore, StoreError};
use redis::Value;

use super::fault::Fault;
use super::fields::{Hash, bytes, items, list, unexpected};
use super::script::{Call, Family, lua, scripts};
use super::{Inner, Redis};

scripts! {
    APPEND = [lua::VAULT, "
local audit = key()
local recorded = take_recorded()
if is_stale(recorded) then return told('stale') end
write_recorded(recorded)
return told(1)"];

    RANGE = ["return call('XRANGE', key(), '(' .. arg() .. '-0', '+', 'COUNT', arg())"];

    LAST = ["return call('XREVRANGE', key(), '+', '-', 'COUNT', 1)"];
}

#[async_trait]
impl AuditStore for Redis {
    async fn append_audit(&self, events: Vec<AuditEvent>) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        self.append(events).await
    }

    async fn audit(&self, after: u64, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        if limit == 0 || after == u64::MAX {
            return Ok(Vec::new());
        }
        let call = self.call(&RANGE, Family::Vault).key("audit").arg(&after).arg(&limit);
        call.read().await.and_then(entries).map_err(Fault::told)
    }

    async fn last_audit(&self) -> Result<Option<AuditEntry>, StoreError> {
        let last = self.call(&LAST, Family::Vault).key("audit").read().await;
        last.and_then(entries).map(|mut last| last.pop()).map_err(Fault::told)
    }
}

/// A call that only appends.
pub(super) fn appending(inner: &Inner) -> Call<'_> {
    Call::new(inner, &APPEND, Family::Vault).key("audit")
}

fn entries(value: Value) -> Result<Vec<AuditEntry>, Fault> {
    list(value)?.into_iter().map(entry).collect()
}

fn entry(value: Value) -> Result<AuditEntry, Fault> {
    let [id, fields] = items(value)?;
    let id = String::from_utf8(bytes(id)?).map_err(|_| unexpected("no id of an entry"))?;
    let sequence = id.split('-').next().and_then(|number| number.parse().ok());
    let hash = Hash::read(fields)?.ok_or_else(|| unexpected("an empty entry"))?;
    Ok(AuditEntry {
        sequence: sequence.ok_or_else(|| unexpected("no id of an entry"))?,
        event: AuditEvent {
            id: hash.get("id")?,
            at: hash.get("at")?,
            action: hash.get("action")?,
            actor: hash.get("actor")?,
            target: hash.get("target")?,
            details: hash.get("details")?,
            mac: hash.get("mac")?,
        },
        hash: hash.get("hash")?,
    })
}
