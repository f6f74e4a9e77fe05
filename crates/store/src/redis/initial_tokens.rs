//! Initial access tokens: RFC 7591 §1.2; `initial:<id>`, and `initials`, a sorted set of their ids
//! by the time of their making.

use grantor_core::id::InitialTokenId;
use grantor_core::model::InitialToken;

use super::Redis;
use super::fault::Fault;
use super::fields::{Fields, Hash, yes};
use super::script::{Family, scripts};

scripts! {
    ADD = ["
local own, id, fields, created_at, over = key(), arg(), record(), arg(), arg()
put(own, fields)
call('HSET', own, 'epoch', epoch())
call('ZADD', tag .. 'initials', created_at, id)
over_at(own, over)"];

    REMOVE = ["
local own, id = key(), arg()
if not is_there(own) then return false end
remove(own)
call('ZREM', tag .. 'initials', id)
return 1"];
}

impl Redis {
    pub(super) async fn insert_initial_token(&self, token: &InitialToken) -> Result<(), Fault> {
        let fields = Fields::default()
            .with("id", &token.id)
            .with("digest", &token.digest)
            .with("note", &token.note)
            .maybe("uses_left", token.uses_left.as_ref())
            .with("created_at", &token.created_at)
            .with("expires_at", &token.expires_at);
        let call = self.call(&ADD, Family::Oauth).key(key(token.id)).arg(&token.id);
        let call = call.fields(fields).arg(&token.created_at).arg(&token.expires_at);
        call.write().await.map(drop)
    }

    pub(super) async fn drop_initial_token(&self, id: InitialTokenId) -> Result<bool, Fault> {
        let call = self.call(&REMOVE, Family::Oauth).key(key(id)).arg(&id);
        Ok(yes(&call.write().await?))
    }
}

/// Reads a token.
pub(super) fn token(hash: &Hash) -> Result<InitialToken, Fault> {
    Ok(InitialToken {
        id: hash.get("id")?,
        digest: hash.get("digest")?,
        note: hash.get("note")?,
        uses_left: hash.maybe("uses_left")?,
        created_at: hash.get("created_at")?,
        expires_at: hash.get("expires_at")?,
    })
}

fn key(id: InitialTokenId) -> String {
    format!("initial:{id}")
}
