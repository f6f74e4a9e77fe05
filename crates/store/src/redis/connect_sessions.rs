//! Connect sessions: `connect_session:<id>`.

use async_trait::async_trait;
use grantor_core::id::ConnectSessionId;
use grantor_core::model::{ConnectMode, ConnectSession, ConnectState, ConnectStep};
use grantor_core::secret::Digest;
use grantor_core::store::{ConnectStore, Recorded, StoreError};
use grantor_core::time::Timestamp;

use super::Redis;
use super::fault::Fault;
use super::fields::{Fields, Hash, record};
use super::script::{Call, Family, lua, scripts};

/// A library for scripts that end a session: what a state does not have is removed, so that nothing
/// sealed outlives its use. One that was begun in an earlier epoch may have ended.
pub(super) const END_SESSION: &str = "
local function take_end()
  return { key = key(), fields = record() }
end

local function may_end(session, now)
  local was = fields(session.key, 'step', 'expires_at', 'epoch')
  return (was[1] == 'started' or was[1] == 'waiting') and after(was[2], now) and was[3] == epoch()
end

local function end_session(session)
  call('HDEL', session.key, 'step_digest', 'browser', 'step_until', 'sealed', 'connection_id',
    'failure')
  put(session.key, session.fields)
end
";

scripts! {
    ADD = [lua::VAULT, "
local own, session, over, now = key(), record(), arg(), arg()
local recorded = take_recorded()
if is_stale(recorded) then return told('stale') end
put(own, session)
call('HSET', own, 'epoch', epoch())
fades_at(own, over, now)
write_recorded(recorded)
return told(1)"];

    READ = ["return hash(key())"];

    STEP = [END_SESSION, "
local session, from, digest, now = take_end(), arg(), maybe(), arg()
local was = fields(session.key, 'step', 'expires_at', 'digest', 'step_digest', 'step_until', 'epoch')
if was[1] ~= from or not after(was[2], now) then return false end
if digest then
  if from == 'open' and was[3] ~= digest then return false end
  if from ~= 'open' and was[4] ~= digest then return false end
  if from == 'started' and not after(was[5], now) then return false end
end
if was[6] ~= epoch() then return false end
local before = hash(session.key)
end_session(session)
return before"];
}

#[async_trait]
impl ConnectStore for Redis {
    async fn add_connect_session(
        &self,
        session: ConnectSession,
        recorded: Recorded,
    ) -> Result<(), StoreError> {
        let call = || {
            let call = self.call(&ADD, Family::Vault).key(key(session.id));
            let call = call.fields(fields(&session)).arg(&session.expires_at);
            Ok(call.arg(&session.created_at))
        };
        self.record(&recorded, call).await.map(drop).map_err(Fault::told)
    }

    async fn connect_session(
        &self,
        id: ConnectSessionId,
        now: Timestamp,
    ) -> Result<Option<ConnectSession>, StoreError> {
        let found = self.call(&READ, Family::Vault).key(key(id)).read().await;
        let found = found.and_then(|found| record(found, session)).map_err(Fault::told)?;
        Ok(found.filter(|session| now < session.expires_at))
    }

    async fn step_connect(
        &self,
        id: ConnectSessionId,
        from: ConnectStep,
        digest: Option<Digest>,
        to: ConnectState,
        now: Timestamp,
    ) -> Result<Option<ConnectSession>, StoreError> {
        let call = with_end(self.call(&STEP, Family::Vault), id, &to).text(step_name(from));
        let before = call.maybe(digest.as_ref()).arg(&now).write().await;
        before.and_then(|before| record(before, session)).map_err(Fault::told)
    }
}

/// Adds what a script needs to put a session into a state.
pub(super) fn with_end<'i>(call: Call<'i>, id: ConnectSessionId, state: &ConnectState) -> Call<'i> {
    call.key(key(id)).fields(state_fields(Fields::default(), state))
}

fn state_fields(fields: Fields, state: &ConnectState) -> Fields {
    let fields = fields.text("step", step_name(state.step()));
    match state {
        ConnectState::Open => fields,
        ConnectState::Started { state, browser, until, sealed } => fields
            .with("step_digest", state)
            .with("browser", browser)
            .with("step_until", until)
            .with("sealed", sealed),
        ConnectState::Waiting { code, browser, sealed } => {
            fields.with("step_digest", code).with("browser", browser).with("sealed", sealed)
        }
        ConnectState::Done(connection) => fields.with("connection_id", connection),
        ConnectState::Failed(failure) => fields.with("failure", failure),
    }
}

fn fields(session: &ConnectSession) -> Fields {
    let fields = Fields::default()
        .with("id", &session.id)
        .with("digest", &session.digest)
        .with("integration", &session.integration)
        .with("subject", &session.subject)
        .with("scope", &session.scope)
        .maybe("account_hint", session.account_hint.as_ref())
        .maybe("reconnect", session.reconnect.as_ref())
        .maybe("return_url", session.return_url.as_ref())
        .text("mode", session.mode.as_str())
        .with("made_by", &session.made_by)
        .with("created_at", &session.created_at)
        .with("expires_at", &session.expires_at);
    state_fields(fields, &session.state)
}

fn session(hash: &Hash) -> Result<ConnectSession, Fault> {
    Ok(ConnectSession {
        id: hash.get("id")?,
        digest: hash.get("digest")?,
        integration: hash.get("integration")?,
        subject: hash.get("subject")?,
        scope: hash.get("scope")?,
        account_hint: hash.maybe("account_hint")?,
        reconnect: hash.maybe("reconnect")?,
        return_url: hash.maybe("return_url")?,
        mode: hash.named("mode", ConnectMode::named)?,
        made_by: hash.get("made_by")?,
        state: state(hash)?,
        created_at: hash.get("created_at")?,
        expires_at: hash.get("expires_at")?,
    })
}

fn state(hash: &Hash) -> Result<ConnectState, Fault> {
    let step: String = hash.get("step")?;
    match &*step {
        "open" => Ok(ConnectState::Open),
        "started" => Ok(ConnectState::Started {
            state: hash.get("step_digest")?,
            browser: hash.get("browser")?,
            until: hash.get("step_until")?,
            sealed: hash.get("sealed")?,
        }),
        "waiting" => Ok(ConnectState::Waiting {
            code: hash.get("step_digest")?,
            browser: hash.get("browser")?,
            sealed: hash.get("sealed")?,
        }),
        "done" => Ok(ConnectState::Done(hash.get("connection_id")?)),
        "failed" => Ok(ConnectState::Failed(hash.get("failure")?)),
        other => Err(Fault::Record(format!("not a step of a connect session: {other:?}"))),
    }
}

const fn step_name(step: ConnectStep) -> &'static str {
    match step {
        ConnectStep::Open => "open",
        ConnectStep::Started => "started",
        ConnectStep::Waiting => "waiting",
        ConnectStep::Done => "done",
        ConnectStep::Failed => "failed",
    }
}

fn key(id: ConnectSessionId) -> String {
    format!("connect_session:{id}")
}
