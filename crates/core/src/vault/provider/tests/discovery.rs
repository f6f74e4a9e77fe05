//! Providers whose metadata say where they are.

use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context as Waker, Poll, Waker as Waking};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Setup, form, query};
use crate::model::Scope;
use crate::outbound::{CallError, FetchError, Outbound, Request, Response};
use crate::time::Seconds;
use crate::vault::answer::{FailureClass, ProviderFailure};
use crate::vault::provider::{AuthorizeUrl, Context};

/// Answers what it was told to, and counts.
struct Documents(Mutex<(Option<Value>, usize)>);

impl Documents {
    fn of(document: Value) -> Self {
        Self(Mutex::new((Some(document), 0)))
    }

    fn is_away(&self) {
        self.0.lock().expect("whole").0 = None;
    }

    fn fetched(&self) -> usize {
        self.0.lock().expect("whole").1
    }
}

#[async_trait]
impl Outbound for Documents {
    async fn json(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        let mut own = self.0.lock().expect("whole");
        own.1 += 1;
        let why = || FetchError { url: url.to_owned(), why: "away".to_owned() };
        own.0.as_ref().map(|document| document.to_string().into_bytes()).ok_or_else(why)
    }

    async fn call(&self, _: Request, _: Seconds) -> Result<Response, CallError> {
        Err(CallError::NotSent("no calls here".to_owned()))
    }
}

/// Nothing here waits for anything.
fn prepare(own: &Setup, at: u32, documents: &Documents) -> Result<(), ProviderFailure> {
    let ctx = Context { now: own.ctx().now.plus(Seconds(at)), ..own.ctx() };
    let mut future = pin!(own.provider().prepare(&ctx, documents));
    match future.as_mut().poll(&mut Waker::from_waker(Waking::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("it waits"),
    }
}

fn metadata() -> Value {
    json!({
        "issuer": "https://id.example/realms/one",
        "authorization_endpoint": "https://id.example/realms/one/auth",
        "token_endpoint": "https://id.example/realms/one/token",
        "revocation_endpoint": "https://id.example/realms/one/revoke",
        "jwks_uri": "https://id.example/realms/one/certs",
        "authorization_response_iss_parameter_supported": true,
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
    })
}

/// A provider of its own, which has fetched nothing yet.
fn oidc() -> Setup {
    Setup::own("extends = \"oidc\"").with("issuer", "https://id.example/realms/one")
}

fn authorize(own: &Setup) -> String {
    let scope = Scope::parse("email").expect("a scope");
    let asked = AuthorizeUrl {
        scope: &scope,
        state: "s",
        challenge: "c",
        nonce: "n",
        login_hint: None,
        force_consent: false,
    };
    own.provider().authorize_url(&own.ctx(), &asked)
}

#[test]
fn metadata_are_fetched_once_and_tell_every_url() {
    let (own, documents) = (oidc(), Documents::of(metadata()));
    assert_eq!(authorize(&own), "", "nothing is known yet");
    prepare(&own, 0, &documents).expect("metadata");
    prepare(&own, 60, &documents).expect("known");
    assert_eq!(documents.fetched(), 1);
    let url = authorize(&own);
    assert!(url.starts_with("https://id.example/realms/one/auth?"), "{url}");
    assert_eq!(query(&url)["scope"], "openid email");
    let refresh = own.provider().refresh(&own.ctx(), "r");
    assert_eq!(refresh.url, "https://id.example/realms/one/token");
    assert!(form(&refresh).contains_key("client_secret"), "as the metadata say");
    let issuer = own.provider().callback_issuer(&own.ctx());
    assert_eq!(issuer.as_deref(), Some("https://id.example/realms/one"));
    let rules = own.provider().id_token(&own.ctx()).expect("ID tokens");
    assert_eq!(rules.jwks_uri, "https://id.example/realms/one/certs");
    assert!(rules.accepts_issuer(&json!({"iss": "https://id.example/realms/one"})));
    assert!(!rules.accepts_issuer(&json!({"iss": "https://id.example/realms/two"})));
    let revoke = own.provider().revoke(&own.ctx(), "a", Some("r")).expect("it can");
    assert_eq!(revoke.url, "https://id.example/realms/one/revoke");
}

#[test]
fn old_metadata_do_while_the_provider_is_away() {
    let (own, documents) = (oidc(), Documents::of(metadata()));
    prepare(&own, 0, &documents).expect("metadata");
    documents.is_away();
    prepare(&own, 7 * 3_600, &documents).expect("those of before");
    prepare(&own, 7 * 3_600 + 5, &documents).expect("those of before");
    assert_eq!(documents.fetched(), 2, "it is left alone for a while");
    assert!(!authorize(&own).is_empty());
}

#[test]
fn without_metadata_it_is_trouble_of_the_provider() {
    let (own, documents) = (oidc(), Documents::of(metadata()));
    documents.is_away();
    let failure = prepare(&own, 0, &documents).expect_err("away");
    assert_eq!(failure.class, FailureClass::Transient);
    let why =
        "its metadata at https://id.example/realms/one/.well-known/openid-configuration: away";
    assert_eq!(failure.detail, why);
    prepare(&own, 5, &documents).expect_err("left alone");
    assert_eq!(documents.fetched(), 1);
}

#[test]
fn metadata_of_somebody_else_are_refused() {
    for (name, value) in [
        ("issuer", json!("https://evil.example")),
        ("issuer", json!("https://id.example/realms/one/")),
        ("issuer", json!(null)),
        ("token_endpoint", json!("http://id.example/token")),
        ("token_endpoint", json!("javascript:alert(1)")),
        ("token_endpoint", json!("https://a:b@id.example/token")),
        ("jwks_uri", json!(7)),
    ] {
        let mut document = metadata();
        document[name] = value.clone();
        let own = oidc();
        let failure = prepare(&own, 0, &Documents::of(document)).expect_err(name);
        assert_eq!(failure.class, FailureClass::Transient, "{name} {value}");
        assert_eq!(authorize(&own), "", "{name} {value}");
    }
}

#[test]
fn what_an_operator_must_still_say_is_said_before_any_call() {
    let documents = Documents::of(metadata());
    let failure = prepare(&Setup::built_in("oidc"), 0, &documents).expect_err("no issuer");
    assert_eq!(failure.class, FailureClass::ClientBroken);
    assert!(failure.detail.contains("variables.issuer is not set"), "{}", failure.detail);
    let zendesk = Setup::built_in("zendesk").with("subdomain", "a/b");
    let failure = prepare(&zendesk, 0, &documents).expect_err("not a label");
    assert!(failure.detail.contains("variables.subdomain is refused"), "{}", failure.detail);
    let google = Setup::built_in("google").with("tenant", "x");
    let failure = prepare(&google, 0, &documents).expect_err("not a variable");
    assert!(failure.detail.contains("not one of google"), "{}", failure.detail);
    let mut github = Setup::built_in("github");
    github.integration.client_secret = None;
    let failure = prepare(&github, 0, &documents).expect_err("no secret");
    assert_eq!(failure.detail, "client_secret is not set");
    assert_eq!(documents.fetched(), 0);
}
