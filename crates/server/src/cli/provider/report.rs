//! What a trial has found, without anything that could be used.

use std::collections::BTreeMap;

use grantor_core::model::{Account, Scope};
use grantor_core::time::Timestamp;
use grantor_core::vault::answer::TokenAnswer;
use grantor_core::vault::audit::fingerprint;
use serde::Serialize;

use crate::cli::output::say;

/// What a trial has found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) provider: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) account: Option<Account>,
    pub(super) tokens: Tokens,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refreshed: Option<Tokens>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) revoked: Option<bool>,
    /// What the operator should look at.
    pub(super) notes: Vec<String>,
}

/// An answer with tokens.
#[derive(Debug, Serialize)]
pub(super) struct Tokens {
    access_token: Token,
    token_type: String,
    refresh_token: Option<Token>,
    id_token: Option<Token>,
    scope: Option<Scope>,
    /// Seconds; nothing when it never expires.
    expires_in: Option<u32>,
    refresh_expires_in: Option<u32>,
    variables: BTreeMap<String, String>,
    /// The names of the members of the answer.
    members: Vec<String>,
}

/// A token: what tells it from others, and gives nothing away.
#[derive(Debug, Serialize)]
struct Token {
    fingerprint: String,
    length: usize,
}

impl Token {
    fn of(token: &str) -> Self {
        Self { fingerprint: fingerprint(token), length: token.len() }
    }

    fn shown(&self) -> String {
        format!("{} ({} characters)", self.fingerprint, self.length)
    }
}

impl Tokens {
    pub(super) fn of(answer: &TokenAnswer, now: Timestamp) -> Self {
        let seconds = |at: Option<Timestamp>| at.map(|at| now.until(at).0);
        let members = answer.raw.as_object().into_iter().flat_map(|own| own.keys().cloned());
        Self {
            access_token: Token::of(&answer.access_token),
            token_type: answer.token_type.clone(),
            refresh_token: answer.refresh_token.as_ref().map(|own| Token::of(own)),
            id_token: answer.id_token.as_ref().map(|own| Token::of(own)),
            scope: answer.scope.clone(),
            expires_in: seconds(answer.expires_at),
            refresh_expires_in: seconds(answer.refresh_expires_at),
            variables: answer.variables.clone(),
            members: members.collect(),
        }
    }

    /// For people, a line for each thing.
    pub(super) fn show(&self) {
        let token = |own: &Option<Token>| own.as_ref().map_or("none".to_owned(), Token::shown);
        let time = |own: Option<u32>, none: &str| {
            own.map_or_else(|| none.to_owned(), |seconds| format!("in {}", period(seconds)))
        };
        line("access token", &self.access_token.shown());
        line("expires", &time(self.expires_in, "never"));
        line("refresh token", &token(&self.refresh_token));
        if self.refresh_token.is_some() {
            line("expires", &time(self.refresh_expires_in, "not said"));
        }
        line("ID token", &token(&self.id_token));
        line("scopes", self.scope.as_ref().map_or("not said", Scope::as_str));
        for (name, value) in &self.variables {
            line(name, value);
        }
        line("answer has", &self.members.join(", "));
    }
}

/// Something about an account, for people.
pub(super) fn show_account(account: &Account) {
    line("account", &account.sub);
    let shown = [("address", &account.email), ("name", &account.name)];
    let shown = shown.into_iter().chain([("organization", &account.organization)]);
    for (name, value) in shown.filter_map(|(name, own)| Some((name, own.as_ref()?))) {
        line(name, value);
    }
}

fn line(name: &str, value: &str) {
    say(&format!("   {name:<15} {value}"));
}

/// As a person says it: in the largest unit that is not less than one.
fn period(seconds: u32) -> String {
    let units = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
    match units.into_iter().find(|(unit, _)| seconds >= 2 * unit) {
        Some((unit, name)) => format!("{} {name}", seconds / unit),
        None => format!("{seconds} seconds"),
    }
}
