//! Every "no": pages at the authorization endpoint, JSON at the token endpoint.

use serde_json::json;
use standins::google::Client;

use super::support::{ADA, BACK, CALENDAR, Choice, Google, ID, SECRET, read};

#[tokio::test]
async fn bad_requests_end_on_googles_own_page() {
    let google = Google::start().await;
    for (more, status, error) in [
        ([("client_id", "")].as_slice(), 400, "invalid_request"),
        (&[("client_id", "nobody")], 401, "invalid_client"),
        (&[("redirect_uri", "")], 400, "invalid_request"),
        (&[("redirect_uri", "http://localhost:1/callback")], 400, "redirect_uri_mismatch"),
        (
            &[("redirect_uri", "http://localhost:1/callback?from=google&a=b")],
            400,
            "redirect_uri_mismatch",
        ),
        (
            &[("redirect_uri", "http://LOCALHOST:1/callback?from=google")],
            400,
            "redirect_uri_mismatch",
        ),
        (&[("response_type", "")], 400, "invalid_request"),
        (&[("response_type", "token")], 400, "invalid_request"),
        (&[("scope", "")], 400, "invalid_request"),
        (&[("scope", "openid offline_access")], 400, "invalid_scope"),
        (&[("scope", "openid https://www.googleapis.com/auth/nothing")], 400, "invalid_scope"),
        (&[("access_type", "always")], 400, "invalid_request"),
        (&[("prompt", "login")], 400, "invalid_request"),
        (&[("prompt", "none consent")], 400, "invalid_request"),
        (&[("include_granted_scopes", "yes")], 400, "invalid_request"),
        (&[("code_challenge", "c"), ("code_challenge_method", "S512")], 400, "invalid_request"),
        (&[("state", "a"), ("state", "b")], 400, "invalid_request"),
    ] {
        let page = google.ask(more).await;
        assert_eq!(page.status.as_u16(), status, "{more:?}: {page:?}");
        assert!(page.text.contains(&format!("Error {status}: {error}")), "{more:?}: {}", page.text);
        assert!(
            page.header("content-type").starts_with("text/html")
                && page.header("location").is_empty()
        );
    }
    let page = google.ask(&[("scope", "openid offline_access")]).await;
    assert!(page.text.contains("offline_access"), "the scope is named");
}

#[tokio::test]
async fn clients_that_are_gone_end_on_a_page_and_at_the_token_endpoint() {
    let google = Google::start().await;
    let tokens = google.issue(&[CALENDAR]).await;
    for (condition, error, text) in [
        ("disabled", "disabled_client", "The OAuth client was disabled."),
        ("deleted", "deleted_client", "The OAuth client was deleted."),
    ] {
        google.change_client(json!({"condition": condition})).await;
        let page = google.ask(&[]).await;
        assert!(page.text.contains(&format!("Error 401: {error}")), "{}", page.text);
        let refusal = google.refresh(&tokens["refresh_token"]).await.refusal();
        assert_eq!(refusal, (401, error.to_owned(), text.to_owned()));
        let called = google.call("/calendar/v3/users/me/calendarList", &tokens["access_token"]);
        assert_eq!(called.await.status, 401);
    }
    google.change_client(json!({"condition": "good"})).await;
    assert_eq!(google.refresh(&tokens["refresh_token"]).await.status, 200, "nothing else ended");
}

#[tokio::test]
async fn an_internal_application_is_for_its_organisation() {
    let mut client = Client::new(ID, SECRET, BACK);
    client.internal_to = Some("example.com".to_owned());
    let google = Google::with(vec![client]).await;
    let choose = async |who: &str| {
        let to = google.ask(&[("prompt", "select_account")]).await.location();
        let (path, request) = to.split_once("?request=").expect("a request");
        let form = [("request", request), ("account", who)];
        google.browse(google.post(path).form(&form)).await
    };
    let page = choose("grace@example.org").await;
    assert_eq!(page.status, 403);
    assert!(page.text.contains("Error 403: org_internal"), "{}", page.text);
    assert_eq!(choose(ADA).await.status, 303);
}

#[tokio::test]
async fn an_administrator_forbids_an_application_or_a_scope() {
    let google = Google::start().await;
    let tokens = google.issue(&[CALENDAR]).await;
    google.connect(&[]).await;
    google.organisation(json!({"blocked_scopes": [CALENDAR]})).await;
    assert_eq!(google.ask(&[]).await.status, 303, "other scopes are fine");
    let page = google.ask(&[("scope", CALENDAR)]).await;
    assert!(page.text.contains("Error 400: admin_policy_enforced"), "{}", page.text);
    let (status, error, _) = google.refresh(&tokens["refresh_token"]).await.refusal();
    assert_eq!((status, error.as_str()), (400, "admin_policy_enforced"));
    google.organisation(json!({"blocked_clients": [ID]})).await;
    assert_eq!(google.ask(&[]).await.status, 400);
    google.organisation(json!({})).await;
    assert_eq!(google.refresh(&tokens["refresh_token"]).await.status, 200);
}

#[tokio::test]
async fn the_token_endpoint_refuses_in_googles_words() {
    let google = Google::start().await;
    let code = google.walk(&[], Choice::default()).await.remove("code").expect("a code");
    let code = code.as_str();
    let grant = ("grant_type", "authorization_code");
    let back = ("redirect_uri", BACK);
    for (form, status, error, text) in [
        ([].as_slice(), 400, "invalid_request", "Missing required parameter: grant_type"),
        (
            &[("grant_type", "password")],
            400,
            "unsupported_grant_type",
            "Invalid grant_type: password",
        ),
        (&[grant], 400, "invalid_request", "Missing required parameter: code"),
        (&[grant, ("code", "nonsense"), back], 400, "invalid_grant", "Malformed auth code."),
        (&[grant, ("code", "4/0Anever"), back], 400, "invalid_grant", "Bad Request"),
        (
            &[grant, ("code", code)],
            400,
            "invalid_request",
            "Missing required parameter: redirect_uri",
        ),
        (
            &[grant, ("code", code), ("redirect_uri", "http://localhost:1/")],
            400,
            "redirect_uri_mismatch",
            "Bad Request",
        ),
        (
            &[("grant_type", "refresh_token")],
            400,
            "invalid_request",
            "Missing required parameter: refresh_token",
        ),
        (
            &[("grant_type", "refresh_token"), ("refresh_token", "1//0never")],
            400,
            "invalid_grant",
            "Bad Request",
        ),
        (
            &[grant, grant],
            400,
            "invalid_request",
            "OAuth 2 parameters can only have a single value: grant_type",
        ),
    ] {
        let refusal = google.token(form).await.refusal();
        assert_eq!(refusal, (status, error.to_owned(), text.to_owned()), "{form:?}");
    }
    assert_eq!(google.redeem(code).await.status, 200, "none of these spent the code");
    let spent = google.redeem(code).await.refusal();
    assert_eq!(spent, (400, "invalid_grant".to_owned(), "Bad Request".to_owned()), "single use");
}

#[tokio::test]
async fn a_client_that_cannot_say_who_it_is_is_refused() {
    let google = Google::start().await;
    let grant = ("grant_type", "refresh_token");
    for (form, status, error, text) in [
        ([grant].as_slice(), 400, "invalid_request", "Could not determine client ID from request."),
        (
            &[grant, ("client_id", "nobody")],
            401,
            "invalid_client",
            "The OAuth client was not found.",
        ),
        (&[grant, ("client_id", ID)], 400, "invalid_request", "client_secret is missing."),
        (
            &[grant, ("client_id", ID), ("client_secret", "no")],
            401,
            "invalid_client",
            "Unauthorized",
        ),
    ] {
        let page = read(google.post("/token").form(form)).await;
        assert_eq!(page.refusal(), (status, error.to_owned(), text.to_owned()), "{form:?}");
    }
    // A secret that was replaced.
    let tokens = google.issue(&[CALENDAR]).await;
    google.change_client(json!({"secret": "another"})).await;
    let refusal = google.refresh(&tokens["refresh_token"]).await.refusal();
    assert_eq!(refusal, (401, "invalid_client".to_owned(), "Unauthorized".to_owned()));
}

#[tokio::test]
async fn a_code_or_refresh_token_of_another_client_is_refused() {
    let other = Client::new("other", "other secret", BACK);
    let google = Google::with(vec![Client::new(ID, SECRET, BACK), other]).await;
    let code = google.walk(&[], Choice::default()).await.remove("code").expect("a code");
    let tokens = google.issue(&[CALENDAR]).await;
    let refresh_token = tokens["refresh_token"].as_str().expect("a refresh token");
    let own = [("client_id", "other"), ("client_secret", "other secret")];
    let mut form =
        vec![("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", BACK)];
    form.extend(own);
    let refusal = read(google.post("/token").form(&form)).await.refusal();
    assert_eq!(refusal, (400, "invalid_grant".to_owned(), "Bad Request".to_owned()));
    let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
    form.extend(own);
    let refusal = read(google.post("/token").form(&form)).await.refusal();
    assert_eq!(refusal, (400, "unauthorized_client".to_owned(), "Unauthorized".to_owned()));
}

#[tokio::test]
async fn a_challenge_wants_its_verifier() {
    // RFC 7636, appendix B.
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let asked = [
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
        ("prompt", "consent"),
    ];
    let google = Google::start().await;
    let with = async |more: &[(&str, &str)]| {
        let code = google.walk(&asked, Choice::default()).await.remove("code").expect("a code");
        let mut form =
            vec![("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", BACK)];
        form.extend(more);
        google.token(&form).await
    };
    let grant = |text: &str| (400, "invalid_grant".to_owned(), text.to_owned());
    assert_eq!(with(&[]).await.refusal(), grant("Missing code verifier."));
    assert_eq!(
        with(&[("code_verifier", "wrong")]).await.refusal(),
        grant("Invalid code verifier.")
    );
    assert_eq!(with(&[("code_verifier", verifier)]).await.status, 200);
}

#[tokio::test]
async fn apis_refuse_in_another_shape() {
    let google = Google::start().await;
    let none = json!("ya29.none");
    for path in ["/calendar/v3/users/me/calendarList", "/drive/v3/about"] {
        let page = google.call(path, &none).await;
        let error = &page.json()["error"];
        assert_eq!((page.status.as_u16(), &error["code"]), (401, &json!(401)));
        assert_eq!(error["status"], "UNAUTHENTICATED");
        assert!(page.header("www-authenticate").contains("invalid_token"));
    }
    let tokens = google.issue(&["openid"]).await;
    let page = google.call("/drive/v3/about", &tokens["access_token"]).await;
    assert_eq!(
        (page.status.as_u16(), &page.json()["error"]["status"]),
        (403, &json!("PERMISSION_DENIED"))
    );
    let (status, error, text) = google.call("/v1/userinfo", &none).await.refusal();
    assert_eq!(
        (status, error.as_str(), text.as_str()),
        (401, "invalid_request", "Invalid Credentials")
    );
}
