//! Assertions as grants: RFC 7521 §4.1, RFC 7523 §2.1.

use grantor_core::client_auth;
use grantor_core::model::{AuthMethod, ClientSecret, GrantType, Scope};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use toml::Table;

use crate::support::flow::{decode, random};
use crate::support::signer::{Answer, Signer, Site, Wanted, by, changed, now, under};
use crate::support::{App, Page, Server, assert_error, client};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const CORP: &str = "https://idp.corp.example";

/// Settings of an issuer whose keys are in `member`.
fn issuer(member: &str, value: String, subject: &str) -> toml::Value {
    let mut table = Table::new();
    table.insert("issuer".into(), CORP.into());
    table.insert(member.into(), value.into());
    table.insert("subject".into(), subject.into());
    table.insert("algorithms".into(), vec!["ES256", "EdDSA"].into());
    toml::Value::Array(vec![table.into()])
}

/// A server that trusts the key `ES256` of the signer, and a client for the grant.
async fn trusting(signer: &Signer, subject: &str) -> (Server, App) {
    let keys = issuer("jwks", signer.jwks(&["ES256"]).to_string(), subject);
    let server = Server::setup().set("trusted_issuers", keys).start().await;
    let app = bearer_app(&server, "portal", GrantType::JwtBearer).await;
    (server, app)
}

async fn bearer_app(server: &Server, id: &str, grant: GrantType) -> App {
    let secret = random();
    server.seen.add(&secret);
    server
        .add_machine(id, |own| {
            own.token_endpoint_auth_method = AuthMethod::ClientSecretBasic;
            own.secret = Some(ClientSecret::Sha256(client_auth::digest(id, &secret)));
            own.grant_types = vec![grant, GrantType::RefreshToken];
            own.scope = Scope::parse("openid email offline_access read").expect("a scope");
        })
        .await;
    App { id: id.to_owned(), secret: Some(secret), redirect_uri: String::new() }
}

impl Server {
    async fn present(&self, app: &App, token: &str) -> Page {
        self.seen.add(token);
        self.token(app, &[("grant_type", GRANT), ("assertion", token)]).await
    }
}

#[track_caller]
fn assert_refused(page: &Page, why: &str, what: &str) {
    let text = format!("The assertion {why}.");
    assert_eq!(page.json()["error_description"], json!(text), "{what}");
    assert_error(page, 400, "invalid_grant", &text);
}

#[tokio::test]
async fn the_word_of_a_trusted_issuer_is_a_grant() {
    let signer = Signer::new(&["ES256"]);
    for subject in ["username", "email", "id"] {
        let (server, app) = trusting(&signer, subject).await;
        let ada = server.person("ada", "a password of ada");
        let named = match subject {
            "email" => json!("ada@example.com"),
            "username" => json!("ada"),
            _ => ada["id"].clone(),
        };
        let claims = changed(&server.claims(CORP, ""), "sub", named);
        let page = server.present(&app, &signer.sign("ES256", &claims)).await;
        let answer = page.json();
        assert_eq!(page.status, 200, "{page:?}");
        // RFC 7521 §4.1: the assertion is the long-lived thing, not a refresh token.
        assert_eq!((&answer["refresh_token"], &answer["id_token"]), (&Value::Null, &Value::Null));
        let access = answer["access_token"].as_str().expect("a token");
        let person = server.bearer("/userinfo", access).await.json();
        assert_eq!(person["email"], json!("ada@example.com"), "{subject}");
        assert_eq!(server.bearer("/protected", access).await.status, 200);
        assert_eq!(server.sql("SELECT count(*) FROM consent"), "0");
        server.cli().ok(&["user", "disable", "ada"]);
        assert_eq!(server.bearer("/userinfo", access).await.status, 401, "ends with the account");
        let claims = changed(&claims, "jti", json!(random()));
        let page = server.present(&app, &signer.sign("ES256", &claims)).await;
        assert_refused(&page, "is about nobody who has an active account here", "disabled");
    }
}

#[tokio::test]
async fn hostile_assertions_are_refused() {
    let signer = Signer::new(&["ES256", "ES256-other", "RS256"]);
    let (server, app) = trusting(&signer, "username").await;
    server.person("ada", "a password of ada");
    let good = || server.claims(CORP, "ada");
    let with = |name, value| by("ES256", &changed(&good(), name, value));
    let not_signed = "does not verify: sign it with a registered key and name that key as kid";
    let audience = "has another audience: aud must be the issuer of this server, alone";
    let untrusted = "is of an issuer that this server does not trust";
    let list: Vec<(Wanted, &str)> = vec![
        ((json!({"alg": "none"}), good(), None), not_signed),
        (under(&signer.jwk("ES256").to_string(), &good()), not_signed),
        (by("ES256-other", &good()), not_signed),
        (
            (json!({"alg": "ES256", "kid": "ES256"}), good(), Some(("key", "ES256-other".into()))),
            not_signed,
        ),
        // An algorithm that the operator did not allow for the issuer.
        (by("RS256", &good()), not_signed),
        (with("iss", json!("https://other.example")), untrusted),
        (with("iss", json!(server.issuer)), untrusted),
        (with("iss", json!("portal")), untrusted),
        (with("iss", Value::Null), "has no claim iss"),
        (with("sub", Value::Null), "has no claim sub"),
        (with("sub", json!("nobody")), "is about nobody who has an active account here"),
        (with("aud", json!(server.url("/token"))), audience),
        (with("aud", json!([server.issuer, "https://other.example"])), audience),
        (with("exp", Value::Null), "has no claim exp"),
        (with("exp", json!(now() - 60)), "has expired"),
        (with("exp", json!(now() + 4_000)), "expires too far ahead"),
        (with("nbf", json!(now() + 100)), "is not valid yet: look at the clock"),
        (with("iat", json!(now() + 100)), "was made in the future: look at the clock"),
        (with("jti", Value::Null), "has no claim jti: give each assertion one of its own"),
    ];
    let wanted: Vec<_> = list.iter().map(|(wanted, _)| wanted.clone()).collect();
    for (token, (what, why)) in signer.tokens(&wanted).iter().zip(&list) {
        assert_refused(&server.present(&app, token).await, why, &format!("{what:?}"));
    }
    let page = server.present(&app, "nonsense").await;
    assert_refused(&page, "is not a signed JWT in compact form", "noise");
    let missing = server.token(&app, &[("grant_type", GRANT)]).await;
    assert_error(&missing, 400, "invalid_request", "The parameter assertion is missing.");
    let wide = [("grant_type", GRANT), ("assertion", "x"), ("scope", "write")];
    let text = "The scope write is unknown or not registered for this application.";
    assert_error(&server.token(&app, &wide).await, 400, "invalid_scope", text);
    // Its own ID token is no assertion.
    let other = server.app("notes");
    let own = server.tokens(&other, "ada").await;
    let id_token = own.json["id_token"].as_str().expect("an ID token");
    assert_eq!(decode(id_token).1["iss"], json!(server.issuer));
    assert_refused(&server.present(&app, id_token).await, untrusted, "an ID token");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_32_uses_an_assertion() {
    let signer = Signer::new(&["ES256"]);
    let (server, app) = trusting(&signer, "username").await;
    server.person("ada", "a password of ada");
    let token = signer.sign("ES256", &server.claims(CORP, "ada"));
    let mut tasks = JoinSet::new();
    for _ in 0..32 {
        let form = [("grant_type", GRANT), ("assertion", &token)];
        let request = client().post(server.url("/token")).basic_auth(&app.id, app.secret.as_ref());
        let request = request.form(&form);
        tasks.spawn(async move { request.send().await.expect("answered").status().as_u16() });
    }
    let mut statuses = tasks.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200, "{statuses:?}");
    assert!(statuses[1..].iter().all(|status| *status == 400), "{statuses:?}");
    assert_eq!(server.sql("SELECT count(*) FROM access_token"), "1");
    let page = server.present(&app, &token).await;
    assert_refused(&page, "was used before: make a new one with its own jti", "again");
}

#[tokio::test]
async fn the_grant_is_for_clients_that_have_it_on_servers_that_trust_somebody() {
    let signer = Signer::new(&["ES256"]);
    let (server, _) = trusting(&signer, "username").await;
    server.person("ada", "a password of ada");
    let other = bearer_app(&server, "machine", GrantType::ClientCredentials).await;
    let token = signer.sign("ES256", &server.claims(CORP, "ada"));
    let page = server.present(&other, &token).await;
    let text = format!("This client is not registered for the grant type {GRANT}.");
    assert_error(&page, 400, "unauthorized_client", &text);
    let metadata = server.get("/.well-known/openid-configuration").await.json();
    let grants = metadata["grant_types_supported"].as_array().expect("a list").clone();
    assert!(grants.contains(&json!(GRANT)), "{grants:?}");

    let server = Server::start().await;
    let app = bearer_app(&server, "portal", GrantType::JwtBearer).await;
    let page = server.present(&app, &token).await;
    let text = format!("Grant type {GRANT} is not supported.");
    assert_error(&page, 400, "unsupported_grant_type", &text);
    let metadata = server.get("/.well-known/openid-configuration").await.json();
    let grants = metadata["grant_types_supported"].as_array().expect("a list").clone();
    assert!(!grants.contains(&json!(GRANT)), "{grants:?}");
}

#[tokio::test]
async fn the_keys_of_an_issuer_may_be_at_an_address_or_in_a_file() {
    let signer = Signer::new(&["ES256", "EdDSA"]);
    let site = Site::start(Answer::Json(signer.jwks(&["ES256"]))).await;
    let server = Server::setup()
        .set("trusted_issuers", issuer("jwks_uri", site.url.clone(), "username"))
        .set("outbound.allowed_hosts", vec!["127.0.0.1"])
        .start()
        .await;
    server.person("ada", "a password of ada");
    let app = bearer_app(&server, "portal", GrantType::JwtBearer).await;
    let present = async |key: &str| {
        server.present(&app, &signer.sign(key, &server.claims(CORP, "ada"))).await.status
    };
    assert_eq!((present("ES256").await, present("EdDSA").await), (200, 400));

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("jwks.json");
    std::fs::write(&file, signer.jwks(&["EdDSA"]).to_string()).expect("written");
    let file = file.to_str().expect("text").to_owned();
    let setup = Server::setup().set("trusted_issuers", issuer("jwks_file", file, "username"));
    let server = setup.start().await;
    server.person("ada", "a password of ada");
    let app = bearer_app(&server, "portal", GrantType::JwtBearer).await;
    let token = signer.sign("EdDSA", &server.claims(CORP, "ada"));
    assert_eq!(server.present(&app, &token).await.status, 200);
}

#[tokio::test]
async fn settings_that_name_no_key_are_refused() {
    for (member, value, why) in [
        ("jwks", "{\"keys\":[]}", "the key set has no public key"),
        ("jwks", "x", "the key set is not valid JSON"),
        ("jwks_file", "/nowhere/jwks.json", "cannot read /nowhere/jwks.json"),
        ("jwks_uri", "nonsense", "jwks_uri is not a URL"),
    ] {
        let setup = Server::setup();
        let server = setup.set("trusted_issuers", issuer(member, value.to_owned(), "id")).prepare();
        let ran = server.cli().run(&["config", "check"]);
        assert_ne!(ran.code, Some(0), "{ran:?}");
        assert!(ran.err.contains("trusted_issuers[1]") && ran.err.contains(why), "{ran:?}");
    }
}
