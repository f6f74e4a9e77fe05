//! The requests that a description makes.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{NOW, Setup, answer, form, header, json as as_json, query, small};
use crate::jose::{Algorithm, SigningKey, verify_compact};
use crate::model::Scope;
use crate::outbound::{Method, Request};
use crate::vault::provider::{AuthorizeUrl, Callback};

fn scope(text: &str) -> Scope {
    Scope::parse(text).expect("scopes")
}

fn url(setup: &Setup, names: &str, force_consent: bool) -> String {
    let scope = scope(names);
    let asked = AuthorizeUrl {
        scope: &scope,
        state: "st&te",
        challenge: "ch4llenge",
        nonce: "n0nce",
        login_hint: Some("ada@example.com"),
        force_consent,
    };
    setup.provider().authorize_url(&setup.ctx(), &asked)
}

fn exchange(setup: &Setup) -> Request {
    let parameters = BTreeMap::new();
    let back = Callback { code: "c0de", verifier: "v3rifier", parameters: &parameters };
    setup.provider().exchange(&setup.ctx(), &back)
}

#[test]
fn google_is_asked_for_offline_access_and_for_consent_only_when_needed() {
    let google = Setup::built_in("google");
    let url = url(&google, "https://www.googleapis.com/auth/calendar offline_access", false);
    assert!(url.starts_with("https://accounts.google.com/o/oauth2/v2/auth?"), "{url}");
    let asked = query(&url);
    let expected = json!({
        "response_type": "code", "client_id": "client-1",
        "redirect_uri": "https://vault.example/connect/callback",
        "scope": "openid https://www.googleapis.com/auth/calendar",
        "state": "st&te", "nonce": "n0nce",
        "code_challenge": "ch4llenge", "code_challenge_method": "S256",
        "access_type": "offline", "include_granted_scopes": "true",
        "login_hint": "ada@example.com",
    });
    assert_eq!(json!(asked), expected);
    let forced = query(&super::calls::url(&google, "openid", true));
    assert_eq!(forced["prompt"], "consent");
    assert_eq!(
        google.provider().callback_issuer(&google.ctx()).as_deref(),
        Some("https://accounts.google.com")
    );
}

#[test]
fn google_gets_its_calls() {
    let google = Setup::built_in("google");
    let request = exchange(&google);
    assert_eq!(
        (request.method, request.url.as_str()),
        (Method::Post, "https://oauth2.googleapis.com/token")
    );
    assert_eq!(header(&request, "content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(header(&request, "accept"), Some("application/json"));
    assert_eq!(header(&request, "authorization"), None);
    let expected = json!({
        "grant_type": "authorization_code", "code": "c0de", "code_verifier": "v3rifier",
        "redirect_uri": "https://vault.example/connect/callback",
        "client_id": "client-1", "client_secret": "s3cret/of+ours",
    });
    assert_eq!(json!(form(&request)), expected);
    let request = google.provider().refresh(&google.ctx(), "1//0g");
    let expected = json!({
        "grant_type": "refresh_token", "refresh_token": "1//0g",
        "client_id": "client-1", "client_secret": "s3cret/of+ours",
    });
    assert_eq!(json!(form(&request)), expected);

    let revoke = google.provider().revoke(&google.ctx(), "ya29", Some("1//0g")).expect("it can");
    assert_eq!(revoke.url, "https://oauth2.googleapis.com/revoke");
    assert_eq!(json!(form(&revoke)), json!({"token": "1//0g"}));
    let revoke = google.provider().revoke(&google.ctx(), "ya29", None).expect("it can");
    assert_eq!(json!(form(&revoke)), json!({"token": "ya29"}));
    let over = |status, body: &Value| google.provider().revoked(&as_json(status, body));
    assert!(over(200, &json!({})) && over(400, &json!({"error": "invalid_token"})));
    assert!(!over(400, &json!({"error": "invalid_request"})) && !over(500, &json!({})));
    assert!(google.provider().revoked(&answer(200, "text/plain", "")));
}

#[test]
fn the_account_at_google_is_its_sub() {
    let google = Setup::built_in("google");
    let tokens = google.good(&json!({"access_token": "a"}));
    assert_eq!(google.provider().identity(&google.ctx(), &tokens), None);
    let claims = json!({"sub": "1093", "email": "ada@example.com", "hd": "example.com"});
    let account = google.provider().account(Some(&claims), &tokens, None).expect("named");
    assert_eq!((account.sub.as_str(), account.email.as_deref()), ("1093", Some("ada@example.com")));
    assert_eq!((account.name, account.organization.as_deref()), (None, Some("example.com")));
    let provider = google.provider();
    for claims in [
        json!({}),
        json!({"sub": ""}),
        json!({"sub": null, "email": "a@b.c"}),
        json!({"sub": "1".repeat(301)}),
        json!({"sub": "1\n2"}),
        json!({"sub": ["1"]}),
    ] {
        assert!(provider.account(Some(&claims), &tokens, None).is_err(), "{claims}");
    }
    assert!(provider.account(None, &tokens, None).is_err(), "no ID token");
    let rules = provider.id_token(&google.ctx()).expect("ID tokens");
    for issuer in ["https://accounts.google.com", "accounts.google.com"] {
        assert!(rules.accepts_issuer(&json!({"iss": issuer})), "{issuer}");
    }
    for issuer in [json!("https://evil.example"), json!(null), json!(["accounts.google.com"])] {
        assert!(!rules.accepts_issuer(&json!({"iss": issuer})), "{issuer}");
    }
    assert_eq!(rules.jwks_uri, "https://www.googleapis.com/oauth2/v3/certs");
}

#[test]
fn an_issuer_may_have_a_part_that_is_a_claim() {
    let own = Setup::own(&small(
        "[id_token]\nissuers = [\"https://login.example/{claim.tid}/v2.0\"]\n\
         jwks_uri = \"https://login.example/keys\"",
    ));
    let rules = own.provider().id_token(&own.ctx()).expect("ID tokens");
    let fits = |tid: Value, iss: &str| rules.accepts_issuer(&json!({"tid": tid, "iss": iss}));
    assert!(fits(json!("t1"), "https://login.example/t1/v2.0"));
    assert!(!fits(json!("t2"), "https://login.example/t1/v2.0"));
    assert!(!fits(json!("a/b"), "https://login.example/a/b/v2.0"));
    assert!(!fits(json!(null), "https://login.example/{claim.tid}/v2.0"));
}

#[test]
fn clients_prove_themselves_as_the_description_says() {
    let basic = exchange(&Setup::own(&small("")));
    // RFC 6749 §2.3.1: form-encoded, then base64.
    let expected = "Basic Y2xpZW50LTE6czNjcmV0JTJGb2YlMkJvdXJz";
    assert_eq!(header(&basic, "authorization"), Some(expected));
    assert!(!form(&basic).contains_key("client_id"));
    let none = exchange(&Setup::own(&small("token.auth = \"none\"")));
    assert_eq!(
        (form(&none)["client_id"].as_str(), header(&none, "authorization")),
        ("client-1", None)
    );
    assert!(!form(&none).contains_key("client_secret"));
}

#[test]
fn a_client_with_a_private_key_signs_an_assertion_for_the_call() {
    let key = SigningKey::generate(Algorithm::Es256).expect("a key");
    let base64 = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        key.to_pkcs8().expect("written").as_slice(),
    );
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
    let mut own = Setup::own(&small("token.auth = \"private_key_jwt\""));
    own.integration.client_secret = Some(Zeroizing::new(pem));
    assert_eq!(own.provider().unfit(&own.integration), Vec::<String>::new());
    let sent = form(&own.provider().refresh(&own.ctx(), "r"));
    assert_eq!(
        sent["client_assertion_type"],
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    let keys = [key.verifying_key().clone()];
    let assertion = verify_compact(&sent["client_assertion"], &keys, &[Algorithm::Es256]);
    let claims: Value =
        serde_json::from_slice(&assertion.expect("signed").payload).expect("claims");
    let expected = json!({
        "iss": "client-1", "sub": "client-1", "aud": "https://own.example/token", "jti": "j1",
        "iat": NOW.epoch(), "exp": NOW.epoch() + 300,
    });
    assert_eq!(claims, expected);
    own.integration.client_secret =
        Some(Zeroizing::new("-----BEGIN RSA PRIVATE KEY-----".to_owned()));
    let unfit = own.provider().unfit(&own.integration).join("\n");
    assert!(unfit.contains("openssl pkcs8"), "{unfit}");
}

#[test]
fn requests_are_renamed_added_to_and_sent_as_json() {
    let own = Setup::own(&small(
        "token.auth = \"post\"\ntoken.body = \"json\"\ntoken.rename = { client_id = \"client_key\" }\n\
         token.params = { grant_type = \"code\", redirect_uri = \"\", who = \"app {client_id}\" }\n\
         token.headers = { accept = \"application/vnd.own+json\", x-version = \"7\" }\n\
         [scopes]\nseparator = \",\"\n\
         [client_credentials]\n\
         [refresh]\nbody = \"form\"\nparams = { grant_type = \"again\" }",
    ));
    let request = exchange(&own);
    assert_eq!(header(&request, "Accept"), Some("application/vnd.own+json"));
    assert_eq!(header(&request, "X-Version"), Some("7"));
    let body: Value = serde_json::from_slice(&request.body).expect("JSON");
    let expected = json!({
        "grant_type": "code", "code": "c0de", "code_verifier": "v3rifier",
        "client_key": "client-1", "client_secret": "s3cret/of+ours", "who": "app client-1",
    });
    assert_eq!(body, expected);
    let refresh = form(&own.provider().refresh(&own.ctx(), "r"));
    assert_eq!(
        (refresh["grant_type"].as_str(), refresh["client_key"].as_str()),
        ("again", "client-1")
    );
    assert!(!refresh.contains_key("who"), "params are of one call");
    let request = own.provider().client_credentials(&own.ctx(), &scope("a b"));
    let body: Value = serde_json::from_slice(&request.body).expect("JSON");
    assert_eq!(
        (body["grant_type"].as_str(), body["scope"].as_str()),
        (Some("client_credentials"), Some("a,b"))
    );
}

#[test]
fn scopes_are_written_as_the_description_says() {
    let names = "a:b https://x/y z";
    for (encoding, written) in [
        ("percent", "scope=a%3Ab%20https%3A%2F%2Fx%2Fy%20z&"),
        ("plus", "scope=a%3Ab+https%3A%2F%2Fx%2Fy+z&"),
        ("plain", "scope=a:b%20https://x/y%20z&"),
    ] {
        let own = Setup::own(&small(&format!("scopes.encoding = \"{encoding}\"")));
        let url = url(&own, names, false);
        assert!(url.contains(written), "{encoding}: {url}");
        assert!(url.contains("redirect_uri=https%3A%2F%2Fvault.example%2F"), "{url}");
    }
    let commas = Setup::own(&small(
        "scopes.separator = \",\"\nscopes.encoding = \"plain\"\nauthorize.rename = { scope = \"user_scope\" }",
    ));
    assert!(url(&commas, "a b", false).contains("user_scope=a,b&"));
    assert!(!url(&commas, "", false).contains("scope="), "none, none sent");
    let off = Setup::own(&small("authorize.pkce = \"off\""));
    assert!(!url(&off, "a", false).contains("code_challenge"));
    assert!(!form(&exchange(&off)).contains_key("code_verifier"));
}

#[test]
fn a_value_cannot_leave_its_place_in_a_url() {
    let text = |form: &str, at: &str| {
        format!(
            "label = \"Own\"\nauthorize.url = \"{at}\"\ntoken.url = \"https://own.example/t\"\n\
            [variables.part]\nform = \"{form}\""
        )
    };
    for (form, at, good) in [
        ("label", "https://{part}.own.example/authorize", "acme-2"),
        ("name", "https://own.example/{part}/authorize", "8eaef023-2b34-4da1-9baa-8bc8c9d6a490"),
        ("digits", "https://own.example/{part}/authorize", "0123"),
        ("host", "https://{part}/authorize", "git.acme.example:8443"),
        ("origin", "{part}/authorize", "https://eu.acme.example"),
        ("url", "{part}/authorize", "https://id.acme.example/realms/one"),
    ] {
        let own = Setup::own(&text(form, at));
        let made = url(&own.with("part", good), "a", false);
        let good_url = at.replace("{part}", good);
        assert!(made.starts_with(&format!("{good_url}?")), "{form}: {made}");
        for evil in [
            "",
            "..",
            ".",
            "-",
            "a/b/../c@",
            "a@evil.example",
            "a?b",
            "a#b",
            "a%2fb",
            "a%2Fb",
            "a\\b",
            "a b",
            "a\nb",
            "a\u{0}b",
            "evil.example/",
            "ä",
            "{client_id}",
            "https://evil.example/?",
            "http://evil.example",
            "https://a@evil.example",
            "https://evil.example/%2e%2e",
            "javascript:alert(1)",
            "//evil.example",
            "https://a..b/",
            "https://x.example/../y",
            "a:99999",
            "a:",
            ":80",
            "[::1]",
            &"a".repeat(600),
        ] {
            let own = Setup::own(&text(form, at)).with("part", evil);
            let made = url(&own, "a", false);
            assert!(made.is_empty(), "{form} {evil:?}: {made}");
            assert_ne!(
                own.provider().unfit(&own.integration),
                Vec::<String>::new(),
                "{form} {evil:?}"
            );
        }
    }
}

#[test]
fn a_callback_chooses_only_among_the_hosts_that_are_listed() {
    let text = "label = \"Own\"\nauthorize.url = \"https://accounts.own.example/auth\"\n\
        token.url = \"{accounts}/token\"\n\
        [variables.accounts]\nfrom = \"callback\"\nat = \"accounts-server\"\nform = \"origin\"\n\
        hosts = [\"accounts.own.example\", \"accounts.own.eu\"]\ndefault = \"https://accounts.own.example\"";
    let own = Setup::own(text);
    assert_eq!(own.provider().callback_variables().collect::<Vec<_>>(), ["accounts-server"]);
    let sent_to = |value: Option<&str>| {
        let named = |value: &str| ("accounts-server".to_owned(), value.to_owned());
        let parameters: BTreeMap<String, String> = value.map(named).into_iter().collect();
        let back = Callback { code: "c", verifier: "v", parameters: &parameters };
        (own.provider().exchange(&own.ctx(), &back).url, own.provider().callback(&parameters))
    };
    let (url, kept) = sent_to(Some("https://accounts.own.eu"));
    assert_eq!(url, "https://accounts.own.eu/token");
    assert_eq!(kept.expect("fine")["accounts"], "https://accounts.own.eu");
    assert_eq!(sent_to(None).0, "https://accounts.own.example/token");
    for evil in ["https://evil.example", "https://accounts.own.eu.evil.example", "accounts.own.eu"]
    {
        let (url, kept) = sent_to(Some(evil));
        assert_eq!(url, "", "{evil}: no call, not even to the default");
        assert!(kept.expect_err(evil).contains("accounts-server"), "{evil}");
    }
}

#[test]
fn an_account_is_called_for() {
    let own = Setup::own(&small(
        "[variables.site]\nfrom = \"answer\"\nform = \"name\"\n\
         [identity]\nfrom = \"call\"\nmethod = \"POST\"\nurl = \"https://own.example/api/{site}/me\"\n\
         headers = { x-version = \"7\" }\nbody = '{\"query\": \"{ viewer { id } }\"}'\n\
         sub = [\"$site\", \"/data/viewer/id\"]\nname = [\"/data/viewer/name\", \"/data/viewer/login\"]",
    ));
    let tokens = own.good(&json!({"access_token": "a", "site": "s1"}));
    let request = own.provider().identity(&own.ctx(), &tokens).expect("a call");
    assert_eq!(
        (request.method, request.url.as_str()),
        (Method::Post, "https://own.example/api/s1/me")
    );
    assert_eq!(header(&request, "authorization"), Some("Bearer a"));
    assert_eq!(
        (header(&request, "x-version"), header(&request, "content-type")),
        (Some("7"), Some("application/json"))
    );
    assert_eq!(request.body.as_slice(), br#"{"query": "{ viewer { id } }"}"#);
    let told = as_json(200, &json!({"data": {"viewer": {"id": 7, "name": null, "login": "ada"}}}));
    let account = own.provider().account(None, &tokens, Some(&told)).expect("named");
    assert_eq!((account.sub.as_str(), account.name.as_deref()), ("s1:7", Some("ada")));
    for (status, class) in
        [(401, "bad_request"), (403, "bad_request"), (429, "throttled"), (503, "transient")]
    {
        let told = as_json(status, &json!({"error": "oh"}));
        let failure = own.provider().account(None, &tokens, Some(&told)).expect_err("refused");
        assert_eq!(failure.class.as_str(), class, "{status}");
    }
    assert!(own.provider().account(None, &tokens, None).is_err());
}

#[test]
fn what_is_granted_is_compared_by_the_names_that_are_kept() {
    let google = Setup::built_in("google");
    let missing = |wanted: &str, granted: &str| {
        google.provider().missing(&scope(wanted), &scope(granted)).as_str().to_owned()
    };
    let granted = "https://www.googleapis.com/auth/userinfo.email openid";
    assert_eq!(missing("openid email", granted), "");
    assert_eq!(
        missing("email profile", granted),
        "https://www.googleapis.com/auth/userinfo.profile"
    );
    assert_eq!(missing("offline_access", granted), "", "it is never asked for");
    let own = Setup::own(&small("scopes.includes = { repo = [\"repo:status\"] }"));
    assert!(own.provider().missing(&scope("repo:status"), &scope("repo")).is_empty());
}
