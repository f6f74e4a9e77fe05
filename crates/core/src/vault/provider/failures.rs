//! What an answer without tokens means, and what of it an operator may see.

use super::Provider;
use super::description::Errors;
use crate::outbound::{CallError, Response};
use crate::time::Seconds;
use crate::vault::answer::{FailureClass, ProviderFailure};

/// Characters of a detail at most.
const LONGEST: usize = 300;
/// Characters of a code at most.
const LONGEST_CODE: usize = 64;
/// A word of so many characters, with a digit in it, may be a token.
const TOKEN: usize = 16;
/// What stands where something may have been a token.
const HIDDEN: &str = "[hidden]";

impl ProviderFailure {
    /// One without codes; `detail` is cleaned.
    pub fn new(class: FailureClass, detail: &str) -> Self {
        let detail = clean(detail, &[]);
        Self { class, error: None, error_subtype: None, detail, retry_after: None }
    }

    /// The same without texts that were sent: a provider may repeat a refresh token in its answer.
    #[must_use]
    pub fn without(mut self, secrets: &[&str]) -> Self {
        self.detail = clean(&self.detail, secrets);
        for code in [&mut self.error, &mut self.error_subtype] {
            *code = code.take().filter(|own| !holds(own, secrets));
        }
        self
    }

    /// That no answer came.
    pub fn no_answer(error: &CallError) -> Self {
        let class = match error {
            CallError::NotSent(_) => FailureClass::Transient,
            CallError::Unknown(_) => FailureClass::UnknownOutcome,
        };
        Self::new(class, &error.to_string())
    }
}

/// What a failed answer says.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) code: Option<String>,
    pub(crate) subtype: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) retry_after: Option<Seconds>,
}

impl Provider {
    /// The failure that an answer is: by its status and the codes in it, the provider's own first.
    pub(crate) fn failure(
        &self,
        answer: &Response,
        said: Said,
        secrets: &[&str],
    ) -> ProviderFailure {
        let class = class(answer, &said, &self.description.response.errors);
        let code = |code: Option<String>| {
            code.map(|own| own.chars().filter(char::is_ascii_graphic).take(LONGEST_CODE).collect())
                .filter(|own: &String| !own.is_empty() && !holds(own, secrets))
        };
        let described = said.description.unwrap_or_default();
        let what = said.code.clone().unwrap_or_default();
        let detail = match (what.as_str(), described.as_str()) {
            ("", "") => format!("status {}", answer.status),
            ("", text) => format!("status {}: {text}", answer.status),
            (code, "") => format!("status {}: {code}", answer.status),
            (code, text) => format!("status {}: {code}: {text}", answer.status),
        };
        ProviderFailure {
            class,
            error: code(said.code),
            error_subtype: code(said.subtype),
            detail: clean(&detail, secrets),
            retry_after: answer.retry_after.or(said.retry_after),
        }
    }
}

fn class(answer: &Response, said: &Said, own: &Errors) -> FailureClass {
    // RFC 6585 §4
    if answer.status == 429 {
        return FailureClass::Throttled;
    }
    let trouble = answer.status == 408 || answer.status >= 500;
    let usual = usual(said.code.as_deref());
    if trouble && usual.is_some() {
        return FailureClass::Transient;
    }
    let says = |text: &String| said.description.as_ref().is_some_and(|own| own.contains(text));
    if own.grant_dead_texts.iter().any(says) {
        return FailureClass::GrantDead;
    }
    if own.client_broken_texts.iter().any(says) {
        return FailureClass::ClientBroken;
    }
    let codes = || [&said.code, &said.subtype].into_iter().flatten();
    let listed = |list: &[String]| codes().any(|code| list.contains(code));
    let lists = [
        (&own.grant_dead, FailureClass::GrantDead),
        (&own.client_broken, FailureClass::ClientBroken),
        (&own.throttled, FailureClass::Throttled),
        (&own.transient, FailureClass::Transient),
        (&own.bad_request, FailureClass::BadRequest),
    ];
    if let Some((_, class)) = lists.into_iter().find(|(list, _)| listed(list)) {
        return class;
    }
    if trouble {
        return FailureClass::Transient;
    }
    if let Some(class) = usual {
        return class;
    }
    // A page for people comes from something in between: a gateway, a firewall.
    if is_page(answer) {
        return FailureClass::Transient;
    }
    match answer.status {
        401 => FailureClass::ClientBroken,
        _ => FailureClass::BadRequest,
    }
}

/// What the codes mean that all providers have: RFC 6749 §5.2, RFC 8628 §3.5, and what Google adds.
fn usual(code: Option<&str>) -> Option<FailureClass> {
    match code? {
        "invalid_grant" => Some(FailureClass::GrantDead),
        "invalid_client" | "deleted_client" | "unauthorized_client" => {
            Some(FailureClass::ClientBroken)
        }
        "server_error" | "temporarily_unavailable" => Some(FailureClass::Transient),
        "slow_down" | "too_many_requests" | "rate_limit_exceeded" | "rate_limited" => {
            Some(FailureClass::Throttled)
        }
        _ => None,
    }
}

/// Whether an answer is a page for people.
pub(crate) fn is_page(answer: &Response) -> bool {
    let html = |text: &String| text.to_ascii_lowercase().contains("html");
    let start = answer.body.iter().find(|b| !b.is_ascii_whitespace());
    answer.content_type.as_ref().is_some_and(html) || start == Some(&b'<')
}

/// A text for the operator: printable, one line, short, and without anything that may be a token.
pub(crate) fn clean(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, HIDDEN);
    }
    let mut cleaned = String::new();
    let mut word = String::new();
    for c in text.chars().chain([' ']) {
        if c.is_ascii_alphanumeric() || "._~+/=-".contains(c) {
            word.push(c);
            continue;
        }
        cleaned.push_str(if may_be_token(&word) { HIDDEN } else { &word });
        word.clear();
        let shown = c.is_ascii_graphic() || (c.is_alphanumeric() && !c.is_control());
        cleaned.push(if shown { c } else { ' ' });
    }
    let words = cleaned.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(LONGEST).collect()
}

/// Long, and with a digit and a letter in it. Addresses and names of scopes have none, mostly, and
/// what is hidden without need is no loss.
fn may_be_token(word: &str) -> bool {
    let long = word.len() >= TOKEN;
    let mixed =
        word.bytes().any(|b| b.is_ascii_digit()) && word.bytes().any(|b| b.is_ascii_alphabetic());
    long && (mixed || word.len() >= 4 * TOKEN)
}

fn holds(text: &str, secrets: &[&str]) -> bool {
    may_be_token(text) || secrets.iter().any(|secret| !secret.is_empty() && text.contains(secret))
}
