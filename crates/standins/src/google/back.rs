//! Back to the application: RFC 6749 §4.1.2, §4.1.2.1; RFC 9207 §2; and what Google adds.

use std::collections::BTreeSet;

use super::app::App;
use super::config::Person;
use super::scopes::in_callback;
use super::state::{CODE_LIFETIME, Code, Pending, State};
use crate::http::Answer;
use crate::random;

/// What the person saw and allowed.
#[derive(Debug)]
pub(super) struct Allowed<'a> {
    pub(super) person: &'a Person,
    /// Which of the accounts in the browser it is.
    pub(super) authuser: usize,
    pub(super) scopes: BTreeSet<String>,
    pub(super) consent_shown: bool,
}

/// With a code.
pub(super) fn allowed(
    app: &App,
    state: &mut State,
    pending: &Pending,
    allowed: Allowed<'_>,
) -> Answer {
    let Allowed { person, authuser, scopes, consent_shown } = allowed;
    let code = match state.behaviour.largest_tokens {
        true => format!("4/0A{}", random::text(252)),
        false => format!("4/0A{}", random::text(69)),
    };
    let (authuser, scope) = (authuser.to_string(), in_callback(&scopes));
    let mut more =
        vec![("code", code.as_str()), ("scope", scope.as_str()), ("authuser", authuser.as_str())];
    more.extend(person.hd.as_deref().map(|hd| ("hd", hd)));
    more.push(("prompt", if consent_shown { "consent" } else { "none" }));
    let answer = redirect(app, pending, &more);
    let granted = Code {
        client_id: pending.client_id.clone(),
        sub: person.sub.clone(),
        redirect_uri: pending.redirect_uri.clone(),
        scopes,
        nonce: pending.nonce.clone(),
        challenge: pending.challenge.clone(),
        // Google: a refresh token comes only with offline access, and only when consent was shown.
        with_refresh_token: pending.offline && consent_shown,
        expires_at: app.now() + CODE_LIFETIME,
    };
    state.codes.insert(code, granted);
    answer
}

/// With an error that is the application's to handle.
pub(super) fn refused(app: &App, pending: &Pending, error: &str) -> Answer {
    redirect(app, pending, &[("error", error)])
}

fn redirect(app: &App, pending: &Pending, more: &[(&str, &str)]) -> Answer {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(state) = &pending.state {
        query.append_pair("state", state);
    }
    // RFC 9207 §2: also with an error.
    query.append_pair("iss", &app.base);
    query.extend_pairs(more);
    let mark = if pending.redirect_uri.contains('?') { '&' } else { '?' };
    Answer::see_other(&format!("{}{mark}{}", pending.redirect_uri, query.finish()))
}
