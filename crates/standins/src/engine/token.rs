//! The token endpoint: RFC 6749 §4.1.3, §4.4 and §6, RFC 7636 §4.6.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use super::answer::Issued;
use super::id_token;
use super::ledger::{Asked, Dead, Grant, Tokens};
use super::lives::Lives;
use super::provider::{AsForm, Offline, Pkce, Repeated, Scene};
use super::refusal::Refusal;
use super::request::{Fields, Kind, as_form, nested, say};
use crate::http::{Answer, basic};

/// Answers a token request, in the form that this provider has for answers and errors.
pub(crate) fn run(scene: &mut Scene<'_>) -> Answer {
    let rules = scene.provider.token;
    let mut answer = match read(scene) {
        Ok(fields) => match (rules.own)(scene, &fields) {
            Some(answer) => answer,
            None => grant(scene, &fields).map_or_else(rules.refuse, |issued| say(200, issued)),
        },
        Err(refusal) => (rules.refuse)(refusal),
    };
    if rules.errors_are_200 && answer.status.is_client_error() {
        answer.status = axum::http::StatusCode::OK;
    }
    if let Some(below) = rules.nested {
        answer = nested(answer, below);
    }
    match rules.as_form {
        AsForm::Always => as_form(answer),
        AsForm::UnlessJsonIsAskedFor if !scene.request.wants_json() => as_form(answer),
        AsForm::UnlessJsonIsAskedFor | AsForm::Never => answer,
    }
}

/// The parameters of a request whose client is known.
pub(crate) fn read(scene: &Scene<'_>) -> Result<Fields, Refusal> {
    let (rules, request) = (scene.provider.token, scene.request);
    let accepted = match request.kind() {
        Kind::Form => rules.form,
        Kind::Json => rules.json,
        Kind::Other => request.body.is_empty() && rules.query,
    };
    if !accepted {
        return Err(Refusal::WrongBody);
    }
    let mut fields = request.fields();
    if rules.query {
        fields.extend(request.query.clone());
    }
    authenticate(scene, &fields)?;
    Ok(fields)
}

/// RFC 6749 §2.3: the ways that this provider takes, and no other.
fn authenticate(scene: &Scene<'_>, fields: &Fields) -> Result<(), Refusal> {
    let rules = scene.provider.token;
    let header = basic(&scene.request.headers).filter(|_| rules.basic);
    let body = || {
        let (id, secret) = (fields.get("client_id")?, fields.get("client_secret")?);
        Some((id.clone(), secret.clone()))
    };
    let (id, secret) = match (header, rules.post) {
        (Some(pair), _) => pair,
        (None, true) => body().ok_or(Refusal::NoClient)?,
        (None, false) => return Err(Refusal::NoClient),
    };
    match (id == scene.client.id, secret == scene.client.secret) {
        (true, true) => Ok(()),
        (true, false) => Err(Refusal::WrongSecret),
        (false, _) => Err(Refusal::UnknownClient),
    }
}

fn grant(scene: &mut Scene<'_>, fields: &Fields) -> Result<Value, Refusal> {
    let rules = scene.provider.token;
    let grant_type = match fields.get("grant_type") {
        Some(named) => named.as_str(),
        None if rules.code_by_default => "authorization_code",
        None => return Err(Refusal::Missing("grant_type")),
    };
    if !rules.grants.contains(&grant_type) {
        return Err(Refusal::GrantType);
    }
    (rules.check)(fields)?;
    match grant_type {
        "authorization_code" => by_code(scene, fields),
        "refresh_token" => by_refresh(scene, fields),
        "client_credentials" => Ok(by_itself(scene, fields)),
        _ => Err(Refusal::GrantType),
    }
}

fn by_code(scene: &mut Scene<'_>, fields: &Fields) -> Result<Value, Refusal> {
    let grant = redeem(scene, fields)?;
    let asked = lifetimes(fields, comes_with_refresh(scene.provider.authorize.offline, &grant));
    let tokens = scene.ledger.issue(grant.id, scene.now, &scene.provider.lives, asked);
    Ok(answer(scene, &grant, &tokens, false))
}

/// Uses a code up; what it stands for.
pub(crate) fn redeem(scene: &mut Scene<'_>, fields: &Fields) -> Result<Grant, Refusal> {
    let code = fields.get("code").ok_or(Refusal::Missing("code"))?;
    let grant = match scene.ledger.see_code(code, scene.now) {
        Ok(grant) => grant,
        Err(dead) => {
            // RFC 6749 §4.1.2: a code that comes twice takes back what it gave.
            if dead == Dead::Used && scene.provider.lives.code_reuse_ends {
                scene.ledger.end_grant_of_code(code);
            }
            return Err(Refusal::Code(dead));
        }
    };
    // RFC 6749 §4.1.3: the redirect URI must be the one of the authorization request.
    let sent = grant.asked.get("redirect_uri");
    match (fields.get("redirect_uri"), scene.provider.token.redirect_uri) {
        (Some(again), _) if sent.is_some_and(|sent| sent != again) => {
            return Err(Refusal::RedirectUri);
        }
        (None, Repeated::Always) => return Err(Refusal::Missing("redirect_uri")),
        (None, Repeated::IfSent) if sent.is_some() => {
            return Err(Refusal::Missing("redirect_uri"));
        }
        (Some(_), _) | (None, Repeated::IfSent | Repeated::Optional) => {}
    }
    check_verifier(scene.provider.authorize.pkce, &grant, fields)?;
    scene.ledger.spend_code(code);
    Ok(grant)
}

/// RFC 7636 §4.6: the verifier must fit the challenge.
fn check_verifier(pkce: Pkce, grant: &Grant, fields: &Fields) -> Result<(), Refusal> {
    let Some(challenge) = grant.asked.get("code_challenge") else {
        return Ok(());
    };
    if pkce == Pkce::Ignored {
        return Ok(());
    }
    let verifier = fields.get("code_verifier").ok_or(Refusal::Missing("code_verifier"))?;
    let is_plain = grant.asked.get("code_challenge_method").is_none_or(|method| method == "plain");
    let made = match is_plain {
        true => verifier.clone(),
        false => BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())),
    };
    match made == *challenge {
        true => Ok(()),
        false => Err(Refusal::Verifier),
    }
}

fn comes_with_refresh(offline: Offline, grant: &Grant) -> bool {
    match offline {
        Offline::Never => false,
        Offline::Always => true,
        Offline::Scope(any) => any.iter().any(|scope| grant.has(scope)),
        Offline::Param(name, value) => grant.asked.get(name).is_some_and(|sent| sent == value),
    }
}

fn by_refresh(scene: &mut Scene<'_>, fields: &Fields) -> Result<Value, Refusal> {
    let refresh = fields.get("refresh_token").ok_or(Refusal::Missing("refresh_token"))?;
    let Scene { now, provider, .. } = *scene;
    let seen = scene.ledger.see_refresh(refresh, now, &provider.lives);
    let grant = seen.map_err(Refusal::Refresh)?;
    // RFC 6749 §6: no scope that was not granted before.
    let asked = fields.get("scope").map_or("", String::as_str);
    if provider.authorize.scopes(asked).iter().any(|scope| !grant.has(scope)) {
        return Err(Refusal::Scope);
    }
    let asked = lifetimes(fields, true);
    let tokens = scene.ledger.refresh(refresh, now, &provider.lives, asked);
    let tokens = tokens.ok_or(Refusal::Refresh(Dead::Unknown))?;
    Ok(answer(scene, &grant, &tokens, true))
}

/// RFC 6749 §4.4: the client gets tokens for itself, and no refresh token.
fn by_itself(scene: &mut Scene<'_>, fields: &Fields) -> Value {
    let asked = fields.get("scope").map_or("", String::as_str);
    let grant = Grant {
        id: 0,
        person: None,
        scopes: scene.provider.authorize.scopes(asked),
        asked: Fields::new(),
        vars: scene.request.vars.clone(),
        base: scene.request.base.clone(),
        prefix: None,
        ended: false,
    };
    let id = scene.ledger.grant(grant.clone(), None);
    let lives = scene.provider.lives;
    let lives = Lives { access: lives.by_client.unwrap_or(lives.access), ..lives };
    let tokens = scene.ledger.issue(id, scene.now, &lives, lifetimes(fields, false));
    answer(scene, &grant, &tokens, false)
}

fn lifetimes(fields: &Fields, refresh: bool) -> Asked {
    let seconds = |name: &str| fields.get(name).and_then(|text| text.parse().ok());
    Asked {
        refresh,
        access: seconds("expires_in"),
        refresh_life: seconds("refresh_token_expires_in"),
    }
}

fn answer(scene: &Scene<'_>, grant: &Grant, tokens: &Tokens, refreshed: bool) -> Value {
    let (now, base) = (scene.now, &scene.request.base);
    let issued = Issued { grant, tokens, refreshed, now, base };
    let mut answer = (scene.provider.token.answer)(&issued);
    if let Some(id_token) = id_token::made(scene, grant, tokens, !refreshed) {
        answer["id_token"] = Value::String(id_token);
    }
    answer
}
