//! Remembered consents: `consent:<user>:<client_id>`, and `consents:<user>`, the clients of a
//! person.

use async_trait::async_trait;
use grantor_core::id::UserId;
use grantor_core::model::Consent;
use grantor_core::store::{ConsentStore, StoreError};
use grantor_core::time::Timestamp;

use super::Redis;
use super::fault::Fault;
use super::fields::{Fields, Hash, record, records, yes};
use super::script::{Call, Family, lua, scripts};

scripts! {
    READ = ["return hash(key())"];

    OF_USER = ["
local found, user = {}, arg()
for i, client in ipairs(call('SMEMBERS', key())) do
  found[i] = hash(tag .. 'consent:' .. user .. ':' .. client)
end
return found"];

    WITHDRAW = [lua::HELD, lua::DROPS, "
local own, of_client, user, client, now = key(), key(), arg(), arg(), arg()
take_back(client, user, now)
return drop_consent(user, client) and 1"];
}

#[async_trait]
impl ConsentStore for Redis {
    async fn consent(&self, user: UserId, client_id: &str) -> Result<Option<Consent>, StoreError> {
        let read = async {
            let call = self.call(&READ, Family::Oauth).key(key(user, client_id));
            record(call.read().await?, consent)
        };
        read.await.map_err(Fault::told)
    }

    async fn consents_of(&self, user: UserId) -> Result<Vec<Consent>, StoreError> {
        let read = async {
            let call = self.call(&OF_USER, Family::Oauth).key(format_args!("consents:{user}"));
            let mut found = records(call.arg(&user).read().await?, consent)?;
            found.sort_by(|one, other| {
                let latest = other.updated_at.cmp(&one.updated_at);
                latest.then_with(|| one.client_id.cmp(&other.client_id))
            });
            Ok(found)
        };
        read.await.map_err(Fault::told)
    }

    async fn withdraw_consent(
        &self,
        user: UserId,
        client_id: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let call = self.call(&WITHDRAW, Family::Oauth).key(key(user, client_id));
        let call = call.key(format_args!("held:{client_id}"));
        let withdrawn = call.arg(&user).text(client_id).arg(&now).write().await;
        withdrawn.map(|withdrawn| yes(&withdrawn)).map_err(Fault::told)
    }
}

/// Adds what a script needs to remember a consent, if there is one.
pub(super) fn with_consent<'i>(call: Call<'i>, consent: Option<&Consent>) -> Call<'i> {
    let Some(consent) = consent else {
        return call.arg(&false);
    };
    let fields = Fields::default()
        .with("user_id", &consent.user)
        .with("client_id", &consent.client_id)
        .with("scope", &consent.scope)
        .with("created_at", &consent.created_at)
        .with("updated_at", &consent.updated_at);
    let call = call.arg(&true).key(key(consent.user, &consent.client_id)).fields(fields);
    call.arg(&consent.user).arg(&consent.client_id).arg(&consent.scope)
}

/// Reads a consent.
pub(super) fn consent(hash: &Hash) -> Result<Consent, Fault> {
    Ok(Consent {
        user: hash.get("user_id")?,
        client_id: hash.get("client_id")?,
        scope: hash.get("scope")?,
        created_at: hash.get("created_at")?,
        updated_at: hash.get("updated_at")?,
    })
}

pub(super) fn key(user: UserId, client_id: &str) -> String {
    format!("consent:{user}:{client_id}")
}
