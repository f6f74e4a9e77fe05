//! `/token`: codes and refresh tokens become access tokens. RFC 6749 §4.1.3, §6; RFC 7636 §4.6.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::app::{App, Asked};
use super::client_auth::authenticate;
use super::config::Client;
use super::grants::{self, Issued, Wanted};
use super::refusal::Refusal;
use super::scopes;
use super::state::{Challenge, State};
use super::tokens::Found;
use crate::http::{Answer, Form};

pub(super) fn token(app: &App, asked: &Asked) -> Answer {
    let issued = grant(&mut app.state(), asked, app.now());
    let answer = issued.map(|issued| issued.answer(app));
    match answer {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => crate::faults::broken(),
        Err(refusal) => refusal.answer(),
    }
}

fn grant(state: &mut State, asked: &Asked, now: i64) -> Result<Issued, Refusal> {
    // RFC 6749 §3.2: parameters must not be repeated.
    if let Some(name) = asked.form.repeated() {
        let text = format!("OAuth 2 parameters can only have a single value: {name}");
        return Err(Refusal::bad("invalid_request", text));
    }
    let client = authenticate(state, asked)?;
    match asked.form.first("grant_type") {
        Some("authorization_code") => redeem(state, &client, &asked.form, now),
        Some("refresh_token") => refresh(state, &client, &asked.form, now),
        Some(other) => {
            Err(Refusal::bad("unsupported_grant_type", format!("Invalid grant_type: {other}")))
        }
        None => Err(Refusal::missing("grant_type")),
    }
}

fn redeem(state: &mut State, client: &Client, form: &Form, now: i64) -> Result<Issued, Refusal> {
    let sent = form.first("code").ok_or_else(|| Refusal::missing("code"))?;
    if !sent.starts_with("4/") || sent.len() > 256 {
        return Err(Refusal::grant("Malformed auth code."));
    }
    let code = state.codes.get(sent).filter(|code| now < code.expires_at);
    let code = code.filter(|code| code.client_id == client.id).cloned();
    let code = code.ok_or_else(|| Refusal::grant("Bad Request"))?;
    // RFC 6749 §4.1.3: the redirect URI must be the one of the authorization request.
    let redirect_uri =
        form.first("redirect_uri").ok_or_else(|| Refusal::missing("redirect_uri"))?;
    if redirect_uri != code.redirect_uri {
        return Err(Refusal::bad("redirect_uri_mismatch", "Bad Request"));
    }
    // RFC 6749 §4.1.2: a code is for one use.
    state.codes.remove(sent);
    check_verifier(code.challenge.as_ref(), form.first("code_verifier"))?;
    check_person(state, client, &code.sub, &code.scopes)?;
    let wanted = Wanted {
        client,
        sub: &code.sub,
        scopes: code.scopes,
        nonce: code.nonce,
        with_refresh_token: code.with_refresh_token,
    };
    Ok(grants::issue(state, wanted, now))
}

// RFC 7636 §4.6: the challenge is the hash of the verifier, or the verifier.
fn check_verifier(challenge: Option<&Challenge>, sent: Option<&str>) -> Result<(), Refusal> {
    let Some(Challenge { text, plain }) = challenge else { return Ok(()) };
    let verifier = sent.ok_or_else(|| Refusal::grant("Missing code verifier."))?;
    let made = match plain {
        true => verifier.to_owned(),
        false => BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())),
    };
    let good = made == *text;
    good.then_some(()).ok_or_else(|| Refusal::grant("Invalid code verifier."))
}

fn refresh(state: &mut State, client: &Client, form: &Form, now: i64) -> Result<Issued, Refusal> {
    let sent = form.first("refresh_token").ok_or_else(|| Refusal::missing("refresh_token"))?;
    let mut found = match state.tokens.refresh(sent, now) {
        Found::Alive(found) => found,
        Found::Dead => return Err(Refusal::grant("Token has been expired or revoked.")),
        Found::Unknown => return Err(Refusal::grant("Bad Request")),
    };
    // RFC 6749 §6: a refresh token is bound to its client.
    if found.client_id != client.id {
        return Err(Refusal::bad("unauthorized_client", "Unauthorized"));
    }
    found.scopes = narrowed(&found.scopes, form.first("scope"))?;
    check_person(state, client, &found.sub, &found.scopes)?;
    if state.people.get(&found.sub).is_some_and(|own| own.must_sign_in) {
        return Err(Refusal::reauth());
    }
    state.tokens.touch(sent, now);
    Ok(grants::renew(state, client, found, now))
}

// RFC 6749 §6: nothing beyond what was granted. Google leaves such scopes out, and google-auth,
// which always sends all scopes it once asked for, counts on it; there has to be something left.
fn narrowed(granted: &BTreeSet<String>, asked: Option<&str>) -> Result<BTreeSet<String>, Refusal> {
    let Some(asked) = asked else { return Ok(granted.clone()) };
    let wanted: Option<BTreeSet<String>> =
        asked.split_whitespace().map(scopes::canonical).collect();
    let left = wanted.map(|wanted| wanted.intersection(granted).cloned().collect());
    left.filter(|left: &BTreeSet<String>| !left.is_empty())
        .ok_or_else(|| Refusal::bad("invalid_scope", "Bad Request"))
}

fn check_person(
    state: &State,
    client: &Client,
    sub: &str,
    scopes: &BTreeSet<String>,
) -> Result<(), Refusal> {
    if state.account(sub).is_none() {
        return Err(Refusal::grant("Account has been deleted"));
    }
    match state.is_blocked(sub, &client.id, scopes) {
        true => Err(Refusal::bad(
            "admin_policy_enforced",
            "The administrator of this organisation does not allow this application or its scopes.",
        )),
        false => Ok(()),
    }
}
