//! Limits of attempts per source, forms without their token, and odd requests.

use crate::support::{Server, client};

#[tokio::test]
async fn a_source_has_so_many_attempts_a_minute() {
    let server = Server::setup().set("limits.sign_in", 3).start().await;
    let browser = server.browser();
    let form = browser.open("/login").await.form_with("email");
    for n in 0..3 {
        let form = form.clone().with("email", &format!("p{n}@example.com"));
        assert_eq!(browser.submit(&form).await.status, 303);
    }
    let page = server.browser().submit(&form.with("email", "p9@example.com")).await;
    assert!([400, 429].contains(&page.status), "{page:?}");
    let mine = browser.open("/login").await.form_with("email").with("email", "x@example.com");
    let page = browser.submit(&mine).await;
    assert_eq!(page.status, 429);
    page.must_say("Too many requests");
    assert!(page.header("retry-after").is_some());
}

#[tokio::test]
async fn pages_have_a_limit_and_tokens_do_not_count() {
    let server = Server::setup().set("limits.pages", 5).start().await;
    let browser = server.browser();
    for _ in 0..5 {
        assert_eq!(browser.get("/login").await.status, 200);
    }
    let page = browser.get("/login").await;
    assert_eq!(page.status, 429);
    page.must_say("Too many requests");
    assert_eq!(server.get("/healthz").await.status, 200);
    assert_eq!(server.get("/jwks.json").await.status, 200);
}

#[tokio::test]
async fn a_form_from_another_site_is_refused() {
    let server = Server::start().await;
    let browser = server.browser();
    let form = browser.open("/login").await.form_with("email").with("email", "ada@example.com");
    for forged in [form.clone().without("csrf"), form.clone().with("csrf", "AAAA")] {
        let page = browser.post_from("https://evil.example", "/login", &forged.fields).await;
        assert_eq!((page.status, page.location()), (400, None), "{page:?}");
        page.must_say("This form no longer works");
    }
    // Without cookies, as SameSite=Lax has it.
    let page = server.browser().submit(&form).await;
    assert_eq!((page.status, page.location()), (400, None));
    assert_eq!(server.sql("SELECT count(*) FROM sign_in_attempt"), "0");
}

#[tokio::test]
async fn odd_requests_are_pages_and_never_faults() {
    let server = Server::start().await;
    let browser = server.browser();
    for path in [
        "/login?request=x",
        "/login?request=%ff",
        "/login?request=a&request=b",
        "/login?attempt=x",
        "/login?method=magic",
        "/login?method=admin_token&attempt=00000000-0000-0000-0000-000000000000",
        "/consent?request=x",
        "/select-account",
        "/select-account?request=x",
        "/login?then=x&method=password",
        "/login?then=%ff",
        "/device",
        "/device?user_code=%ff",
        "/device?user_code=%00",
        "/device?user_code=a&user_code=b",
        "/account/sessions/end",
        "/nothing/here",
    ] {
        let page = browser.open(path).await;
        assert!(page.status < 500, "{path}: {}", page.status);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
    }
    for body in ["", "csrf=x", "csrf=%ff", "csrf=a&csrf=b", "=&=&="] {
        for path in
            ["/login", "/consent", "/device", "/select-account", "/logout", "/account/sessions/end"]
        {
            let request = client().post(server.url(path)).body(body);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            let page = server.request(request).await;
            assert!(page.status < 500, "{path} {body:?}: {page:?}");
        }
    }
}

#[tokio::test]
async fn every_page_is_protected_by_its_headers() {
    let server = Server::start().await;
    let browser = server.browser();
    server.sign_in(&browser, "ada").await;
    let request = crate::support::Request::of(&server.app("notes")).url(&server);
    let consent = browser.open(&request).await;
    let account = browser.get("/account").await;
    let mut pages = vec![("/consent".to_owned(), consent), ("/account".to_owned(), account)];
    for path in ["/", "/login", "/login?method=password", "/device", "/nothing"] {
        pages.push((path.to_owned(), server.browser().get(path).await));
    }
    for (path, page) in pages {
        assert_eq!(page.header("x-frame-options"), Some("DENY"), "{path}");
        let policy = page.header("content-security-policy").unwrap_or_else(|| panic!("{path}"));
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(page.header("referrer-policy"), Some("same-origin"), "{path}");
        assert_eq!(page.header("cache-control"), Some("no-store"), "{path}");
        assert!(!page.body.contains("<script>") && !page.body.contains(" style="), "{path}");
    }
}

#[tokio::test]
async fn pages_speak_the_language_of_the_browser_or_the_application() {
    let server = Server::start().await;
    let app = server.app("notes");
    let german = client().get(server.url("/login")).header("accept-language", "de-AT,de;q=0.9");
    let page = server.request(german).await;
    assert!(page.body.contains("<html lang=\"de\""), "{}", page.body);
    page.must_say("Anmelden");
    let request = crate::support::Request::of(&app).and("ui_locales", "fr de");
    let page = server.browser().open(&request.url(&server)).await;
    assert!(page.body.contains("<html lang=\"de\""), "{}", page.body);
}
