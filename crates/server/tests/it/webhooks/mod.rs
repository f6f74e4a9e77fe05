//! Webhooks on their way: signed, tried again, and held up by nobody.

mod events;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::receiver::{Delivery, Receiver, Reply};
use crate::support::server::Setup;
use crate::support::smtp::{programs, python};
use crate::support::{Server, free_port};

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER_KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn told(endpoints: &[(&str, &Receiver)]) -> Setup {
    let setup = Server::setup().set("outbound.allowed_hosts", vec!["127.0.0.1"]);
    endpoints.iter().fold(setup, |setup, (name, receiver)| {
        setup
            .set(&format!("webhooks.{name}.url"), receiver.url())
            .set(&format!("webhooks.{name}.secret"), KEY)
    })
}

async fn start(setup: Setup) -> Server {
    let server = setup.start().await;
    server.seen.add(KEY);
    server.seen.add(KEY.trim_start_matches("whsec_"));
    server
}

/// Queues messages for an endpoint, numbered from `first`.
fn queue(server: &Server, endpoint: &str, first: u32, count: u32) {
    let row = |number: u32| {
        let id = format!("0192f0c1-7d3b-7c4e-9a51-{number:012x}");
        let body = json!({ "type": "connection.connected", "id": format!("msg_{id}"),
            "timestamp": "2027-01-15T08:00:00Z", "data": { "number": number } });
        format!(
            "(x'{}', '{endpoint}', 'connection.connected', '{body}', 0, unixepoch(), \
             unixepoch() + 86400)",
            id.replace('-', "")
        )
    };
    let rows: Vec<String> = (first..first + count).map(row).collect();
    let rows = rows.join(", ");
    server.sql(&format!(
        "INSERT INTO webhook_notice (id, endpoint, event, body, attempts, due_at, expires_at) \
         VALUES {rows}"
    ));
}

fn number(delivery: &Delivery) -> u64 {
    delivery.json()["data"]["number"].as_u64().expect("a number")
}

async fn until_none_waits(server: &Server) {
    let until = Instant::now() + Duration::from_secs(10);
    while server.sql("SELECT count(*) FROM webhook_notice") != "0" {
        assert!(Instant::now() < until, "webhooks still wait:\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What the library of the specification says of a message under `key`: `good`, or why not.
fn verified(delivery: &Delivery, key: &str, changed: &[(&str, &str)]) -> String {
    let mut headers: serde_json::Map<String, Value> = ["id", "timestamp", "signature"]
        .map(|name| format!("webhook-{name}"))
        .into_iter()
        .map(|name| (name.clone(), delivery.header(&name).into()))
        .collect();
    let mut body = delivery.body.clone();
    for (name, value) in changed {
        match *name {
            "body" => body = (*value).to_owned(),
            name => drop(headers.insert(name.to_owned(), (*value).into())),
        }
    }
    let given = json!({ "secret": key, "headers": headers, "body": body }).to_string();
    let script = programs().join("python/standard_webhooks.py");
    let ran = std::process::Command::new(python()).arg(script).arg(given).output();
    let ran = ran.expect("python runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).expect("text").trim().to_owned()
}

#[tokio::test]
async fn a_library_for_standard_webhooks_takes_the_signature_and_no_other() {
    let receiver = Receiver::start().await;
    let keys = format!("{OTHER_KEY} {KEY}");
    let setup = told(&[("ops", &receiver)]).set("webhooks.ops.secret", keys.as_str());
    let server = start(setup).await;
    server.seen.add(OTHER_KEY);
    queue(&server, "ops", 1, 1);
    let came = receiver.deliveries(1).await;
    let message = &came[0];
    assert_eq!(message.path, "/hook");
    assert_eq!(message.header("content-type"), "application/json");
    assert_eq!(message.header("webhook-id"), message.json()["id"]);
    for key in [KEY, OTHER_KEY] {
        assert_eq!(verified(message, key, &[]), "good", "while a key is replaced both work");
    }
    let stranger = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert_eq!(verified(message, stranger, &[]), "No matching signature found");
    for change in [("body", "{\"type\":\"connection.connected\"}"), ("webhook-id", "msg_other")] {
        assert_eq!(verified(message, KEY, &[change]), "No matching signature found", "{change:?}");
    }
    // Who has read a message cannot send it again later, nor with another time.
    let time: i64 = message.header("webhook-timestamp").parse().expect("seconds");
    let (later, old) = ((time + 60).to_string(), (time - 3_600).to_string());
    let refused = verified(message, KEY, &[("webhook-timestamp", &later)]);
    assert_eq!(refused, "No matching signature found");
    assert_eq!(verified(message, KEY, &[("webhook-timestamp", &old)]), "Message timestamp too old");
    until_none_waits(&server).await;
}

#[tokio::test]
async fn a_message_that_is_not_taken_comes_again_with_its_id_and_a_new_time() {
    let elsewhere = Receiver::start().await;
    let replies = [Reply::Status(500), Reply::Redirect(elsewhere.url()), Reply::Status(429)];
    let receiver = Receiver::with(&replies).await;
    let server = start(told(&[("ops", &receiver)])).await;
    queue(&server, "ops", 1, 1);
    let came = receiver.deliveries(4).await;
    until_none_waits(&server).await;
    let ids: Vec<&str> = came.iter().map(|own| own.header("webhook-id")).collect();
    assert_eq!(ids, [ids[0]; 4]);
    assert!(came.iter().all(|own| own.body == came[0].body), "{came:?}");
    let times: Vec<i64> =
        came.iter().map(|own| own.header("webhook-timestamp").parse().expect("seconds")).collect();
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
    assert_eq!(verified(&came[3], KEY, &[]), "good");
    assert!(elsewhere.all().is_empty(), "a redirect was followed");
    assert_eq!(receiver.all().len(), 4, "once it was taken it does not come again");
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_not_asked_again() {
    let receiver = Receiver::with(&[Reply::Status(410)]).await;
    let server = start(told(&[("ops", &receiver)])).await;
    queue(&server, "ops", 1, 1);
    until_none_waits(&server).await;
    assert_eq!(receiver.all().len(), 1);
    assert!(server.log().contains("given up"), "{}", server.log());
}

#[tokio::test]
async fn messages_that_are_taken_arrive_in_their_order() {
    let receiver = Receiver::start().await;
    let server = start(told(&[("ops", &receiver)])).await;
    queue(&server, "ops", 1, 100);
    let came = receiver.deliveries(100).await;
    let numbers: Vec<u64> = came.iter().map(number).collect();
    assert_eq!(numbers, (1..=100).collect::<Vec<u64>>());
    until_none_waits(&server).await;
}

#[tokio::test]
async fn an_endpoint_that_hangs_holds_up_nobody_but_itself() {
    let slow = Receiver::with(&[Reply::Silence(Duration::from_secs(60))]).await;
    let quick = Receiver::start().await;
    let metrics = free_port();
    let setup = told(&[("slow", &slow), ("quick", &quick)])
        .set("listen.metrics", format!("127.0.0.1:{metrics}"));
    let server = start(setup).await;
    queue(&server, "slow", 1, 50);
    slow.deliveries(1).await;
    let began = Instant::now();
    queue(&server, "quick", 101, 50);
    quick.deliveries(50).await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(slow.all().len(), 1);
    let url = format!("http://127.0.0.1:{metrics}/metrics");
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let text = crate::support::client().get(&url).send().await.expect("metrics");
        let text = text.text().await.expect("text");
        let delivered = text.contains("webhooks_total{outcome=\"delivered\"} 50");
        if delivered && text.contains("webhooks_pending 50") {
            break;
        }
        assert!(Instant::now() < until, "{text}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // It does not hold up the end of the server either, but for a moment.
    let (mut server, began) = (server, Instant::now());
    assert_eq!(server.stop(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn after_a_crash_a_message_comes_again_with_the_same_id() {
    let receiver = Receiver::with(&[Reply::Silence(Duration::from_secs(60))]).await;
    let mut server = start(told(&[("ops", &receiver)])).await;
    queue(&server, "ops", 1, 1);
    receiver.deliveries(1).await;
    server.kill();
    // Who claimed it is gone; nobody waits for that in a test.
    server.sql("UPDATE webhook_notice SET due_at = 0");
    server.start_again().await;
    let came = receiver.deliveries(2).await;
    assert_eq!(came[0].header("webhook-id"), came[1].header("webhook-id"));
    until_none_waits(&server).await;
}

#[tokio::test]
async fn an_endpoint_in_the_servers_own_network_is_not_asked_unless_the_operator_says_so() {
    let receiver = Receiver::start().await;
    // A name: what it leads to is known when it is asked, and an address would not pass the settings.
    let hidden = format!("https://localhost:{}/hook", receiver.port);
    let setup = told(&[("ops", &receiver)]).unset("outbound.allowed_hosts");
    let server = start(setup.set("webhooks.ops.url", hidden)).await;
    queue(&server, "ops", 1, 1);
    let until = Instant::now() + Duration::from_secs(10);
    while !server.log().contains("is not a public address") {
        assert!(Instant::now() < until, "{}", server.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(receiver.all().is_empty());
    assert_eq!(server.sql("SELECT count(*) FROM webhook_notice"), "1", "it is tried again later");
}

#[tokio::test]
async fn what_is_too_old_is_sent_only_if_it_was_never_tried() {
    let receiver = Receiver::start().await;
    let server = start(told(&[("ops", &receiver)])).await;
    server.sql(
        "INSERT INTO webhook_notice (id, endpoint, event, body, attempts, due_at, expires_at) \
         VALUES (x'0192f0c17d3b7c4e9a51000000000001', 'ops', 'e', '{\"data\":{\"number\":1}}', 9, \
                 unixepoch() - 9, unixepoch() - 1), \
                (x'0192f0c17d3b7c4e9a51000000000002', 'ops', 'e', '{\"data\":{\"number\":2}}', 0, \
                 unixepoch() - 9, unixepoch() - 1)",
    );
    until_none_waits(&server).await;
    assert_eq!(receiver.all().iter().map(number).collect::<Vec<_>>(), [2]);
    assert!(server.log().contains("it was not taken within a day"), "{}", server.log());
}
