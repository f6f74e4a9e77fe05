//! Keys and signed tokens of others: made by PyPI jwcrypto, and published by a small web server.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use grantor_core::jose::seal::{KeyEncryptionKey, KeyRing};
use grantor_core::model::{AuthMethod, Client, ClientSecret, GrantType, Scope};
use grantor_core::store::{Added, Store};
use grantor_core::time::Timestamp;
use grantor_core::{client_auth, jose};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::browser::{Page, client};
use super::cli;
use super::flow::random;
use super::server::Server;
use super::smtp::{programs, python};

/// The value of `client_assertion_type`.
pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Somebody with private keys.
pub(crate) struct Signer {
    keys: Value,
    public: Value,
}

/// A token to be made: its header, its claims, and the member that says what signs it (`key` or
/// `secret`, or nothing).
pub(crate) type Wanted = (Value, Value, Option<(&'static str, String)>);

impl Signer {
    /// A key for each name: `ES256`, `RS256`, `PS256`, `EdDSA`, and whatever follows a dash.
    pub(crate) fn new(names: &[&str]) -> Self {
        let kind = |name: &str| match name.split('-').next() {
            Some("ES256") => json!({"kty": "EC", "crv": "P-256"}),
            Some("EdDSA") => json!({"kty": "OKP", "crv": "Ed25519"}),
            _ => json!({"kty": "RSA", "size": 2048}),
        };
        let make: Value = names.iter().map(|name| ((*name).to_owned(), kind(name))).collect();
        let made = work(&json!({ "make": make }));
        Self { keys: made["keys"].clone(), public: made["public"].clone() }
    }

    /// The public key of this name, which is its kid too.
    pub(crate) fn jwk(&self, name: &str) -> Value {
        let mut jwk = self.public[name].clone();
        jwk["kid"] = json!(name);
        jwk
    }

    /// A key set with these public keys.
    pub(crate) fn jwks(&self, names: &[&str]) -> Value {
        json!({"keys": names.iter().map(|name| self.jwk(name)).collect::<Vec<_>>()})
    }

    /// The tokens, in one run of the library.
    pub(crate) fn tokens(&self, wanted: &[Wanted]) -> Vec<String> {
        let tokens = wanted.iter().map(|(header, payload, with)| {
            let mut token = json!({"header": header, "payload": payload});
            if let Some((member, value)) = with {
                token[*member] = json!(value);
            }
            token
        });
        let tokens: Vec<Value> = tokens.collect();
        let made = work(&json!({"keys": self.keys, "tokens": tokens}));
        let tokens = made["tokens"].as_array().expect("tokens");
        tokens.iter().map(|token| token.as_str().expect("text").to_owned()).collect()
    }

    /// One token by the key of this name, with the header that belongs to it.
    pub(crate) fn sign(&self, key: &str, claims: &Value) -> String {
        self.tokens(&[by(key, claims)]).remove(0)
    }
}

/// Claims signed by the key of this name, with the header that belongs to it.
pub(crate) fn by(key: &str, claims: &Value) -> Wanted {
    let alg = key.split('-').next().expect("an algorithm");
    (json!({"alg": alg, "kid": key}), claims.clone(), Some(("key", key.to_owned())))
}

/// Claims under a secret.
pub(crate) fn under(secret: &str, claims: &Value) -> Wanted {
    (json!({"alg": "HS256", "typ": "JWT"}), claims.clone(), Some(("secret", secret.to_owned())))
}

fn work(job: &Value) -> Value {
    let mut command = Command::new(python());
    command.arg(programs().join("python/jose_work.py")).env("PYTHONDONTWRITEBYTECODE", "1");
    let ran = cli::run(&mut command, &job.to_string());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    serde_json::from_str(&ran.out).expect("JSON")
}

/// Seconds since the epoch.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// `claims` with one of them changed, or taken out.
pub(crate) fn changed(claims: &Value, name: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    match value {
        Value::Null => drop(claims.as_object_mut().expect("an object").remove(name)),
        value => claims[name] = value,
    }
    claims
}

impl Server {
    /// The claims of a good assertion, for one use.
    pub(crate) fn claims(&self, issuer: &str, subject: &str) -> Value {
        json!({
            "iss": issuer, "sub": subject, "aud": self.issuer,
            "iat": now(), "exp": now() + 60, "jti": random(),
        })
    }

    /// Registers a client that acts for itself, by this method.
    pub(crate) async fn add_machine(&self, id: &str, change: impl FnOnce(&mut Client)) {
        let mut own = Client::new(id, Timestamp::from_epoch(now()));
        own.grant_types = vec![GrantType::ClientCredentials];
        own.scope = Scope::parse("read write").expect("a scope");
        own.requests_per_minute = Some(0);
        change(&mut own);
        self.store(async |store| {
            assert_eq!(store.add_client(own).await.expect("kept"), Added::Done);
        })
        .await;
    }

    /// Does something to the store that no command does.
    pub(crate) async fn store(&self, work: impl AsyncFnOnce(&dyn Store)) {
        work(&*self.open_store().await).await;
    }

    /// A client for `private_key_jwt` with these keys.
    pub(crate) async fn signing_machine(&self, id: &str, jwks: Value) {
        self.add_machine(id, |own| {
            own.token_endpoint_auth_method = AuthMethod::PrivateKeyJwt;
            own.jwks = Some(jwks);
        })
        .await;
    }

    /// A client for `client_secret_jwt` with this secret.
    pub(crate) async fn hmac_machine(&self, id: &str, secret: &str) {
        self.seen.add(secret);
        let text = std::fs::read_to_string(self.data().join("key-encryption.key")).expect("a key");
        let bytes: Vec<u8> = (0..32)
            .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hexadecimal"))
            .collect();
        let key = KeyEncryptionKey::new(&bytes.try_into().expect("32 bytes")).expect("a key");
        let ring = KeyRing::new(key, Vec::new());
        let nonce = [7; jose::seal::NONCE_BYTES];
        let sealed = ring.seal(secret.as_bytes(), &client_auth::sealed_place(id), nonce);
        let sealed = sealed.expect("sealed");
        self.add_machine(id, |own| {
            own.token_endpoint_auth_method = AuthMethod::ClientSecretJwt;
            own.secret = Some(ClientSecret::Sealed(sealed));
        })
        .await;
    }

    /// A request for a token of the client itself, with an assertion.
    pub(crate) async fn assert_client(&self, token: &str) -> Page {
        self.post_assertion("/token", token, &[("grant_type", "client_credentials")]).await
    }

    /// A form with an assertion.
    pub(crate) async fn post_assertion(
        &self,
        path: &str,
        token: &str,
        fields: &[(&str, &str)],
    ) -> Page {
        self.seen.add(token);
        let proof = [("client_assertion_type", JWT_BEARER), ("client_assertion", token)];
        let form = [&proof[..], fields].concat();
        self.request(client().post(self.url(path)).form(&form)).await
    }
}

/// What a [`Site`] answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// This document.
    Json(Value),
    /// A redirect to this address.
    Redirect(String),
    /// More than anybody wants to read.
    Endless,
    /// This document, later than anybody waits.
    Late(Value),
    /// An error.
    Broken,
}

/// A web server of somebody else, on this machine.
pub(crate) struct Site {
    /// Where its document is.
    pub(crate) url: String,
    answer: Arc<Mutex<Answer>>,
    fetches: Arc<AtomicUsize>,
}

impl Site {
    /// One that answers so.
    pub(crate) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (answer, fetches) = (Arc::new(Mutex::new(answer)), Arc::new(AtomicUsize::new(0)));
        let (shown, counter) = (Arc::clone(&answer), Arc::clone(&fetches));
        let routes = Router::new().fallback(move || {
            counter.fetch_add(1, Ordering::SeqCst);
            let shown = shown.lock().expect("not poisoned").clone();
            async move { shown.respond().await }
        });
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url: format!("http://127.0.0.1:{port}/jwks"), answer, fetches }
    }

    /// Answers so from now on.
    pub(crate) fn set(&self, answer: Answer) {
        *self.answer.lock().expect("not poisoned") = answer;
    }

    /// How often it was asked.
    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

impl Answer {
    async fn respond(self) -> Response {
        let text = |value: Value| ([(header::CONTENT_TYPE, "application/json")], value.to_string());
        match self {
            Self::Json(value) => text(value).into_response(),
            Self::Redirect(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
            Self::Endless => " ".repeat(10_000_000).into_response(),
            Self::Late(value) => {
                tokio::time::sleep(Duration::from_secs(7)).await;
                text(value).into_response()
            }
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}
