//! A stand-in provider: real HTTP, real ES256 signatures, and knobs to misbehave with.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::devices::{self, Devices};
use crate::vault::{self, Vault};

pub(crate) const SECRET: &str = "a secret/with+signs";

pub(crate) type Parameters = HashMap<String, String>;

/// How the provider behaves, and what it saw.
pub(crate) struct Knobs {
    pub(crate) code_lifetime: u64,
    pub(crate) refresh_lifetime: u64,
    pub(crate) rotate: bool,
    pub(crate) wrong_nonce: bool,
    pub(crate) foreign_key: bool,
    pub(crate) iss: Option<String>,
    pub(crate) refuse_refresh: Option<(StatusCode, &'static str)>,
    pub(crate) refuse_every_token: bool,
    pub(crate) requests: Vec<Parameters>,
    pub(crate) refreshes: Vec<String>,
    pub(crate) revoked: Vec<String>,
    pub(crate) api_calls: u32,
    pub(crate) devices: Devices,
    pub(crate) vault: Vault,
    good_access: Vec<String>,
    good_refresh: Vec<String>,
    serial: u32,
    pending: HashMap<String, Parameters>,
}

pub(crate) struct Inner {
    pub(crate) issuer: String,
    key: EcdsaKeyPair,
    other_key: EcdsaKeyPair,
    knobs: Mutex<Knobs>,
}

pub(crate) type Provider = Arc<Inner>;

impl Inner {
    pub(crate) fn knobs(&self) -> MutexGuard<'_, Knobs> {
        self.knobs.lock().expect("no test panics while it holds the knobs")
    }

    /// Makes every access token that was given out worthless, as a restart with no memory would.
    pub(crate) fn forget_access_tokens(&self) {
        self.knobs().good_access.clear();
    }

    #[expect(clippy::disallowed_methods, reason = "tokens carry the time of day")]
    fn id_token(&self, client_id: &str, nonce: Option<&str>) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let mut claims = json!({
            "iss": self.issuer, "aud": client_id, "sub": "person-1", "iat": now, "exp": now + 3600,
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let head = json!({"alg": "ES256", "typ": "JWT", "kid": "k1"});
        let signed = format!("{}.{}", part(&head), part(&claims));
        let key = if self.knobs().foreign_key { &self.other_key } else { &self.key };
        let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).expect("signs");
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}

pub(crate) async fn start() -> Provider {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    start_on(listener)
}

pub(crate) fn start_on(listener: TcpListener) -> Provider {
    let key = || EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
    let issuer = format!("http://{}", listener.local_addr().expect("an address"));
    let knobs = Knobs {
        code_lifetime: 3600,
        refresh_lifetime: 3600,
        rotate: true,
        wrong_nonce: false,
        foreign_key: false,
        iss: Some(issuer.clone()),
        refuse_refresh: None,
        refuse_every_token: false,
        requests: vec![],
        refreshes: vec![],
        revoked: vec![],
        api_calls: 0,
        devices: Devices::default(),
        vault: Vault::default(),
        good_access: vec![],
        good_refresh: vec![],
        serial: 0,
        pending: HashMap::new(),
    };
    let (key, other_key) = (key(), key());
    let provider = Arc::new(Inner { issuer, key, other_key, knobs: Mutex::new(knobs) });
    let router = Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/jwks.json", get(keys))
        .route("/authorize", get(authorize))
        .route("/token", post(token))
        .route("/userinfo", get(user_info))
        .route("/revoke", post(revoke))
        .route("/device_authorization", post(devices::authorization))
        .route("/protected", get(protected))
        .route("/oauth/token", post(vault::token))
        .route("/oauth/refresh", post(vault::refresh))
        .route("/connect/sessions", post(vault::begin))
        .route("/connect/complete", post(vault::complete))
        .route("/calendars", get(vault::calendars))
        .with_state(provider.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    provider
}

async fn discovery(State(provider): State<Provider>) -> Json<Value> {
    let issuer = &provider.issuer;
    let mut metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/jwks.json"),
        "end_session_endpoint": format!("{issuer}/logout"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "EdDSA", "PS256", "RS256"],
        "authorization_response_iss_parameter_supported": true,
    });
    if !provider.knobs().devices.none {
        metadata["device_authorization_endpoint"] = format!("{issuer}/device_authorization").into();
    }
    Json(metadata)
}

async fn keys(State(provider): State<Provider>) -> Json<Value> {
    let point = provider.key.public_key().as_ref();
    let part = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    Json(json!({"keys": [{
        "kty": "EC", "crv": "P-256", "kid": "k1", "use": "sig", "alg": "ES256",
        "x": part(&point[1..33]), "y": part(&point[33..65]),
    }]}))
}

async fn authorize(
    State(provider): State<Provider>,
    Query(request): Query<Parameters>,
) -> Redirect {
    let mut knobs = provider.knobs();
    knobs.serial += 1;
    let code = format!("code-{}", knobs.serial);
    let mut back = url::Url::parse(&request["redirect_uri"]).expect("a URL");
    back.query_pairs_mut().append_pair("code", &code).append_pair("state", &request["state"]);
    if let Some(iss) = &knobs.iss {
        back.query_pairs_mut().append_pair("iss", iss);
    }
    knobs.requests.push(request.clone());
    knobs.pending.insert(code, request);
    Redirect::to(back.as_str())
}

async fn token(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<Parameters>,
) -> Response {
    if form["grant_type"] == "urn:ietf:params:oauth:grant-type:device_code" {
        return devices::poll(&provider, &headers, &form);
    }
    if !client_is_known(&headers) {
        return refusal(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    match form["grant_type"].as_str() {
        "authorization_code" => redeem(&provider, &form),
        _ => {
            // Long enough for parallel requests to meet.
            tokio::time::sleep(Duration::from_millis(100)).await;
            refresh(&provider, &form)
        }
    }
}

fn redeem(provider: &Provider, form: &Parameters) -> Response {
    let Some(request) = provider.knobs().pending.remove(&form["code"]) else {
        return refusal(StatusCode::BAD_REQUEST, "invalid_grant");
    };
    let challenge =
        BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, form["code_verifier"].as_bytes()));
    if request["code_challenge_method"] != "S256" || request["code_challenge"] != challenge {
        return refusal(StatusCode::BAD_REQUEST, "invalid_grant");
    }
    let nonce = match provider.knobs().wrong_nonce {
        true => "another nonce",
        false => &request["nonce"],
    };
    let lifetime = provider.knobs().code_lifetime;
    tokens(provider, "sample", lifetime, Some(nonce), true)
}

fn refresh(provider: &Provider, form: &Parameters) -> Response {
    let token = form["refresh_token"].clone();
    let mut knobs = provider.knobs();
    knobs.refreshes.push(token.clone());
    if let Some((status, error)) = knobs.refuse_refresh {
        return refusal(status, error);
    }
    if !knobs.good_refresh.contains(&token) {
        return refusal(StatusCode::BAD_REQUEST, "invalid_grant");
    }
    let (rotate, lifetime) = (knobs.rotate, knobs.refresh_lifetime);
    if rotate {
        knobs.good_refresh.retain(|good| *good != token);
    }
    drop(knobs);
    tokens(provider, "sample", lifetime, None, rotate)
}

pub(crate) fn tokens(
    provider: &Provider,
    client_id: &str,
    lifetime: u64,
    nonce: Option<&str>,
    refresh: bool,
) -> Response {
    let id_token = provider.id_token(client_id, nonce);
    let mut knobs = provider.knobs();
    knobs.serial += 1;
    let (access, fresh) = (format!("access-{}", knobs.serial), format!("refresh-{}", knobs.serial));
    knobs.good_access.push(access.clone());
    let mut answer = json!({
        "access_token": access, "token_type": "Bearer", "expires_in": lifetime,
        "scope": "openid profile email read", "id_token": id_token,
    });
    if refresh {
        answer["refresh_token"] = fresh.as_str().into();
        knobs.good_refresh.push(fresh);
    }
    Json(answer).into_response()
}

async fn user_info() -> Json<Value> {
    Json(json!({
        "sub": "person-1", "name": "Ada Lovelace",
        "email": "ada@example.com", "email_verified": true,
    }))
}

async fn revoke(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<Parameters>,
) -> StatusCode {
    let television = form.get("client_id").is_some_and(|id| id == "sample-tv");
    if !client_is_known(&headers) && !television {
        return StatusCode::UNAUTHORIZED;
    }
    provider.knobs().revoked.push(form["token"].clone());
    StatusCode::OK
}

async fn protected(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    let mut knobs = provider.knobs();
    knobs.api_calls += 1;
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = bearer.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let known = knobs.good_access.iter().any(|good| good == token);
    match known && !knobs.refuse_every_token {
        true => Json(json!({"data": "This is protected data"})).into_response(),
        false => refusal(StatusCode::UNAUTHORIZED, "invalid_token"),
    }
}

fn client_is_known(headers: &HeaderMap) -> bool {
    let encode =
        |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("sample:{}", encode(SECRET));
    let expected = format!("Basic {}", BASE64_STANDARD.encode(pair));
    headers.get("authorization").is_some_and(|value| value == expected.as_str())
}

pub(crate) fn refusal(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({"error": error, "error_description": "No."}))).into_response()
}
