//! Signing in on the operator's own page; the test plays the page.

use serde_json::{Value, json};

use crate::support::external::{API_SECRET, challenge, redirect_to};
use crate::support::{Request, Server, Tokens, assert_error, assert_sent_back, client};

/// Where the page would be. Nobody listens there: the test does what a browser would.
const PAGE: &str = "https://sign-in.example/start?tenant=1";

async fn start() -> Server {
    Server::setup().external(PAGE).start().await
}

fn ada() -> Value {
    json!({ "subject": "hr-4711", "email": "Ada@Example.com", "email_verified": true,
            "name": "Ada Lovelace", "amr": ["hwk", "mfa"], "acr": "company-card" })
}

#[tokio::test]
async fn the_page_says_who_it_is_and_the_client_learns_how() {
    let server = start().await;
    let app = server.app("notes");
    let browser = server.browser();
    let request = Request::of(&app).and("login_hint", "ada").and("max_age", "900");
    let request = request.and("ui_locales", "de");
    let sent = browser.open(&request.url(&server)).await;
    let url = sent.location().expect("a redirect");
    assert!(url.starts_with(&format!("{PAGE}&login_challenge=ey")), "{url}");
    assert_eq!(sent.status, 303);

    let challenge = sent.answer()["login_challenge"].clone();
    let told = server.ask_about(&challenge).await.json();
    assert_eq!(told["client"]["client_id"], "notes");
    assert_eq!((&told["login_hint"], &told["max_age"]), (&"ada".into(), &900.into()));
    assert_eq!((&told["language"], &told["ui_locales"]), (&"de".into(), &"de".into()));
    let scope = told["requested_scope"].as_array().expect("a list");
    let read = json!({ "name": "read", "description": "Read your data" });
    assert!(scope.contains(&read), "{scope:?}");
    assert_eq!(told["prompt"], json!([]));

    let back = server.accept(&challenge, &ada()).await;
    let page = browser.open(&back).await;
    let page = browser.submit(&page.form("/consent").with("decision", "allow")).await;
    let tokens = Tokens::of(&server.redeem(&app, &request, &page.answer()["code"]).await);
    let claims = tokens.id_token().1;
    assert_eq!((&claims["amr"], &claims["acr"]), (&json!(["hwk", "mfa"]), &"company-card".into()));
    let userinfo = server.bearer("/userinfo", &tokens.access).await.json();
    assert_eq!(
        (&userinfo["email"], &userinfo["name"]),
        (&"ada@example.com".into(), &"Ada Lovelace".into())
    );
    assert_eq!(userinfo["email_verified"], true);
}

#[tokio::test]
async fn the_page_may_say_that_the_person_signed_in_before() {
    let server = start().await;
    let (app, browser) = (server.app("notes"), server.browser());
    let request = Request::of(&app);
    let sent = browser.open(&request.url(&server)).await;
    let challenge = sent.answer()["login_challenge"].clone();
    let mut ada = ada();
    ada["auth_time"] = json!(4_000_000_000_u64);
    let request_to = client()
        .post(server.url(&format!("/external/requests/{challenge}/accept")))
        .bearer_auth(API_SECRET)
        .json(&ada);
    let text = "The parameter auth_time is not valid: send when the person signed in, which is not in the future.";
    assert_error(&server.request(request_to).await, 400, "invalid_request", text);
    ada["auth_time"] = json!(1_700_000_000);
    let page = browser.open(&server.accept(&challenge, &ada).await).await;
    let page = browser.submit(&page.form("/consent").with("decision", "allow")).await;
    let tokens = Tokens::of(&server.redeem(&app, &request, &page.answer()["code"]).await);
    assert_eq!(tokens.id_token().1["auth_time"], 1_700_000_000);
}

#[tokio::test]
async fn the_challenge_is_signed_for_the_page() {
    let server = start().await;
    let challenge = challenge(&server.browser(), "/login").await;
    let (header, claims) = crate::support::flow::decode(&challenge);
    assert_eq!((&header["typ"], &header["alg"]), (&"login-challenge+jwt".into(), &"ES256".into()));
    assert_eq!((&claims["iss"], &claims["aud"]), (&server.issuer.as_str().into(), &PAGE.into()));
    assert!(claims["jti"].is_string() && claims["exp"].as_i64() > claims["iat"].as_i64());
    let keys = server.get("/jwks.json").await.json();
    let kids = keys["keys"].as_array().expect("keys").iter().map(|key| &key["kid"]);
    assert!(kids.into_iter().any(|kid| *kid == header["kid"]));
    // One character more or less, and it is nobody's.
    for wrong in [format!("{challenge}x"), challenge[1..].to_owned(), "x".to_owned()] {
        let text =
            "The login_challenge is unknown or has expired. Start again from the application.";
        assert_error(&server.ask_about(&wrong).await, 400, "invalid_request", text);
    }
}

#[tokio::test]
async fn only_who_knows_the_secret_is_answered() {
    let setup = Server::setup().external(PAGE).set("limits.failed_client_auth", 3);
    let server = setup.start().await;
    let challenge = challenge(&server.browser(), "/login").await;
    let url = server.url(&format!("/external/requests/{challenge}"));
    let page = server.request(client().get(&url)).await;
    let text = "The API secret is missing. Send it as Authorization: Bearer.";
    assert_error(&page, 401, "missing_token", text);
    assert_eq!(page.header("www-authenticate"), Some("Bearer realm=\"grantor\""));
    for action in ["", "/accept"] {
        let request = client().post(format!("{url}{action}")).bearer_auth("wrong").json(&ada());
        let request =
            if action.is_empty() { client().get(&url).bearer_auth("wrong") } else { request };
        let text = "The API secret is not the one that is configured.";
        assert_error(&server.request(request).await, 401, "invalid_token", text);
    }
    // Guessing on does not pay.
    assert_eq!(server.ask_about(&challenge).await.status, 429);
}

#[tokio::test]
async fn a_challenge_takes_one_answer_and_a_verifier_one_browser_once() {
    let server = start().await;
    let (browser, thief) = (server.browser(), server.browser());
    let challenge = challenge(&browser, "/login").await;
    let back = server.accept(&challenge, &ada()).await;
    let answered =
        "This sign-in was already answered. Each login_challenge is good for one answer.";
    for action in ["accept", "reject"] {
        let page = server.tell(&challenge, action, &ada()).await;
        assert_error(&page, 400, "invalid_request", answered);
    }
    thief.open("/login?method=password").await;
    let page = thief.open(&back).await;
    assert_eq!((page.status, thief.cookie("grantor_session")), (400, None));
    page.must_say("started in another browser");

    let account = browser.open(&back).await;
    account.must_say("Ada Lovelace");
    for browser in [&browser, &thief] {
        let page = browser.open(&back).await;
        assert_eq!(page.status, 400);
        page.must_say("This link no longer works");
    }
}

#[tokio::test]
async fn of_two_answers_at_once_one_counts() {
    let server = start().await;
    for _ in 0..5 {
        let challenge = challenge(&server.browser(), "/login").await;
        let tell = |action| server.tell(&challenge, action, &EITHER);
        let (yes, no) = tokio::join!(tell("accept"), tell("reject"));
        assert_eq!([yes.status, no.status].iter().filter(|own| **own == 200).count(), 1);
    }
}

static EITHER: std::sync::LazyLock<Value> =
    std::sync::LazyLock::new(|| json!({ "subject": "hr-4711", "reason": "no" }));

#[tokio::test]
async fn what_takes_too_long_is_over() {
    let setup = Server::setup().external(PAGE).set("sign_in.external.lifetime", "1s");
    let server = setup.start().await;
    let browser = server.browser();
    let (first, second) =
        (challenge(&browser, "/login").await, challenge(&browser, "/login").await);
    let back = server.accept(&first, &ada()).await;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    browser.open(&back).await.must_say("This link no longer works");
    assert_eq!(server.ask_about(&second).await.status, 400);
    assert_eq!(server.tell(&second, "accept", &ada()).await.status, 400);
}

#[tokio::test]
async fn a_no_goes_back_to_the_client_or_is_a_page() {
    let server = start().await;
    let app = server.app("notes");
    let browser = server.browser();
    let asked = challenge(&browser, &Request::of(&app).url(&server)).await;
    let page = server.tell(&asked, "reject", &json!({ "reason": "Not today." })).await;
    let page = browser.open(&redirect_to(&page, &server)).await;
    assert_sent_back(&page, &app, "access_denied", "The sign-in was refused.");

    let asked = challenge(&browser, "/login").await;
    let page = server.tell(&asked, "reject", &json!({ "reason": "Not\ntoday <b>." })).await;
    let page = browser.open(&redirect_to(&page, &server)).await;
    assert_eq!(page.status, 403);
    page.must_say("You were not signed in");
    page.must_say("Nottoday <b>.");
    // Without a reason, and without a body.
    let asked = challenge(&browser, "/login").await;
    let url = server.url(&format!("/external/requests/{asked}/reject"));
    let page = server.request(client().post(url).bearer_auth(API_SECRET)).await;
    browser.open(&redirect_to(&page, &server)).await.must_say("You were not signed in");
    assert_eq!(browser.cookie("grantor_session"), None);
}

#[tokio::test]
async fn an_account_is_found_by_subject_then_by_a_proved_address() {
    let server = Server::setup().external(PAGE).set("sign_in.sign_up", false).start().await;
    server.person("ada", "correct horse battery");
    let known = server.sql("SELECT hex(id) FROM user_account");
    let come = async |body: Value| {
        let browser = server.browser();
        let asked = challenge(&browser, "/login").await;
        browser.open(&server.accept(&asked, &body).await).await
    };
    // An address that nobody proved opens nobody's account.
    for body in [
        json!({ "subject": "s1", "email": "ada@example.com" }),
        json!({ "subject": "s1", "email": "ada@example.com", "email_verified": false }),
        json!({ "subject": "s1", "email": "bob@example.com", "email_verified": true }),
        json!({ "subject": "s1" }),
    ] {
        let page = come(body).await;
        assert_eq!(page.status, 403);
        page.must_say("There is no account for you here");
    }
    let proved = |subject: &str| json!({ "subject": subject, "email": "ada@example.com", "email_verified": true });
    come(proved("s1")).await.must_say("Your account");
    // Linked: now the subject is enough, whatever the address is.
    come(json!({ "subject": "s1", "email": "new@example.com" })).await.must_say("Your account");
    // Another person of the application with the same address is not that account.
    come(proved("s2")).await.must_say("There is no account for you here");
    let linked = "SELECT hex(id) || external_subject FROM user_account";
    assert_eq!(server.sql(linked), format!("{known}s1"));

    server.person("carol", "correct horse battery");
    for name in ["ada", "carol"] {
        server.cli().ok(&["user", "disable", name]);
    }
    tokio::time::sleep(std::time::Duration::from_millis(1000)).await;
    let page = come(proved("s1")).await;
    assert_eq!(page.status, 403);
    page.must_say("This account may not be used here.");
    let carol = json!({ "subject": "s3", "email": "carol@example.com", "email_verified": true });
    come(carol).await.must_say("This account may not be used here.");
    let tied = "SELECT count(*) FROM user_account WHERE external_subject = 's3'";
    assert_eq!(server.sql(tied), "0");
}

#[tokio::test]
async fn a_new_account_keeps_only_an_address_that_was_proved() {
    let server = start().await;
    let browser = server.browser();
    let asked = challenge(&browser, "/login").await;
    let body = json!({ "subject": "s9", "email": "eve@example.com", "name": "Eve" });
    browser.open(&server.accept(&asked, &body).await).await.must_say("Eve");
    assert_eq!(server.sql("SELECT count(*) FROM user_account WHERE email IS NOT NULL"), "0");
}

#[tokio::test]
async fn bad_answers_are_refused_with_a_reason_and_spend_nothing() {
    let server = start().await;
    let browser = server.browser();
    let asked = challenge(&browser, "/login").await;
    for (body, says) in [
        (json!({}), "not a JSON object with the members"),
        (json!({ "subject": "" }), "subject"),
        (json!({ "subject": 7 }), "JSON object"),
        (json!({ "subject": "x".repeat(201) }), "subject"),
        (json!({ "subject": "a\u{7}b" }), "subject"),
        (json!({ "subject": "a", "email": "nobody" }), "email"),
        (json!({ "subject": "a", "amr": ["a b"] }), "amr"),
        (json!({ "subject": "a", "amr": "otp" }), "JSON object"),
        (json!({ "subject": "a", "name": " " }), "name"),
        (json!(["subject"]), "JSON object"),
    ] {
        let page = server.tell(&asked, "accept", &body).await;
        assert_eq!(
            (page.status, &page.json()["error"]),
            (400, &"invalid_request".into()),
            "{body}"
        );
        page.must_say(says);
    }
    let url = server.url(&format!("/external/requests/{asked}/accept"));
    for body in ["{", "{\"subject\":\"a\",\"subject\":\"b\"}", "\u{0}", "subject=a"] {
        let request = client().post(&url).bearer_auth(API_SECRET).body(body);
        assert_eq!(server.request(request).await.status, 400, "{body:?}");
    }
    browser.open(&server.accept(&asked, &ada()).await).await.must_say("Ada Lovelace");
    for query in ["", "?verifier=", "?verifier=x", "?verifier=%ff", "?verifier=a&verifier=b"] {
        let page = browser.open(&format!("/login/external{query}")).await;
        assert_eq!(page.status, 400, "{query}");
    }
}

#[tokio::test]
async fn it_stands_beside_the_other_methods_and_leads_on_to_devices() {
    let label = "Use your company account";
    let setup = Server::setup().external(PAGE).set("sign_in.external.label", label);
    let (server, app) = setup.start_with_device(&[]).await;
    let browser = server.browser();
    let page = browser.open("/login?method=password").await;
    page.must_say(label);
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("form-action 'self' https://sign-in.example;"), "{policy}");

    let device = server.device(&app).await;
    let asked = challenge(&browser, &crate::support::device::link(&device)).await;
    assert_eq!(server.ask_about(&asked).await.json()["client"], Value::Null);
    let page = browser.open(&server.accept(&asked, &ada()).await).await;
    page.must_say(&device.user_code);
    page.must_say("Ada Lovelace");
    // Whoever is signed in and wants to be somebody else is asked for a choice.
    let asked = challenge(&browser, "/login?method=external").await;
    assert_eq!(server.ask_about(&asked).await.json()["prompt"], json!(["select_account"]));
}

#[tokio::test]
async fn without_settings_there_is_no_such_api() {
    let server = Server::start().await;
    assert_eq!(server.ask_about("x").await.status, 404);
    assert_eq!(server.browser().get("/login/external?verifier=x").await.status, 404);
    server.browser().open("/login?method=external").await.form_with("email");
}
