//! Access and refresh tokens: RFC 6749 §1.4, §1.5 and §6; `access:<id>`, `family:<id>`, and
//! `revoked:<id>` for an access token that was revoked by its id. A family that is not revoked is
//! among what its client holds.

use async_trait::async_trait;
use grantor_core::id::{AccessTokenId, FamilyId};
use grantor_core::model::{AccessToken, Consent};
use grantor_core::secret::Digest;
use grantor_core::store::{
    AccessView, FamilyView, Issued, JwtView, Renewal, Rotated, Rotation, Spent, StoreError,
    TokenStore,
};
use grantor_core::time::Timestamp;
use redis::Value;

use super::Redis;
use super::consents::{consent, with_consent};
use super::fault::Fault;
use super::fields::{bytes, column, items, list, record, unexpected, yes};
use super::script::{Call, Family, lua, scripts};
use super::token_hash::{access, access_key, family, family_key, with_access, with_issued};
use super::users::user;

scripts! {
    FAMILY = ["
local own = key()
local was = fields(own, 'client_id', 'user_id')
if not was[1] then return false end
local user, consent = false, false
if was[2] then
  user = hash(tag .. 'user:' .. was[2])
  consent = hash(tag .. 'consent:' .. was[2] .. ':' .. was[1])
end
return { hash(own), user, consent }"];

    /// A family, with its person, and whether one of its origins was revoked.
    ACCESS = ["
local own, now = key(), arg()
local token = hash(own)
if not token then return false end
local was = fields(own, 'family_id', 'exchanged')
local family, user = false, false
if was[1] then
  family = hash(tag .. 'family:' .. was[1])
  local person = call('HGET', tag .. 'family:' .. was[1], 'user_id')
  user = person and hash(tag .. 'user:' .. person)
end
if was[2] then
  for _, origin in ipairs(cjson.decode(was[2]).from or {}) do
    if is_there(tag .. 'revoked:' .. origin) then return false end
  end
end
return { token, family, user }"];

    JWT = ["
local family = flag() and key()
local person = family and call('HGET', family, 'user_id')
local revoked = false
for i = 1, tonumber(arg()) do revoked = is_there(key()) or revoked end
return { revoked and 1, family and hash(family), person and hash(tag .. 'user:' .. person) }"];

    ISSUE = [lua::HELD, lua::ACCESS, lua::ISSUE, lua::CONSENT, "
local now = arg()
local consent, issued = take_consent(), take_issued()
remember(consent)
issue(issued, now)"];

    ISSUE_ACCESS = [lua::ACCESS, "
local now = arg()
put_access(take_access(), now)"];

    REVOKE_ACCESS = ["
local own, revoked, over = key(), key(), arg()
local was = call('GET', revoked)
remove(own)
over = was and later(was, over) or over
call('SET', revoked, over)
over_at(revoked, over)"];

    REVOKE = [lua::HELD, "
key()
return revoke(arg(), arg()) and 1"];

    /// A token that was given out in an earlier epoch may have been rotated since.
    ROTATE = [lua::HELD, lua::ACCESS, lua::RENEWAL, "
local own, id, presented, successor, grace, now = key(), arg(), arg(), arg(), arg(), arg()
local renewal = take_renewal()
local was = living(own, now)
if not was then return 'gone' end
if was.current == presented then
  if was.epoch ~= epoch() then return 'gone' end
  call('HSET', own, 'refresh_current', successor, 'refresh_previous', presented,
    'refresh_rotated_at', now, 'refresh_idle_expires_at', renewal.idle, 'epoch', epoch())
  call('HINCRBY', own, 'refresh_generation', 1)
  renew(own, was, renewal, now)
  return 'done'
end
local lasts = after(tonumber(was.rotated_at) + tonumber(grace), now)
if lasts and was.previous == presented and was.current == successor then
  if was.epoch ~= epoch() then return 'gone' end
  keep(own, was, renewal, now)
  return 'same_again'
end
revoke(id, now)
return 'reused'"];

    /// Where uses are counted, some may have been taken after what an earlier epoch knows.
    SPEND = [lua::ACCESS, lua::RENEWAL, "
local own, presented, now = key(), arg(), arg()
local renewal = take_renewal()
local was = living(own, now)
if not was or was.current ~= presented or was.uses == '0' then return false end
local left = false
if was.uses then
  if was.epoch ~= epoch() then return false end
  left = call('HINCRBY', own, 'refresh_uses_left', -1)
end
call('HSET', own, 'refresh_idle_expires_at', renewal.idle)
renew(own, was, renewal, now)
return { left }"];
}

#[async_trait]
impl TokenStore for Redis {
    async fn family(&self, id: FamilyId) -> Result<Option<FamilyView>, StoreError> {
        self.family_view(id).await.map_err(Fault::told)
    }

    async fn rotate_refresh(
        &self,
        family: FamilyId,
        rotation: Rotation,
        now: Timestamp,
    ) -> Result<Rotated, StoreError> {
        self.rotate(family, &rotation, now).await.map_err(Fault::told)
    }

    async fn spend_refresh_use(
        &self,
        family: FamilyId,
        presented: &Digest,
        renewal: Renewal,
        now: Timestamp,
    ) -> Result<Spent, StoreError> {
        self.spend(family, presented, &renewal, now).await.map_err(Fault::told)
    }

    async fn issue_tokens(
        &self,
        issued: Issued,
        consent: Option<Consent>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let issue = async {
            let call = with_consent(self.call(&ISSUE, Family::Oauth).arg(&now), consent.as_ref());
            with_issued(call, &issued)?.write().await.map(drop)
        };
        issue.await.map_err(Fault::told)
    }

    async fn issue_access(&self, access: AccessToken) -> Result<(), StoreError> {
        let issue = async {
            let call = self.call(&ISSUE_ACCESS, Family::Oauth).arg(&access.issued_at);
            with_access(call, Some(&access))?.write().await.map(drop)
        };
        issue.await.map_err(Fault::told)
    }

    async fn access_token(
        &self,
        id: AccessTokenId,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<AccessView>, StoreError> {
        let view = self.access_view(id, now).await.map_err(Fault::told)?;
        Ok(view.filter(|view| {
            let kept = match (view.token.family, &view.family) {
                (None, _) => true,
                (Some(_), family) => {
                    let from = view.token.exchanged.as_ref().map_or(&[][..], |own| &own.from);
                    family.as_ref().is_some_and(|family| family.keeps(id, from))
                }
            };
            view.token.digest == *digest && now < view.token.expires_at && kept
        }))
    }

    async fn jwt(
        &self,
        id: AccessTokenId,
        family: Option<FamilyId>,
        from: &[AccessTokenId],
    ) -> Result<JwtView, StoreError> {
        self.jwt_view(id, family, from).await.map_err(Fault::told)
    }

    async fn revoke_access(
        &self,
        id: AccessTokenId,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let call = self.call(&REVOKE_ACCESS, Family::Oauth).key(access_key(id));
        let revoked = call.key(revoked_key(id)).arg(&expires_at).write().await;
        revoked.map(drop).map_err(Fault::told)
    }

    async fn revoke_family(&self, id: FamilyId, now: Timestamp) -> Result<bool, StoreError> {
        let call = self.call(&REVOKE, Family::Oauth).key(family_key(id)).arg(&id).arg(&now);
        call.write().await.map(|revoked| yes(&revoked)).map_err(Fault::told)
    }
}

impl Redis {
    async fn family_view(&self, id: FamilyId) -> Result<Option<FamilyView>, Fault> {
        let found = self.call(&FAMILY, Family::Oauth).key(family_key(id)).read().await?;
        if !yes(&found) {
            return Ok(None);
        }
        let [own, person, allowed] = items(found)?;
        let (user, consent) = (record(person, user)?, record(allowed, consent)?);
        Ok(record(own, family)?.map(|family| FamilyView { family, user, consent }))
    }

    async fn access_view(
        &self,
        id: AccessTokenId,
        now: Timestamp,
    ) -> Result<Option<AccessView>, Fault> {
        let call = self.call(&ACCESS, Family::Oauth).key(access_key(id)).arg(&now);
        let found = call.read().await?;
        if !yes(&found) {
            return Ok(None);
        }
        let [own, of, person] = items(found)?;
        let (family, user) = (record(of, family)?, record(person, user)?);
        Ok(record(own, access)?.map(|token| AccessView { token, family, user }))
    }

    async fn jwt_view(
        &self,
        id: AccessTokenId,
        of: Option<FamilyId>,
        from: &[AccessTokenId],
    ) -> Result<JwtView, Fault> {
        let mut call = self.call(&JWT, Family::Oauth).arg(&of.is_some());
        if let Some(of) = of {
            call = call.key(family_key(of));
        }
        call = call.text(&(from.len() + 1).to_string()).key(revoked_key(id));
        for origin in from {
            call = call.key(revoked_key(*origin));
        }
        let [revoked, own, person] = items(call.read().await?)?;
        let (family, user) = (record(own, family)?, record(person, user)?);
        Ok(JwtView { revoked: yes(&revoked), family, user })
    }

    async fn rotate(
        &self,
        id: FamilyId,
        rotation: &Rotation,
        now: Timestamp,
    ) -> Result<Rotated, Fault> {
        let call = self.call(&ROTATE, Family::Oauth).key(family_key(id)).arg(&id);
        let call = call.arg(&rotation.presented).arg(&rotation.successor);
        let call = with_renewal(call.arg(&rotation.grace).arg(&now), &rotation.renewal)?;
        match &*bytes(call.write().await?)? {
            b"done" => Ok(Rotated::Done),
            b"same_again" => Ok(Rotated::SameAgain),
            b"reused" => Ok(Rotated::Reused),
            b"gone" => Ok(Rotated::Gone),
            _ => Err(unexpected("another outcome of a rotation")),
        }
    }

    async fn spend(
        &self,
        id: FamilyId,
        presented: &Digest,
        renewal: &Renewal,
        now: Timestamp,
    ) -> Result<Spent, Fault> {
        let call = self.call(&SPEND, Family::Oauth).key(family_key(id)).arg(presented).arg(&now);
        let spent = with_renewal(call, renewal)?.write().await?;
        match list(spent)?.into_iter().next() {
            None => Ok(Spent::Gone),
            Some(Value::Nil) => Ok(Spent::Done { left: None }),
            Some(left) => Ok(Spent::Done { left: Some(column(left)?) }),
        }
    }
}

fn with_renewal<'i>(call: Call<'i>, renewal: &Renewal) -> Result<Call<'i>, Fault> {
    let call = call.arg(&renewal.access_expires_at).arg(&renewal.idle_expires_at);
    let new = renewal.access.as_ref().map(|access| access.id);
    let call = call.maybe(renewal.sole.as_ref()).maybe(new.as_ref());
    with_access(call, renewal.access.as_ref())
}

fn revoked_key(id: AccessTokenId) -> String {
    format!("revoked:{id}")
}
