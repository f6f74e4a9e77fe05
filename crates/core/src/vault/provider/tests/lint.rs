//! What the lint says, and that every key of a description does something.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::small;
use crate::vault::provider::lint::{ablations, ineffective, lint};
use crate::vault::provider::load::{Library, read};
use crate::vault::provider::schema::{is, present, schema};

fn findings(text: &str) -> Vec<String> {
    let found = lint([("own".to_owned(), text.to_owned())], &[]);
    found.iter().map(|own| format!("{} {}", own.severity.as_str(), own.problem)).collect()
}

/// A description that nothing can be said against.
const CLEAN: &str = r#"
label = "Own"
documentation = ["https://own.example/docs"]
authorize.url = "https://own.example/authorize"
token.url = "https://own.example/token"
refresh.rotation = "yes"
response.expires_default = "1h"
response.errors.grant_dead = ["invalid_grant"]
identity = { from = "answer", sub = ["/user/id"] }
"#;

#[test]
fn what_is_built_in_is_clean() {
    let found = lint([], &[]);
    let lines: Vec<String> = found.iter().map(|own| own.problem.to_string()).collect();
    assert!(found.is_empty(), "{}", lines.join("\n"));
}

#[test]
fn what_is_suspicious_is_said() {
    assert_eq!(findings(CLEAN), Vec::<String>::new());
    let clean = |from: &str, to: &str| CLEAN.replace(from, to);
    for (text, said) in [
        (
            clean("https://own.example/token", "http://own.example/token"),
            "warning own: token.url: has no TLS",
        ),
        (
            format!("{CLEAN}variables.x = {{ form = \"name\" }}"),
            "warning own: variables.x: is not used",
        ),
        (
            clean("response.expires_default = \"1h\"", ""),
            "warning own: response.expires_default: is missing",
        ),
        (
            format!("{CLEAN}authorize.pkce = \"off\""),
            "warning own: authorize.pkce: is off without a reason",
        ),
        (
            format!(
                "{CLEAN}authorize.pkce = \"off\"\nauthorize.pkce_off_because = \"x\"\ntoken.auth = \"none\""
            ),
            "warning own: authorize.pkce: is off, and the client has no secret",
        ),
        (
            format!("{CLEAN}authorize.pkce_off_because = \"x\""),
            "warning own: authorize.pkce_off_because: has a reason",
        ),
        (
            clean("identity = { from = \"answer\", sub = [\"/user/id\"] }", ""),
            "warning own: identity: is missing",
        ),
        (clean("/user/id", "/user/email"), "warning own: identity.sub: is an address"),
        (
            clean("response.errors.grant_dead = [\"invalid_grant\"]", ""),
            "hint own: response.errors.grant_dead: is empty",
        ),
        (clean("refresh.rotation = \"yes\"", ""), "hint own: refresh.rotation: is missing"),
        (
            clean("documentation = [\"https://own.example/docs\"]", ""),
            "hint own: documentation: is empty",
        ),
        (
            format!("{CLEAN}revoke = {{ url = \"https://own.example/tokens/{{access_token}}\" }}"),
            "hint own: revoke.url: has the token in it",
        ),
        (
            format!(
                "{CLEAN}proxy = {{ base = \"{{api}}\" }}\nvariables.api = {{ form = \"origin\", from = \"answer\", hosts = [\"*.com\"] }}"
            ),
            "warning own: variables.api.hosts: \"*.com\" lets in every host",
        ),
        (
            format!("{CLEAN}scopes.default = [\"a b\"]"),
            "error own: scopes.default: \"a b\" is not one scope",
        ),
        (
            format!("{CLEAN}scope.default = []"),
            "error own: scope: there is no such key; did you mean \"scopes\"?",
        ),
        ("label".to_owned(), "error own: line 1 is not TOML"),
    ] {
        let found = findings(&text);
        assert!(found.len() == 1 && found[0].starts_with(said), "{said}: {found:#?}");
    }
}

#[test]
fn one_mistake_hides_no_other() {
    let text = "extends = \"gogle\"\nlabl = \"Own\"\ntoken.auth = \"foo\"\n";
    let found = findings(text);
    for said in ["extends: there is no provider", "labl: there is no such key", "token.auth: "] {
        assert!(found.iter().any(|own| own.contains(said)), "{said}: {found:#?}");
    }
    assert_eq!(found.len(), 3, "{found:#?}");
    let text = CLEAN.replace("label = \"Own\"", "label = \" \"\ntoken.auth = \"foo\"");
    let found = findings(&format!("{text}scopes.default = [\"a b\"]\nauthorize.ulr = 1\n"));
    for said in ["token.auth: ", "authorize.ulr: ", "label: is empty", "scopes.default: "] {
        assert!(found.iter().any(|own| own.contains(said)), "{said}: {found:#?}");
    }
    assert_eq!(found.len(), 4, "{found:#?}");
    // What cannot be read is not called missing as well.
    let text = CLEAN.replace("token.url = \"https://own.example/token\"", "token.url = 1");
    assert_eq!(findings(&text).len(), 1, "{:#?}", findings(&text));
}

#[test]
fn taking_the_place_of_a_built_in_one_is_told() {
    let lint = |text: &str| lint([("google".to_owned(), text.to_owned())], &[]);
    let found = lint(CLEAN);
    let told = found.iter().map(|own| own.problem.to_string()).collect::<Vec<_>>();
    assert!(told.len() == 1 && told[0].starts_with("google: takes the place of"), "{told:#?}");
    assert!(lint("extends = \"google\"\nlabel = \"Our Google\"").is_empty());
}

#[test]
fn a_key_that_changes_nothing_is_found() {
    for (more, path) in [
        ("scopes.separator = \" \"", "scopes.separator"),
        ("authorize.rename = { scop = \"user_scope\" }", "authorize.rename.scop"),
        ("response.errors.grant_dead_texts = [\"\"]", ""),
        ("response.errors.throttled = [\"x\", \"x\"]", "response.errors.throttled[x]"),
        ("response.format = \"json\"", "response.format"),
        ("refresh.url = \"https://own.example/token\"", "refresh.url"),
        ("identity.email = []", "identity.email"),
    ] {
        let text = CLEAN.replace(
            "identity = { from = \"answer\", sub = [\"/user/id\"] }",
            "identity.from = \"answer\"\nidentity.sub = [\"/user/id\"]",
        );
        let found = findings(&format!("{text}{more}"));
        let said = found
            .iter()
            .any(|own| own.starts_with(&format!("warning own: {path}: changes nothing")));
        assert!(said || path.is_empty(), "{more}: {found:#?}");
    }
}

#[test]
fn only_those_that_are_named_are_looked_at() {
    let texts = || [("own".to_owned(), small("")), ("other".to_owned(), "label".to_owned())];
    let files = |only: &[&str]| -> BTreeSet<String> {
        let only: Vec<String> = only.iter().map(ToString::to_string).collect();
        lint(texts(), &only).into_iter().map(|own| own.problem.file).collect()
    };
    assert_eq!(
        files(&["own"]).into_iter().collect::<Vec<_>>(),
        ["other", "own"],
        "what is no TOML is always said"
    );
    assert_eq!(files(&[]).len(), 2);
}

/// Each key of the format in one of these, with another value than its default.
const FULL: [&str; 3] = [
    r#"
label = "Own"
documentation = ["https://own.example/docs"]

[variables.tenant]
about = "the tenant"
form = "name"
one_of = ["one", "two"]
default = "one"

[variables.site]
form = "origin"
from = "callback"
at = "site-url"
hosts = ["*.own.example"]

[scopes]
separator = ","
answer_separator = ";"
encoding = "plain"
default = ["read"]
required = ["read"]
always = ["openid"]
ignored = ["offline_access"]
silent = ["openid"]
prefix = "https://own.example/scopes/"
aliases = { mail = "email" }
includes = { write = ["read"] }

[authorize]
url = "https://own.example/{tenant}/authorize"
params = { audience = "api" }
rename = { scope = "user_scope" }
pkce = "off"
pkce_off_because = "it refuses it"
force_consent = { prompt = "consent" }
login_hint = "hint"
issuer = "https://own.example"

[token]
url = "{site}/token"
auth = "post"
body = "json"
headers = { X-Version = "1" }
params = { number = 7 }
rename = { client_id = "client_key" }

[refresh]
url = "{site}/refresh"
auth = "basic"
body = "form"
headers = { X-Version = "2" }
params = { again = "yes" }
rename = { refresh_token = "old_token" }
rotation = "no"
while_alive = true
idle = "30d"
lifetime = "90d"

[client_credentials]
url = "{site}/machine"
auth = "basic"
body = "form"
headers = { X-Version = "3" }
params = { machine = "yes" }
rename = { scope = "scopes" }
scopes = ["machine"]

[response]
format = "any"
root = ["/data"]
access_token = "/access"
token_type = "/type"
refresh_token = "/refresh"
id_token = "/id"
scope = "/scopes"
expires_in = "/expires"
refresh_expires_in = "/refresh_expires"
expires_unit = "epoch_seconds"
expires_default = "2h"
success = { at = "/ok", equals = true }

[response.errors]
code = ["/code"]
subtype = ["/finer"]
description = ["/text"]
retry_after = "/wait"
grant_dead = ["dead"]
grant_dead_texts = ["is dead"]
client_broken = ["broken"]
client_broken_texts = ["is broken"]
throttled = ["fast"]
transient = ["away"]
bad_request = ["invalid_client"]

[id_token]
issuers = ["https://own.example", "https://own.example/{claim.tid}"]
jwks_uri = "https://own.example/keys"
algorithms = ["ES256"]
nonce = false

[identity]
from = "call"
method = "POST"
url = "https://own.example/me"
auth = "client"
params = { token = "{access_token}" }
headers = { X-Version = "4" }
sub = ["/org", "/id"]
email = ["/mail"]
name = ["/name"]
organization = ["/org_name"]

[revoke]
method = "DELETE"
url = "https://own.example/revoke/{client_id}"
token = "access"
parameter = "gone"
auth = "bearer"
body = "json"
headers = { X-Version = "5" }
params = { why = "end" }
done = [202]
done_errors = ["was_gone"]
shared = "project"

[proxy]
base = "{site}/api"
hosts = ["files.own.example"]
headers = { X-Version = "6" }
"#,
    r#"
label = "Own"

[variables.issuer]
form = "url"

[discovery]
url = "{issuer}/.well-known/openid-configuration"
issuer = "{issuer}"

[scopes]
echoed = false

[authorize]

[token]
auth = "private_key_jwt"
audience = "https://own.example"

[refresh]
supported = false

[identity]
from = "call"
body = '{"query":"me"}'
sub = ["/sub"]

[revoke]
"#,
    r#"
extends = "google"
label = "Own"

[token]
auth = "private_key_jwt"

[refresh]
audience = "https://own.example/refresh"

[client_credentials]
audience = "https://own.example/machine"
"#,
];

#[test]
fn every_key_does_something() {
    let mut tried = BTreeSet::new();
    for text in FULL {
        let mut library = Library::built_in();
        let tree = read("own", text).expect("TOML");
        library.own.insert("own".to_owned(), tree.clone());
        let provider = library.build("own", tree.clone()).expect("fine").into();
        let idle = ineffective(&library, &tree, &Arc::clone(&provider));
        assert_eq!(idle, Vec::<String>::new(), "of {text}");
        tried.extend(ablations(&tree).into_iter().map(|(path, _)| path));
    }
    let (mut known, schema) = (BTreeSet::new(), schema());
    leaves(&schema, "", &mut known);
    let tried: BTreeSet<String> = tried.iter().map(|path| general(path)).collect();
    let forgotten: Vec<&String> = known.difference(&tried).collect();
    assert!(forgotten.is_empty(), "no test has {forgotten:?}");
    assert!(known.len() > 90, "{}", known.len());
}

/// The path of every key of the schema that holds a value; `*` for names that are free.
fn leaves(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    let schema = present(schema);
    let join = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (&schema["properties"], schema.get("additionalProperties")) {
        (Value::Object(members), _) => {
            members.iter().for_each(|(key, inner)| leaves(inner, &join(key), found));
        }
        (_, Some(inner)) if inner.is_object() => leaves(inner, &join("*"), found),
        _ => {
            assert!(!is(schema, "object") || path.ends_with("equals"), "{path}");
            found.insert(path.to_owned());
        }
    }
}

/// A path as [`leaves`] has it.
fn general(path: &str) -> String {
    let path = path.split('[').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('.').collect();
    let free = ["variables", "aliases", "includes", "params", "rename", "headers", "force_consent"];
    let named = parts
        .iter()
        .enumerate()
        .map(|(at, part)| if at > 0 && free.contains(&parts[at - 1]) { "*" } else { part });
    named.collect::<Vec<_>>().join(".")
}
