//! What a provider's token endpoint has answered: RFC 6749 §5, read tolerantly in form and strictly
//! in what is taken from it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::Provider;
use super::calls::Context;
use super::description::{Expiry, Format, Unit};
use super::failures::{Said, is_page};
use super::gaps::Gaps;
use super::text::{Pointer, plain};
use super::variable::Source;
use crate::model::Scope;
use crate::outbound::Response;
use crate::time::{Seconds, Timestamp};
use crate::vault::answer::{FailureClass, ProviderFailure, TokenAnswer};

/// How long a token is taken to live when neither answer nor description says.
const UNKNOWN_LIFETIME: Seconds = Seconds::hours(1);
/// Bytes of a token at most.
const LONGEST_TOKEN: usize = 16 * 1024;
/// Bytes of a secret at least, so that hiding it does not eat common words (`bearer`).
const SHORTEST_SECRET: usize = 8;
/// Pairs of a form at most.
const MOST_PAIRS: usize = 200;

impl Provider {
    /// Reads the answer to any of the three; `ctx.now` is the start of the request.
    pub fn tokens(
        &self,
        ctx: &Context<'_>,
        answer: &Response,
    ) -> Result<TokenAnswer, ProviderFailure> {
        let success = (200..300).contains(&answer.status);
        let Some(document) = self.read(answer) else {
            return Err(self.unreadable(answer, success));
        };
        let secrets = secrets(ctx, &document);
        let secrets: Vec<&str> = secrets.iter().map(|own| own.as_str()).collect();
        let said = self.said(&document);
        if !success || said.code.is_some() || self.fails(&document) {
            return Err(self.failure(answer, said, &secrets));
        }
        self.granted(ctx, &document).ok_or_else(|| {
            let detail = "the answer has no access token where the description says";
            ProviderFailure::new(FailureClass::UnknownOutcome, detail).without(&secrets)
        })
    }

    fn unreadable(&self, answer: &Response, success: bool) -> ProviderFailure {
        let form = answer.content_type.as_deref().unwrap_or("no content type");
        let detail = format!("status {}: an answer that cannot be read ({form})", answer.status);
        match success {
            true => ProviderFailure::new(FailureClass::UnknownOutcome, &detail),
            false => {
                let said = Said { description: Some(detail), ..Said::default() };
                self.failure(answer, said, &[])
            }
        }
    }

    /// The answer as one JSON object, whatever its form; `None` when it is neither.
    pub(crate) fn read(&self, answer: &Response) -> Option<Value> {
        if is_page(answer) {
            return None;
        }
        let format = self.description.response.format;
        // Errors are JSON at providers whose answers are forms, and the other way round.
        let failed = !(200..300).contains(&answer.status);
        let json = || serde_json::from_slice::<Value>(&answer.body).ok().filter(Value::is_object);
        let form = || form(&answer.body);
        match format {
            Format::Json if failed => json().or_else(form),
            Format::Json => json(),
            Format::Form if failed => form().or_else(json),
            Format::Form => form(),
            Format::Any => json().or_else(form),
        }
    }

    /// Whether a description's test of success fails.
    pub(crate) fn fails(&self, document: &Value) -> bool {
        let test = self.description.response.success.as_ref();
        test.is_some_and(|test| test.at.find(document) != Some(&test.equals))
    }

    pub(crate) fn error_code(&self, document: &Value) -> Option<String> {
        first(&self.description.response.errors.code, document)
    }

    pub(crate) fn said(&self, document: &Value) -> Said {
        let errors = &self.description.response.errors;
        let wait = errors.retry_after.find(document).and_then(number);
        Said {
            code: first(&errors.code, document),
            subtype: first(&errors.subtype, document),
            description: first(&errors.description, document),
            retry_after: wait.filter(|own| *own > 0.0).map(|own| Seconds(own.ceil() as u32)),
        }
    }

    fn granted(&self, ctx: &Context<'_>, document: &Value) -> Option<TokenAnswer> {
        let rules = &self.description.response;
        let below = |root: &Pointer| document.pointer(root.as_str());
        let root = rules.root.iter().filter_map(below);
        let root = root.into_iter().find(|root| token(&rules.access_token, root).is_some())?;
        let refresh_token =
            token(&rules.refresh_token, root).filter(|_| self.description.refresh.supported);
        let token_type = rules.token_type.text(root).filter(|own| is_token(own));
        Some(TokenAnswer {
            access_token: token(&rules.access_token, root)?,
            token_type: token_type.unwrap_or_else(|| "Bearer".to_owned()),
            id_token: token(&rules.id_token, root),
            scope: self.granted_scope(root),
            expires_at: self.expires_at(root, refresh_token.is_some(), ctx.now),
            refresh_expires_at: self.refresh_expires_at(root, refresh_token.is_some(), ctx.now),
            refresh_token,
            variables: self.told(ctx, document),
            raw: document.clone(),
        })
    }

    /// The scopes by their canonical names; names that are none are dropped.
    fn granted_scope(&self, root: &Value) -> Option<Scope> {
        let scopes = &self.description.scopes;
        let at = self.description.response.scope.as_str();
        // RFC 6749 §5.1: without a scope all that was asked for is granted; an empty one is none.
        let found = root.pointer(at).filter(|found| scopes.echoed && !found.is_null())?;
        let separator = scopes.answer_separator.as_ref().unwrap_or(&scopes.separator);
        let names: Vec<String> = match found {
            Value::String(text) => text.split(separator.as_str()).map(ToOwned::to_owned).collect(),
            Value::Array(items) => items.iter().filter_map(plain).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
        };
        let mut scope = Scope::default();
        for name in &names {
            scope = scope.union(&Scope::parse(name.trim()).unwrap_or_default());
        }
        Some(self.canonical(&scope))
    }

    /// When the access token expires. A time that makes no sense is as good as none, and never says
    /// that a token which can be refreshed lives for ever.
    fn expires_at(&self, root: &Value, refreshable: bool, now: Timestamp) -> Option<Timestamp> {
        let rules = &self.description.response;
        let found = rules.expires_in.find(root);
        if let Some(at) = found.and_then(|own| moment(own, rules.expires_unit, now)) {
            return Some(at);
        }
        let senseless = found.is_some() && refreshable;
        let later = || senseless.then(|| now.plus(UNKNOWN_LIFETIME));
        self.assumed_expiry(now).or_else(later)
    }

    /// When an access token that was given at `from` expires, if nobody says: by the description, an
    /// hour if that does not say either. `None` when it never does.
    pub(crate) fn assumed_expiry(&self, from: Timestamp) -> Option<Timestamp> {
        match self.description.response.expires_default {
            Some(Expiry::After(period)) => Some(from.plus(period.0)),
            Some(Expiry::Never) => None,
            None => Some(from.plus(UNKNOWN_LIFETIME)),
        }
    }

    fn refresh_expires_at(&self, root: &Value, given: bool, now: Timestamp) -> Option<Timestamp> {
        let rules = &self.description.response;
        let found = rules.refresh_expires_in.find(root);
        let lifetime = self.description.refresh.lifetime.filter(|_| given);
        found
            .and_then(|own| moment(own, rules.expires_unit, now))
            .or_else(|| lifetime.map(|period| now.plus(period.0)))
    }

    /// The variables of the connection: those of before, and what this answer tells.
    fn told(&self, ctx: &Context<'_>, document: &Value) -> BTreeMap<String, String> {
        let gaps = Gaps::new(self, ctx);
        let declared = &self.description.variables;
        let mut variables = BTreeMap::new();
        for (name, own) in declared.iter().filter(|(_, own)| own.from != Source::Operator) {
            let at = own.at.clone().unwrap_or_else(|| format!("/{name}"));
            let answered = match own.from {
                Source::Answer => document.pointer(&at).and_then(plain),
                Source::Callback | Source::Operator => None,
            };
            let accepted = answered.and_then(|value| own.accept(&value).ok());
            let before = || ctx.variables.get(name).and_then(|_| gaps.variable(name));
            if let Some(value) = accepted.or_else(before) {
                variables.insert(name.clone(), value);
            }
        }
        variables
    }
}

/// Texts that must not be shown: all that could be a token in the answer, and our secret.
fn secrets(ctx: &Context<'_>, document: &Value) -> Vec<Zeroizing<String>> {
    let mut found = Vec::new();
    found.extend(ctx.integration.client_secret.clone());
    collect(document, &mut found);
    found
}

fn collect(value: &Value, found: &mut Vec<Zeroizing<String>>) {
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                match inner.as_str() {
                    Some(text) if name.contains("token") && text.len() >= SHORTEST_SECRET => {
                        found.push(Zeroizing::new(text.to_owned()));
                    }
                    Some(_) => {}
                    None => collect(inner, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// RFC 6749 appendix A.12: VSCHAR; a space would end the token in a header, so there is none.
fn token(at: &Pointer, root: &Value) -> Option<Zeroizing<String>> {
    let text = at.find(root)?.as_str()?;
    is_token(text).then(|| Zeroizing::new(text.to_owned()))
}

fn is_token(text: &str) -> bool {
    (1..=LONGEST_TOKEN).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

fn first(places: &[Pointer], document: &Value) -> Option<String> {
    places.iter().find_map(|place| place.text(document))
}

/// A number, however it is written.
fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    number.is_finite().then_some(number)
}

/// The moment that a time means; `None` when it is not in the future.
fn moment(value: &Value, unit: Unit, now: Timestamp) -> Option<Timestamp> {
    let number = number(value)?;
    let start = now.epoch() as f64;
    let seconds = match unit {
        Unit::Seconds => number,
        Unit::Milliseconds => number / 1_000.0,
        Unit::EpochSeconds => number - start,
        Unit::EpochMilliseconds => number / 1_000.0 - start,
    };
    // Below a second there is nothing to keep. `as` saturates.
    (seconds >= 1.0).then(|| now.plus(Seconds(seconds as u32)))
}

/// `access_token=…&scope=…` as an object of texts.
fn form(body: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(body).ok()?.trim();
    let named = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    let name = text.split('=').next().filter(|_| text.contains('='))?;
    if name.is_empty() || !name.bytes().all(named) {
        return None;
    }
    let pairs = form_urlencoded::parse(text.as_bytes()).take(MOST_PAIRS);
    let pairs = pairs.map(|(name, value)| (name.into_owned(), Value::from(value.into_owned())));
    Some(Value::Object(pairs.collect::<Map<_, _>>()))
}
