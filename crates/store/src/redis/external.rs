//! Sign-ins on the operator's own page that are half done: `external:<id>`.

use async_trait::async_trait;
use grantor_core::id::ExternalId;
use grantor_core::model::{ExternalAnswer, ExternalSignIn};
use grantor_core::secret::Digest;
use grantor_core::store::{ExternalStore, StoreError};
use grantor_core::time::Timestamp;

use super::Redis;
use super::fault::Fault;
use super::fields::{Fields, Hash, record, yes};
use super::script::{Family, scripts};

scripts! {
    ADD = ["
local own, fields, over, now = key(), record(), arg(), arg()
put(own, fields)
call('HSET', own, 'epoch', epoch())
fades_at(own, over, now)"];

    READ = ["return hash(key())"];

    ANSWER = ["
local own, answer, now = key(), record(), arg()
local was = fields(own, 'answer', 'expires_at')
if was[1] or not was[2] or not after(was[2], now) then return false end
put(own, answer)
return 1"];

    /// What was handed over in an earlier epoch may have been taken.
    TAKE = ["
local own, verifier, browser, now = key(), arg(), arg(), arg()
local was = fields(own, 'verifier', 'browser', 'expires_at', 'epoch')
if was[1] ~= verifier or was[2] ~= browser or not after(was[3], now) then return false end
if was[4] ~= epoch() then return false end
local taken = hash(own)
remove(own)
return taken"];
}

#[async_trait]
impl ExternalStore for Redis {
    async fn add_external(&self, sign_in: ExternalSignIn) -> Result<(), StoreError> {
        let add = async {
            let call = self.call(&ADD, Family::SignIn).key(key(sign_in.id));
            let call = call.fields(fields(&sign_in)?).arg(&sign_in.expires_at);
            call.arg(&sign_in.created_at).write().await.map(drop)
        };
        add.await.map_err(Fault::told)
    }

    async fn external(
        &self,
        id: ExternalId,
        now: Timestamp,
    ) -> Result<Option<ExternalSignIn>, StoreError> {
        let read =
            async { record(self.call(&READ, Family::SignIn).key(key(id)).read().await?, sign_in) };
        let found = read.await.map_err(Fault::told)?;
        Ok(found.filter(|sign_in| now < sign_in.expires_at))
    }

    async fn answer_external(
        &self,
        id: ExternalId,
        answer: ExternalAnswer,
        verifier: &Digest,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let answered = async {
            let fields = Fields::default().with("verifier", verifier).json("answer", &answer)?;
            let call = self.call(&ANSWER, Family::SignIn).key(key(id)).fields(fields);
            Ok(yes(&call.arg(&now).write().await?))
        };
        answered.await.map_err(Fault::told)
    }

    async fn take_external(
        &self,
        id: ExternalId,
        verifier: &Digest,
        browser: &Digest,
        now: Timestamp,
    ) -> Result<Option<ExternalSignIn>, StoreError> {
        let call = self.call(&TAKE, Family::SignIn).key(key(id)).arg(verifier).arg(browser);
        let taken = call.arg(&now).write().await;
        taken.and_then(|taken| record(taken, sign_in)).map_err(Fault::told)
    }
}

fn fields(sign_in: &ExternalSignIn) -> Result<Fields, Fault> {
    Fields::default()
        .with("id", &sign_in.id)
        .maybe("request_id", sign_in.request.as_ref())
        .maybe("then_path", sign_in.then.as_ref())
        .with("browser", &sign_in.browser)
        .maybe("verifier", sign_in.verifier.as_ref())
        .with("created_at", &sign_in.created_at)
        .with("expires_at", &sign_in.expires_at)
        .json_if(sign_in.answer.is_some(), "answer", &sign_in.answer)
}

fn sign_in(hash: &Hash) -> Result<ExternalSignIn, Fault> {
    Ok(ExternalSignIn {
        id: hash.get("id")?,
        request: hash.maybe("request_id")?,
        then: hash.maybe("then_path")?,
        browser: hash.get("browser")?,
        answer: hash.maybe_json("answer")?,
        verifier: hash.maybe("verifier")?,
        created_at: hash.get("created_at")?,
        expires_at: hash.get("expires_at")?,
    })
}

fn key(id: ExternalId) -> String {
    format!("external:{id}")
}
