//! Authorization codes: RFC 6749 §4.1; `code:<id>`. One that is not spent is among what its client
//! holds.

use async_trait::async_trait;
use grantor_core::id::{CodeId, RequestId};
use grantor_core::model::{Challenge, Code, Consent};
use grantor_core::secret::Digest;
use grantor_core::store::{Answer, Answered, CodeStore, CodeView, Issued, Redeemed, StoreError};
use grantor_core::time::Timestamp;
use redis::Value;

use super::consents::with_consent;
use super::fault::Fault;
use super::fields::{Fields, Hash, column, items, list, record, unexpected, yes};
use super::script::{Family, lua, scripts};
use super::token_hash::with_issued;
use super::users::user;
use super::{Redis, requests};

scripts! {
    ANSWER = [lua::HELD, lua::ACCESS, lua::ISSUE, lua::CONSENT, "
local now, request = arg(), flag() and key()
local consent = take_consent()
local code = flag() and { key = key(), id = arg(), client = arg(), user = arg(), over = arg(),
  spent = flag(), fields = record() }
local issued = flag() and take_issued()
if request then
  local over = fields(request, 'expires_at')[1]
  if not over or not after(over, now) then return false end
  remove(request)
end
remember(consent)
if code then
  put(code.key, code.fields)
  call('HSET', code.key, 'epoch', epoch())
  if not code.spent then hold(code.client, code.user, 'code', code.id) end
  over_at(code.key, code.spent and tonumber(code.over) + 3600 or code.over)
end
if issued then issue(issued, now) end
return 1"];

    READ = ["
local own = key()
local user = call('HGET', own, 'user_id')
return user and { hash(own), hash(tag .. 'user:' .. user) }"];

    /// A code that was issued in an earlier epoch may have been spent.
    REDEEM = [lua::HELD, lua::ACCESS, lua::ISSUE, "
local own, id, digest, now = key(), arg(), arg(), arg()
local issued = flag() and take_issued()
local was = fields(own, 'digest', 'spent_at', 'expires_at', 'redeemed_as', 'client_id', 'user_id',
  'epoch')
if was[1] ~= digest then return { 'gone' } end
if was[2] or not after(was[3], now) then
  if not was[4] then return { 'gone' } end
  revoke(was[4], now)
  return { 'replayed', was[4] }
end
if was[7] ~= epoch() then return { 'gone' } end
call('HSET', own, 'spent_at', now)
let_go(was[5], was[6], 'code', id)
if not issued then return { 'gone' } end
call('HSET', own, 'redeemed_as', issued.id)
over_at(own, tonumber(was[3]) + 3600)
issue(issued, now)
return { 'done' }"];
}

#[async_trait]
impl CodeStore for Redis {
    async fn answer_request(
        &self,
        answer: Answer,
        request: Option<RequestId>,
        consent: Option<Consent>,
        now: Timestamp,
    ) -> Result<Answered, StoreError> {
        let answered = self.answer(&answer, request, consent.as_ref(), now).await;
        answered.map_err(Fault::told)
    }

    async fn code(&self, id: CodeId, digest: &Digest) -> Result<Option<CodeView>, StoreError> {
        let read = async {
            let found = self.call(&READ, Family::Oauth).key(key(id)).read().await?;
            if !yes(&found) {
                return Ok(None);
            }
            let [own, person] = items(found)?;
            let user = record(person, user)?;
            Ok(record(own, code)?.map(|code| CodeView { code, user }))
        };
        let found = read.await.map_err(Fault::told)?;
        Ok(found.filter(|view| view.code.digest == *digest))
    }

    async fn redeem_code(
        &self,
        id: CodeId,
        digest: &Digest,
        issued: Issued,
        now: Timestamp,
    ) -> Result<Redeemed, StoreError> {
        self.redeem(id, digest, Some(&issued), now).await.map_err(Fault::told)
    }

    async fn spend_code(
        &self,
        id: CodeId,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Redeemed, StoreError> {
        self.redeem(id, digest, None, now).await.map_err(Fault::told)
    }
}

impl Redis {
    async fn answer(
        &self,
        answer: &Answer,
        request: Option<RequestId>,
        consent: Option<&Consent>,
        now: Timestamp,
    ) -> Result<Answered, Fault> {
        let mut call = self.call(&ANSWER, Family::Oauth).arg(&now).arg(&request.is_some());
        if let Some(request) = request {
            call = call.key(requests::key(request));
        }
        call = with_consent(call, consent).arg(&answer.code.is_some());
        if let Some(code) = &answer.code {
            call = call.key(key(code.id)).arg(&code.id).arg(&code.client_id).arg(&code.user);
            call = call.arg(&code.expires_at).arg(&code.redeemed_as.is_some());
            call = call.fields(fields(code)?);
        }
        call = call.arg(&answer.tokens.is_some());
        if let Some(tokens) = &answer.tokens {
            call = with_issued(call, tokens)?;
        }
        Ok(if yes(&call.write().await?) { Answered::Done } else { Answered::Gone })
    }

    async fn redeem(
        &self,
        id: CodeId,
        digest: &Digest,
        issued: Option<&Issued>,
        now: Timestamp,
    ) -> Result<Redeemed, Fault> {
        let mut call = self.call(&REDEEM, Family::Oauth).key(key(id));
        call = call.arg(&id).arg(digest).arg(&now).arg(&issued.is_some());
        if let Some(issued) = issued {
            call = with_issued(call, issued)?;
        }
        let mut outcome = list(call.write().await?)?.into_iter();
        let name: String = column(outcome.next().unwrap_or(Value::Nil))?;
        match (&*name, outcome.next()) {
            ("done", _) => Ok(Redeemed::Done),
            ("gone", _) => Ok(Redeemed::Gone),
            ("replayed", Some(family)) => Ok(Redeemed::Replayed { family: column(family)? }),
            _ => Err(unexpected("another outcome of redeeming a code")),
        }
    }
}

fn fields(code: &Code) -> Result<Fields, Fault> {
    let spent_at = code.redeemed_as.map(|_| code.created_at);
    Fields::default()
        .with("id", &code.id)
        .with("digest", &code.digest)
        .with("client_id", &code.client_id)
        .with("user_id", &code.user)
        .with("session_id", &code.session)
        .with("redirect_uri", &code.redirect_uri)
        .with("redirect_uri_given", &code.redirect_uri_given)
        .with("scope", &code.scope)
        .maybe("nonce", code.nonce.as_ref())
        .maybe("challenge", code.challenge.as_ref().map(|challenge| &challenge.0))
        .authentication(Some(&code.authentication))
        .with("created_at", &code.created_at)
        .with("expires_at", &code.expires_at)
        .maybe("spent_at", spent_at.as_ref())
        .maybe("redeemed_as", code.redeemed_as.as_ref())
        .json_if(!code.resource.is_empty(), "resource", &code.resource)?
        .json_if(!code.claims.is_empty(), "claims", &code.claims)
}

fn code(hash: &Hash) -> Result<Code, Fault> {
    Ok(Code {
        id: hash.get("id")?,
        digest: hash.get("digest")?,
        client_id: hash.get("client_id")?,
        user: hash.get("user_id")?,
        session: hash.get("session_id")?,
        redirect_uri: hash.get("redirect_uri")?,
        redirect_uri_given: hash.get("redirect_uri_given")?,
        scope: hash.get("scope")?,
        resource: hash.json_or_none("resource")?,
        claims: hash.json_or_none("claims")?,
        nonce: hash.maybe("nonce")?,
        challenge: hash.maybe("challenge")?.map(Challenge),
        authentication: hash.authentication()?,
        created_at: hash.get("created_at")?,
        expires_at: hash.get("expires_at")?,
        redeemed_as: hash.maybe("redeemed_as")?,
    })
}

fn key(id: CodeId) -> String {
    format!("code:{id}")
}
