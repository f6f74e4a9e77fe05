//! The page of the sample client that plays a television, at Grantor's device authorization:
//! RFC 8628.

use std::time::{Duration, Instant};

use crate::support::Browser;
use crate::support::browser::Page;
use crate::support::demo::Demo;
use crate::support::seen::Seen;

/// A television with a code on it, and the code.
async fn switched_on(demo: &Demo) -> (Browser, String) {
    let sample = Browser::new(&demo.sample, Seen::default());
    assert!(sample.get("/").await.body.contains("href=\"/device\""), "a link to it");
    let page = sample.get("/device").await;
    let page = sample.send_form(&page.form("/device")).await;
    let code = page.body.split("class=\"usercode\">").nth(1);
    let code = code.and_then(|rest| rest.split('<').next()).expect("a code").to_owned();
    (sample, code)
}

/// Somebody at a computer, who has signed in and looks at what the code is for.
async fn at_the_question(demo: &Demo, code: &str) -> (Browser, Page) {
    let grantor = Browser::new(&demo.issuer, Seen::default());
    let typed = code.to_lowercase().replace('-', " ");
    let page = grantor.open("/device").await;
    let page = grantor.send_form(&page.form("/device").with("user_code", &typed)).await;
    let then = page.form_with("then").value("then").expect("where it goes on").to_owned();
    let then = form_urlencoded::byte_serialize(then.as_bytes()).collect::<String>();
    let page = grantor.open(&format!("/login?then={then}&method=password")).await;
    let form = page.form_with("password").with("username", "demo_user");
    let page = grantor.send_form(&form.with("password", &demo.password)).await;
    assert!(page.body.contains("Fieldnotes TV"), "{}", page.body);
    (grantor, page)
}

/// What the television shows when it no longer waits.
async fn outcome(sample: &Browser) -> Page {
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        let page = sample.get("/device").await;
        if !page.body.contains("http-equiv") {
            return page;
        }
        assert!(Instant::now() < patience, "it still waits: {}", page.body);
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

#[tokio::test]
async fn a_television_is_signed_in_by_somebody_at_a_computer() {
    let demo = Demo::start();
    let (sample, code) = switched_on(&demo).await;
    assert!(sample.get("/device/qr.svg").await.body.contains("<svg"));
    let (grantor, page) = at_the_question(&demo, &code).await;
    let page = grantor.send_form(&page.form_with("user_code").with("decision", "allow")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let page = outcome(&sample).await;
    for shown in ["Demo User", "This television is signed in", "<code>profile</code>"] {
        assert!(page.body.contains(shown), "{shown} in {}", page.body);
    }
    assert!(!page.body.contains("grt_"), "{}", page.body);
}

#[tokio::test]
async fn a_no_at_the_computer_reaches_the_television() {
    let demo = Demo::start();
    let (sample, code) = switched_on(&demo).await;
    let (grantor, page) = at_the_question(&demo, &code).await;
    grantor.send_form(&page.form_with("user_code").with("decision", "deny")).await;
    let page = outcome(&sample).await;
    assert!(page.body.contains("It was not allowed"), "{}", page.body);
}
