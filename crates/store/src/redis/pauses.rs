//! Integrations whose client is refused: `pause:<integration>`, and `pauses`, a sorted set of their
//! names.

use grantor_core::model::Pause;
use grantor_core::store::Recorded;

use super::Redis;
use super::fault::Fault;
use super::fields::{Fields, Hash, yes};
use super::script::{Family, lua, scripts};

scripts! {
    PUT = [lua::VAULT, "
local own, fields, integration = key(), record(), arg()
local recorded = take_recorded()
if is_stale(recorded) then return told('stale') end
put(own, fields)
call('ZADD', tag .. 'pauses', 0, integration)
write_recorded(recorded)
return told(1)"];

    REMOVE = [lua::VAULT, "
local own, integration = key(), arg()
local recorded = take_recorded()
if not is_there(own) then return told(false) end
if is_stale(recorded) then return told('stale') end
call('DEL', own)
call('ZREM', tag .. 'pauses', integration)
write_recorded(recorded)
return told(1)"];
}

impl Redis {
    pub(super) async fn put_pause(&self, pause: &Pause, recorded: &Recorded) -> Result<(), Fault> {
        let fields = Fields::default()
            .with("integration", &pause.integration)
            .with("error", &pause.error)
            .with("detail", &pause.detail)
            .with("fingerprint", &pause.fingerprint)
            .with("since", &pause.since)
            .with("next_at", &pause.next_at);
        let call = || {
            let call = self.call(&PUT, Family::Vault).key(key(&pause.integration));
            Ok(call.fields(fields.clone()).arg(&pause.integration))
        };
        self.record(recorded, call).await.map(drop)
    }

    pub(super) async fn remove_pause(
        &self,
        integration: &str,
        recorded: &Recorded,
    ) -> Result<bool, Fault> {
        let call = || Ok(self.call(&REMOVE, Family::Vault).key(key(integration)).text(integration));
        Ok(yes(&self.record(recorded, call).await?))
    }
}

/// Reads a pause.
pub(super) fn pause(hash: &Hash) -> Result<Pause, Fault> {
    Ok(Pause {
        integration: hash.get("integration")?,
        error: hash.get("error")?,
        detail: hash.get("detail")?,
        fingerprint: hash.get("fingerprint")?,
        since: hash.get("since")?,
        next_at: hash.get("next_at")?,
    })
}

fn key(integration: &str) -> String {
    format!("pause:{integration}")
}
