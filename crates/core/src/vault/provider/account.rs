//! Whose account it is.

use std::collections::BTreeMap;

use serde_json::Value;
use zeroize::Zeroizing;

use super::Provider;
use super::calls::Context;
use super::description::IdentityFrom;
use super::gaps::Gaps;
use super::requests::Fields;
use super::text::{Place, plain};
use crate::model::Account;
use crate::outbound::{Method, Request, Response};
use crate::vault::answer::{FailureClass, ProviderFailure, TokenAnswer};

/// Characters of what is kept of an account.
const LONGEST: usize = 300;

impl Provider {
    /// The call that names the account; `None` when the token answer or the ID token names it.
    pub fn identity(&self, ctx: &Context<'_>, tokens: &TokenAnswer) -> Option<Request> {
        let block = &self.description.identity;
        if block.from != IdentityFrom::Call {
            return None;
        }
        let ctx = Context { variables: &tokens.variables, ..*ctx };
        let access = Some(tokens.access_token.as_str());
        let gaps = Gaps { access, ..Gaps::new(self, &ctx) };
        let url = gaps.endpoint(block.url.as_ref(), |found| found.userinfo_endpoint.as_ref());
        let mut headers = Fields::default();
        headers.set("accept", "application/json");
        let mut fields = Fields::default();
        self.prove(&gaps, block.auth, &url, &mut fields, &mut headers);
        fields.add(&block.params, &gaps);
        let body = match &block.body {
            Some(json) => {
                headers.set("content-type", "application/json");
                Zeroizing::new(json.clone().into_bytes())
            }
            None if fields.is_empty() => Zeroizing::default(),
            None => {
                headers.set("content-type", "application/x-www-form-urlencoded");
                fields.form()
            }
        };
        headers.add(&block.headers, &gaps);
        let method = block.method.unwrap_or(Method::Get);
        let headers = headers.into_headers();
        Some(Request { method, url, headers, body })
    }

    /// The account, from the verified claims of the ID token, the token answer, or the answer to
    /// [`Provider::identity`], as the description says.
    pub fn account(
        &self,
        claims: Option<&Value>,
        tokens: &TokenAnswer,
        answer: Option<&Response>,
    ) -> Result<Account, ProviderFailure> {
        let block = &self.description.identity;
        let document = match block.from {
            IdentityFrom::IdToken => claims.cloned().ok_or_else(|| {
                missing("the answer has no ID token, which names the account; ask for openid")
            })?,
            IdentityFrom::Answer => tokens.raw.clone(),
            IdentityFrom::Call => self.told_account(tokens, answer)?,
            IdentityFrom::None => return Ok(Account::default()),
        };
        // OpenID Connect Core 1.0 §5.3.2: the sub of the UserInfo answer must be that of the ID token.
        let named = |own: &Value| own.get("sub").filter(|sub| !sub.is_null()).cloned();
        if let Some((signed, told)) = claims.and_then(named).zip(named(&document))
            && signed != told
        {
            return Err(missing("the call that names the account and the ID token name two"));
        }
        let variables = &tokens.variables;
        // One that is cut off could be another account's.
        let whole = |text: &String| text.chars().count() <= LONGEST;
        let part = |place| find(place, &document, variables).filter(whole);
        let parts = block.sub.iter().map(part);
        let sub = parts.collect::<Option<Vec<_>>>().filter(|parts| !parts.is_empty());
        let sub = sub.ok_or_else(|| missing("what names the account is not in the answer"))?;
        let shown = |places: &[Place]| {
            let found = places.iter().find_map(|place| find(place, &document, variables));
            found.map(|text| text.chars().take(LONGEST).collect())
        };
        Ok(Account {
            sub: sub.join(":"),
            email: shown(&block.email),
            name: shown(&block.name),
            organization: shown(&block.organization),
        })
    }

    fn told_account(
        &self,
        tokens: &TokenAnswer,
        answer: Option<&Response>,
    ) -> Result<Value, ProviderFailure> {
        let answer =
            answer.ok_or_else(|| missing("the call that names the account was not made"))?;
        let document = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        let said = self.said(&document);
        if (200..300).contains(&answer.status) && !document.is_null() {
            return Ok(document);
        }
        let mut failure = self.failure(answer, said, &[tokens.access_token.as_str()]);
        // It is the token that is refused here, not our client, and nothing can be lost.
        failure.class = match failure.class {
            FailureClass::ClientBroken | FailureClass::GrantDead => FailureClass::BadRequest,
            FailureClass::UnknownOutcome => FailureClass::Transient,
            own
            @ (FailureClass::BadRequest | FailureClass::Throttled | FailureClass::Transient) => own,
        };
        failure.detail = format!("the call that names the account: {}", failure.detail);
        Err(failure)
    }
}

/// What is at a place, printable.
fn find(place: &Place, document: &Value, variables: &BTreeMap<String, String>) -> Option<String> {
    let text = match place {
        Place::Document(at) => at.find(document).and_then(plain),
        Place::Variable(name) => variables.get(name).cloned(),
    };
    text.filter(|text| !text.trim().is_empty() && !text.contains(char::is_control))
}

fn missing(detail: &str) -> ProviderFailure {
    ProviderFailure::new(FailureClass::BadRequest, detail)
}
