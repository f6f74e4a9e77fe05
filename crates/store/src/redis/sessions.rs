//! Signed-in browsers: `session:<id>`, and `sessions:<user>`, the ids of a person's.

use async_trait::async_trait;
use grantor_core::id::{SessionId, UserId};
use grantor_core::model::Session;
use grantor_core::secret::Digest;
use grantor_core::store::{SessionStore, SessionView, StoreError};
use grantor_core::time::Timestamp;

use super::Redis;
use super::fault::Fault;
use super::fields::{Fields, Hash, column, items, record, records, yes};
use super::script::{Family, lua, scripts};
use super::users::user;

scripts! {
    START = [lua::SESSION, "
local own, id, user, fields, over = key(), arg(), arg(), record(), arg()
if flag() then
  local replaced, other = key(), arg()
  local owner = call('HGET', replaced, 'user_id')
  if owner then drop_session(other, owner) end
end
put(own, fields)
call('SADD', tag .. 'sessions:' .. user, id)
over_at(own, over)"];

    READ = ["
local own = key()
local user = call('HGET', own, 'user_id')
return user and { hash(own), hash(tag .. 'user:' .. user) }"];

    TOUCH = ["
local own, seen, idle = key(), arg(), arg()
local was = fields(own, 'idle_expires_at', 'expires_at')
if not was[1] or not after(was[1], seen) or not after(was[2], seen) then return end
call('HSET', own, 'last_seen_at', seen, 'idle_expires_at', idle)
over_at(own, after(idle, was[2]) and was[2] or idle)"];

    OF_USER = ["
local found = {}
for i, id in ipairs(call('SMEMBERS', key())) do found[i] = hash(tag .. 'session:' .. id) end
return found"];

    END = [lua::SESSION, "
local own, user, id = key(), arg(), arg()
if call('HGET', own, 'user_id') ~= user then return false end
drop_session(id, user)
return 1"];

    END_OTHERS = [lua::SESSION, "
local sessions, user, keep, ended = key(), arg(), arg(), 0
for _, id in ipairs(call('SMEMBERS', sessions)) do
  if id ~= keep then
    drop_session(id, user)
    ended = ended + 1
  end
end
return ended"];
}

#[async_trait]
impl SessionStore for Redis {
    async fn start_session(
        &self,
        session: Session,
        replaces: Option<SessionId>,
    ) -> Result<(), StoreError> {
        let over = session.idle_expires_at.min(session.expires_at);
        let call = self.call(&START, Family::Oauth).key(key(session.id)).arg(&session.id);
        let call = call.arg(&session.user).fields(fields(&session)).arg(&over);
        let call = match replaces {
            Some(replaced) => call.arg(&true).key(key(replaced)).arg(&replaced),
            None => call.arg(&false),
        };
        call.write().await.map(drop).map_err(Fault::told)
    }

    async fn session(
        &self,
        id: SessionId,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<SessionView>, StoreError> {
        let view = self.session_view(id).await.map_err(Fault::told)?;
        Ok(view.filter(|view| {
            let session = &view.session;
            session.digest == *digest && now < session.idle_expires_at && now < session.expires_at
        }))
    }

    async fn touch_session(
        &self,
        id: SessionId,
        seen: Timestamp,
        idle_expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let call = self.call(&TOUCH, Family::Oauth).key(key(id)).arg(&seen).arg(&idle_expires_at);
        call.write().await.map(drop).map_err(Fault::told)
    }

    async fn sessions_of(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let read = async {
            let call = self.call(&OF_USER, Family::Oauth).key(of_user(user));
            let mut found = records(call.read().await?, session)?;
            found.retain(|session| now < session.idle_expires_at && now < session.expires_at);
            found.sort_by_key(|session| std::cmp::Reverse((session.last_seen_at, session.id)));
            Ok(found)
        };
        read.await.map_err(Fault::told)
    }

    async fn end_session(&self, user: UserId, id: SessionId) -> Result<bool, StoreError> {
        let call = self.call(&END, Family::Oauth).key(key(id)).key(of_user(user));
        let ended = call.arg(&user).arg(&id).write().await;
        ended.map(|ended| yes(&ended)).map_err(Fault::told)
    }

    async fn end_other_sessions(&self, user: UserId, keep: SessionId) -> Result<u32, StoreError> {
        let call = self.call(&END_OTHERS, Family::Oauth).key(of_user(user));
        let ended = call.arg(&user).arg(&keep).write().await;
        ended.and_then(column).map_err(Fault::told)
    }
}

impl Redis {
    async fn session_view(&self, id: SessionId) -> Result<Option<SessionView>, Fault> {
        let found = self.call(&READ, Family::Oauth).key(key(id)).read().await?;
        if !yes(&found) {
            return Ok(None);
        }
        let [own, person] = items(found)?;
        let (session, user) = (record(own, session)?, record(person, user)?);
        Ok(session.zip(user).map(|(session, user)| SessionView { session, user }))
    }
}

fn fields(session: &Session) -> Fields {
    Fields::default()
        .with("id", &session.id)
        .with("digest", &session.digest)
        .with("user_id", &session.user)
        .authentication(Some(&session.authentication))
        .with("created_at", &session.created_at)
        .with("last_seen_at", &session.last_seen_at)
        .with("idle_expires_at", &session.idle_expires_at)
        .with("expires_at", &session.expires_at)
        .with("user_agent", &session.user_agent)
        .with("address", &session.address)
}

fn session(hash: &Hash) -> Result<Session, Fault> {
    Ok(Session {
        id: hash.get("id")?,
        digest: hash.get("digest")?,
        user: hash.get("user_id")?,
        authentication: hash.authentication()?,
        created_at: hash.get("created_at")?,
        last_seen_at: hash.get("last_seen_at")?,
        idle_expires_at: hash.get("idle_expires_at")?,
        expires_at: hash.get("expires_at")?,
        user_agent: hash.get("user_agent")?,
        address: hash.get("address")?,
    })
}

fn key(id: SessionId) -> String {
    format!("session:{id}")
}

fn of_user(user: UserId) -> String {
    format!("sessions:{user}")
}
