//! The sample client as programs use it: JSON with the session cookie, never with a token in it.

mod television;

use tokio::task::JoinSet;

use crate::support::demo::Demo;
use crate::support::seen::Seen;
use crate::support::{Browser, client};

/// Signs somebody in with the demo account's password; the browser at the sample.
async fn signed_in(demo: &Demo) -> Browser {
    let sample = Browser::new(&demo.sample, Seen::default());
    let grantor = Browser::new(&demo.issuer, Seen::default());
    let away = sample.get("/signin").await.location().expect("a redirect");
    let page = grantor.open(&away).await;
    let request = page.form_with("request").value("request").expect("a request").to_owned();
    let page = grantor.open(&format!("/login?request={request}&method=password")).await;
    let form = page.form_with("password").with("username", "demo_user");
    let page = grantor.send_form(&form.with("password", &demo.password)).await;
    let page = grantor.submit(&page.form("/consent").with("decision", "allow")).await;
    let back = page.location().expect("a redirect");
    assert!(back.starts_with(&format!("{}/callback?", demo.sample)), "{back}");
    assert_eq!(sample.open(&back).await.status, 200);
    sample
}

#[tokio::test]
async fn who_is_signed_in_what_is_held_and_the_api() {
    let demo = Demo::start();
    let stranger = Browser::new(&demo.sample, Seen::default());
    for path in ["/api/me", "/api/tokens", "/api/protected"] {
        let page = stranger.get(path).await;
        assert_eq!(page.status, 401, "{path}");
        assert_eq!(page.json()["message"], page.json()["error_description"], "{path}");
    }
    let sample = signed_in(&demo).await;
    let me = sample.get("/api/me").await.json();
    assert_eq!(
        (&me["email"], &me["issuer"]),
        (&"demo_user@example.com".into(), &demo.issuer.as_str().into())
    );
    let tokens = sample.get("/api/tokens").await;
    let json = tokens.json();
    assert!(json["access_token"]["expires_in"].as_u64().is_some_and(|left| left > 3500), "{json}");
    assert_eq!(json["refresh_token"]["present"], true);
    assert!(!tokens.body.contains("grt_") && !tokens.body.contains("eyJ"), "{}", tokens.body);
    let called = sample.get("/api/protected").await.json();
    assert_eq!(
        (&called["status"], &called["body"]["data"]),
        (&200.into(), &"This is protected data".into())
    );
    let refreshed = sample.post("/api/refresh", &[]).await;
    assert_eq!(
        (refreshed.status, &refreshed.json()["refreshes"]),
        (200, &1.into()),
        "{refreshed:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_requests_share_one_refresh() {
    let demo = Demo::start();
    let sample = signed_in(&demo).await;
    let cookies = sample.cookies();
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let request = client().post(format!("{}/api/refresh", demo.sample));
        let request = request.header("cookie", &cookies).header("origin", &demo.sample);
        tasks.spawn(async move { request.send().await.expect("answered").status().as_u16() });
    }
    let statuses = tasks.join_all().await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    // However many refreshes that were, the chain is whole.
    assert_eq!(sample.post("/api/refresh", &[]).await.status, 200);
    assert_eq!(sample.get("/api/protected").await.status, 200);
}

#[tokio::test]
async fn forms_of_other_sites_and_made_up_answers_are_refused() {
    let demo = Demo::start();
    let sample = signed_in(&demo).await;
    for path in ["/api/refresh", "/refresh", "/signout"] {
        let page = sample.post_from("https://evil.example", path, &[]).await;
        assert!((400..500).contains(&page.status), "{path}: {page:?}");
    }
    for query in
        ["", "code=x", "code=x&state=y", "error=access_denied&state=y", "code=a&code=b&state=%ff"]
    {
        let page = sample.get(&format!("/callback?{query}")).await;
        assert!((400..500).contains(&page.status), "{query}: {page:?}");
    }
    assert_eq!(sample.get("/api/me").await.status, 200, "still signed in");
}
