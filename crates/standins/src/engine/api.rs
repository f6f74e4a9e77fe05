//! Endpoints that several providers have in the same form: RFC 7009, RFC 6750.

use axum::http::header;
use serde_json::json;

use super::ledger::{Dead, Grant};
use super::people::Person;
use super::provider::Scene;
use super::refusal::Refusal;
use super::request::{nothing, say};
use super::token;
use crate::http::Answer;

/// RFC 7009 §2: the client authenticates as at the token endpoint and names a token; the grant
/// behind it ends. A token that nobody knows is as good as revoked (§2.2).
pub(crate) fn revoke(scene: &mut Scene<'_>) -> Answer {
    match revoked(scene) {
        Ok(_) => nothing(200),
        Err(answer) => *answer,
    }
}

/// The same, for a provider with an answer of its own: whether there was anything to end.
pub(crate) fn revoked(scene: &mut Scene<'_>) -> Result<bool, Box<Answer>> {
    let rules = scene.provider.token;
    let fields = token::read(scene).map_err(|refusal| Box::new((rules.refuse)(refusal)))?;
    match fields.get("token") {
        Some(token) => Ok(scene.ledger.end_grant_of(token)),
        None => Err(Box::new((rules.refuse)(Refusal::Missing("token")))),
    }
}

/// Ends the grant behind the parameter `token` of a URL or a form, whoever asks.
pub(crate) fn ended(scene: &mut Scene<'_>) -> bool {
    let mut fields = scene.request.query.clone();
    fields.extend(scene.request.fields());
    fields.get("token").is_some_and(|token| scene.ledger.end_grant_of(token))
}

/// The grant and the person behind the bearer token.
pub(crate) fn visitor(scene: &Scene<'_>) -> Result<(Grant, &'static Person), Dead> {
    let grant = scene.open()?;
    let person = grant.person.ok_or(Dead::Unknown)?;
    Ok((grant, person))
}

/// The person behind the bearer token; tokens that a client got for itself are nobody's.
pub(crate) fn person(scene: &Scene<'_>) -> Result<&'static Person, Dead> {
    scene.open()?.person.ok_or(Dead::Unknown)
}

/// RFC 6750 §3: a bearer token is needed, or is not good (any more).
pub(crate) fn unauthorized(_: Dead) -> Answer {
    say(401, json!({ "error": "invalid_token" }))
        .with(header::WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#)
}

/// OpenID Connect Core §5.3.2: claims about the person.
pub(crate) fn userinfo(scene: &mut Scene<'_>) -> Answer {
    match person(scene) {
        Ok(person) => say(
            200,
            json!({
                "sub": person.number.to_string(), "name": person.name,
                "given_name": person.given, "family_name": person.family,
                "email": person.email, "email_verified": true,
            }),
        ),
        Err(dead) => unauthorized(dead),
    }
}
