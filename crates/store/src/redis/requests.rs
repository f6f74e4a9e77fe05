//! Authorization requests that wait for a person: `request:<id>`.

use async_trait::async_trait;
use grantor_core::id::RequestId;
use grantor_core::model::PendingRequest;
use grantor_core::secret::Digest;
use grantor_core::store::{Bound, RequestStore, StoreError};
use grantor_core::time::Timestamp;

use super::Redis;
use super::fault::Fault;
use super::fields::{Fields, Hash, record, yes};
use super::script::{Family, scripts};

scripts! {
    ADD = ["
local own, fields, over, now = key(), record(), arg(), arg()
put(own, fields)
fades_at(own, over, now)"];

    BIND = ["
local own, browser, now = key(), arg(), arg()
local was = fields(own, 'expires_at', 'browser')
if not was[1] or not after(was[1], now) then return false end
if not was[2] then call('HSET', own, 'browser', browser) end
return hash(own)"];

    CHOOSE = ["
local own, now = key(), arg()
local over = fields(own, 'expires_at')[1]
if over and after(over, now) then call('HSET', own, 'account_chosen', '1') end"];

    TAKE = ["
local own, now = key(), arg()
local over = fields(own, 'expires_at')[1]
if not over or not after(over, now) then return false end
remove(own)
return 1"];
}

#[async_trait]
impl RequestStore for Redis {
    async fn add_request(&self, request: PendingRequest) -> Result<(), StoreError> {
        let fields = Fields::default()
            .with("id", &request.id)
            .with("parameters", &request.parameters)
            .maybe("browser", request.browser.as_ref())
            .with("account_chosen", &request.account_chosen)
            .with("created_at", &request.created_at)
            .with("expires_at", &request.expires_at);
        let call = self.call(&ADD, Family::Oauth).key(key(request.id)).fields(fields);
        let added = call.arg(&request.expires_at).arg(&request.created_at).write().await;
        added.map(drop).map_err(Fault::told)
    }

    async fn bind_request(
        &self,
        id: RequestId,
        browser: &Digest,
        now: Timestamp,
    ) -> Result<Bound, StoreError> {
        let call = self.call(&BIND, Family::Oauth).key(key(id)).arg(browser).arg(&now);
        let bound = call.write().await.and_then(|found| record(found, request));
        Ok(match bound.map_err(Fault::told)? {
            None => Bound::Gone,
            Some(request) if request.browser == Some(*browser) => Bound::Done(request),
            Some(_) => Bound::Foreign,
        })
    }

    async fn choose_account(&self, id: RequestId, now: Timestamp) -> Result<(), StoreError> {
        let call = self.call(&CHOOSE, Family::Oauth).key(key(id)).arg(&now);
        call.write().await.map(drop).map_err(Fault::told)
    }

    async fn take_request(&self, id: RequestId, now: Timestamp) -> Result<bool, StoreError> {
        let call = self.call(&TAKE, Family::Oauth).key(key(id)).arg(&now);
        call.write().await.map(|taken| yes(&taken)).map_err(Fault::told)
    }
}

fn request(hash: &Hash) -> Result<PendingRequest, Fault> {
    Ok(PendingRequest {
        id: hash.get("id")?,
        parameters: hash.get("parameters")?,
        browser: hash.maybe("browser")?,
        account_chosen: hash.get("account_chosen")?,
        created_at: hash.get("created_at")?,
        expires_at: hash.get("expires_at")?,
    })
}

pub(super) fn key(id: RequestId) -> String {
    format!("request:{id}")
}
