//! Devices that wait for a person: RFC 8628; `device:<id>`, and `user_code:<code>`, which has the
//! id. A device is among what its client holds, with its person once there is one.

use async_trait::async_trait;
use grantor_core::id::DeviceId;
use grantor_core::model::{Approval, Consent, DeviceAuthorization, DeviceState};
use grantor_core::secret::Digest;
use grantor_core::store::{Added, DeviceStore, Issued, Polled, StoreError};
use grantor_core::time::{Seconds, Timestamp};

use super::Redis;
use super::consents::with_consent;
use super::fault::Fault;
use super::fields::{Fields, Hash, column, items, record, unexpected, yes};
use super::script::{Family, lua, scripts};
use super::token_hash::with_issued;

scripts! {
    ADD = [lua::HELD, "
local own, code, id, client, user, over = key(), key(), arg(), arg(), maybe(), arg()
local fields = record()
if is_there(own) or is_there(code) then return false end
put(own, fields)
call('HSET', own, 'epoch', epoch())
call('SET', code, id)
hold(client, user, 'device', id)
over_at(own, over)
return 1"];

    BY_CODE = ["
local id = call('GET', key())
return id and hash(tag .. 'device:' .. id)"];

    ANSWER = [lua::HELD, lua::CONSENT, "
local own, id, now, state, user = key(), arg(), arg(), arg(), maybe()
local approval, consent = record(), take_consent()
local was = fields(own, 'state', 'expires_at', 'client_id')
if was[1] ~= 'pending' or not after(was[2], now) then return false end
call('HSET', own, 'state', state)
if user then
  put(own, approval)
  let_go(was[3], false, 'device', id)
  hold(was[3], user, 'device', id)
end
remember(consent)
return 1"];

    /// As with codes, a replay is noticed even when the time is over.
    POLL = [lua::HELD, "
local own, digest, client, slower, now = key(), arg(), arg(), arg(), arg()
local was = fields(own, 'digest', 'client_id', 'state', 'expires_at', 'polled_at', 'interval',
  'redeemed_as', 'epoch')
if was[1] ~= digest or was[2] ~= client then return { 'gone', false } end
if was[3] == 'redeemed' then
  revoke(was[7], now)
  return { 'replayed', was[7] }
end
if not after(was[4], now) or was[8] ~= epoch() then return { 'expired', false } end
if was[3] ~= 'pending' then return { was[3], hash(own) } end
local soon = was[5] and after(was[5] + was[6], now)
local interval = math.min(was[6] + (soon and slower or 0), 4294967295)
call('HSET', own, 'polled_at', now, 'interval', string.format('%.0f', interval))
return { soon and 'slow_down' or 'pending', false }"];

    REDEEM = [lua::HELD, lua::ACCESS, lua::ISSUE, "
local own, now, issued = key(), arg(), take_issued()
local was = fields(own, 'state', 'expires_at', 'epoch')
if was[1] ~= 'approved' or not after(was[2], now) or was[3] ~= epoch() then return false end
call('HSET', own, 'state', 'redeemed', 'redeemed_as', issued.id)
over_at(own, tonumber(was[2]) + 3600)
issue(issued, now)
return 1"];
}

#[async_trait]
impl DeviceStore for Redis {
    async fn add_device(&self, device: DeviceAuthorization) -> Result<Added, StoreError> {
        self.insert_device(&device).await.map_err(Fault::told)
    }

    async fn device_by_user_code(
        &self,
        user_code: &str,
        now: Timestamp,
    ) -> Result<Option<DeviceAuthorization>, StoreError> {
        let call = self.call(&BY_CODE, Family::Oauth).key(format_args!("user_code:{user_code}"));
        let found = call.read().await.and_then(|found| record(found, device));
        Ok(found.map_err(Fault::told)?.filter(|device| {
            matches!(device.state, DeviceState::Pending) && now < device.expires_at
        }))
    }

    async fn answer_device(
        &self,
        id: DeviceId,
        approval: Option<Approval>,
        consent: Option<Consent>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let state = if approval.is_some() { "approved" } else { "denied" };
        let call = self.call(&ANSWER, Family::Oauth).key(key(id)).arg(&id).arg(&now).text(state);
        let call = call.maybe(approval.as_ref().map(|approval| &approval.user));
        let call = with_consent(call.fields(approval_fields(approval.as_ref())), consent.as_ref());
        call.write().await.map(|counts| yes(&counts)).map_err(Fault::told)
    }

    async fn poll_device(
        &self,
        id: DeviceId,
        digest: &Digest,
        client_id: &str,
        slower: Seconds,
        now: Timestamp,
    ) -> Result<Polled, StoreError> {
        let poll = async {
            let call = self.call(&POLL, Family::Oauth).key(key(id)).arg(digest).text(client_id);
            polled(items(call.arg(&slower).arg(&now).write().await?)?)
        };
        poll.await.map_err(Fault::told)
    }

    async fn redeem_device(
        &self,
        id: DeviceId,
        issued: Issued,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let redeem = async {
            let call = self.call(&REDEEM, Family::Oauth).key(key(id)).arg(&now);
            Ok(yes(&with_issued(call, &issued)?.write().await?))
        };
        redeem.await.map_err(Fault::told)
    }
}

impl Redis {
    async fn insert_device(&self, device: &DeviceAuthorization) -> Result<Added, Fault> {
        let user = match &device.state {
            DeviceState::Approved(approval) => Some(&approval.user),
            DeviceState::Pending | DeviceState::Denied | DeviceState::Redeemed { .. } => None,
        };
        let call = self.call(&ADD, Family::Oauth).key(key(device.id));
        let call = call.key(format_args!("user_code:{}", device.user_code)).arg(&device.id);
        let call = call.arg(&device.client_id).maybe(user).arg(&device.expires_at);
        let added = call.fields(fields(device)?).write().await?;
        Ok(if yes(&added) { Added::Done } else { Added::Exists })
    }
}

fn polled([outcome, more]: [redis::Value; 2]) -> Result<Polled, Fault> {
    let outcome: String = column(outcome)?;
    Ok(match &*outcome {
        "pending" => Polled::Pending,
        "slow_down" => Polled::SlowDown,
        "denied" => Polled::Denied,
        "expired" => Polled::Expired,
        "gone" => Polled::Gone,
        "replayed" => Polled::Replayed { family: column(more)? },
        "approved" => {
            let device = record(more, device)?.ok_or_else(|| unexpected("no device"))?;
            Polled::Approved(Box::new(device))
        }
        _ => return Err(unexpected("another outcome of a poll")),
    })
}

fn fields(device: &DeviceAuthorization) -> Result<Fields, Fault> {
    let (state, approval, family) = match &device.state {
        DeviceState::Pending => ("pending", None, None),
        DeviceState::Approved(approval) => ("approved", Some(approval), None),
        DeviceState::Denied => ("denied", None, None),
        DeviceState::Redeemed { family } => ("redeemed", None, Some(family)),
    };
    let mut fields = approval_fields(approval)
        .with("id", &device.id)
        .with("digest", &device.digest)
        .with("user_code", &device.user_code)
        .with("client_id", &device.client_id)
        .with("scope", &device.scope)
        .text("state", state)
        .maybe("redeemed_as", family)
        .with("interval", &device.interval)
        .maybe("polled_at", device.polled_at.as_ref());
    fields = fields.with("created_at", &device.created_at).with("expires_at", &device.expires_at);
    fields.json_if(!device.resource.is_empty(), "resource", &device.resource)
}

fn approval_fields(approval: Option<&Approval>) -> Fields {
    let Some(approval) = approval else {
        return Fields::default();
    };
    Fields::default()
        .with("user_id", &approval.user)
        .with("session_id", &approval.session)
        .authentication(Some(&approval.authentication))
}

fn device(hash: &Hash) -> Result<DeviceAuthorization, Fault> {
    Ok(DeviceAuthorization {
        id: hash.get("id")?,
        digest: hash.get("digest")?,
        user_code: hash.get("user_code")?,
        client_id: hash.get("client_id")?,
        scope: hash.get("scope")?,
        resource: hash.json_or_none("resource")?,
        state: state(hash)?,
        interval: hash.get("interval")?,
        polled_at: hash.maybe("polled_at")?,
        created_at: hash.get("created_at")?,
        expires_at: hash.get("expires_at")?,
    })
}

fn state(hash: &Hash) -> Result<DeviceState, Fault> {
    let name: String = hash.get("state")?;
    match &*name {
        "pending" => Ok(DeviceState::Pending),
        "denied" => Ok(DeviceState::Denied),
        "approved" => Ok(DeviceState::Approved(Approval {
            user: hash.get("user_id")?,
            session: hash.get("session_id")?,
            authentication: hash.authentication()?,
        })),
        "redeemed" => Ok(DeviceState::Redeemed { family: hash.get("redeemed_as")? }),
        other => Err(Fault::Record(format!("not a state of a device: {other:?}"))),
    }
}

fn key(id: DeviceId) -> String {
    format!("device:{id}")
}
