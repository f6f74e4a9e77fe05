//! `GET /connect/callback`: what comes back, or somebody else's.

use serde_json::json;

use crate::support::connect::{CLIENT_ID, CLIENT_SECRET, RETURN_URL, Vault};
use crate::support::{Browser, random};

struct Begun {
    vault: Vault,
    browser: Browser,
    link: String,
    url: String,
}

/// A bound session whose browser is at the provider.
async fn begun() -> Begun {
    let vault = Vault::start().await;
    let (link, _) = vault.link(&json!({"integration": "google", "subject": "user-42"})).await;
    let browser = vault.server.browser();
    let url = vault.leave(&browser, &link).await;
    Begun { vault, browser, link, url }
}

impl Begun {
    async fn allowed(&self) -> String {
        let google = &self.vault.google;
        google.allow(&google.browser(), &self.url, "ada@example.com", &[]).await
    }

    /// A parameter of the URL at the provider.
    fn sent(&self, name: &str) -> String {
        let query = self.url.split_once('?').expect("a query").1;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(own, _)| own == name).expect("sent").1.into_owned()
    }

    /// What a provider would send back.
    fn back(&self, pairs: &[(&str, &str)]) -> String {
        let iss = self.vault.google.base.clone();
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("state", &self.sent("state"))
            .append_pair("iss", &iss)
            .extend_pairs(pairs)
            .finish();
        format!("/connect/callback?{query}")
    }

    async fn nothing_connected(&self) {
        assert!(self.vault.connections_of("user-42").await.is_empty());
    }
}

/// The URL with another value of one parameter.
fn replaced(url: &str, name: &str, value: Option<&str>) -> String {
    let (path, query) = url.split_once('?').expect("a query");
    let mut new = form_urlencoded::Serializer::new(String::new());
    for (own, old) in form_urlencoded::parse(query.as_bytes()) {
        match value {
            _ if own != name => drop(new.append_pair(&own, &old)),
            Some(value) => drop(new.append_pair(&own, value)),
            None => {}
        }
    }
    format!("{path}?{}", new.finish())
}

#[tokio::test]
async fn an_answer_works_once() {
    let begun = begun().await;
    let back = begun.allowed().await;
    let page = begun.browser.get(&back).await;
    assert_eq!(page.status, 303, "{page:?}");
    let page = begun.browser.get(&back).await;
    assert_eq!(page.status, 400, "{page:?}");
    page.must_say("This page is out of date");
    assert_eq!(begun.vault.google.calls("token").await, 1);
}

#[tokio::test]
async fn a_state_that_was_not_given_to_this_browser_is_refused() {
    let begun = begun().await;
    let back = begun.allowed().await;
    let stranger = begun.vault.server.browser();
    stranger.get("/").await.must_say("Sign-in server");
    let page = stranger.get(&back).await;
    assert_eq!(page.status, 400, "{page:?}");
    page.must_say("Another browser began this");
    for state in [None, Some(""), Some("x"), Some("grt_cs_AAAA")] {
        let page = begun.browser.get(&replaced(&back, "state", state)).await;
        assert_eq!(page.status, 400, "{state:?}: {page:?}");
        page.must_say("This page is out of date");
    }
    // One of another session, of the same form.
    let (other, _) = begun.vault.link(&json!({"integration": "google", "subject": "b"})).await;
    let url = begun.vault.leave(&stranger, &other).await;
    let state = url.split("state=").nth(1).expect("a state").split('&').next().expect("a value");
    let page = begun.browser.get(&replaced(&back, "state", Some(state))).await;
    page.must_say("Another browser began this");
    let doubled = format!("{back}&state={}", begun.sent("state"));
    begun.browser.get(&doubled).await.must_say("This answer cannot be trusted");
    assert_eq!(begun.vault.google.calls("token").await, 0, "no code was sent anywhere");
    begun.nothing_connected().await;
    let reasons = "SELECT group_concat(json_extract(details, '$.reason'), ' ') FROM audit_event \
                   WHERE action = 'connect.failed'";
    let reasons = begun.vault.server.sql(reasons);
    assert_eq!(reasons, "other_browser other_browser untrusted_answer", "none of those made up");
}

#[tokio::test]
async fn a_state_ends_after_ten_minutes_and_with_the_next_one() {
    let begun = begun().await;
    let back = begun.allowed().await;
    // Begun again in another tab.
    let newer = begun.vault.leave(&begun.browser, &begun.link).await;
    begun.browser.get(&back).await.must_say("This page is out of date");
    let google = &begun.vault.google;
    let back = google.allow(&google.browser(), &newer, "ada@example.com", &[]).await;
    begun.vault.server.sql("UPDATE connect_session SET step_until = step_until - 601");
    begun.browser.get(&back).await.must_say("This page is out of date");
    assert_eq!(google.calls("token").await, 0);
    begun.vault.server.sql("UPDATE connect_session SET expires_at = 0");
    begun.browser.get(&begun.link).await.must_say("This link no longer works");
    begun.nothing_connected().await;
}

#[tokio::test]
async fn a_code_of_somebody_else_is_refused() {
    let begun = begun().await;
    // Ada allows it in a flow of her own. The attacker puts her code into his own callback, to get
    // her account attached to his subject.
    let (hers, _) = begun.vault.link(&json!({"integration": "google", "subject": "ada"})).await;
    let url = begun.vault.leave(&begun.vault.server.browser(), &hers).await;
    let google = &begun.vault.google;
    let stolen = google.allow(&google.browser(), &url, "ada@example.com", &[]).await;
    let code = stolen.split("code=").nth(1).expect("a code").split('&').next().expect("a value");
    let code = code.replace("%2F", "/");
    let page = begun.browser.get(&begun.back(&[("code", &code)])).await;
    assert_eq!(page.status, 400, "{page:?}");
    page.must_say("That took too long");
    page.must_say("Try again");
    begun.nothing_connected().await;
    assert_eq!(google.calls("token").await, 1, "the provider compared the PKCE verifier");
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_not_taken_to_the_provider() {
    for issuer in [None, Some("https://evil.example"), Some("")] {
        let begun = begun().await;
        let back = replaced(&begun.allowed().await, "iss", issuer);
        let page = begun.browser.get(&back).await;
        assert_eq!(page.status, 400, "{issuer:?}: {page:?}");
        page.must_say("This answer cannot be trusted");
        assert_eq!(begun.vault.google.calls("token").await, 0);
        begun.nothing_connected().await;
    }
}

#[tokio::test]
async fn an_issuer_that_nobody_has_announced_is_the_providers_own_or_refused() {
    let vault = Vault::with(|mut setup| {
        for name in ["google_work", "stranger"] {
            setup = setup
                .set(&format!("integrations.{name}.client_id"), CLIENT_ID)
                .set(&format!("integrations.{name}.client_secret"), CLIENT_SECRET);
        }
        setup
    })
    .await;
    vault.connect_through("google_work", "user-42", "ada@example.com").await;
    let before = vault.google.calls("token").await;
    // A stranger has sent the browser on to Google, to get the code of a person there.
    let (link, _) = vault.link(&json!({"integration": "stranger", "subject": "user-42"})).await;
    let browser = vault.server.browser();
    let url = vault.leave(&browser, &link).await;
    let back = vault.google.allow(&vault.google.browser(), &url, "ada@example.com", &[]).await;
    let page = browser.get(&back).await;
    assert_eq!(page.status, 400, "{page:?}");
    page.must_say("This answer cannot be trusted");
    assert_eq!(vault.google.calls("token").await, before, "the code went nowhere");
    assert_eq!(vault.connections_of("user-42").await.len(), 1);
}

#[tokio::test]
async fn a_provider_with_a_redirect_uri_of_its_own_is_answered_there_and_nowhere_else() {
    let vault = Vault::with(|setup| {
        let own = format!("http://127.0.0.1:{}/connect/callback/google", setup.port());
        setup.set("integrations.google.redirect_uri", own)
    })
    .await;
    let plain = format!("{}/connect/callback", vault.server.issuer);
    let own = format!("{plain}/google");
    let client = json!({"id": CLIENT_ID, "secret": CLIENT_SECRET, "redirect_uris": [own]});
    vault.google.control("POST", "clients", &client).await;
    let (link, _) = vault.link(&json!({"integration": "google", "subject": "user-42"})).await;
    let (browser, at_google) = (vault.server.browser(), vault.google.browser());
    for elsewhere in [plain.clone(), format!("{plain}/work"), format!("{plain}/%ff")] {
        let url = vault.leave(&browser, &link).await;
        let back = vault.google.allow(&at_google, &url, "ada@example.com", &[]).await;
        let page = browser.get(&back.replace(&own, &elsewhere)).await;
        assert_eq!(page.status, 400, "{elsewhere}: {page:?}");
        page.must_say("This answer cannot be trusted");
    }
    assert_eq!(vault.google.calls("token").await, 0);
    assert_eq!(vault.walk(&browser, &link, "ada@example.com", &[]).await.status, 303);
}

#[tokio::test]
async fn who_says_no_at_the_provider_is_told_so_and_can_try_again() {
    let vault = Vault::start().await;
    let body = json!({"integration": "google", "subject": "user-42", "return_url": RETURN_URL});
    let (link, id) = vault.link(&body).await;
    let browser = vault.server.browser();
    let url = vault.leave(&browser, &link).await;
    let back = vault.google.deny(&vault.google.browser(), &url, "ada@example.com").await;
    let page = browser.get(&back).await;
    assert_eq!(page.status, 200, "{page:?}");
    page.must_say("You said no, so nobody got access to your account.");
    page.must_say(&format!("{RETURN_URL}?error=access_denied"));
    assert!(page.says(&format!("href=\"{link}\"")), "{page:?}");
    assert_eq!(vault.session(&id).await["status"], "open");
    let page = vault.walk(&browser, &link, "ada@example.com", &[]).await;
    assert_eq!(page.status, 303, "the same link again: {page:?}");
    assert_eq!(vault.audit(), ["api_key.created", "connect.begun", "connect.failed"]);
}

#[tokio::test]
async fn errors_of_the_provider_are_shown_as_text() {
    for (error, description, says) in [
        ("admin_policy_enforced", "Your administrator said no.", "Your administrator said no."),
        ("<script>alert(1)</script>", "\u{202e}<img src=x onerror=alert(1)>", "Google refused"),
        ("temporarily_unavailable", "x", "Google does not answer"),
        ("server_error", "x", "Google does not answer"),
    ] {
        let begun = begun().await;
        let back = begun.back(&[("error", error), ("error_description", description)]);
        let page = begun.browser.get(&back).await;
        page.must_say(says);
        for raw in ["<script>alert", "<img src=x", "\u{202e}"] {
            assert!(!page.body.contains(raw), "{error}: {page:?}");
        }
        begun.nothing_connected().await;
        assert!(begun.url.contains("state="));
    }
}

#[tokio::test]
async fn what_is_missing_or_doubled_goes_no_further() {
    let begun = begun().await;
    let page = begun.browser.get("/connect/callback").await;
    page.must_say("This page is out of date");
    let page = begun.browser.get(&begun.back(&[])).await;
    page.must_say("This answer cannot be trusted");
    let url = begun.vault.leave(&begun.browser, &begun.link).await;
    let again = Begun { url, ..begun };
    let page = again.browser.get(&again.back(&[("code", "a"), ("code", "b")])).await;
    page.must_say("This answer cannot be trusted");
    assert_eq!(again.vault.google.calls("token").await, 0);
    again.nothing_connected().await;
}

#[tokio::test]
async fn a_provider_in_trouble_is_named_and_the_link_goes_on_working() {
    let begun = begun().await;
    let faults = [
        (json!({"html": 503}), "Google does not answer", 503),
        (json!("truncated"), "Google does not answer", 503),
        (json!("reset"), "Google does not answer", 503),
        (json!({"too_many": {"retry_after": 7}}), "Google does not answer", 503),
        (json!({"error": {"error": "invalid_grant"}}), "That took too long", 400),
        (
            json!({"error": {"status": 401, "error": "invalid_client"}}),
            "Google does not know this server",
            502,
        ),
        (
            json!({"error": {"error": "invalid_request", "description": "<b>bold</b>"}}),
            "<b>bold</b>",
            400,
        ),
    ];
    let mut url = begun.url.clone();
    for (fault, says, status) in faults {
        begun.vault.google.fault("token", fault.clone()).await;
        let google = &begun.vault.google;
        let back = google.allow(&google.browser(), &url, "ada@example.com", &[]).await;
        let page = begun.browser.get(&back).await;
        assert_eq!(page.status, status, "{fault}: {page:?}");
        page.must_say(says);
        assert!(!page.body.contains("<b>bold"), "{page:?}");
        url = begun.vault.leave(&begun.browser, &begun.link).await;
    }
    begun.nothing_connected().await;
    let google = &begun.vault.google;
    let back = google.allow(&google.browser(), &url, "ada@example.com", &[]).await;
    assert_eq!(begun.browser.get(&back).await.status, 303);
}

#[tokio::test]
async fn links_that_are_none_are_told_so() {
    let vault = Vault::start().await;
    let (link, _) = vault.link(&json!({"integration": "google", "subject": "user-42"})).await;
    let browser = vault.server.browser();
    let wrong = format!("{}{}", &link[..link.len() - 43], random());
    for path in ["/connect/x", "/connect/%ff", "/connect/grt_cl_", &wrong, &format!("{link}x")] {
        for path in [path.to_owned(), format!("{path}/go")] {
            let page = browser.get(&path).await;
            assert_eq!(page.status, 404, "{path}: {page:?}");
            page.must_say("This link no longer works");
        }
    }
}
