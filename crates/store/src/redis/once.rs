//! Things of others that may be used once: `<kind>:<digest in hexadecimal>` has the moment from
//! which it may be used again.

use async_trait::async_trait;
use grantor_core::secret::Digest;
use grantor_core::store::{Once, OnceStore, StoreError};
use grantor_core::time::Timestamp;

use super::Redis;
use super::fault::Fault;
use super::fields::yes;
use super::script::{Family, scripts};

scripts! {
    FIRST = ["
local own, till, now = key(), arg(), arg()
local was = call('GET', own)
if was and after(was, now) then return false end
call('SET', own, till)
fades_at(own, till, now)
return 1"];
}

#[async_trait]
impl OnceStore for Redis {
    async fn first_use(
        &self,
        kind: Once,
        digest: &Digest,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let call = self.call(&FIRST, Family::Once).key(key(kind, digest));
        let first = call.arg(&until).arg(&now).write().await;
        first.map(|first| yes(&first)).map_err(Fault::told)
    }
}

fn key(kind: Once, digest: &Digest) -> String {
    let kind = match kind {
        Once::ClientAssertion => "client_assertion",
        Once::GrantAssertion => "grant_assertion",
    };
    let digits: String = digest.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{kind}:{digits}")
}
