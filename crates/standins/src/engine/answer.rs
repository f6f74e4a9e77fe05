//! What a token endpoint answers: RFC 6749 §5.1.

use serde_json::{Map, Value, json};

use super::ledger::{Grant, Tokens};

/// What there is to answer with.
#[derive(Debug)]
pub(crate) struct Issued<'i> {
    pub(crate) grant: &'i Grant,
    pub(crate) tokens: &'i Tokens,
    /// Whether it is a refresh that is answered.
    pub(crate) refreshed: bool,
    pub(crate) now: i64,
    /// Where this provider is, without a slash at the end.
    pub(crate) base: &'i str,
}

impl Issued<'_> {
    /// Seconds until the access token ends.
    pub(crate) fn expires_in(&self) -> Option<i64> {
        self.tokens.access_until.map(|until| (until - self.now).max(0))
    }

    /// Seconds until the refresh token ends.
    pub(crate) fn refresh_expires_in(&self) -> Option<i64> {
        self.tokens.refresh.as_ref()?;
        self.tokens.refresh_until.map(|until| (until - self.now).max(0))
    }

    /// The granted scopes in one text.
    pub(crate) fn scope(&self, separator: &str) -> String {
        self.grant.scopes.join(separator)
    }
}

/// RFC 6749 §5.1, with scopes separated by spaces.
pub(crate) fn standard(issued: &Issued<'_>) -> Map<String, Value> {
    let mut answer = Map::new();
    answer.insert("access_token".into(), json!(issued.tokens.access));
    answer.insert("token_type".into(), json!("Bearer"));
    if let Some(seconds) = issued.expires_in() {
        answer.insert("expires_in".into(), json!(seconds));
    }
    if let Some(refresh) = &issued.tokens.refresh {
        answer.insert("refresh_token".into(), json!(refresh));
    }
    answer.insert("scope".into(), json!(issued.scope(" ")));
    answer
}

/// RFC 6749 §5.1 and these fields, which come last and replace; what is null is left out.
pub(crate) fn with<const N: usize>(issued: &Issued<'_>, more: [(&str, Value); N]) -> Value {
    let mut answer = standard(issued);
    for (name, value) in more {
        match value.is_null() {
            true => answer.shift_remove(name),
            false => answer.insert(name.to_owned(), value),
        };
    }
    Value::Object(answer)
}
