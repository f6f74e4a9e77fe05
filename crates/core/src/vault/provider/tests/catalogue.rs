//! The descriptions that are built in, against the answers that the providers' documentation shows.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{NOW, Setup, answer, form, header, json as as_json, query, small};
use crate::model::{Account, Scope};
use crate::outbound::Method;
use crate::time::Seconds;
use crate::vault::answer::FailureClass::{
    self, BadRequest, ClientBroken, GrantDead, Throttled, Transient,
};
use crate::vault::provider::{AuthorizeUrl, Callback, catalogue};

/// Every name that issue and documentation promise.
const NAMES: [&str; 28] = [
    "airtable",
    "asana",
    "atlassian",
    "box",
    "discord",
    "dropbox",
    "facebook",
    "github",
    "github_app",
    "gitlab",
    "google",
    "hubspot",
    "linear",
    "linkedin",
    "microsoft",
    "notion",
    "oauth2",
    "oidc",
    "quickbooks",
    "salesforce",
    "slack",
    "slack_user",
    "spotify",
    "x",
    "xero",
    "zendesk",
    "zoho",
    "zoom",
];

/// A setup whose required variables have values.
fn setup(name: &str) -> Setup {
    let own = Setup::built_in(name);
    match name {
        "zendesk" => own.with("subdomain", "acme"),
        "oauth2" => own
            .with("authorize_url", "https://a.example/auth")
            .with("token_url", "https://a.example/token"),
        "oidc" => own.with("issuer", "https://id.example"),
        _ => own,
    }
}

fn authorize(own: &Setup, scope: &str, force_consent: bool) -> BTreeMap<String, String> {
    let scope = Scope::parse(scope).expect("scopes");
    let asked = AuthorizeUrl {
        scope: &scope,
        state: "s",
        challenge: "c",
        nonce: "n",
        login_hint: None,
        force_consent,
    };
    query(&own.provider().authorize_url(&own.ctx(), &asked))
}

fn class(own: &Setup, status: u16, body: &Value) -> FailureClass {
    own.bad(&as_json(status, body)).class
}

fn account(own: &Setup, token: &Value, called: Option<Value>) -> Account {
    let tokens = own.good(token);
    let told = called.map(|body| as_json(200, &body));
    assert_eq!(own.provider().identity(&own.ctx(), &tokens).is_some(), told.is_some());
    own.provider().account(None, &tokens, told.as_ref()).expect("an account")
}

#[test]
fn all_are_there_and_fit_an_integration() {
    let all = catalogue();
    assert_eq!(all.keys().collect::<Vec<_>>(), NAMES.iter().collect::<Vec<_>>());
    for name in NAMES {
        let own = setup(name);
        assert_eq!(own.provider().unfit(&own.integration), Vec::<String>::new(), "{name}");
        assert!(own.provider().documentation().all(|page| page.starts_with("https://")), "{name}");
        if name == "oidc" {
            continue;
        }
        let asked = authorize(&own, "a", true);
        assert_eq!(
            (asked["client_id"].as_str(), asked["response_type"].as_str()),
            ("client-1", "code"),
            "{name}"
        );
        let back = Callback { code: "c", verifier: "v", parameters: &BTreeMap::new() };
        for request in
            [own.provider().exchange(&own.ctx(), &back), own.provider().refresh(&own.ctx(), "r")]
        {
            assert!(request.url.starts_with("https://"), "{name}: {}", request.url);
            let text = String::from_utf8_lossy(&request.body).into_owned();
            let proven =
                header(&request, "authorization").is_some() || text.contains("client_secret");
            assert!(proven, "{name}: {text}");
        }
        let pkce = asked.contains_key("code_challenge");
        assert_eq!(pkce, own.provider().uses_pkce(), "{name}");
    }
}

#[test]
fn github_answers_in_either_form_and_fails_with_200() {
    let own = setup("github");
    let text =
        "access_token=gho_16C7e42F292c6912E7710c838347Ae178B4a&scope=repo%2Cgist&token_type=bearer";
    let got = own.tokens(&answer(200, "application/x-www-form-urlencoded; charset=utf-8", text));
    let got = got.expect("tokens");
    assert_eq!((got.expires_at, got.refresh_token), (None, None));
    let granted = got.scope.expect("told");
    let missing =
        own.provider().missing(&Scope::parse("public_repo gist user").expect("s"), &granted);
    assert_eq!((granted.as_str(), missing.as_str()), ("repo gist", "user"));
    for (error, class_of) in [
        ("bad_verification_code", GrantDead),
        ("incorrect_client_credentials", ClientBroken),
        ("redirect_uri_mismatch", BadRequest),
    ] {
        let body = json!({"error": error, "error_description": "…", "error_uri": "/apps/"});
        assert_eq!(class(&own, 200, &body), class_of, "{error}");
    }
    let user = json!({"id": 583_231, "login": "octocat", "name": null, "email": null});
    let who = account(&own, &json!({"access_token": "gho_1", "scope": ""}), Some(user));
    assert_eq!((who.sub.as_str(), who.name.as_deref()), ("583231", Some("octocat")));
    let revoke = own.provider().revoke(&own.ctx(), "gho_1", None).expect("it can");
    assert_eq!(
        (revoke.method, revoke.url.as_str()),
        (Method::Delete, "https://api.github.com/applications/client-1/grant")
    );
    assert_eq!(revoke.body.as_slice(), br#"{"access_token":"gho_1"}"#);
    assert!(
        own.provider().revoked(&answer(204, "", ""))
            && !own.provider().revoked(&answer(500, "", ""))
    );
}

#[test]
fn a_github_app_rotates() {
    let own = setup("github_app");
    let got = own.good(&json!({
        "access_token": "ghu_1", "expires_in": 28800, "refresh_token": "ghr_1",
        "refresh_token_expires_in": 15_897_600, "scope": "", "token_type": "bearer",
    }));
    assert_eq!(got.expires_at, Some(NOW.plus(Seconds::hours(8))));
    assert_eq!((got.scope, own.provider().rotates()), (None, Some(true)));
    assert_eq!(class(&own, 200, &json!({"error": "bad_refresh_token"})), GrantDead);
}

#[test]
fn microsoft_has_a_tenant_and_says_less_than_it_grants() {
    let own = setup("microsoft").with("tenant", "contoso.onmicrosoft.com");
    let request = own.provider().refresh(&own.ctx(), "r");
    assert_eq!(
        request.url,
        "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token"
    );
    let got = own.good(&json!({
        "token_type": "Bearer", "scope": "https://graph.microsoft.com/User.Read https://graph.microsoft.com/Mail.Read",
        "expires_in": 3736, "access_token": "eyJ0", "refresh_token": "M.C5",
    }));
    let wanted = Scope::parse("openid offline_access User.Read Mail.Send").expect("scopes");
    let missing = own.provider().missing(&wanted, &got.scope.expect("told"));
    assert_eq!(missing.as_str(), "Mail.Send");
    let body = json!({"error": "invalid_client", "error_codes": [7_000_222], "error_description": "AADSTS7000222: …"});
    assert_eq!(class(&own, 401, &body), ClientBroken);
    let body = json!({"error": "invalid_grant", "error_codes": [50_173], "suberror": "bad_token"});
    assert_eq!(own.bad(&as_json(400, &body)).error_subtype.as_deref(), Some("bad_token"));
    assert_eq!(
        class(&own, 400, &json!({"error": "interaction_required", "error_codes": [50_079]})),
        GrantDead
    );
    let rules = own.provider().id_token(&own.ctx()).expect("ID tokens");
    let tid = "9188040d-6c67-4c5b-b112-36a304b66dad";
    assert!(rules.accepts_issuer(
        &json!({"tid": tid, "iss": format!("https://login.microsoftonline.com/{tid}/v2.0")})
    ));
    assert!(!rules.accepts_issuer(
        &json!({"tid": "x", "iss": format!("https://login.microsoftonline.com/{tid}/v2.0")})
    ));
}

#[test]
fn slack_has_a_bot_and_a_person() {
    let both = json!({
        "ok": true, "access_token": "xoxb-1", "token_type": "bot", "scope": "commands,incoming-webhook",
        "bot_user_id": "U0KRQLJ9H", "team": {"name": "Slack", "id": "T9TK3CUKW"}, "enterprise": null,
        "authed_user": {"id": "U1234", "scope": "chat:write", "access_token": "xoxp-1", "token_type": "user",
            "expires_in": 43200, "refresh_token": "xoxe-1"},
    });
    let bot = setup("slack");
    let got = bot.good(&both);
    assert_eq!((got.access_token.as_str(), got.expires_at), ("xoxb-1", None));
    assert_eq!(got.scope.expect("told").as_str(), "commands incoming-webhook");
    let who = account(&bot, &both, None);
    assert_eq!((who.sub.as_str(), who.name.as_deref()), ("T9TK3CUKW:U0KRQLJ9H", Some("Slack")));
    assert_eq!(authorize(&bot, "commands chat:write", false)["scope"], "commands,chat:write");

    let person = setup("slack_user");
    let got = person.good(&both);
    assert_eq!(
        (got.access_token.as_str(), got.expires_at),
        ("xoxp-1", Some(NOW.plus(Seconds::hours(12))))
    );
    let asked = authorize(&person, "chat:write", false);
    assert_eq!((asked["user_scope"].as_str(), asked.get("scope")), ("chat:write", None));
    let again = json!({"ok": true, "access_token": "xoxe.xoxp-2", "expires_in": 43200, "refresh_token": "xoxe-2"});
    assert_eq!(person.good(&again).access_token.as_str(), "xoxe.xoxp-2");
    for (error, class_of) in [
        ("invalid_refresh_token", GrantDead),
        ("bad_client_secret", ClientBroken),
        ("ratelimited", Throttled),
        ("internal_error", Transient),
        ("invalid_grant_type", BadRequest),
    ] {
        assert_eq!(class(&bot, 200, &json!({"ok": false, "error": error})), class_of, "{error}");
    }
    let over = |body: Value| bot.provider().revoked(&as_json(200, &body));
    assert!(
        over(json!({"ok": true, "revoked": true}))
            && over(json!({"ok": false, "error": "token_revoked"}))
    );
    assert!(!over(json!({"ok": false, "error": "ratelimited"})));
}

#[test]
fn notion_wants_basic_and_json() {
    let own = setup("notion");
    let request = own.provider().refresh(&own.ctx(), "r");
    assert!(header(&request, "authorization").is_some_and(|own| own.starts_with("Basic ")));
    assert_eq!(request.body.as_slice(), br#"{"grant_type":"refresh_token","refresh_token":"r"}"#);
    assert!(header(&request, "notion-version").is_some());
    assert_eq!(authorize(&own, "", false)["owner"], "user");
    let token = json!({
        "access_token": "ntn_1", "refresh_token": "nrt_1", "bot_id": "b1", "workspace_id": "w1", "workspace_name": "Acme",
        "owner": {"type": "user", "user": {"id": "u1", "name": "Ada", "person": {"email": "ada@example.com"}}},
    });
    assert_eq!(own.good(&token).expires_at, None);
    let who = account(&own, &token, None);
    assert_eq!(
        (who.sub.as_str(), who.email.as_deref(), who.organization.as_deref()),
        ("w1:u1", Some("ada@example.com"), Some("Acme"))
    );
    let body = json!({"object": "error", "status": 429, "code": "rate_limited", "message": "slow"});
    assert_eq!(class(&own, 429, &body), Throttled);
}

#[test]
fn salesforce_tells_where_the_organisation_is_and_not_how_long() {
    let own = setup("salesforce").with("login", "acme.my.salesforce.com");
    let token = json!({
        "access_token": "00Dx!AQ", "refresh_token": "5Aep", "signature": "x", "scope": "refresh_token openid api",
        "instance_url": "https://acme.my.salesforce.com", "id": "https://login.salesforce.com/id/00D/005",
        "token_type": "Bearer", "issued_at": "1558553873237",
    });
    let got = own.good(&token);
    assert_eq!(got.expires_at, Some(NOW.plus(Seconds::hours(1))));
    let call = own.provider().identity(&own.ctx(), &got).expect("a call");
    assert_eq!(call.url, "https://acme.my.salesforce.com/services/oauth2/userinfo");
    let who = account(
        &own,
        &token,
        Some(json!({"user_id": "005", "organization_id": "00D", "email": "a@b.example"})),
    );
    assert_eq!(who.sub, "00D:005");
    assert_eq!(
        own.provider().refresh(&own.ctx(), "r").url,
        "https://acme.my.salesforce.com/services/oauth2/token"
    );
    let evil = own.good(&json!({"access_token": "a", "instance_url": "https://evil.example"}));
    assert_eq!(evil.variables.get("instance_url"), None);
    assert_eq!(
        class(
            &own,
            400,
            &json!({"error": "invalid_grant", "error_description": "expired access/refresh token"})
        ),
        GrantDead
    );
    assert_eq!(class(&own, 400, &json!({"error": "inactive_user"})), GrantDead);
    assert_eq!(class(&own, 400, &json!({"error": "invalid_client_id"})), ClientBroken);
    assert_eq!(
        own.provider()
            .missing(&Scope::parse("offline_access").expect("s"), &got.scope.expect("told"))
            .as_str(),
        ""
    );
}

#[test]
fn zoom_atlassian_and_x_hide_the_end_of_a_grant_in_their_texts() {
    let zoom = setup("zoom");
    assert_eq!(
        class(&zoom, 400, &json!({"reason": "Invalid Token!", "error": "invalid_request"})),
        GrantDead
    );
    assert_eq!(
        class(&zoom, 401, &json!({"reason": "Invalid Token!", "error": "invalid_grant"})),
        GrantDead
    );
    assert_eq!(
        class(
            &zoom,
            401,
            &json!({"reason": "Invalid client_id or client_secret", "error": "invalid_client"})
        ),
        ClientBroken
    );
    let got = zoom.good(&json!({"access_token": "a", "refresh_token": "r", "expires_in": 3599, "api_url": "https://api-eu.zoom.us"}));
    assert_eq!(
        zoom.provider().identity(&zoom.ctx(), &got).expect("a call").url,
        "https://api-eu.zoom.us/v2/users/me"
    );

    let atlassian = setup("atlassian");
    let body =
        json!({"error": "unauthorized_client", "error_description": "refresh_token is invalid"});
    assert_eq!(class(&atlassian, 403, &body), GrantDead);
    let body =
        json!({"error": "invalid_grant", "error_description": "Unknown or invalid refresh token."});
    assert_eq!(class(&atlassian, 403, &body), GrantDead);
    assert_eq!(
        class(
            &atlassian,
            401,
            &json!({"error": "access_denied", "error_description": "Unauthorized"})
        ),
        ClientBroken
    );
    let asked = authorize(&atlassian, "read:jira-work", false);
    assert_eq!(
        (asked["audience"].as_str(), asked["prompt"].as_str()),
        ("api.atlassian.com", "consent")
    );
    assert_eq!(asked["scope"], "read:me offline_access read:jira-work");

    let x = setup("x");
    let body = json!({"error": "invalid_request", "error_description": "Value passed for the token was invalid."});
    assert_eq!(class(&x, 400, &body), GrantDead);
    assert_eq!(
        class(
            &x,
            400,
            &json!({"error": "invalid_request", "error_description": "Missing required parameter [grant_type]."})
        ),
        BadRequest
    );
    assert_eq!(
        class(
            &x,
            401,
            &json!({"error": "unauthorized_client", "error_description": "Missing valid authorization header"})
        ),
        ClientBroken
    );
    let who = account(
        &x,
        &json!({"access_token": "a"}),
        Some(json!({"data": {"id": "2244994945", "name": "X Dev", "username": "xdev"}})),
    );
    assert_eq!((who.sub.as_str(), who.name.as_deref()), ("2244994945", Some("xdev")));
}

#[test]
fn zendesk_must_be_asked_for_an_expiry() {
    let own = setup("zendesk");
    let request = own.provider().refresh(&own.ctx(), "r");
    assert_eq!(request.url, "https://acme.zendesk.com/oauth/tokens");
    let body: Value = serde_json::from_slice(&request.body).expect("JSON");
    assert_eq!(
        (&body["expires_in"], &body["refresh_token_expires_in"]),
        (&json!(172_800), &json!(7_776_000))
    );
    for evil in ["acme.evil", "acme/", "evil.example/x?", "a%2fb", ""] {
        let own = Setup::built_in("zendesk").with("subdomain", evil);
        assert_eq!(own.provider().refresh(&own.ctx(), "r").url, "", "{evil}");
    }
    assert_eq!(
        own.provider()
            .account(
                None,
                &own.good(&json!({"access_token": "a"})),
                Some(&as_json(200, &json!({"user": {"id": null, "name": "Anonymous user"}})))
            )
            .expect_err("nobody")
            .class,
        BadRequest
    );
    assert!(own.provider().revoked(&answer(401, "application/json", "{}")));
}

#[test]
fn zoho_is_where_the_callback_says_if_it_is_zoho() {
    let mut own = setup("zoho");
    let back = |server: &str| {
        BTreeMap::from([
            ("accounts-server".to_owned(), server.to_owned()),
            ("location".to_owned(), "eu".to_owned()),
        ])
    };
    let kept = own.provider().callback(&back("https://accounts.zoho.eu")).expect("Zoho");
    assert_eq!(kept["accounts"], "https://accounts.zoho.eu");
    assert!(own.provider().callback(&back("https://accounts.zoho.eu.evil.example")).is_err());
    own.variables = kept;
    let back = Callback { code: "c", verifier: "v", parameters: &BTreeMap::new() };
    assert_eq!(
        own.provider().exchange(&own.ctx(), &back).url,
        "https://accounts.zoho.eu/oauth/v2/token"
    );
    let got = own.good(&json!({"access_token": "1000.a", "refresh_token": "1000.r", "api_domain": "https://www.zohoapis.eu", "expires_in": 3600}));
    assert_eq!(
        (got.variables["accounts"].as_str(), got.variables["api_domain"].as_str()),
        ("https://accounts.zoho.eu", "https://www.zohoapis.eu")
    );
    let call = own.provider().identity(&own.ctx(), &got).expect("a call");
    assert_eq!(header(&call, "authorization"), Some("Zoho-oauthtoken 1000.a"));
    assert_eq!(class(&own, 200, &json!({"error": "invalid_code"})), GrantDead);
    assert_eq!(class(&own, 200, &json!({"error": "invalid_client"})), ClientBroken);
    let body = json!({"error": "Access Denied", "error_description": "You have made too many requests continuously.", "status": "failure"});
    assert_eq!(class(&own, 400, &body), Throttled);
}

#[test]
fn quickbooks_names_the_company_in_the_callback() {
    let mut own = setup("quickbooks");
    assert!(own.provider().callback(&BTreeMap::new()).is_err(), "without a company");
    let back = BTreeMap::from([("realmId".to_owned(), "4620816365".to_owned())]);
    own.variables = own.provider().callback(&back).expect("a company");
    let token = json!({"access_token": "a", "refresh_token": "r", "expires_in": 3600, "x_refresh_token_expires_in": 8_726_400});
    assert_eq!(own.good(&token).refresh_expires_at, Some(NOW.plus(Seconds(8_726_400))));
    let company = json!({"CompanyInfo": {"Id": "1", "CompanyName": "Engines"}});
    let found = account(&own, &token, Some(company));
    assert_eq!(
        (found.sub.as_str(), found.organization.as_deref()),
        ("4620816365", Some("Engines"))
    );
    let proxy = own.provider().proxy(&own.ctx()).expect("an API");
    assert_eq!(proxy.base, "https://quickbooks.api.intuit.com/v3/company/4620816365");
    assert!(proxy.allows("quickbooks.api.intuit.com") && !proxy.allows("evil.example"));
    let revoke = own.provider().revoke(&own.ctx(), "a", Some("r")).expect("it can");
    assert_eq!(revoke.body.as_slice(), br#"{"token":"r"}"#);
}

#[test]
fn facebook_exchanges_the_access_token_itself() {
    let own = setup("facebook");
    let got =
        own.good(&json!({"access_token": "EAA1", "token_type": "bearer", "expires_in": 5_183_944}));
    assert_eq!(got.refresh_token.as_ref().map(|own| own.as_str()), Some("EAA1"));
    let sent = form(&own.provider().refresh(&own.ctx(), "EAA1"));
    assert_eq!(
        (sent["grant_type"].as_str(), sent["fb_exchange_token"].as_str()),
        ("fb_exchange_token", "EAA1")
    );
    let error = |code: u32, subcode: u32| json!({"error": {"message": "…", "type": "OAuthException", "code": code, "error_subcode": subcode}});
    assert_eq!(class(&own, 400, &error(190, 460)), GrantDead);
    assert_eq!(class(&own, 400, &error(4, 0)), Throttled);
    assert_eq!(class(&own, 400, &error(1, 0)), Transient);
    assert_eq!(class(&own, 400, &error(101, 0)), ClientBroken);
    let body = json!({"error": {"message": "Error validating client secret.", "type": "OAuthException", "code": 1}});
    assert_eq!(class(&own, 400, &body), ClientBroken);
    assert!(own.provider().revoked(&as_json(200, &json!({"success": true}))));
    assert!(own.provider().revoked(&as_json(400, &error(190, 460))));
}

#[test]
fn hubspot_is_asked_about_its_token() {
    let own = setup("hubspot");
    let token = json!({"access_token": "CN1", "refresh_token": "r", "expires_in": 1800, "scopes": ["oauth", "crm.objects.contacts.read"]});
    let got = own.good(&token);
    assert_eq!(got.scope.as_ref().map(Scope::as_str), Some("oauth crm.objects.contacts.read"));
    let call = own.provider().identity(&own.ctx(), &got).expect("a call");
    let sent = form(&call);
    assert_eq!((sent["token"].as_str(), sent["client_secret"].as_str()), ("CN1", "s3cret/of+ours"));
    assert_eq!(header(&call, "authorization"), None);
    let who = account(
        &own,
        &token,
        Some(json!({"active": true, "hub_id": 62515, "user_id": 123, "user": "a@b.example"})),
    );
    assert_eq!((who.sub.as_str(), who.email.as_deref()), ("62515:123", Some("a@b.example")));
    let body = json!({"error": "invalid_request", "status": "BAD_REFRESH_TOKEN", "message": "missing or unknown refresh token"});
    assert_eq!(class(&own, 400, &body), GrantDead);
}

#[test]
fn userinfo_of_another_account_than_the_id_token_is_refused() {
    let own = Setup::own(&small(
        "identity = { from = \"call\", url = \"https://own.example/userinfo\", sub = [\"/sub\"] }\n\
         id_token = { issuers = [\"https://own.example\"], jwks_uri = \"https://own.example/keys\" }",
    ));
    let tokens = own.good(&json!({"access_token": "a"}));
    let told = as_json(200, &json!({"sub": "1"}));
    let account = |claims: Option<Value>| {
        own.provider().account(claims.as_ref(), &tokens, Some(&told)).map(|own| own.sub)
    };
    assert_eq!(account(Some(json!({"sub": "1"}))), Ok("1".to_owned()));
    assert_eq!(account(None), Ok("1".to_owned()));
    let refused = account(Some(json!({"sub": "2"}))).expect_err("two accounts");
    assert_eq!(refused.class, BadRequest);
}

#[test]
fn accounts_are_found_where_each_provider_has_them() {
    let token = json!({"access_token": "a", "data": {"gid": "12", "name": "Ada", "email": "ada@example.com"}});
    for (name, called, sub) in [
        ("airtable", Some(json!({"id": "usr1", "email": "a@b.example"})), "usr1"),
        ("asana", None, "12"),
        (
            "atlassian",
            Some(json!({"account_id": "5b1", "email": "a@b.example", "name": "Ada"})),
            "5b1",
        ),
        (
            "box",
            Some(json!({"type": "user", "id": "11446498", "login": "a@b.example"})),
            "11446498",
        ),
        ("discord", Some(json!({"id": "8035", "username": "ada", "global_name": null})), "8035"),
        (
            "dropbox",
            Some(json!({"account_id": "dbid:AAH4", "name": {"display_name": "Ada"}})),
            "dbid:AAH4",
        ),
        ("facebook", Some(json!({"id": "1022", "name": "Ada"})), "1022"),
        ("gitlab", Some(json!({"id": 1, "username": "ada", "email": "a@b.example"})), "1"),
        (
            "linear",
            Some(json!({"data": {"viewer": {"id": "u-1", "organization": {"name": "Acme"}}}})),
            "u-1",
        ),
        ("linkedin", Some(json!({"sub": "782bbtaQ", "name": "Ada"})), "782bbtaQ"),
        ("slack_user", Some(json!({"ok": true, "team_id": "T1", "user_id": "U1"})), "T1:U1"),
        ("spotify", Some(json!({"id": "smedjan", "display_name": "Ada"})), "smedjan"),
        ("zendesk", Some(json!({"user": {"id": 223_443, "email": "a@b.example"}})), "223443"),
        ("zoho", Some(json!({"ZUID": 7_001, "Email": "a@b.example"})), "7001"),
        ("zoom", Some(json!({"id": "KDcuGIm1", "account_id": "q6g"})), "KDcuGIm1"),
    ] {
        let mut token = token.clone();
        token["ok"] = json!(true);
        assert_eq!(account(&setup(name), &token, called).sub, sub, "{name}");
    }
}

#[test]
fn scopes_are_separated_as_each_provider_has_it() {
    for (name, answered, granted) in [
        ("github", "repo,gist", "repo gist"),
        ("linear", "read write", "read write"),
        ("linkedin", "email,openid,profile", "email openid profile"),
        ("linkedin", "email openid", "email openid"),
        ("slack", "chat:write,commands", "chat:write commands"),
        (
            "zoho",
            "ZohoCRM.modules.ALL AaaServer.profile.READ",
            "ZohoCRM.modules.ALL AaaServer.profile.READ",
        ),
        ("xero", "openid accounting.transactions", "openid accounting.transactions"),
    ] {
        let got = setup(name).good(&json!({"ok": true, "access_token": "a", "scope": answered}));
        assert_eq!(got.scope.expect("told").as_str(), granted, "{name}");
    }
}
