//! What a device is told while a person has not answered, and after: RFC 8628 §3.4 and §3.5.

use crate::support::device::{DEVICE_GRANT, Device};
use crate::support::{App, Server, Tokens, assert_error};

/// As if the last poll had been a minute ago.
fn a_minute_later(server: &Server) {
    server.sql("UPDATE device_authorization SET polled_at = polled_at - 60");
}

async fn one(options: &[&str]) -> (Server, App, Device) {
    let (server, app) = Server::setup().start_with_device(options).await;
    let device = server.device(&app).await;
    (server, app, device)
}

const PENDING: &str = "The person has not answered yet. Ask again after the interval.";
const SLOWER: &str = "Asked too soon. Wait five seconds longer between requests from now on.";

#[tokio::test]
async fn a_device_waits_and_slows_down_when_it_is_told_to() {
    let (server, app, device) = one(&[]).await;
    assert_error(&server.poll(&app, &device).await, 400, "authorization_pending", PENDING);
    assert_error(&server.poll(&app, &device).await, 400, "slow_down", SLOWER);
    let interval = || server.sql("SELECT interval FROM device_authorization");
    assert_eq!(interval(), "10");
    assert_error(&server.poll(&app, &device).await, 400, "slow_down", SLOWER);
    assert_eq!(interval(), "15");
    a_minute_later(&server);
    assert_error(&server.poll(&app, &device).await, 400, "authorization_pending", PENDING);
    assert_eq!(interval(), "15", "once slower, always slower");
}

#[tokio::test]
async fn a_yes_becomes_tokens_once_and_a_replay_revokes_them() {
    let (server, app, device) = one(&["--public"]).await;
    server.answer_device("ada", &device, "allow").await.must_say("Your device is connected");
    let page = server.poll(&app, &device).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(page.json()["scope"], "openid email read");
    let tokens = Tokens::of(&page);
    let claims = tokens.id_token().1;
    assert_eq!((&claims["aud"], &claims["acr"]), (&"tv".into(), &"admin_token".into()));
    let userinfo = server.bearer("/userinfo", &tokens.access).await.json();
    assert_eq!(userinfo["email"], "ada@example.com");
    let page = server.refresh(&app, &tokens.refresh).await;
    assert_eq!(page.status, 200, "{page:?}");

    let again = server.poll(&app, &device).await;
    let text = "The device code was used before. Every token issued with it is revoked.";
    assert_error(&again, 400, "invalid_grant", text);
    assert_eq!(server.bearer("/userinfo", &tokens.access).await.status, 401);
    let renewed = Tokens::of(&page);
    assert_eq!(server.bearer("/userinfo", &renewed.access).await.status, 401);
}

#[tokio::test]
async fn of_many_polls_at_once_one_gets_the_tokens() {
    let (server, app, device) = one(&[]).await;
    server.answer_device("ada", &device, "allow").await;
    let poll = || server.poll(&app, &device);
    let (a, b, c, d) = tokio::join!(poll(), poll(), poll(), poll());
    let pages = [a, b, c, d];
    assert_eq!(pages.iter().filter(|page| page.status == 200).count(), 1, "{pages:?}");
    assert!(pages.iter().all(|page| page.status < 500));
}

#[tokio::test]
async fn a_no_is_told() {
    let (server, app, device) = one(&[]).await;
    server.answer_device("ada", &device, "deny").await.must_say("Access was denied");
    for _ in 0..2 {
        let page = server.poll(&app, &device).await;
        assert_eq!((page.status, &page.json()["error"]), (400, &"access_denied".into()));
    }
}

#[tokio::test]
async fn a_device_that_waits_too_long_starts_again() {
    let setup = Server::setup().set("lifetimes.device_code", "1s");
    let (server, app) = setup.start_with_device(&[]).await;
    let device = server.device(&app).await;
    assert_eq!(device.told["expires_in"], 1);
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let text = "The device code has expired. Start again with a new one.";
    assert_error(&server.poll(&app, &device).await, 400, "expired_token", text);
    let page = server.browser().open(&crate::support::device::link(&device)).await;
    page.must_say("No device waits for this code.");
}

#[tokio::test]
async fn a_device_code_is_good_for_its_client_only() {
    let mut server = Server::setup().prepare();
    let (tv, other) = (server.app("tv"), server.app("other"));
    server.let_on_devices("tv");
    server.let_on_devices("other");
    server.start_again().await;
    let device = server.device(&tv).await;
    server.answer_device("ada", &device, "allow").await;
    let text = "The device code is unknown, already used, or was issued to another client.";
    assert_error(&server.poll(&other, &device).await, 400, "invalid_grant", text);
    assert_eq!(server.poll(&tv, &device).await.status, 200, "it is not spent");
    for wrong in ["x", "grt_dc_x", &device.user_code, &device.device_code[..70]] {
        let pairs = [("grant_type", DEVICE_GRANT), ("device_code", wrong)];
        assert_error(&server.token(&tv, &pairs).await, 400, "invalid_grant", text);
    }
    let page = server.token(&tv, &[("grant_type", DEVICE_GRANT)]).await;
    assert_error(&page, 400, "invalid_request", "The parameter device_code is missing.");
}

#[tokio::test]
async fn what_was_taken_back_before_the_poll_is_not_given() {
    let (server, app, device) = one(&[]).await;
    server.answer_device("ada", &device, "allow").await;
    server.sql("DELETE FROM consent");
    let text = "The person has withdrawn the consent.";
    assert_error(&server.poll(&app, &device).await, 400, "invalid_grant", text);

    let device = server.device(&app).await;
    server.answer_device("ada", &device, "allow").await;
    server.sql("UPDATE user_account SET status = 'disabled'");
    let text = "The account is disabled or was removed.";
    assert_error(&server.poll(&app, &device).await, 400, "invalid_grant", text);
}
