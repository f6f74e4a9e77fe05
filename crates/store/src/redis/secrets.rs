//! Secrets of the server itself: `secrets`, a hash of them by name; and what its keys have sealed.

use std::collections::BTreeMap;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::store::{Added, SealedKind, SecretStore, ServerSecret, StoreError};

use super::Redis;
use super::column::Column as _;
use super::fault::Fault;
use super::fields::{bytes, column, items, list, yes};
use super::script::{Family, scripts};

/// Members of an index that are looked at in one go.
const PAGE: u64 = 1_000;

scripts! {
    LIST = ["return call('HGETALL', key())"];

    ADD = ["return call('HSETNX', key(), arg(), arg())"];

    REPLACE = ["
local all, name, before, sealed = key(), arg(), arg(), arg()
if call('HGET', all, name) ~= before then return false end
call('HSET', all, name, sealed)
return 1"];

    REMOVE = ["call('HDEL', key(), arg())"];

    /// Of records in a part of an index, the beginning of a field. The members of `expiry` are
    /// keys.
    BEGINNINGS = ["
local index, kind, field, first, last = key(), arg(), arg(), arg(), arg()
local members, found = call('ZRANGE', index, first, last), {}
for _, member in ipairs(members) do
  local own = tag .. kind .. member
  if index == tag .. 'expiry' then
    own = string.sub(member, 1, #kind) == kind and tag .. member
  end
  local value = own and call('HGET', own, field)
  if value then found[#found + 1] = string.sub(value, 1, 24) end
end
return { #members, found }"];
}

/// Where something sealed is: its family, index, kind of key and field, and what stands before it;
/// and whether it is in base64url.
struct Place {
    kind: SealedKind,
    family: Family,
    index: &'static str,
    key: &'static str,
    field: &'static str,
    encoded_after: Option<&'static [u8]>,
}

const PLACES: [Place; 5] = [
    Place {
        kind: SealedKind::SigningKey,
        family: Family::Keys,
        index: "signing_keys",
        key: "signing_key:",
        field: "sealed",
        encoded_after: None,
    },
    Place {
        kind: SealedKind::ClientSecret,
        family: Family::Oauth,
        index: "clients",
        key: "client:",
        field: "client_secret",
        encoded_after: Some(b"sealed:"),
    },
    Place {
        kind: SealedKind::Mail,
        family: Family::SignIn,
        index: "mails",
        key: "mail:",
        field: "sealed",
        encoded_after: None,
    },
    Place {
        kind: SealedKind::PendingRequest,
        family: Family::Oauth,
        index: "expiry",
        key: "request:",
        field: "parameters",
        encoded_after: Some(b""),
    },
    Place {
        kind: SealedKind::ConnectSession,
        family: Family::Vault,
        index: "expiry",
        key: "connect_session:",
        field: "sealed",
        encoded_after: None,
    },
];

#[async_trait]
impl SecretStore for Redis {
    async fn server_secrets(&self) -> Result<Vec<ServerSecret>, StoreError> {
        self.list_secrets().await.map_err(Fault::told)
    }

    async fn add_server_secret(&self, secret: ServerSecret) -> Result<Added, StoreError> {
        let call = self.call(&ADD, Family::Keys).key("secrets").arg(&secret.name);
        let added = call.arg(&secret.sealed).write().await.map_err(Fault::told)?;
        Ok(if yes(&added) { Added::Done } else { Added::Exists })
    }

    async fn replace_server_secret(
        &self,
        before: &[u8],
        after: ServerSecret,
    ) -> Result<bool, StoreError> {
        let call = self.call(&REPLACE, Family::Keys).key("secrets").arg(&after.name);
        let replaced = call.arg(&before.to_vec()).arg(&after.sealed).write().await;
        replaced.map(|replaced| yes(&replaced)).map_err(Fault::told)
    }

    async fn remove_server_secret(&self, name: &str) -> Result<(), StoreError> {
        let call = self.call(&REMOVE, Family::Keys).key("secrets").text(name);
        call.write().await.map(drop).map_err(Fault::told)
    }

    async fn sealed_uses(&self) -> Result<Vec<(SealedKind, [u8; 8], u64)>, StoreError> {
        self.count_sealed().await.map_err(Fault::told)
    }
}

impl Redis {
    async fn list_secrets(&self) -> Result<Vec<ServerSecret>, Fault> {
        let listed = self.call(&LIST, Family::Keys).key("secrets").read().await?;
        let (mut secrets, mut items) = (Vec::new(), list(listed)?.into_iter());
        while let (Some(name), Some(sealed)) = (items.next(), items.next()) {
            secrets.push(ServerSecret { name: column(name)?, sealed: bytes(sealed)? });
        }
        secrets.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(secrets)
    }

    async fn count_sealed(&self) -> Result<Vec<(SealedKind, [u8; 8], u64)>, Fault> {
        let mut uses = Vec::new();
        for place in &PLACES {
            let counts = self.count_in(place).await?;
            uses.extend(counts.into_iter().map(|(key_id, count)| (place.kind, key_id, count)));
        }
        let mut counts = BTreeMap::new();
        for secret in self.list_secrets().await? {
            *counts.entry(key_id(&secret.sealed)?).or_insert(0) += 1;
        }
        let secrets = counts.into_iter();
        uses.extend(secrets.map(|(key_id, count)| (SealedKind::ServerSecret, key_id, count)));
        Ok(uses)
    }

    async fn count_in(&self, place: &Place) -> Result<BTreeMap<[u8; 8], u64>, Fault> {
        let (mut counts, mut first) = (BTreeMap::new(), 0);
        loop {
            let call = self.call(&BEGINNINGS, place.family).key(place.index).text(place.key);
            let call = call.text(place.field).arg(&first).arg(&(first + PAGE - 1));
            let [looked_at, found] = items(call.read().await?)?;
            for beginning in list(found)? {
                if let Some(sealed) = place.sealed(&bytes(beginning)?)? {
                    *counts.entry(key_id(&sealed)?).or_insert(0) += 1;
                }
            }
            first += PAGE;
            if column::<u64>(looked_at)? < PAGE {
                return Ok(counts);
            }
        }
    }
}

impl Place {
    /// The first bytes of what is sealed; `None` where nothing is.
    fn sealed(&self, beginning: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        let Some(before) = self.encoded_after else {
            return Ok(Some(beginning.to_vec()));
        };
        let Some(encoded) = beginning.strip_prefix(before) else {
            return Ok(None);
        };
        // 12 characters hold the byte for the version and the key's id.
        let decoded = encoded.get(..12).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        decoded.map(Some).ok_or_else(no_key)
    }
}

fn key_id(sealed: &[u8]) -> Result<[u8; 8], Fault> {
    sealed.get(1..9).and_then(<[u8; 8]>::read).ok_or_else(no_key)
}

fn no_key() -> Fault {
    Fault::Record("what is sealed does not begin with the id of a key".to_owned())
}
