//! The authorization endpoint: RFC 6749 §4.1.1 and §4.1.2, RFC 7636 §4.3.

use url::Url;

use super::ledger::Grant;
use super::page;
use super::people::Person;
use super::provider::{Authorize, Pkce, Provider, Scene, Shown};
use super::request::{Fields, page as shown, pairs, redirect};
use crate::http::Answer;

/// Why an authorization request leads nowhere.
struct Wrong {
    code: &'static str,
    text: String,
    /// Whether only the person may learn of it.
    page: bool,
}

impl Wrong {
    fn page(code: &'static str, text: &str) -> Self {
        Self { code, text: text.to_owned(), page: true }
    }

    fn told(code: &'static str, text: String) -> Self {
        Self { code, text, page: false }
    }
}

/// Shows the sign-in page, or answers at once where `as` names a person: `as=ada` allows, with
/// `answer=deny` refuses, and with `grant=…` allows only these scopes, separated by spaces.
pub(crate) fn run(scene: &mut Scene<'_>) -> Answer {
    let mut asked = scene.request.query.clone();
    if scene.request.method == "POST" {
        asked.extend(pairs(&scene.request.body));
    }
    let own = ["as", "answer", "grant"].map(|name| asked.remove(name));
    let rules = &scene.provider.authorize;
    let scopes = match check(scene, rules, &asked) {
        Ok(scopes) => scopes,
        Err(wrong) => return refuse(rules, &asked, &wrong),
    };
    let [person, answer, narrowed] = own;
    let Some(person) = person else {
        return shown(200, page::sign_in(scene.provider.name, &scopes, &asked));
    };
    let Some(person) = Person::find(&person) else {
        let wrong = Wrong::page("unknown_person", "as=ada and as=grace are the people here");
        return refuse(rules, &asked, &wrong);
    };
    if answer.as_deref() == Some("deny") {
        return send(&asked, rules.denied.iter().map(|(n, v)| (*n, (*v).to_owned())).collect());
    }
    let kept = narrowed.map(|kept| kept.split(' ').map(str::to_owned).collect::<Vec<_>>());
    let scopes = scopes.into_iter().filter(|one| kept.as_ref().is_none_or(|k| k.contains(one)));
    allow(scene, &asked, person, scopes.collect())
}

fn allow(
    scene: &mut Scene<'_>,
    asked: &Fields,
    person: &'static Person,
    scopes: Vec<String>,
) -> Answer {
    let Provider { authorize, lives, .. } = scene.provider;
    let grant = Grant {
        id: 0,
        person: Some(person),
        scopes,
        asked: asked.clone(),
        vars: scene.request.vars.clone(),
        base: scene.request.base.clone(),
        prefix: None,
        ended: false,
    };
    let extra = (authorize.callback)(&grant);
    let grant = scene.ledger.grant(grant, lives.most);
    let mut answer = vec![("code", scene.ledger.code(grant, scene.now, lives))];
    answer.extend(extra);
    send(asked, answer)
}

/// The checks in their order; what it answers are the scopes that are asked for.
fn check(scene: &Scene<'_>, rules: &Authorize, asked: &Fields) -> Result<Vec<String>, Wrong> {
    // RFC 6749 §4.1.2.1: who the client is and where it gets its answer is settled first; until
    // then nobody but the person is told.
    match asked.get("client_id") {
        Some(id) if *id == scene.client.id => {}
        Some(_) => return Err(Wrong::page("invalid_client", "There is no such client.")),
        None => return Err(Wrong::page("invalid_request", "The client_id is missing.")),
    }
    let back = asked.get("redirect_uri").or(scene.client.redirect_uris.first());
    if !back.is_some_and(|uri| scene.client.may_return_to(uri) && Url::parse(uri).is_ok()) {
        let text = "The redirect_uri is missing, or is none that was registered.";
        return Err(Wrong::page("redirect_uri_mismatch", text));
    }
    for (name, only) in rules.needs {
        match (asked.get(*name), only) {
            (None, _) => return Err(missing(name)),
            (Some(value), Some(only)) if value != only => return Err(not_taken(name)),
            (Some(_), _) => {}
        }
    }
    for (name, choices) in rules.choices {
        if asked.get(*name).is_some_and(|value| !choices.contains(&value.as_str())) {
            return Err(not_taken(name));
        }
    }
    check_challenge(rules.pkce, asked)?;
    let mut scopes = Vec::new();
    for name in rules.scope_in {
        scopes.extend(check_scopes(rules, asked.get(*name).map_or("", String::as_str))?);
    }
    match scopes.is_empty() && rules.needs_scope {
        true => Err(missing("scope")),
        false => Ok(scopes),
    }
}

fn check_challenge(pkce: Pkce, asked: &Fields) -> Result<(), Wrong> {
    let (required, plain) = match pkce {
        Pkce::Ignored => return Ok(()),
        Pkce::Optional { plain } => (false, plain),
        Pkce::Required { plain } => (true, plain),
    };
    match (asked.get("code_challenge"), asked.get("code_challenge_method").map(String::as_str)) {
        // RFC 7636 §4.4.1: a request without a challenge, where one is required.
        (None, _) if required => Err(missing("code_challenge")),
        (None, Some(_)) => Err(missing("code_challenge")),
        (None, None) | (Some(_), Some("S256")) => Ok(()),
        // RFC 7636 §4.3: without a method, it is "plain".
        (Some(_), None | Some("plain")) if plain => Ok(()),
        (Some(_), None | Some(_)) => Err(not_taken("code_challenge_method")),
    }
}

fn check_scopes(rules: &Authorize, text: &str) -> Result<Vec<String>, Wrong> {
    // A list with another separator is one scope that nobody knows.
    let known = |scope: &String| {
        !scope.contains([' ', ',', '+']) && !rules.unknown_scopes.contains(&scope.as_str())
    };
    let (good, bad): (Vec<_>, Vec<_>) = rules.scopes(text).into_iter().partition(known);
    match bad.first().filter(|_| !rules.drops_unknown) {
        Some(bad) => Err(Wrong::told("invalid_scope", format!("There is no scope {bad}."))),
        None => Ok(good),
    }
}

fn missing(name: &str) -> Wrong {
    Wrong::told("invalid_request", format!("The parameter {name} is missing."))
}

fn not_taken(name: &str) -> Wrong {
    let code =
        if name == "response_type" { "unsupported_response_type" } else { "invalid_request" };
    Wrong::told(code, format!("The parameter {name} has a value that is not taken."))
}

fn refuse(rules: &Authorize, asked: &Fields, wrong: &Wrong) -> Answer {
    match wrong.page || rules.errors == Shown::Page || !asked.contains_key("redirect_uri") {
        true => shown(400, page::error(wrong.code, &wrong.text)),
        false => send(
            asked,
            vec![("error", wrong.code.to_owned()), ("error_description", wrong.text.clone())],
        ),
    }
}

/// RFC 6749 §4.1.2: back to the client, with the `state` that came.
fn send(asked: &Fields, answer: Vec<(&str, String)>) -> Answer {
    let Some(mut url) = asked.get("redirect_uri").and_then(|uri| Url::parse(uri).ok()) else {
        return shown(400, page::error("invalid_request", "There is nowhere to go back to."));
    };
    url.query_pairs_mut().extend_pairs(answer);
    if let Some(state) = asked.get("state") {
        url.query_pairs_mut().append_pair("state", state);
    }
    redirect(url.as_str())
}
