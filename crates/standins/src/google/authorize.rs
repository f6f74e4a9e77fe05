//! `/o/oauth2/v2/auth`: what is asked for, and whether it may be. RFC 6749 §3.1, §4.1.1; RFC 7636
//! §4.3; Google, "Redirect to Google's OAuth 2.0 server" and "Authorization errors".
//!
//! Every error here is a page of the provider: nothing is sent to the application.

use std::collections::BTreeSet;

use super::app::{App, Asked};
use super::config::Client;
use super::pages::Problem;
use super::scopes::{EMAIL, OPENID, PROFILE, canonical};
use super::signin;
use super::state::{Challenge, Condition, Pending, Prompt, REQUEST_LIFETIME, State};
use crate::http::{Answer, Form};
use crate::random;

pub(super) fn begin(app: &App, asked: &Asked) -> Answer {
    let now = app.now();
    let mut state = app.state();
    state.sweep(now);
    let checked = check(&state, &asked.form, now);
    match checked {
        Ok(pending) => {
            let id = random::text(32);
            state.requests.insert(id.clone(), pending);
            signin::go_on(app, &mut state, &id, asked.browser())
        }
        Err(problem) => app.pages.problem(&problem),
    }
}

fn check(state: &State, form: &Form, now: i64) -> Result<Pending, Problem> {
    // RFC 6749 §3.1: parameters must not be repeated.
    if let Some(name) = form.repeated() {
        let text = format!("OAuth 2 parameters can only have a single value: {name}");
        return Err(Problem::request(&text));
    }
    let client = client(state, form)?;
    let redirect_uri = redirect_uri(client, form)?;
    let told = |problem: Problem| problem.of(client);
    response_type(form).map_err(told)?;
    let scopes = scopes(form).map_err(told)?;
    let offline = match form.first("access_type") {
        None | Some("online") => false,
        Some("offline") => true,
        Some(other) => return Err(told(Problem::value("access_type", other))),
    };
    let include_granted = match form.first("include_granted_scopes") {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => return Err(told(Problem::value("include_granted_scopes", other))),
    };
    let text = |name: &str| form.first(name).map(ToOwned::to_owned);
    Ok(Pending {
        client_id: client.id.clone(),
        redirect_uri,
        scopes,
        state: text("state"),
        nonce: text("nonce"),
        challenge: challenge(form).map_err(told)?,
        offline,
        include_granted,
        prompt: prompt(form).map_err(told)?,
        login_hint: text("login_hint"),
        hd: text("hd"),
        account: None,
        expires_at: now + REQUEST_LIFETIME,
    })
}

fn client<'s>(state: &'s State, form: &Form) -> Result<&'s Client, Problem> {
    let id = form.first("client_id").ok_or_else(|| Problem::missing("client_id"))?;
    let application = state
        .clients
        .get(id)
        .ok_or_else(|| Problem::client("invalid_client", "The OAuth client was not found."))?;
    match application.condition {
        Condition::Good => Ok(&application.client),
        Condition::Disabled => {
            Err(Problem::client("disabled_client", "The OAuth client was disabled."))
        }
        Condition::Deleted => {
            Err(Problem::client("deleted_client", "The OAuth client was deleted."))
        }
    }
}

// RFC 9700 §2.1: the redirect URI is compared as it is. RFC 8252 §7.3: a desktop application
// listens on any port of this machine.
fn redirect_uri(client: &Client, form: &Form) -> Result<String, Problem> {
    let asked = form.first("redirect_uri").ok_or_else(|| Problem::missing("redirect_uri"))?;
    let registered = client.redirect_uris.iter().any(|own| own == asked);
    match registered || (client.desktop && is_on_this_machine(asked)) {
        true => Ok(asked.to_owned()),
        false => Err(Problem::redirect_uri(client, asked)),
    }
}

fn is_on_this_machine(uri: &str) -> bool {
    let hosts = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
    hosts.iter().filter_map(|host| uri.strip_prefix(host)).any(|rest| {
        let port = rest.strip_prefix(':').unwrap_or(rest);
        let path = port.trim_start_matches(|c: char| c.is_ascii_digit());
        path.is_empty() || path.starts_with(['/', '?'])
    })
}

fn response_type(form: &Form) -> Result<(), Problem> {
    match form.first("response_type") {
        Some("code") => Ok(()),
        Some(other) => Err(Problem::value("response_type", other)),
        None => Err(Problem::missing("response_type")),
    }
}

/// The scopes under their long names. Who asks for the address or the profile gets `openid` too.
fn scopes(form: &Form) -> Result<BTreeSet<String>, Problem> {
    let asked = form.first("scope").ok_or_else(|| Problem::missing("scope"))?;
    let (valid, invalid): (Vec<&str>, Vec<&str>) =
        asked.split_whitespace().partition(|scope| canonical(scope).is_some());
    if !invalid.is_empty() {
        return Err(Problem::scope(&valid, &invalid));
    }
    let mut scopes: BTreeSet<String> = valid.into_iter().filter_map(canonical).collect();
    if scopes.contains(EMAIL) || scopes.contains(PROFILE) {
        scopes.insert(OPENID.to_owned());
    }
    Ok(scopes)
}

fn challenge(form: &Form) -> Result<Option<Challenge>, Problem> {
    let Some(text) = form.first("code_challenge") else { return Ok(None) };
    let plain = match form.first("code_challenge_method") {
        // RFC 7636 §4.3: "plain" if not present.
        None | Some("plain") => true,
        Some("S256") => false,
        Some(other) => return Err(Problem::value("code_challenge_method", other)),
    };
    Ok(Some(Challenge { text: text.to_owned(), plain }))
}

fn prompt(form: &Form) -> Result<Prompt, Problem> {
    let mut prompt = Prompt::default();
    let asked = form.first("prompt").unwrap_or_default();
    for word in asked.split_whitespace() {
        match word {
            "none" => prompt.none = true,
            "consent" => prompt.consent = true,
            "select_account" => prompt.select_account = true,
            _ => return Err(Problem::value("prompt", asked)),
        }
    }
    // OpenID Connect Core 1.0 §3.1.2.1: none stands alone.
    match prompt.none && (prompt.consent || prompt.select_account) {
        true => Err(Problem::value("prompt", asked)),
        false => Ok(prompt),
    }
}
