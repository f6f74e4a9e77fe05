//! Running it: health, metrics, limits of connections, TLS, proxies, stopping.

mod connections;
mod cors;
mod proxies;
mod tls;

use std::time::{Duration, Instant};

use crate::support::{Request, Server, assert_error, client, free_port, html};

#[tokio::test]
async fn health_and_readiness() {
    let server = Server::start().await;
    assert_eq!(server.get("/healthz").await.json(), serde_json::json!({"status": "ok"}));
    assert_eq!(server.get("/readyz").await.json(), serde_json::json!({"status": "ready"}));
}

#[tokio::test]
async fn a_process_that_is_killed_leaves_no_core_dump() {
    let mut server = Server::start().await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).expect("read");
    let line = limits.lines().find(|line| line.starts_with("Max core file size"));
    let values: Vec<_> = line.expect("a limit").split_whitespace().skip(4).take(2).collect();
    assert_eq!(values, ["0", "0"], "soft and hard");
    // Only root may look into what is not dumpable.
    let owner = std::fs::metadata(format!("/proc/{}/mem", server.pid())).expect("is there");
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&owner), 0);
    server.signal("ABRT");
    assert_eq!(server.wait(), None, "ended by the signal");
    let left = std::fs::read_dir(server.folder()).expect("the folder").flatten();
    let left: Vec<_> = left.map(|file| file.file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("core")), "{left:?}");
}

#[tokio::test]
async fn metrics_are_on_a_listener_of_their_own() {
    let port = free_port();
    let server = Server::setup().set("listen.metrics", format!("127.0.0.1:{port}")).start().await;
    let app = server.app("notes");
    server.tokens(&app, "ada").await;
    server.refresh(&app, "nonsense").await;

    let url = format!("http://127.0.0.1:{port}/metrics");
    let page = server.request(client().get(&url)).await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/plain")));
    let count = |name: &str, label: &str| {
        let line = page.body.lines().find(|line| line.starts_with(name) && line.contains(label));
        line.unwrap_or_else(|| panic!("no {name} {label} in:\n{}", page.body)).to_owned()
    };
    let issued = page.body.lines().find(|line| line.contains("authorization_code"));
    assert!(issued.is_some_and(|line| line.ends_with(" 1")), "{}", page.body);
    count("", "route=\"/token\"");
    assert!(!page.body.contains("notes") && !page.body.contains("ada"), "fixed label sets");
    assert_eq!(server.get("/metrics").await.status, 404, "not on the public listener");
    let other = server.request(client().get(format!("http://127.0.0.1:{port}/token"))).await;
    assert_eq!(other.status, 404);
}

#[tokio::test]
async fn what_is_not_there_is_said_in_the_form_that_is_wanted() {
    let server = Server::start().await;
    let page = server.browser().get("/nothing").await;
    assert_eq!(page.status, 404);
    page.must_say("There is nothing here");
    let json = server.get("/nothing").await;
    assert_eq!((json.status, json.json()["error"].as_str()), (404, Some("not_found")));
    assert_eq!(json.json()["message"], json.json()["error_description"]);
    assert_eq!(server.get("/static/../Cargo.toml").await.status, 404);
    assert_eq!(server.get("/static/%2e%2e%2fsecret").await.status, 404);
    let style = html::attribute_of(&page.body, "link", "href").expect("a style sheet");
    let style = server.get(&style).await;
    assert_eq!(
        (style.status, style.header("content-type")),
        (200, Some("text/css; charset=utf-8"))
    );
    assert!(style.header("cache-control").is_some_and(|keep| keep.contains("immutable")));
}

#[tokio::test]
async fn stopping_lets_requests_finish_and_exits_cleanly() {
    let mut server = Server::start().await;
    let app = server.app("notes");
    let request = Request::of(&app);
    let code = server.code(&server.browser(), "ada", &request).await;
    let (redeemed, ()) = tokio::join!(server.redeem(&app, &request, &code), async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        server.signal("TERM");
    });
    assert_eq!(redeemed.status, 200, "{redeemed:?}");
    assert_eq!(server.wait(), Some(0));
    assert!(server.log().contains("stopped"), "{}", server.log());

    server.start_again().await;
    let page = server.redeem(&app, &request, &code).await;
    let text = "The authorization code was used before. Every token issued with it is revoked.";
    assert_error(&page, 400, "invalid_grant", text);
    server.signal("INT");
    assert_eq!(server.wait(), Some(0), "Ctrl-C stops cleanly too");
}

#[tokio::test]
async fn a_server_that_is_to_stop_sends_everybody_elsewhere_first() {
    let mut server = Server::setup().set("listen.drain", "2s").start().await;
    let app = server.app("notes");
    let tokens = server.tokens(&app, "ada").await;
    let ready = server.get("/readyz").await;
    assert_eq!((ready.status, ready.header("connection")), (200, None));

    server.signal("TERM");
    until_status(&server, "/readyz", 503).await;
    let ready = server.get("/readyz").await;
    assert_eq!(ready.json()["status"], "stopping");
    assert_eq!(ready.header("connection"), Some("close"));
    let page = server.refresh(&app, &tokens.refresh).await;
    assert_eq!(page.status, 200, "what still comes is answered: {page:?}");
    assert_eq!(page.header("connection"), Some("close"));
    assert_eq!(server.wait(), Some(0));
}

async fn until_status(server: &Server, path: &str, status: u16) {
    let until = Instant::now() + Duration::from_secs(1);
    while server.get(path).await.status != status {
        assert!(Instant::now() < until, "{path} is not answered with {status} in a second");
    }
}

#[tokio::test]
async fn a_second_start_goes_on_with_the_same_data() {
    let mut server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    let tokens = server.tokens_for(&app, "ada", &browser, &Request::of(&app)).await;
    assert_eq!(server.stop(), Some(0));
    server.start_again().await;
    assert_eq!(server.bearer("/protected", &tokens.access).await.status, 200);
    assert_eq!(server.refresh(&app, &tokens.refresh).await.status, 200);
    let page = browser.get(&Request::of(&app).url(&server)).await;
    assert!(page.answer().contains_key("code"), "session and consent are still there");
}

#[tokio::test]
async fn logs_have_a_request_id_and_no_secrets() {
    let server = Server::setup().set("log.format", "json").set("log.level", "trace").start().await;
    let app = server.app("notes");
    let tokens = server.tokens(&app, "ada").await;
    server.refresh(&app, &tokens.refresh).await;
    server.get(&format!("/protected?access_token={}", tokens.access)).await;
    let page = server.get("/nothing").await;
    let id = page.header("x-request-id").expect("an id to quote").to_owned();
    let log = server.log();
    assert!(log.contains(&id), "the log knows {id}");
    for line in log.lines() {
        let parsed: Result<serde_json::Value, _> = serde_json::from_str(line);
        assert!(parsed.is_ok(), "not JSON: {line}");
    }
    assert!(server.seen.count() > 8);
    server.assert_no_secret_leaked();
}
