//! A node whose clock is off, played by libfaketime.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::Node;
use crate::support::{Request, Tokens};

/// What makes a program's clock show another time; the monotonic one runs on as it is.
fn off_by(offset: &str) -> Vec<(String, String)> {
    let ask = ["-m", "-f", offset, "sh", "-c", "echo $LD_PRELOAD"];
    let output = Command::new("faketime").args(ask).output();
    let output = output.expect("faketime is there: scripts/test installs it");
    let library = String::from_utf8(output.stdout).expect("text").trim().to_owned();
    assert!(library.contains("libfaketime"), "{library:?}");
    [("LD_PRELOAD", &*library), ("FAKETIME", offset), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

/// What `doctor` says of a node's clock: the verdict and the sentence.
fn told_of_the_clock(node: &Node<'_>) -> (String, String) {
    let found: Value = serde_json::from_str(&node.run(&["doctor", "--json"])).expect("JSON");
    let finding = found.as_array().expect("a list").iter().find(|own| own["what"] == "clock");
    let text = |name: &str| finding.expect("it is told")[name].as_str().expect("text").to_owned();
    (text("verdict"), text("text"))
}

/// That these are of now and last an hour.
#[expect(clippy::disallowed_methods, reason = "it is what a token's time is compared with")]
fn assert_of_now(tokens: &Tokens, before: SystemTime) {
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).expect("now").as_secs();
    let (_, claims) = tokens.id_token();
    let [iat, exp] = ["iat", "exp"].map(|name| claims[name].as_u64().expect("a moment"));
    let present = seconds(before)..=seconds(SystemTime::now());
    assert!(present.contains(&iat), "{iat} is not in {present:?}");
    assert_eq!(exp - iat, 3_600);
}

#[expect(clippy::disallowed_methods, reason = "it is what a token's time is compared with")]
async fn what_one_issues_is_good_at_the_other(offset: &str, says: &str) {
    let first = super::setup().await.set("lifetimes.id_token", "1h").start().await;
    let node = Node::start(&first, off_by(offset)).await;
    let app = first.app("notes");
    let browser = first.browser();

    // A code lives for a minute, and is from the first node.
    let request = Request::of(&app).with("scope", "openid offline_access read");
    let code = first.code(&browser, "ada", &request).await;
    let before = SystemTime::now();
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", &*app.redirect_uri),
        ("code_verifier", &*request.verifier),
    ];
    let tokens = Tokens::of(&node.as_client(&app, "/token", &pairs).await);
    assert_of_now(&tokens, before);
    assert_eq!(first.bearer("/protected", &tokens.access).await.status, 200);
    let known = first.introspect(&app, &tokens.access).await;
    assert_eq!(
        known["exp"].as_u64().expect("a moment") - known["iat"].as_u64().expect("one"),
        3_600
    );

    // And the way back.
    let before = SystemTime::now();
    let renewed = Tokens::of(&first.refresh(&app, &tokens.refresh).await);
    assert_of_now(&renewed, before);
    let pairs = [("token", &*renewed.access)];
    let known = node.as_client(&app, "/introspect", &pairs).await.json();
    assert_eq!(known["active"], true, "{known}");

    let (verdict, text) = told_of_the_clock(&node);
    assert_eq!(verdict, "advice");
    assert!(text.contains(says), "{text}");
    assert_eq!(node.log().matches("the clock of this machine is off").count(), 1);
    assert!(!first.log().contains("the clock of this machine is off"));
}

#[tokio::test]
async fn a_clock_that_is_five_minutes_ahead_does_no_harm() {
    what_one_issues_is_good_at_the_other("+5m", "s ahead of the store's").await;
}

#[tokio::test]
async fn a_clock_that_is_five_minutes_behind_does_no_harm() {
    what_one_issues_is_good_at_the_other("-5m", "s behind the store's").await;
}

#[tokio::test]
async fn a_clock_that_is_right_is_called_good() {
    let first = super::setup().await.start().await;
    let node = Node::start(&first, Vec::new()).await;
    let (verdict, text) = told_of_the_clock(&node);
    assert_eq!(verdict, "good", "{text}");
}
