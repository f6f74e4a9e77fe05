//! `/callback`, the redirect URI of the demo itself.

use crate::support::demo::Demo;
use crate::support::seen::Seen;
use crate::support::{Browser, Server, client};

#[tokio::test]
async fn it_shows_the_code_and_the_command_that_redeems_it() {
    let demo = Demo::start();
    let uri = format!("{}/callback", demo.issuer);
    let made = demo.add_client(&["mine", "--no-pkce", "--redirect-uri", &uri, "--scope", "read"]);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let browser = Browser::new(&demo.issuer, Seen::default());
    let page = browser.open("/login?method=password").await;
    let form = page.form_with("password").with("username", "demo_user");
    browser.send_form(&form.with("password", &demo.password)).await.must_say("Your account");
    let page = browser.open("/authorize?response_type=code&client_id=mine&state=x%20y").await;
    let page = browser.send_form(&page.form("/consent").with("decision", "allow")).await;
    assert!(page.url.starts_with(&uri), "{page:?}");
    for text in ["grt_ac_", "x y", &demo.issuer, "client_id=mine", "curl -X POST"] {
        page.must_say(text);
    }

    // The command as it stands, with the secret put in.
    let text = crate::support::html::unescape(&page.body);
    let command = text.split("<pre class=\"whole\">").nth(1).expect("a command");
    let command = command.split("</pre>").next().expect("its end");
    let secret = made["client_secret"].as_str().expect("a secret");
    let command = command.replace("YOUR_CLIENT_SECRET", secret);
    let ran = std::process::Command::new("sh").args(["-c", &format!("{command} -s")]).output();
    let out = String::from_utf8(ran.expect("sh runs").stdout).expect("text");
    assert!(out.contains("\"access_token\":\"grt_at_"), "{out}");
}

#[tokio::test]
async fn it_shows_errors_and_never_a_command_that_it_did_not_make() {
    let demo = Demo::start();
    let get = async |query: &str| {
        let page = client().get(format!("{}/callback{query}", demo.issuer)).send().await;
        let page = page.expect("an answer");
        (page.status().as_u16(), page.text().await.expect("text"))
    };
    let (status, page) = get("?error=access_denied&error_description=The+person+said+no.").await;
    assert!(status == 200 && page.contains("access_denied") && !page.contains("curl"), "{page}");
    for code in ["x", "%27%3Brm+-rf+~%3B%27", "grt_ac_x%3Bid", "%3Cscript%3Ealert(1)%3C/script%3E"]
    {
        let (status, page) = get(&format!("?code={code}")).await;
        assert!(status == 200 && !page.contains("curl") && !page.contains("<script>"), "{page}");
    }
    let (_, page) = get("").await;
    assert!(page.contains("Nothing came back.") && page.contains("callback.js"), "{page}");
    assert!(page.contains("Scripts are switched off"), "{page}");
    assert_eq!(get("?code=%ff").await.0, 400);
}

#[tokio::test]
async fn only_the_demo_has_it() {
    let server = Server::start().await;
    assert_eq!(server.get("/callback?code=x").await.status, 404);
}
