//! Answers, scopes and values that try out every key of a description; see [`super::observe`].

use std::collections::BTreeSet;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::description::{Description, Identity, Unit};
use super::text::{Place, Pointer};
use super::variable::{Form, Variable};
use crate::model::Scope;
use crate::outbound::Response;
use crate::time::Timestamp;

/// The moment of all samples.
pub(crate) const NOW: Timestamp = Timestamp::from_epoch(1_800_000_000);

/// What a description is tried with; made from the whole one, and used with parts of it.
pub(crate) struct Samples {
    /// All scopes that it names, and one that it does not.
    pub(crate) scope: Scope,
    /// Values for variables, good and bad.
    pub(crate) values: Vec<String>,
    /// Answers of token endpoints.
    pub(crate) answers: Vec<Response>,
    /// Documents that name an account.
    pub(crate) accounts: Vec<Value>,
    /// Answers to a revocation.
    pub(crate) revocations: Vec<Response>,
}

impl Samples {
    pub(crate) fn of(own: &Description) -> Self {
        Self {
            scope: scope(own),
            values: own.variables.values().flat_map(values).collect(),
            answers: answers(own),
            accounts: accounts(&own.identity),
            revocations: revocations(own),
        }
    }
}

fn scope(own: &Description) -> Scope {
    let scopes = &own.scopes;
    let lists =
        [&scopes.default, &scopes.required, &scopes.always, &scopes.ignored, &scopes.silent];
    let mut names: Vec<&str> = lists.into_iter().flatten().map(String::as_str).collect();
    names.extend(scopes.aliases.iter().flat_map(|(other, name)| [other.as_str(), name]));
    for (name, included) in &scopes.includes {
        names.push(name);
        names.extend(included.iter().map(String::as_str));
    }
    let prefixed = scopes.prefix.as_ref().map(|prefix| format!("{prefix}sample"));
    names.extend(prefixed.as_deref());
    names.extend(["sample/one:two,three+four", "sample"]);
    Scope::parse(&names.join(" ")).unwrap_or_default()
}

/// A value of a variable that fits, and is not its default if that can be.
pub(crate) fn value(own: &Variable) -> Option<String> {
    let all = values(own);
    let fits = |value: &&String| own.accept(value).is_ok();
    let other = all.iter().filter(fits).find(|value| own.default.as_ref() != Some(value));
    other.cloned().or_else(|| own.default.clone())
}

fn values(own: &Variable) -> Vec<String> {
    let hosts = own.hosts.iter().map(|host| host.replace("*.", "sample."));
    let written = |host: String| match own.form {
        Form::Origin => format!("https://{host}"),
        Form::Url => format!("https://{host}/sample"),
        Form::Host | Form::Label | Form::Name | Form::Digits => host,
    };
    let mut all: Vec<String> = own.one_of.clone();
    all.extend(hosts.map(written));
    all.extend(own.default.clone());
    let any = ["12345", "sample", "sample.1", "sample.example:8080", "https://sample.example"];
    all.extend(any.map(ToOwned::to_owned));
    all.push("https://sample.example/sample".to_owned());
    all
}

fn answers(own: &Description) -> Vec<Response> {
    let rules = &own.response;
    let mut documents = Vec::new();
    for root in &rules.root {
        let whole = granted(own, root, &[]);
        for (at, _) in members(own) {
            documents.push(granted(own, root, &[at]));
        }
        documents.push(whole);
    }
    documents.push(json!({
        "access_token": "sample-default", "refresh_token": "sample-default", "expires_in": 60,
        "scope": "sample", "id_token": "sample-default", "token_type": "sample",
        "refresh_token_expires_in": 60,
    }));
    let mut answers: Vec<Response> = documents.iter().map(|own| json(200, own)).collect();
    let pairs = [("access_token", "sample-form"), ("expires_in", "60"), ("scope", "sample")];
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    answers.push(response(200, form.into_bytes()));
    if let Some(test) = &rules.success {
        let root = rules.root.first().cloned().unwrap_or_else(|| Pointer::known(""));
        let mut failed = granted(own, &root, &[]);
        put(&mut failed, test.at.as_str(), json!("sample-failure"));
        answers.push(json(200, &failed));
    }
    answers.extend(failures(own));
    answers
}

/// The members of a token answer, with what the samples have there.
fn members(own: &Description) -> Vec<(&Pointer, Value)> {
    let rules = &own.response;
    let now = NOW.epoch();
    let time = |seconds: i64| match rules.expires_unit {
        Unit::Seconds => json!(seconds),
        Unit::Milliseconds => json!(seconds * 1_000),
        Unit::EpochSeconds => json!(now + seconds),
        Unit::EpochMilliseconds => json!((now + seconds) * 1_000),
    };
    let separator = own.scopes.answer_separator.as_ref().unwrap_or(&own.scopes.separator);
    let mut members = vec![
        (&rules.access_token, json!("sample-access")),
        (&rules.token_type, json!("Sample")),
        (&rules.id_token, json!("sample-id")),
        (&rules.scope, json!(format!("sample{separator}other"))),
        (&rules.expires_in, time(90)),
        (&rules.refresh_expires_in, time(900)),
    ];
    // An access token may stand for the refresh token.
    if rules.refresh_token != rules.access_token {
        members.push((&rules.refresh_token, json!("sample-refresh")));
    }
    members
}

/// A token answer with everything below `root` but some members.
fn granted(own: &Description, root: &Pointer, without: &[&Pointer]) -> Value {
    let mut document = json!({});
    for (at, value) in members(own) {
        if !without.contains(&at) {
            put(&mut document, &format!("{}{}", root.as_str(), at.as_str()), value);
        }
    }
    for (name, declared) in &own.variables {
        let at = declared.at.clone().unwrap_or_else(|| format!("/{name}"));
        if let Some(value) = value(declared).filter(|_| at.starts_with('/')) {
            put(&mut document, &at, json!(value));
        }
    }
    if let Some(test) = &own.response.success {
        put(&mut document, test.at.as_str(), test.equals.clone());
    }
    document
}

/// Every code, every place that a code may be in, and every text.
fn failures(own: &Description) -> Vec<Response> {
    let errors = &own.response.errors;
    let lists = [
        &errors.grant_dead,
        &errors.client_broken,
        &errors.throttled,
        &errors.transient,
        &errors.bad_request,
    ];
    let mut codes: BTreeSet<&str> = lists.into_iter().flatten().map(String::as_str).collect();
    codes.insert("sample_code");
    let mut found = Vec::new();
    for (list, status) in [(&errors.code, 400), (&errors.code, 401), (&errors.subtype, 400)] {
        let first = codes.iter().map(|code| (list.first(), *code));
        let further = list.iter().skip(1).map(|at| (Some(at), "sample_code"));
        for (at, code) in first.chain(further) {
            let mut document = json!({});
            put(&mut document, at.map_or("/unknown", Pointer::as_str), json!(code));
            found.push(json(status, &document));
        }
    }
    let texts = errors.grant_dead_texts.iter().chain(&errors.client_broken_texts);
    for text in texts.map(String::as_str).chain(["sample text"]) {
        for at in &errors.description {
            let mut document = json!({"error": "sample_code"});
            put(&mut document, at.as_str(), json!(text));
            found.push(json(400, &document));
        }
    }
    let mut document = json!({});
    put(&mut document, errors.retry_after.as_str(), json!(30));
    found.push(json(429, &document));
    found
}

/// A document with everything, and one for each further place of what may be in several.
fn accounts(own: &Identity) -> Vec<Value> {
    let shown = [&own.email, &own.name, &own.organization];
    let document = |skip: usize| {
        let mut document = json!({});
        let lists = [(&own.sub, 0)].into_iter().chain(shown.map(|list| (list, skip)));
        for (number, (places, skip)) in lists.enumerate() {
            for (at, place) in places.iter().enumerate().skip(skip) {
                if let Place::Document(pointer) = place {
                    put(&mut document, pointer.as_str(), json!(format!("sample-{number}-{at}")));
                }
            }
        }
        document
    };
    let most = shown.iter().map(|list| list.len()).max().unwrap_or(0);
    (0..=most).map(document).collect()
}

fn revocations(own: &Description) -> Vec<Response> {
    let Some(block) = &own.revoke else { return Vec::new() };
    let mut statuses: BTreeSet<u16> = block.done.iter().copied().collect();
    statuses.extend([200, 204, 400, 401, 404, 500]);
    let mut found: Vec<Response> =
        statuses.into_iter().map(|status| response(status, Vec::new())).collect();
    for code in block.done_errors.iter().map(String::as_str).chain(["sample_code"]) {
        for at in &own.response.errors.code {
            let mut document = json!({});
            put(&mut document, at.as_str(), json!(code));
            found.extend([200, 400].map(|status| json(status, &document)));
        }
    }
    found
}

/// A good answer.
pub(crate) fn answer(document: &Value) -> Response {
    json(200, document)
}

fn json(status: u16, document: &Value) -> Response {
    response(status, document.to_string().into_bytes())
}

fn response(status: u16, body: Vec<u8>) -> Response {
    Response { status, content_type: None, retry_after: None, body: Zeroizing::new(body) }
}

/// Puts a value where a JSON pointer points, making the objects on the way.
fn put(document: &mut Value, pointer: &str, value: Value) {
    let mut place = document;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[token];
    }
    *place = value;
}
