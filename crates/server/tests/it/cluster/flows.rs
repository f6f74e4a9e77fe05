//! Any node answers any step of a flow, and what one node was told the other knows.

use std::time::{Duration, Instant};

use grantor_store::contract::servers::PostgresServer;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::nodes::{Cluster, post};
use crate::support::database::Database;
use crate::support::device::link;
use crate::support::server::Setup;
use crate::support::signer::{Signer, changed};
use crate::support::{Browser, Request, STATIC_TOKEN, Smtp, Tokens, decode};

async fn cluster(change: impl FnOnce(Setup) -> Setup) -> Cluster {
    let database = Database::schema_in(PostgresServer::shared());
    let url = database.setting().to_owned();
    Cluster::start(database, [&url, &url], change).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_asked_for_at_one_node_consented_to_at_another_and_redeemed_at_the_first() {
    let cluster = cluster(|setup| setup).await;
    let (a, b, app) = (cluster.a(), &cluster.b, &cluster.app);
    let request = Request::of(app);
    let at_a = cluster.browser_at(0);
    let page = at_a.open(&format!("{}/authorize?{}", cluster.front, request.query())).await;
    // Each form goes to the node that did not make it.
    let at_b = cluster.moved(&at_a, 1);
    let page = at_b.send_form(&page.form_with("email").with("email", "ada@example.com")).await;
    let at_a = cluster.moved(&at_b, 0);
    let page = at_a.send_form(&page.form_with("token").with("token", STATIC_TOKEN)).await;
    let at_b = cluster.moved(&at_a, 1);
    let page = at_b.send_form(&page.form("/consent").with("decision", "allow")).await;
    let code = page.answer()["code"].clone();

    let tokens = Tokens::of(&a.redeem(app, &request, &code).await);
    assert_eq!(b.introspect(app, &tokens.access).await["active"], true);
    assert_eq!(tokens.id_token().1["iss"], json!(cluster.front));
    let next = Tokens::of(&b.refresh(app, &tokens.refresh).await);
    let again = Tokens::of(&a.refresh(app, &tokens.refresh).await);
    assert_eq!(next.refresh, again.refresh, "whoever lost the answer gets it from the other node");
    b.revoke(app, &next.refresh).await;
    assert_eq!(a.introspect(app, &next.access).await, json!({ "active": false }));
    assert_eq!(a.refresh(app, &next.refresh).await.status, 400);
    assert_eq!(b.redeem(app, &request, &code).await.status, 400, "redeemed twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_asks_one_node_is_allowed_at_another_and_polls_both() {
    let cluster = cluster(|setup| setup).await;
    let (a, b) = (cluster.a(), &cluster.b);
    let tv = a.app_with("tv", &[]);
    a.let_on_devices("tv");
    let device = a.device(&tv).await;
    assert_eq!(b.poll(&tv, &device).await.json()["error"], "authorization_pending");
    // RFC 8628 §3.5: the pace is the same at both.
    assert_eq!(a.poll(&tv, &device).await.json()["error"], "slow_down");
    let browser = cluster.browser_at(1);
    b.sign_in(&browser, "ada").await;
    let page = browser.open(&link(&device)).await;
    let browser = cluster.moved(&browser, 0);
    browser.send_form(&page.form("/device").with("decision", "allow")).await;
    let (one, other) = tokio::join!(a.poll(&tv, &device), b.poll(&tv, &device));
    let won = [&one, &other].into_iter().filter(|page| page.status == 200).count();
    assert_eq!(won, 1, "one of two gets the tokens: {one:?} {other:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_one_node_mailed_signs_in_at_another_once() {
    let smtp = Smtp::start();
    let cluster = cluster(|setup| setup.mailing(&smtp)).await;
    let at_a = cluster.browser_at(0);
    let page = at_a.open("/login?method=admin_token").await;
    let at_b = cluster.moved(&at_a, 1);
    let page = at_b.send_form(&page.form_with("email").with("email", "ada@example.com")).await;
    let token = smtp.mails(1).await[0].token();
    cluster.a().seen.add(&token);
    let form = page.form_with("token").with("token", &token);
    let [one, other] = [0, 1].map(|node| cluster.moved(&at_b, node));
    let (first, second) = tokio::join!(one.submit(&form), other.submit(&form));
    let signed_in = [&first, &second].into_iter().filter(|page| page.status == 303).count();
    assert_eq!(signed_in, 1, "one of two: {first:?} {second:?}");
    let winner = if first.status == 303 { &one } else { &other };
    for node in [0, 1] {
        cluster.moved(winner, node).open("/account").await.must_say("ada@example.com");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assertion_is_good_once_at_any_node() {
    let cluster = cluster(|setup| setup).await;
    let signer = Signer::new(&["ES256"]);
    cluster.a().signing_machine("robot", signer.jwks(&["ES256"])).await;
    for round in 0..5 {
        let claims = cluster.a().claims("robot", "robot");
        let token = signer.sign("ES256", &changed(&claims, "aud", json!(cluster.front)));
        let (a, b) = (cluster.a().assert_client(&token), cluster.b.assert_client(&token));
        let (a, b) = tokio::join!(a, b);
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401], "round {round}: {a:?} {b:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_was_told_the_other_does_not_accept_a_second_later() {
    let cluster = cluster(|setup| setup).await;
    let (a, b) = (cluster.a(), &cluster.b);
    let second = Duration::from_secs(1);
    let grant = [("grant_type", "client_credentials")];
    for round in 0..3 {
        let machine = a.machine(&format!("gone-{round}"), &[]);
        let token = Tokens::of(&b.token(&machine, &grant).await).access;
        // So that it is in the memory of both.
        assert_eq!(a.bearer("/protected", &token).await.status, 200);
        a.cli().ok(&["client", "rotate-secret", &machine.id]);
        tokio::time::sleep(second).await;
        assert_eq!(b.token(&machine, &grant).await.status, 401, "the secret that was before");
        a.cli().ok(&["client", "remove", &machine.id]);
        tokio::time::sleep(second).await;
        assert_eq!(b.token(&machine, &grant).await.status, 401, "the client is removed");
        assert_eq!(b.bearer("/protected", &token).await.status, 401, "and its tokens");

        let key = cluster.vault.key_with(&["--integration", "google"]);
        let read = async |origin: &str| {
            cluster.vault.ask(origin, "/oauth/token", &key, Value::Null).await.status
        };
        assert_eq!((read(&a.probe()).await, read(&b.probe()).await), (200, 200));
        let id = &key["grk_".len()..][..8];
        a.cli().ok(&["apikey", "revoke", id]);
        tokio::time::sleep(second).await;
        assert_eq!(read(&b.probe()).await, 401, "the API key is revoked");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_at_one_node_is_so_at_the_other_at_once() {
    let cluster = cluster(|setup| setup).await;
    let (a, b, app) = (cluster.a(), &cluster.b, &cluster.app);
    for round in 0..20 {
        let browser = cluster.browser_at(round % 2);
        let request = Request::of(app);
        let url = format!("{}/authorize?{}", cluster.front, request.query());
        let page = a.walk(&browser, "ada", &url).await;
        let tokens = Tokens::of(&a.redeem(app, &request, &page.answer()["code"]).await);
        assert_eq!(b.bearer("/protected", &tokens.access).await.status, 200);
        a.revoke(app, &tokens.access).await;
        let page = b.bearer("/protected", &tokens.access).await;
        assert_eq!(page.status, 401, "a revoked token works");
        assert_eq!(b.refresh(app, &tokens.refresh).await.status, 400);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_key_signs_when_both_nodes_have_it() {
    let cluster = cluster(|setup| setup.set("keys.publish_ahead", "3s")).await;
    let (a, b) = (cluster.a(), &cluster.b);
    let machine = a.machine("jwt", &["--access-token-format", "jwt"]);
    let grant = [("grant_type", "client_credentials")];
    let kid = |token: &str| decode(token).0["kid"].clone();
    let before = Tokens::of(&a.token(&machine, &grant).await).access;
    a.cli().ok(&["key", "rotate"]);
    let since = Instant::now();
    loop {
        for (signs, reads) in [(a, b), (b, a)] {
            let token = Tokens::of(&signs.token(&machine, &grant).await).access;
            let page = reads.bearer("/protected", &token).await;
            assert_eq!(page.status, 200, "{page:?}");
            let published = reads.get("/jwks.json").await;
            let kid = kid(&token);
            assert!(published.body.contains(kid.as_str().expect("text")), "{published:?}");
        }
        let own = Tokens::of(&a.token(&machine, &grant).await).access;
        if kid(&own) != kid(&before) {
            break;
        }
        assert!(since.elapsed() < Duration::from_secs(15), "the new key does not sign");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(b.bearer("/protected", &before).await.status, 200, "the old key still verifies");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_who_ask_both_nodes_for_an_expired_token_cause_one_refresh() {
    let cluster = cluster(|setup| setup.set("vault.patience", "20s")).await;
    let vault = &cluster.vault;
    for round in 1..=3 {
        vault.age(cluster.connection, -5);
        vault.fault(json!({"latency": 300})).await;
        let mut callers = JoinSet::new();
        for n in 0..40 {
            let origin = cluster.nodes()[n % 2].probe();
            let request = post(&origin, "/oauth/token").bearer_auth(&vault.key);
            callers.spawn(async move {
                let answer = request.send().await.expect("answered");
                let (status, text) = (answer.status(), answer.text().await.expect("text"));
                assert_eq!(status, 200, "{text}");
                let json: Value = serde_json::from_str(&text).expect("JSON");
                json["access_token"].as_str().expect("a token").to_owned()
            });
        }
        let mut tokens = callers.join_all().await;
        tokens.sort_unstable();
        tokens.dedup();
        tokens.iter().for_each(|token| vault.server.seen.add(token));
        assert_eq!((tokens.len(), vault.refreshes().await), (1, round));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connect_session_is_begun_at_one_node_and_gone_through_at_another() {
    let cluster = cluster(|setup| setup).await;
    let [a, b] = cluster.nodes().map(crate::support::Server::probe);
    let key = cluster.vault.key_with(&["--action", "connect", "--integration", "google"]);
    let said = async |origin: &str, path: &str, body: Value| {
        cluster.a().request(post(origin, path).bearer_auth(&key).json(&body)).await
    };
    let body = json!({"integration": "google", "subject": "user-7"});
    let made = said(&a, "/connect/sessions", body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let link = made.json()["connect_url"].as_str().expect("a URL").to_owned();
    let at_b = cluster.browser_at(1);
    let mut page = at_b.get(&link).await;
    if page.status == 200 {
        page = at_b.get(&format!("{link}/go")).await;
    }
    let mut node = 1;
    while let Some(url) = page.location().filter(|next| next.starts_with(&cluster.vault.base)) {
        let back = allowed(&cluster, &url).await;
        // The provider leads to the node that did not send the browser there, which may want to go
        // once more, for a refresh token.
        node = 1 - node;
        page = cluster.moved(&at_b, node).get(&back).await;
    }
    let code = page.answer()["connect_code"].clone();
    let body = json!({"connect_code": code, "subject": "user-7"});
    let (one, other) = tokio::join!(
        said(&a, "/connect/complete", body.clone()),
        said(&b, "/connect/complete", body)
    );
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400], "one of two: {one:?} {other:?}");
}

/// What a person does at the provider; the way back.
async fn allowed(cluster: &Cluster, url: &str) -> String {
    let google = Browser::new(&cluster.vault.base, cluster.a().seen.clone());
    let mut page = google.open(url).await;
    if page.body.contains("action=\"/v3/signin/accountchooser\"") {
        let form = page.form("/v3/signin/accountchooser").with("account", "ada@example.com");
        page = google.send_form(&form).await;
    }
    if page.location().is_none() {
        let form = page.form("/signin/oauth/consent").with("decision", "allow");
        page = google.submit(&form).await;
    }
    let back = page.location().unwrap_or_else(|| panic!("no way back: {page:?}"));
    cluster.a().seen.add(&page.answer()["code"]);
    back
}
