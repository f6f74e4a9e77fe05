//! Metadata in, a client or a refusal out.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::metadata::Metadata;
use super::{Registrant, default_refresh, members, rules};
use crate::error::Refusal;
use crate::jose::Algorithm;
use crate::model::{AuthMethod, Client, GrantType, RefreshPolicy, ResponseType};
use crate::policy::{
    AdminTokenMode, AdminTokenPolicy, KeyPolicy, Policy, RegistrationMode, RegistrationPolicy,
    ServerLifetimes, SignInPolicy,
};
use crate::store::AttemptLimits;
use crate::time::{Seconds, Timestamp};

fn policy() -> Policy {
    let scopes = ["openid", "profile", "email", "offline_access", "read", "write"];
    Policy {
        issuer: "https://login.example".to_owned(),
        lifetimes: ServerLifetimes::default(),
        scopes: scopes.map(|name| (name.to_owned(), None)).into(),
        sign_in: SignInPolicy {
            methods: Vec::new(),
            admin_token: AdminTokenPolicy {
                mode: AdminTokenMode::Emailed,
                allowed: Vec::new(),
                lifetime: Seconds(600),
                tries: 5,
                limits: AttemptLimits { pause: Seconds(60), per_hour: 5 },
            },
            external: None,
            sign_up: false,
        },
        keys: KeyPolicy {
            algorithms: vec![Algorithm::Rs256, Algorithm::Es256],
            rotate_after: Seconds(0),
            publish_ahead: Seconds(0),
        },
        sample_api: false,
        resources: BTreeMap::new(),
        registration: RegistrationPolicy {
            mode: RegistrationMode::Open,
            chosen_credentials: true,
            scope: None,
        },
        password_grant: false,
        trusted_issuers: Vec::new(),
        vault: crate::vault::VaultPolicy::default(),
    }
}

fn client(metadata: &Value, registrant: Registrant) -> Result<Client, Refusal> {
    let members = members(metadata.to_string().as_bytes())?;
    let base = Client::new("app", Timestamp::from_epoch(1_800_000_000));
    let client = Metadata::read(&members)?.apply(&policy(), base);
    rules::check(&policy(), &client, registrant, None)?;
    Ok(client)
}

fn good(metadata: &Value) -> Client {
    client(metadata, Registrant::Itself).unwrap_or_else(|why| panic!("{metadata}: {why}"))
}

/// What is refused, with a word of the reason.
fn bad(metadata: &Value, word: &str) {
    let why = client(metadata, Registrant::Itself).expect_err(&metadata.to_string()).to_string();
    assert!(why.contains(word), "{metadata}: {why}");
    // RFC 6749 §5.2: the characters of error_description.
    assert!(why.bytes().all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)), "{why}");
}

/// Metadata with one redirect URI.
fn with(member: &str, value: Value) -> Value {
    let mut metadata = json!({"redirect_uris": ["https://app.example/cb"]});
    metadata[member] = value;
    metadata
}

#[test]
fn what_is_left_out_has_the_default_of_the_rfc() {
    let client = good(&json!({"redirect_uris": ["https://app.example/cb"], "client_name": null}));
    assert_eq!(client.grant_types, [GrantType::AuthorizationCode]);
    assert_eq!(client.response_types, [ResponseType::Code]);
    assert_eq!(client.token_endpoint_auth_method, AuthMethod::ClientSecretBasic);
    assert_eq!(client.id_token_signed_response_alg, Algorithm::Rs256);
    assert_eq!((client.require_pkce, client.client_name.as_str()), (false, "app"));
    assert_eq!(client.scope.as_str(), "email openid profile read write");
    assert_eq!(default_refresh(&client), RefreshPolicy::Reuse { uses: None });
}

#[test]
fn a_public_client_uses_pkce_whatever_it_says() {
    let mut metadata = with("token_endpoint_auth_method", json!("none"));
    metadata["require_pkce"] = json!(false);
    let client = good(&metadata);
    assert!(client.require_pkce);
    assert_eq!(default_refresh(&client), RefreshPolicy::Rotate);
}

#[test]
fn grants_and_responses_follow_from_each_other() {
    let implicit = good(&with("grant_types", json!(["implicit"])));
    assert_eq!(implicit.response_types, [ResponseType::Token]);
    let hybrid = good(&with("response_types", json!(["id_token code"])));
    assert_eq!(hybrid.grant_types, [GrantType::AuthorizationCode, GrantType::Implicit]);
    let machine = good(&json!({"grant_types": ["client_credentials", "refresh_token"]}));
    assert_eq!((machine.response_types.len(), machine.redirect_uris.len()), (0, 0));
    assert_eq!(machine.scope.as_str(), "read");
    assert_eq!(default_refresh(&machine), RefreshPolicy::Reuse { uses: Some(5) });
    good(&json!({"grant_types": ["urn:ietf:params:oauth:grant-type:device_code"]}));
}

#[test]
fn grants_and_responses_that_do_not_fit_are_refused() {
    for (grants, responses, word) in [
        (json!(["client_credentials"]), json!(["code"]), "authorization_code"),
        (json!(["authorization_code"]), json!(["token"]), "code"),
        (json!(["authorization_code"]), json!(["code", "token"]), "implicit"),
        (json!(["authorization_code", "implicit"]), json!(["code"]), "implicit"),
        (json!(["authorization_code", "implicit"]), json!(["id_token"]), "authorization_code"),
    ] {
        let mut metadata = with("grant_types", grants);
        metadata["response_types"] = responses;
        bad(&metadata, word);
    }
    bad(&json!({"grant_types": ["refresh_token"]}), "refresh_token");
}

#[test]
fn redirect_uris_are_needed_and_checked() {
    bad(&json!({}), "redirect_uris");
    bad(&json!({"response_types": ["token"]}), "redirect_uris");
    for (uri, word) in [
        ("https://app.example/cb#x", "fragment"),
        ("https://*.example/cb", "wildcard"),
        ("javascript:alert(1)", "javascript"),
        ("http://app.example/cb", "https"),
        ("app:/cb", "reverse domain"),
        ("https://a:b@app.example/", "user name"),
    ] {
        bad(&json!({"redirect_uris": ["https://app.example/cb", uri]}), word);
        bad(&with("post_logout_redirect_uris", json!([uri])), word);
        let code = client(&json!({"redirect_uris": [uri]}), Registrant::Operator);
        assert_eq!(code.expect_err(uri).code().as_str(), "invalid_redirect_uri");
    }
    let twice = good(&json!({"redirect_uris": ["https://a.example/", "https://a.example/"]}));
    assert_eq!(twice.redirect_uris.len(), 1);
    bad(&json!({"redirect_uris": vec!["https://a.example/"; 51]}), "50");
    bad(&json!({"redirect_uris": [format!("https://a.example/{}", "a".repeat(2_000))]}), "2000");
}

#[test]
fn an_application_says_whether_it_is_native() {
    let implicit = |uri: &str| json!({"redirect_uris": [uri], "response_types": ["token"], "application_type": "web"});
    good(&implicit("https://app.example/cb"));
    bad(&implicit("https://localhost/cb"), "localhost");
    bad(&implicit("http://localhost/cb"), "https");
    let own = json!({"redirect_uris": ["com.example.app:/cb"], "application_type": "web"});
    bad(&own, "native");
    let mut native = own;
    native["application_type"] = json!("native");
    good(&native);
    bad(&with("application_type", json!("desktop")), "web or native");
}

#[test]
fn some_grants_are_the_operators_to_give() {
    let exchange = json!({"grant_types": ["urn:ietf:params:oauth:grant-type:token-exchange"]});
    bad(&exchange, "operator");
    assert!(client(&exchange, Registrant::Operator).is_ok());
    let password = json!({"grant_types": ["password"]});
    bad(&password, "operator");
    assert!(client(&password, Registrant::Operator).is_ok());
    let mut asks = json!({"grant_types": ["client_credentials"]});
    asks["resource_server_for"] = json!(["https://api.example"]);
    bad(&asks, "operator");
    assert!(client(&asks, Registrant::Operator).is_ok());
}

#[test]
fn what_a_client_may_have_of_the_vault_is_the_operators_to_give() {
    let asked = client(&with("integrations", json!(["google"])), Registrant::Itself);
    assert!(asked.is_ok_and(|client| client.integrations.is_empty()));

    let held = Client {
        token_endpoint_auth_method: AuthMethod::ClientSecretBasic,
        integrations: vec!["google".to_owned()],
        ..Client::new("app", Timestamp::from_epoch(1_800_000_000))
    };
    let check = |client: &Client, registrant, before| {
        rules::check(&policy(), client, registrant, before).map_err(|refusal| refusal.to_string())
    };
    assert_eq!(check(&held, Registrant::Itself, Some(&held)), Ok(()));
    let more = Client { integrations: vec!["google".into(), "slack".into()], ..held.clone() };
    for (client, registrant, before, word) in [
        (&held, Registrant::Itself, None, "operator"),
        (&more, Registrant::Itself, Some(&held), "operator"),
        (&held, Registrant::Operator, None, "no integration google"),
        (
            &Client { token_endpoint_auth_method: AuthMethod::None, ..held.clone() },
            Registrant::Itself,
            Some(&held),
            "authenticates",
        ),
    ] {
        let refused = check(client, registrant, before).expect_err(word);
        assert!(refused.contains(word), "{word}: {refused}");
    }
}

#[test]
fn values_have_the_type_that_the_rfc_says() {
    for (member, value, word) in [
        ("redirect_uris", json!("https://app.example/cb"), "list"),
        ("redirect_uris", json!([1]), "list"),
        ("grant_types", json!({"a": 1}), "list"),
        ("grant_types", json!(["magic"]), "magic"),
        ("response_types", json!(["none"]), "none"),
        ("token_endpoint_auth_method", json!("tls_client_auth"), "tls_client_auth"),
        ("client_name", json!(7), "string"),
        ("client_name", json!("a\u{202e}b"), "invisible"),
        ("client_name#de", json!("a\u{0}b"), "invisible"),
        ("client_name", json!("a".repeat(201)), "200"),
        ("client_uri", json!("javascript:alert(1)"), "https"),
        ("logo_uri#fr", json!("http://app.example/"), "https"),
        ("scope", json!(["read"]), "string"),
        ("scope", json!("read admin"), "admin"),
        ("scope", json!("re\"ad"), "ASCII"),
        ("contacts", json!(["a@example.com", 1]), "list"),
        ("require_pkce", json!("yes"), "true or false"),
        ("default_max_age", json!(-1), "seconds"),
        ("default_max_age", json!(1.5), "seconds"),
        ("subject_type", json!("pairwise"), "public"),
        ("id_token_signed_response_alg", json!("none"), "none"),
        ("id_token_signed_response_alg", json!("EdDSA"), "EdDSA"),
        ("access_token_format", json!("paseto"), "paseto"),
        ("token_endpoint_auth_signing_alg", json!("RS256"), "token_endpoint_auth_method"),
        ("software_statement", json!("a.b.c"), "statement"),
        ("jwks", json!({"keys": []}), "keys"),
        ("jwks_uri", json!("http://app.example/jwks"), "https"),
    ] {
        bad(&with(member, value), word);
    }
    bad(&with("token_endpoint_auth_method", json!("private_key_jwt")), "jwks");
    let machine =
        json!({"token_endpoint_auth_method": "none", "grant_types": ["client_credentials"]});
    bad(&machine, "client_credentials");
}

#[test]
fn unknown_members_are_ignored_and_known_ones_kept() {
    let mut metadata = with("client_name", json!("Notes"));
    let kept = json!({
        "client_name#de": "Notizen",
        "tos_uri#ja-Kana-JP": "https://app.example/tos",
        "contacts": ["ada@example.com"],
        "software_id": "4NRB1-0XZABZI9E6-5SM3R",
        "software_version": "2.1",
        "default_acr_values": ["password"],
        "require_auth_time": true,
    });
    for (name, value) in kept.as_object().expect("an object") {
        metadata[name.as_str()] = value.clone();
    }
    metadata["default_max_age"] = json!(300);
    metadata["is_admin"] = json!(true);
    metadata["sector_identifier_uri#de"] = json!(7);
    metadata["client_name#<script>"] = json!("x");
    let client = good(&metadata);
    assert_eq!(Value::Object(client.other_metadata), kept);
    assert_eq!(client.lifetimes.session, Some(Seconds(300)));
}

#[test]
fn a_client_id_is_a_short_word_and_no_account() {
    let check = |id: &str| {
        let base = Client::new(id, Timestamp::from_epoch(0));
        rules::check(&policy(), &base, Registrant::Operator, None)
    };
    for id in ["client_id_123", "a", "https//x", &"a".repeat(200)] {
        assert_eq!(check(id), Ok(()), "{id}");
    }
    for id in ["", "a b", "a:b", "ä", &"a".repeat(201), "0192F0C1-7d3b-7c4e-9a51-5e0f6d1b2c3d"] {
        assert!(check(id).is_err(), "{id}");
    }
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "(https|http|javascript|com.a.b)://?[a-z.*#@:/]{0,12}".prop_map(Value::from),
        "(code|token|id_token|implicit|password|none| )+".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("(keys|kty|n|e|x|y|crv|[a-z]{1,3})", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

const MEMBERS: &str = "(redirect_uris|post_logout_redirect_uris|token_endpoint_auth_method\
    |grant_types|response_types|client_name|client_name#[a-z#-]{0,4}|client_uri|logo_uri|scope\
    |contacts|tos_uri|policy_uri|jwks|jwks_uri|software_id|application_type|subject_type\
    |default_max_age|require_pkce|access_token_format|id_token_signed_response_alg)";

proptest! {
    #[test]
    fn any_metadata_are_read_or_refused(
        members in prop::collection::vec((MEMBERS, anything()), 0..6),
    ) {
        let metadata = Value::Object(members.into_iter().collect());
        match client(&metadata, Registrant::Itself) {
            Ok(client) => prop_assert!(client.client_name.chars().count() <= 200),
            Err(why) => {
                let text = why.to_string();
                let plain = |b: u8| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
                prop_assert!(text.bytes().all(plain), "{}", text);
            }
        }
    }
}
