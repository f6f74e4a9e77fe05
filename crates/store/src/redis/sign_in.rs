//! Sign-ins by admin token that are half done: `attempt:<id>`, and `asked:<address>`, a sorted set
//! of the ids of an address by the time of their making.

use async_trait::async_trait;
use grantor_core::id::AttemptId;
use grantor_core::model::{OutboxMail, SignInAttempt};
use grantor_core::secret::Digest;
use grantor_core::store::{AttemptLimits, SignInStore, Started, StoreError, Tried};
use grantor_core::time::{Seconds, Timestamp};

use super::Redis;
use super::fault::Fault;
use super::fields::{Fields, Hash, items, maybe_column, record};
use super::outbox::{self, PUT_MAIL};
use super::script::{Family, scripts};

const HOUR: Seconds = Seconds::hours(1);

/// An attempt counts towards the limit of its address for an hour.
const START: &str = "
local own, asked, id, browser = key(), key(), arg(), arg()
local created_at, over, now = arg(), arg(), arg()
local pause, per_hour, hour, since = arg(), tonumber(arg()), arg(), arg()
local attempt, mail = record(), take_mail()
local recent = call('ZREVRANGEBYSCORE', asked, '+inf', '(' .. since, 'WITHSCORES', 'LIMIT', 0,
  math.max(per_hour, 1))
local wait = 0
if #recent > 0 then wait = recent[2] + pause end
if #recent > 0 and #recent / 2 >= per_hour then wait = math.max(wait, recent[#recent] + hour) end
if per_hour == 0 then wait = math.max(wait, now + hour) end
if wait > tonumber(now) then return string.format('%.0f', wait) end
local earlier = call('ZRANGE', asked, 0, -1)
for _, other in ipairs(earlier) do is_there(tag .. 'attempt:' .. other) end
for _, other in ipairs(earlier) do
  local key = tag .. 'attempt:' .. other
  if fields(key, 'browser')[1] == browser then call('HSET', key, 'tries_left', 0) end
end
put(own, attempt)
call('HSET', own, 'epoch', epoch())
call('ZADD', asked, created_at, id)
over_at(own, later(over, created_at + hour))
put_mail(mail)
return false";

/// A token that was sent in an earlier epoch may have been used.
const TRY: &str = "
local own, browser, token, now = key(), arg(), arg(), arg()
local was = fields(own, 'browser', 'tries_left', 'expires_at', 'token', 'epoch')
if was[1] ~= browser or was[2] == '0' or not after(was[3], now) then return false end
if was[5] ~= epoch() then return false end
local attempt = hash(own)
if was[4] == token then
  call('HSET', own, 'tries_left', 0)
  return { attempt, false }
end
return { attempt, call('HINCRBY', own, 'tries_left', -1) }";

scripts! {
    START_ATTEMPT = [PUT_MAIL, START];

    READ = ["
local own = key()
local epoch = call('HGET', own, 'epoch')
return epoch and is_current(epoch) and hash(own)"];

    TRY_TOKEN = [TRY];
}

#[async_trait]
impl SignInStore for Redis {
    async fn start_attempt(
        &self,
        attempt: SignInAttempt,
        mail: Option<OutboxMail>,
        limits: AttemptLimits,
        now: Timestamp,
    ) -> Result<Started, StoreError> {
        let call = self.call(&START_ATTEMPT, Family::SignIn).key(key(attempt.id));
        let call = call.key(format_args!("asked:{}", attempt.email));
        let call = call.arg(&attempt.id).arg(&attempt.browser).arg(&attempt.created_at);
        let call = call.arg(&attempt.expires_at).arg(&now).arg(&limits.pause);
        let since = now.minus(HOUR.max(limits.pause));
        let call = call.arg(&limits.per_hour).arg(&HOUR).arg(&since).fields(fields(&attempt));
        let started = outbox::with_mail(call, mail.as_ref()).write().await;
        let wait = started.and_then(maybe_column).map_err(Fault::told)?;
        Ok(wait.map_or(Started::Done, |until| Started::Wait { until }))
    }

    async fn attempt(
        &self,
        id: AttemptId,
        browser: &Digest,
        now: Timestamp,
    ) -> Result<Option<SignInAttempt>, StoreError> {
        let read = async {
            let found = self.call(&READ, Family::SignIn).key(key(id)).read().await?;
            record(found, attempt)
        };
        let found = read.await.map_err(Fault::told)?;
        Ok(found.filter(|attempt| {
            attempt.browser == *browser && attempt.tries_left > 0 && now < attempt.expires_at
        }))
    }

    async fn try_token(
        &self,
        id: AttemptId,
        browser: &Digest,
        token: &Digest,
        now: Timestamp,
    ) -> Result<Tried, StoreError> {
        let tried = async {
            let call = self.call(&TRY_TOKEN, Family::SignIn).key(key(id));
            let tried = call.arg(browser).arg(token).arg(&now).write().await?;
            if matches!(tried, redis::Value::Nil) {
                return Ok(Tried::Gone);
            }
            let [own, left] = items(tried)?;
            Ok(match (maybe_column(left)?, record(own, attempt)?) {
                (Some(tries_left), _) => Tried::Wrong { tries_left },
                (None, Some(attempt)) => Tried::Right(attempt),
                (None, None) => Tried::Gone,
            })
        };
        tried.await.map_err(Fault::told)
    }
}

fn fields(attempt: &SignInAttempt) -> Fields {
    Fields::default()
        .with("id", &attempt.id)
        .maybe("request_id", attempt.request.as_ref())
        .with("browser", &attempt.browser)
        .with("email", &attempt.email)
        .with("token", &attempt.token)
        .with("tries_left", &attempt.tries_left)
        .with("created_at", &attempt.created_at)
        .with("expires_at", &attempt.expires_at)
}

fn attempt(hash: &Hash) -> Result<SignInAttempt, Fault> {
    Ok(SignInAttempt {
        id: hash.get("id")?,
        request: hash.maybe("request_id")?,
        browser: hash.get("browser")?,
        email: hash.get("email")?,
        token: hash.get("token")?,
        tries_left: hash.get("tries_left")?,
        created_at: hash.get("created_at")?,
        expires_at: hash.get("expires_at")?,
    })
}

fn key(id: AttemptId) -> String {
    format!("attempt:{id}")
}
