//! Mails on their way: `mail:<id>`, and `mails`, a sorted set of their ids by when they are due.

use async_trait::async_trait;
use grantor_core::id::MailId;
use grantor_core::model::OutboxMail;
use grantor_core::store::{OutboxStore, StoreError};
use grantor_core::time::Timestamp;

use super::Redis;
use super::fault::Fault;
use super::fields::{Fields, Hash, column, records};
use super::script::{Call, Family, scripts};

/// A library for scripts that queue a mail.
pub(super) const PUT_MAIL: &str = "
local function take_mail()
  return flag() and { key = key(), fields = record(), id = arg(), due = arg(), over = arg() }
end

local function put_mail(mail)
  if not mail then return end
  put(mail.key, mail.fields)
  call('ZADD', tag .. 'mails', mail.due, mail.id)
  over_at(mail.key, mail.over)
end
";

scripts! {
    /// Asked every moment, and nearly always there is none. What has expired waits for the sweep.
    CLAIM = ["
local due, now, new_due, limit, found, first = key(), arg(), arg(), tonumber(arg()), {}, 0
repeat
  local page = call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', first, 64)
  for _, id in ipairs(page) do
    local over = #found < limit and fields(tag .. 'mail:' .. id, 'expires_at')[1]
    if over and after(over, now) then found[#found + 1] = id end
  end
  first = first + 64
until #page < 64 or #found >= limit
local mails = {}
for i, id in ipairs(found) do
  local own = tag .. 'mail:' .. id
  call('HINCRBY', own, 'attempts', 1)
  call('HSET', own, 'due_at', new_due)
  call('ZADD', due, new_due, id)
  mails[i] = hash(own)
end
return mails"];

    REMOVE = ["
local own, due, id = key(), key(), arg()
remove(own)
call('ZREM', due, id)"];

    RETRY = ["
local own, due, id, at = key(), key(), arg(), arg()
if not is_there(own) then return end
call('HSET', own, 'due_at', at)
call('ZADD', due, at, id)"];

    COUNT = ["return call('ZCARD', key())"];
}

#[async_trait]
impl OutboxStore for Redis {
    async fn claim_mail(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxMail>, StoreError> {
        let call = self.call(&CLAIM, Family::SignIn).key("mails").arg(&now).arg(&until);
        let claimed = call.arg(&limit).write().await;
        claimed.and_then(|claimed| records(claimed, mail)).map_err(Fault::told)
    }

    async fn remove_mail(&self, id: MailId) -> Result<(), StoreError> {
        let call = self.call(&REMOVE, Family::SignIn).key(key(id)).key("mails").arg(&id);
        call.write().await.map(drop).map_err(Fault::told)
    }

    async fn retry_mail(&self, id: MailId, at: Timestamp) -> Result<(), StoreError> {
        let call = self.call(&RETRY, Family::SignIn).key(key(id)).key("mails").arg(&id).arg(&at);
        call.write().await.map(drop).map_err(Fault::told)
    }

    async fn pending_mail(&self) -> Result<u32, StoreError> {
        let count = self.call(&COUNT, Family::SignIn).key("mails").read().await;
        count.and_then(column).map_err(Fault::told)
    }
}

/// Adds what a script needs to queue a mail, if there is one.
pub(super) fn with_mail<'i>(call: Call<'i>, mail: Option<&OutboxMail>) -> Call<'i> {
    let Some(mail) = mail else {
        return call.arg(&false);
    };
    let fields = Fields::default()
        .with("id", &mail.id)
        .with("sealed", &mail.sealed)
        .with("deliver", &mail.deliver)
        .with("attempts", &mail.attempts)
        .with("due_at", &mail.due_at)
        .with("expires_at", &mail.expires_at);
    let call = call.arg(&true).key(key(mail.id)).fields(fields).arg(&mail.id);
    call.arg(&mail.due_at).arg(&mail.expires_at)
}

fn mail(hash: &Hash) -> Result<OutboxMail, Fault> {
    Ok(OutboxMail {
        id: hash.get("id")?,
        sealed: hash.get("sealed")?,
        deliver: hash.get("deliver")?,
        attempts: hash.get("attempts")?,
        due_at: hash.get("due_at")?,
        expires_at: hash.get("expires_at")?,
    })
}

fn key(id: MailId) -> String {
    format!("mail:{id}")
}
