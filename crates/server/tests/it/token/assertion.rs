//! Clients that sign who they are: RFC 7521 §4.2, RFC 7523 §2.2, OpenID Connect Core 1.0 §9.

use grantor_core::model::AuthMethod;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::flow::random;
use crate::support::signer::{Answer, JWT_BEARER, Signer, Site, by, changed, now, under};
use crate::support::{Page, Server, assert_error, client};

const NOT_SIGNED: &str = "does not verify: sign it with a registered key and name that key as kid";
const NOT_SIGNED_HMAC: &str =
    "does not verify: sign it with HS256 and the client secret of 32 bytes or more";
const AUDIENCE: &str = "has another audience: aud must be the issuer of this server, alone";
const REPLAYED: &str = "was used before: make a new one with its own jti";
const FOREIGN: &str = "is not of this client: iss and sub must both be the client_id";

#[track_caller]
fn assert_refused(page: &Page, why: &str, what: &str) {
    let text = format!("Client authentication failed: the client_assertion {why}.");
    assert_eq!(page.json()["error_description"], json!(text), "{what}");
    assert_error(page, 401, "invalid_client", &text);
}

#[tokio::test]
async fn every_algorithm_authenticates_wherever_clients_do() {
    let names = ["RS256", "PS256", "ES256", "EdDSA"];
    let (server, signer) = (Server::start().await, Signer::new(&names));
    let secret = random();
    server.signing_machine("robot", signer.jwks(&names)).await;
    server.hmac_machine("counter", &secret).await;
    let robot = || server.claims("robot", "robot");
    let mut wanted: Vec<_> = names.iter().map(|name| by(name, &robot())).collect();
    wanted.push(under(&secret, &server.claims("counter", "counter")));
    // An array with only the issuer is as good as the text.
    wanted.push(by("ES256", &changed(&robot(), "aud", json!([server.issuer]))));
    let mut typed = by("EdDSA", &robot());
    typed.0["typ"] = json!("client-authentication+jwt");
    wanted.push(typed);
    let mut access = String::new();
    for (token, what) in signer.tokens(&wanted).iter().zip(&wanted) {
        let page = server.assert_client(token).await;
        assert_eq!(page.status, 200, "{what:?}: {page:?}");
        access = page.json()["access_token"].as_str().expect("a token").to_owned();
    }
    let tokens = signer.tokens(&[by("ES256", &robot()), by("ES256", &robot())]);
    let fields = [("token", access.as_str()), ("client_id", "robot")];
    let page = server.post_assertion("/introspect", &tokens[0], &fields).await;
    assert_eq!(page.json()["active"], json!(true), "{page:?}");
    let page = server.post_assertion("/revoke", &tokens[1], &fields).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(server.bearer("/protected", &access).await.status, 401);
}

/// From the registration to the token, without a hand in the store.
#[tokio::test]
async fn a_client_that_registered_itself_signs() {
    let server = Server::setup().set("registration.policy", "open").start().await;
    let signer = Signer::new(&["ES256", "EdDSA"]);
    let register = async |metadata: Value| {
        let mut metadata = metadata;
        metadata["grant_types"] = json!(["client_credentials"]);
        metadata["scope"] = json!("read");
        let page = server.request(client().post(server.url("/register")).json(&metadata)).await;
        assert_eq!(page.status, 201, "{page:?}");
        let text = |name: &str| page.json()[name].as_str().unwrap_or_default().to_owned();
        (text("client_id"), text("client_secret"))
    };
    let (counter, secret) =
        register(json!({"token_endpoint_auth_method": "client_secret_jwt"})).await;
    let (robot, none) = register(json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "jwks": signer.jwks(&["ES256", "EdDSA"]),
    }))
    .await;
    assert_eq!(none, "");
    let tokens = signer.tokens(&[
        under(&secret, &server.claims(&counter, &counter)),
        by("ES256", &server.claims(&robot, &robot)),
        by("EdDSA", &server.claims(&robot, &robot)),
    ]);
    assert_eq!(server.assert_client(&tokens[0]).await.status, 200);
    assert_eq!(server.assert_client(&tokens[1]).await.status, 200);
    let page = server.assert_client(&tokens[2]).await;
    assert_refused(&page, NOT_SIGNED, "another algorithm than it registered");
}

#[tokio::test]
async fn hostile_assertions_are_refused() {
    let server = Server::start().await;
    let signer = Signer::new(&["RS256", "ES256", "ES256-other", "EdDSA"]);
    server.signing_machine("robot", signer.jwks(&["RS256", "ES256"])).await;
    server.signing_machine("other", signer.jwks(&["ES256-other"])).await;
    let good = || server.claims("robot", "robot");
    let with = |name, value| by("ES256", &changed(&good(), name, value));
    let public = signer.jwk("RS256").to_string();
    let header = |name: &str, value: Value| {
        let mut wanted = by("ES256", &good());
        wanted.0[name] = value;
        wanted
    };
    let url = server.url("/token");
    let list = [
        ((json!({"alg": "none"}), good(), None), NOT_SIGNED),
        ((json!({"alg": "none", "kid": "ES256"}), good(), None), NOT_SIGNED),
        // The public key, which everybody knows, as the secret of an HMAC.
        (under(&public, &good()), NOT_SIGNED),
        (by("ES256-other", &good()), NOT_SIGNED),
        // Signed with one key, naming another; unknown; none, with two keys of different kinds.
        (
            (json!({"alg": "ES256", "kid": "ES256"}), good(), Some(("key", "ES256-other".into()))),
            NOT_SIGNED,
        ),
        (header("kid", json!("unknown")), NOT_SIGNED),
        (header("kid", json!("RS256")), NOT_SIGNED),
        (header("typ", json!("at+jwt")), "has a typ of another kind of token"),
        (header("jwk", signer.jwk("ES256-other")), ""),
        (with("aud", json!(url)), AUDIENCE),
        (with("aud", json!(format!("{}/", server.issuer))), AUDIENCE),
        (with("aud", json!([server.issuer, "https://other.example"])), AUDIENCE),
        (with("aud", Value::Null), AUDIENCE),
        (with("jti", Value::Null), "has no claim jti: give each assertion one of its own"),
        (with("jti", json!("x".repeat(201))), "has a jti of more than 200 characters"),
        (with("exp", Value::Null), "has no claim exp"),
        (with("exp", json!(now() - 60)), "has expired"),
        (with("exp", json!(now() + 4_000)), "expires too far ahead"),
        (with("exp", json!("tomorrow")), "has a time that is no number"),
        (with("nbf", json!(now() + 100)), "is not valid yet: look at the clock"),
        (with("iat", json!(now() + 100)), "was made in the future: look at the clock"),
        (with("sub", json!("other")), FOREIGN),
        (with("sub", Value::Null), "has no claim sub"),
        // Another client's name, signed with the own key.
        (by("ES256", &server.claims("other", "other")), NOT_SIGNED),
    ];
    let wanted: Vec<_> = list.iter().map(|(wanted, _)| wanted.clone()).collect();
    for (token, (what, why)) in signer.tokens(&wanted).iter().zip(&list) {
        let page = server.assert_client(token).await;
        // A key that the token brings along is not looked at: this one is signed with the own key.
        match *why {
            "" => assert_eq!(page.status, 200, "{page:?}"),
            why => assert_refused(&page, why, &format!("{what:?}")),
        }
    }
    let token = signer.sign("ES256", &server.claims("nobody", "nobody"));
    let page = server.assert_client(&token).await;
    assert_error(&page, 401, "invalid_client", "Client authentication failed.");
}

#[tokio::test]
async fn hostile_assertions_under_a_secret_are_refused() {
    let (server, signer) = (Server::start().await, Signer::new(&["RS256"]));
    // Long enough for the longest HMAC.
    let secret = format!("{}{}", random(), random());
    server.hmac_machine("counter", &secret).await;
    server.hmac_machine("second", &random()).await;
    let good = || server.claims("counter", "counter");
    let hs512 = (json!({"alg": "HS512"}), good(), Some(("secret", secret.clone())));
    let list = [
        ((json!({"alg": "none"}), good(), None), NOT_SIGNED_HMAC),
        ((json!({"alg": "HS256"}), good(), None), NOT_SIGNED_HMAC),
        (hs512, NOT_SIGNED_HMAC),
        (by("RS256", &good()), NOT_SIGNED_HMAC),
        (under(&random(), &good()), NOT_SIGNED_HMAC),
        (under(&secret, &server.claims("second", "second")), NOT_SIGNED_HMAC),
        (under(&secret, &changed(&good(), "sub", json!("second"))), FOREIGN),
        (under(&secret, &changed(&good(), "aud", json!("x"))), AUDIENCE),
    ];
    let wanted: Vec<_> = list.iter().map(|(wanted, _)| wanted.clone()).collect();
    for (token, (what, why)) in signer.tokens(&wanted).iter().zip(&list) {
        assert_refused(&server.assert_client(token).await, why, &format!("{what:?}"));
    }
}

#[tokio::test]
async fn a_client_uses_the_method_that_it_registered() {
    let (server, signer, secret) = (Server::start().await, Signer::new(&["ES256"]), random());
    server.signing_machine("robot", signer.jwks(&["ES256"])).await;
    server.hmac_machine("counter", &secret).await;
    let app = server.app_with("notes", &[]);
    let own = app.secret.expect("a secret");
    let other = "Client authentication failed: this client is registered for";
    let tokens = signer.tokens(&[
        under(&own, &server.claims("notes", "notes")),
        by("ES256", &server.claims("counter", "counter")),
        under(&secret, &server.claims("robot", "robot")),
    ]);
    let page = server.assert_client(&tokens[0]).await;
    assert_error(&page, 401, "invalid_client", &format!("{other} client_secret_basic."));
    assert_refused(&server.assert_client(&tokens[1]).await, NOT_SIGNED_HMAC, "a key");
    assert_refused(&server.assert_client(&tokens[2]).await, NOT_SIGNED, "a secret");
    let grant = ("grant_type", "client_credentials");
    let post = || client().post(server.url("/token"));
    for (id, method, secret) in
        [("counter", "client_secret_jwt", secret.as_str()), ("robot", "private_key_jwt", "x")]
    {
        let text = format!("{other} {method}.");
        let page = server.request(post().basic_auth(id, Some(secret)).form(&[grant])).await;
        assert_error(&page, 401, "invalid_client", &text);
        let body = [grant, ("client_id", id), ("client_secret", secret)];
        assert_error(&server.request(post().form(&body)).await, 401, "invalid_client", &text);
        assert_error(&server.request(post().form(&body[..2])).await, 401, "invalid_client", &text);
    }
}

#[tokio::test]
async fn an_assertion_stands_alone_and_whole_in_its_request() {
    let (server, signer) = (Server::start().await, Signer::new(&["ES256"]));
    server.signing_machine("robot", signer.jwks(&["ES256"])).await;
    let token = signer.sign("ES256", &server.claims("robot", "robot"));
    let grant = ("grant_type", "client_credentials");
    let (typed, proof) = (("client_assertion_type", JWT_BEARER), ("client_assertion", &*token));
    let post = || client().post(server.url("/token"));

    let two = "The client authenticates in two ways at once. Use one of the Authorization header, client_secret and client_assertion.";
    let basic = post().basic_auth("robot", Some("x")).form(&[grant, typed, proof]);
    assert_error(&server.request(basic).await, 400, "invalid_request", two);
    let secret = post().form(&[grant, typed, proof, ("client_secret", "x")]);
    assert_error(&server.request(secret).await, 400, "invalid_request", two);
    let untyped = server.request(post().form(&[grant, proof])).await;
    let text = "The parameter client_assertion_type is missing.";
    assert_error(&untyped, 400, "invalid_request", text);
    let empty = server.request(post().form(&[grant, typed])).await;
    assert_error(&empty, 400, "invalid_request", "The parameter client_assertion is missing.");
    let saml =
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer");
    let page = server.request(post().form(&[grant, saml, proof])).await;
    assert_refused(&page, "has an unknown client_assertion_type", "SAML");
    let page = server.request(post().form(&[grant, typed, proof, ("client_id", "other")])).await;
    assert_refused(&page, "is of another client than the client_id", "client_id");
    for noise in ["x", "a.b.c", "e30.e30.", &"e30.".repeat(9_000)] {
        let page = server.request(post().form(&[grant, typed, ("client_assertion", noise)])).await;
        assert_eq!(page.status, 401, "{noise}");
    }
    // None of that has used it up.
    let page = server.request(post().form(&[grant, typed, proof, ("client_id", "robot")])).await;
    assert_eq!(page.status, 200, "{page:?}");
    let again = server.request(post().form(&[grant, typed, proof])).await;
    assert_refused(&again, REPLAYED, "again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_32_uses_an_assertion() {
    let (server, signer) = (Server::start().await, Signer::new(&["ES256"]));
    server.signing_machine("robot", signer.jwks(&["ES256"])).await;
    let token = signer.sign("ES256", &server.claims("robot", "robot"));
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", &token),
    ];
    let mut tasks = JoinSet::new();
    for _ in 0..32 {
        let request = client().post(server.url("/token")).form(&form);
        tasks.spawn(async move { request.send().await.expect("answered").status().as_u16() });
    }
    let mut statuses = tasks.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200, "{statuses:?}");
    assert!(statuses[1..].iter().all(|status| *status == 401), "{statuses:?}");
}

#[tokio::test]
async fn refused_assertions_are_counted_as_failed_authentications() {
    let server = Server::setup().set("limits.failed_client_auth", 3).start().await;
    for _ in 0..3 {
        assert_eq!(server.assert_client("e30.eyJpc3MiOiJhcHAifQ.AA").await.status, 401);
    }
    assert_eq!(server.assert_client("e30.eyJpc3MiOiJhcHAifQ.AA").await.status, 429);
}

/// A client whose keys are at the address of `site`.
async fn elsewhere(server: &Server, id: &str, site: &Site) {
    server
        .add_machine(id, |own| {
            own.token_endpoint_auth_method = AuthMethod::PrivateKeyJwt;
            own.jwks_uri = Some(site.url.clone());
        })
        .await;
}

#[tokio::test]
async fn keys_at_an_address_may_rotate() {
    let setup = Server::setup().set("outbound.allowed_hosts", vec!["127.0.0.1"]);
    let (server, signer) = (setup.start().await, Signer::new(&["ES256-a", "ES256-b", "ES256-c"]));
    let site = Site::start(Answer::Json(signer.jwks(&["ES256-a"]))).await;
    elsewhere(&server, "robot", &site).await;
    let ask = async |key: &str| {
        let token = signer.sign(key, &server.claims("robot", "robot"));
        server.assert_client(&token).await
    };
    for _ in 0..3 {
        assert_eq!(ask("ES256-a").await.status, 200);
    }
    assert_eq!(site.fetches(), 1, "kept");
    site.set(Answer::Json(signer.jwks(&["ES256-b"])));
    assert_eq!(ask("ES256-b").await.status, 200, "the new key is looked for");
    assert_refused(&ask("ES256-a").await, NOT_SIGNED, "the old key is gone");
    assert_refused(&ask("ES256-c").await, NOT_SIGNED, "a key that nobody published");
    assert_eq!(site.fetches(), 2, "but not at once again");
    site.set(Answer::Broken);
    assert_eq!(ask("ES256-b").await.status, 200, "kept");
}

#[tokio::test]
async fn an_address_that_misbehaves_is_no_key() {
    let setup = Server::setup().set("outbound.allowed_hosts", vec!["127.0.0.1"]);
    let (server, signer) = (setup.start().await, Signer::new(&["ES256"]));
    let keys = signer.jwks(&["ES256"]);
    let good = Site::start(Answer::Json(keys.clone())).await;
    let answers = [
        Answer::Redirect(good.url.clone()),
        Answer::Endless,
        Answer::Late(keys),
        Answer::Broken,
        Answer::Json(json!(["no set"])),
    ];
    for (n, answer) in answers.into_iter().enumerate() {
        let (id, shown) = (format!("robot-{n}"), format!("{answer:?}"));
        let site = Site::start(answer).await;
        elsewhere(&server, &id, &site).await;
        let why = "cannot be verified: the keys at jwks_uri do not arrive";
        for _ in 0..2 {
            let token = signer.sign("ES256", &server.claims(&id, &id));
            assert_refused(&server.assert_client(&token).await, why, &shown);
        }
        assert_eq!(site.fetches(), 1, "left alone for a while: {shown}");
    }
    assert_eq!(good.fetches(), 0, "redirects are not followed");
    assert!(server.log().contains("it is longer than 64 KiB"), "the operator reads why");
}

#[tokio::test]
async fn private_addresses_are_not_asked_by_default() {
    let (server, signer) = (Server::start().await, Signer::new(&["ES256"]));
    let site = Site::start(Answer::Json(signer.jwks(&["ES256"]))).await;
    let port = site.url.rsplit(':').next().expect("a port").to_owned();
    for (n, host) in
        ["http://127.0.0.1", "https://127.0.0.1", "https://localhost"].iter().enumerate()
    {
        let (id, url) = (format!("robot-{n}"), format!("{host}:{port}"));
        server
            .add_machine(&id, |own| {
                own.token_endpoint_auth_method = AuthMethod::PrivateKeyJwt;
                own.jwks_uri = Some(url);
            })
            .await;
        let token = signer.sign("ES256", &server.claims(&id, &id));
        let why = "cannot be verified: the keys at jwks_uri do not arrive";
        assert_refused(&server.assert_client(&token).await, why, host);
    }
    assert_eq!(site.fetches(), 0);
    assert!(server.log().contains("is not a public address"), "the operator reads why");
}
