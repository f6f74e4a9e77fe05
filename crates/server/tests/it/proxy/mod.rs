//! Calls of a provider's API by a service that never sees the token.

mod hostile;
mod streams;

use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::support::server::{Setup, free_port};
use crate::support::upstream::{Upstream, token};
use crate::support::{Server, client};

/// A server with an integration that acts for itself, and a key for the proxy.
struct Place {
    upstream: Upstream,
    server: Server,
    key: String,
    _descriptions: tempfile::TempDir,
}

impl Place {
    async fn start() -> Self {
        Self::with(|setup| setup).await
    }

    async fn with(change: impl FnOnce(Setup) -> Setup) -> Self {
        let upstream = Upstream::start().await;
        let (setup, descriptions) = Server::setup().integrating(&upstream);
        let server = change(setup).start().await;
        server.seen.add("upstream-client-secret");
        for count in 1..=4 {
            server.seen.add(&token(count));
        }
        let key = key(&server, &["--integration", "example", "--action", "proxy"]);
        Self { upstream, server, key, _descriptions: descriptions }
    }

    /// A request with the key.
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = self.server.url(&format!("/proxy/example{path}"));
        client().request(method, url).bearer_auth(&self.key)
    }

    async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.expect("an answer")
    }

    async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Response {
        self.request(Method::POST, path).body(body).send().await.expect("an answer")
    }

    /// The calls in the audit log, when there are so many.
    async fn written_down(&self, count: usize) -> Vec<Value> {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let rows = self.server.sql(
                "SELECT json_insert(details, '$.actor', actor, '$.target', target) \
                 FROM audit_event WHERE action = 'proxy.call' ORDER BY sequence",
            );
            let rows: Vec<Value> =
                rows.lines().map(|row| serde_json::from_str(row).expect("JSON")).collect();
            if rows.len() >= count {
                return rows;
            }
            assert!(Instant::now() < until, "{} of {count} calls in the log", rows.len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn each_call_counts_as_a_request_for_a_token() {
    let address = format!("127.0.0.1:{}", free_port());
    let place = Place::with(|setup| setup.set("listen.metrics", address)).await;
    for _ in 0..2 {
        place.get("/users/me").await;
    }
    let name = "vault_token_requests_total{integration=\"example\",result=\"stored\"}";
    assert_eq!(place.server.metric(name).await, 2);
}

/// A key with these options.
fn key(server: &Server, options: &[&str]) -> String {
    let made =
        server.cli().json(&[&["apikey", "create", "--service", "reports"], options].concat());
    let key = made["key"].as_str().expect("a key").to_owned();
    server.seen.add(&key);
    key
}

async fn error(answer: Response) -> (u16, String, String) {
    let status = answer.status().as_u16();
    assert!(!answer.headers().contains_key("grantor-connection"), "it is not of the provider");
    let json: Value = answer.json().await.expect("JSON");
    let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(text("error_description"), text("message"));
    (status, text("error"), text("message"))
}

#[tokio::test]
async fn a_call_goes_through_with_the_token_and_the_token_stays() {
    let place = Place::start().await;
    let answer = place
        .request(Method::PATCH, "/users/@me/a%2Fb?q=a%20b&page=2")
        .header("content-type", "application/json")
        .header("x-own", "own")
        .header("cookie", "session=ours")
        .header("x-forwarded-for", "10.0.0.1")
        .header("accept-encoding", "gzip")
        .body("{\"name\":\"Ada\"}")
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 200);
    let connection = answer.headers()["grantor-connection"].to_str().expect("text").to_owned();
    assert!(connection.starts_with("con_"), "{connection}");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(answer.json::<Value>().await.expect("JSON"), json!({ "hello": "world" }));

    let called = place.upstream.last();
    assert_eq!(called.method, "PATCH");
    assert_eq!(called.target, "/api/v1/users/@me/a%2Fb?q=a%20b&page=2");
    assert_eq!(called.body, b"{\"name\":\"Ada\"}");
    assert_eq!(called.header("authorization"), Some(&*format!("Bearer {}", token(1))));
    assert_eq!(called.header("host"), Some(&*format!("127.0.0.1:{}", place.upstream.port)));
    assert_eq!(called.header("x-version"), Some("7"), "what the description adds");
    assert_eq!(called.header("x-own"), Some("own"));
    assert_eq!(called.header("content-length"), Some("14"));
    assert_eq!(called.header("accept-encoding"), Some("identity"));
    for gone in ["cookie", "x-forwarded-for", "grantor-subject"] {
        assert_eq!(called.header(gone), None, "{gone}");
    }

    let calls = place.written_down(1).await;
    let call = &calls[0];
    assert_eq!(call["actor"], format!("api_key:{}", &place.key[4..12]));
    assert_eq!(call["target"], *connection);
    assert_eq!(call["method"], "PATCH");
    assert_eq!(call["host"], format!("127.0.0.1:{}", place.upstream.port));
    assert_eq!(call["path"], "/api/v1/users/@me/a%2Fb", "without the query");
    assert_eq!((&call["status"], &call["complete"]), (&json!(200), &json!(true)));
    assert_eq!((&call["bytes_sent"], &call["bytes_received"]), (&json!(14), &json!(17)));
    assert!(call["address"].is_string() && call["request_id"].is_string(), "{call}");
}

#[tokio::test]
async fn what_the_provider_answers_comes_back_as_it_is() {
    let place = Place::start().await;
    let answer = place.get("/teapot").await;
    assert_eq!(answer.status(), 418);
    assert_eq!(answer.json::<Value>().await.expect("JSON"), json!({ "short": "stout" }));
    assert_eq!(place.get("/nothing").await.status(), 204);
    let head = place.request(Method::HEAD, "/anything").send().await.expect("an answer");
    assert_eq!(
        (head.status().as_u16(), &head.headers()["content-length"]),
        (200, &"17".parse().expect("a value"))
    );
    let report = Method::from_bytes(b"REPORT").expect("a method");
    let answer = place.request(report, "/anything").body("<x/>").send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(place.upstream.last().method, "REPORT");
    assert!(place.written_down(4).await.iter().all(|call| call["complete"] == true));
}

#[tokio::test]
async fn cookies_challenges_and_rules_for_browsers_do_not_come_back() {
    let place = Place::start().await;
    let answer = place.get("/headers").await;
    assert_eq!(answer.status(), 200);
    let headers = answer.headers();
    for gone in [
        "set-cookie",
        "www-authenticate",
        "access-control-allow-origin",
        "x-echo",
        "x-hop",
        "x-request-id",
    ] {
        assert!(!headers.contains_key(gone), "{gone}: {headers:?}");
    }
    assert_eq!(
        (&headers["x-own"], &headers["etag"]),
        (&"own".parse().expect("a value"), &"\"7\"".parse().expect("a value"))
    );
    assert_eq!(headers["cache-control"], "no-store", "no cache on the way keeps it for others");
    assert_eq!(headers["content-security-policy"], "default-src 'none'; sandbox");
}

#[tokio::test]
async fn a_token_that_is_not_taken_is_refreshed_once_and_the_call_made_again() {
    let place = Place::start().await;
    assert_eq!(place.get("/a").await.status(), 200);
    place.upstream.refuse(1);
    let answer = place.post("/b", "the body").await;
    assert_eq!(answer.status(), 200);
    let calls = place.upstream.calls();
    assert_eq!(calls.len(), 3);
    assert!(calls[1..].iter().all(|call| call.body == b"the body"), "{calls:?}");
    assert_eq!(calls[2].header("authorization"), Some(&*format!("Bearer {}", token(2))));
    assert_eq!(place.upstream.given(), 2);
    assert_eq!(place.written_down(2).await.len(), 2, "one entry for both attempts");

    // A body that was not kept cannot be sent again; but the next call has the fresh token.
    place.upstream.refuse(2);
    let long = vec![b'x'; 70_000];
    let answer = place.post("/c", long.clone()).await;
    assert_eq!(answer.status(), 401);
    assert!(answer.headers().contains_key("grantor-connection"), "it is the provider's");
    assert_eq!(place.post("/c", long).await.status(), 200);
    assert_eq!(place.upstream.given(), 3);

    // What is refused again is passed on, and not asked for without end.
    place.upstream.refuse(3);
    place.upstream.refuse(4);
    let answer = place.get("/d").await;
    assert_eq!(
        (answer.status().as_u16(), answer.text().await.expect("text")),
        (401, "who is that?".to_owned())
    );
    assert_eq!(place.upstream.given(), 4);
}

#[tokio::test]
async fn when_there_is_no_fresher_token_the_answer_of_the_provider_stays() {
    let place = Place::start().await;
    assert_eq!(place.get("/a").await.status(), 200);
    place.upstream.refuse(1);
    place.upstream.gives_tokens(false);
    let answer = place.get("/b").await;
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.text().await.expect("text"), "who is that?");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_leads_back_into_the_proxy_or_nowhere() {
    let place = Place::start().await;
    let port = place.upstream.port;
    let inside = place.post("/redirect", "/api/v1/next?x=1").await;
    assert_eq!(inside.status(), 302);
    let to = inside.headers()["location"].to_str().expect("text");
    assert_eq!(to, place.server.url("/proxy/example/next?x=1"));
    for target in ["/elsewhere", "https://evil.example/collect"] {
        let outside = place.post("/redirect", target).await;
        assert_eq!(outside.status(), 302);
        assert!(!outside.headers().contains_key("location"), "a program would send its key there");
        let to = outside.headers()["grantor-location"].to_str().expect("text");
        let whole = target.replace("/elsewhere", &format!("http://127.0.0.1:{port}/elsewhere"));
        assert!(to == whole || to == target, "{to}");
    }
    let telling = place.post("/redirect", format!("https://evil.example/?t={}", token(1))).await;
    assert!(!telling.headers().contains_key("grantor-location"));
    assert_eq!(place.upstream.calls().len(), 4);
}

#[tokio::test]
async fn only_a_key_with_the_right_for_it_gets_through_and_only_where_it_is_switched_on() {
    let place = Place::with(|setup| {
        setup
            .set("integrations.closed.provider", "example")
            .set("integrations.closed.client_id", "grantor")
            .set("integrations.closed.client_secret", "upstream-client-secret")
            .set("integrations.closed.grant", "client_credentials")
    })
    .await;
    let ask = |key: String, path: &str| {
        let url = place.server.url(path);
        async move { error(client().get(url).bearer_auth(key).send().await.expect("sent")).await }
    };
    let token_only = key(&place.server, &["--integration", "example"]);
    let other = key(&place.server, &["--integration", "closed", "--action", "proxy"]);
    let (status, code, text) = ask(token_only, "/proxy/example/a").await;
    assert_eq!((status, &*code), (403, "access_denied"), "{text}");
    let (status, code, _) = ask(other.clone(), "/proxy/example/a").await;
    assert_eq!((status, &*code), (403, "access_denied"));
    let (status, _, text) = ask(other.clone(), "/proxy/closed/a").await;
    assert!(status == 403 && text.contains("integrations.NAME.proxy"), "{text}");
    let (status, _, _) = ask(place.key.clone(), "/proxy/unknown/a").await;
    assert_eq!(status, 403, "what a key cannot reach looks the same whether it exists or not");
    let (status, code, _) = ask(format!("{}x", place.key), "/proxy/example/a").await;
    assert_eq!((status, &*code), (401, "invalid_token"));
    let url = place.server.url("/proxy/example/a");
    let (status, code, _) = error(client().get(url).send().await.expect("sent")).await;
    assert_eq!((status, &*code), (401, "missing_token"));
    assert!(place.upstream.calls().is_empty() && place.upstream.given() == 0);
}

#[tokio::test]
async fn it_is_not_there_unless_an_integration_has_it() {
    let place = Place::with(|setup| setup.set("integrations.example.proxy", false)).await;
    assert_eq!(place.get("/a").await.status(), 404);
}

#[tokio::test]
async fn the_fields_of_the_proxy_choose_connection_and_host() {
    let place = Place::start().await;
    let connection = place.get("/a").await.headers()["grantor-connection"].clone();
    let with = |name: &'static str, value: String| {
        let request = place.request(Method::GET, "/b").header(name, value);
        async move { request.send().await.expect("an answer") }
    };
    let id = connection.to_str().expect("text").to_owned();
    assert_eq!(with("grantor-connection", id.clone()).await.status(), 200);
    let (status, code, _) = error(with("grantor-connection", "17".to_owned()).await).await;
    assert_eq!((status, &*code), (400, "invalid_request"));
    let stranger = "con_0192f0c1-7d3b-7c4e-9a51-5e0f6d1b2c3d".to_owned();
    let (status, code, _) = error(with("grantor-connection", stranger).await).await;
    assert_eq!((status, &*code), (404, "connection_not_found"));
    let (status, code, _) = error(with("grantor-subject", "nobody".to_owned()).await).await;
    assert_eq!((status, &*code), (404, "connection_not_found"));

    let port = place.upstream.port;
    assert_eq!(with("grantor-host", format!("localhost:{port}")).await.status(), 200);
    assert_eq!(place.upstream.last().target, "/b", "another host has no base path");
    for host in ["evil.example", "localhost@evil.example", "evil.example#localhost", ""] {
        let (status, code, text) = error(with("grantor-host", host.to_owned()).await).await;
        assert_eq!((status, &*code), (400, "invalid_request"), "{host}: {text}");
    }
    let twice = place.request(Method::GET, "/b").header("grantor-connection", &id);
    let twice = twice.header("grantor-connection", &id).send().await.expect("an answer");
    assert_eq!(error(twice).await.0, 400);
}
