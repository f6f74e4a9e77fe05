//! What ends by itself: with time, with numbers, and with what others decide.

use serde_json::{Value, json};
use standins::google::Client;

use super::support::{ADA, BACK, CALENDAR, Choice, Google, ID, SECRET, read};

const DAY: u32 = 24 * 60 * 60;

fn expired() -> (u16, String, String) {
    (400, "invalid_grant".to_owned(), "Token has been expired or revoked.".to_owned())
}

#[tokio::test]
async fn an_access_token_ends_by_the_clock_and_lives_as_long_as_it_is_told() {
    let google = Google::start().await;
    let path = "/calendar/v3/users/me/calendarList";
    let tokens = google.issue(&[CALENDAR]).await;
    google.advance(3590).await;
    assert_eq!(google.call(path, &tokens["access_token"]).await.status, 200);
    google.advance(10).await;
    assert_eq!(google.call(path, &tokens["access_token"]).await.status, 401);
    google.behave(json!({"expires_in": 30})).await;
    let short = google.refresh(&tokens["refresh_token"]).await.json();
    assert_eq!(short["expires_in"], 30);
    google.advance(30).await;
    assert_eq!(google.call(path, &short["access_token"]).await.status, 401);
}

#[tokio::test]
async fn a_code_is_good_for_ten_minutes() {
    let google = Google::start().await;
    for (seconds, status) in [(590, 200), (600, 400)] {
        let back = google.walk(&[("prompt", "consent")], Choice::default()).await;
        google.advance(seconds).await;
        assert_eq!(google.redeem(&back["code"]).await.status.as_u16(), status, "{seconds}");
    }
}

#[tokio::test]
async fn the_hundred_and_first_refresh_token_drops_the_oldest_silently() {
    let google = Google::start().await;
    let mut all: Vec<Value> = Vec::new();
    for _ in 0..101 {
        all.push(google.issue(&[CALENDAR]).await["refresh_token"].clone());
    }
    assert_eq!(google.refresh(&all[0]).await.refusal(), expired());
    for live in [&all[1], &all[100]] {
        assert_eq!(google.refresh(live).await.status, 200);
    }
    let grants = read(google.get("/_control/grants")).await.json();
    assert_eq!(grants["grants"][0]["live_refresh_tokens"], 100);
}

#[tokio::test]
async fn another_account_has_a_hundred_of_its_own() {
    let google = Google::start().await;
    google.behave(json!({"refresh_token_limit": 1})).await;
    let ada = google.issue(&[CALENDAR]).await;
    let grace = json!({"client_id": ID, "account": "grace@example.org", "scopes": [CALENDAR]});
    google.control("issue", grace).await;
    assert_eq!(google.refresh(&ada["refresh_token"]).await.status, 200);
}

#[tokio::test]
async fn in_testing_a_refresh_token_lives_for_seven_days() {
    let mut client = Client::new(ID, SECRET, BACK);
    client.testing = true;
    let google = Google::with(vec![client]).await;
    let tokens = google.connect(&[("scope", CALENDAR)]).await;
    assert_eq!(tokens["refresh_token_expires_in"], 604_799);
    google.advance(7 * DAY - 60).await;
    let again = google.refresh(&tokens["refresh_token"]).await.json();
    let left = again["refresh_token_expires_in"].as_i64().expect("a number");
    assert!((0..=60).contains(&left), "use does not prolong it: {left}");
    google.advance(60).await;
    assert_eq!(google.refresh(&tokens["refresh_token"]).await.refusal(), expired());
    // Who only signs people in may do so for longer.
    let tokens = google.connect(&[("scope", "openid email"), ("prompt", "consent")]).await;
    assert_eq!(tokens["refresh_token_expires_in"], Value::Null);
    google.advance(8 * DAY).await;
    assert_eq!(google.refresh(&tokens["refresh_token"]).await.status, 200);
}

#[tokio::test]
async fn half_a_year_unused_ends_a_refresh_token() {
    let google = Google::start().await;
    let (used, unused) = (google.issue(&[CALENDAR]).await, google.issue(&[CALENDAR]).await);
    google.advance(150 * DAY).await;
    assert_eq!(google.refresh(&used["refresh_token"]).await.status, 200);
    google.advance(40 * DAY).await;
    assert_eq!(google.refresh(&used["refresh_token"]).await.status, 200, "use prolongs it");
    assert_eq!(google.refresh(&unused["refresh_token"]).await.refusal(), expired());
}

#[tokio::test]
async fn an_organisation_that_wants_a_new_sign_in_stops_refreshing_until_then() {
    let google = Google::start().await;
    let tokens = google.connect(&[("scope", CALENDAR)]).await;
    google.control("accounts", json!({"account": ADA, "must_sign_in": true})).await;
    let page = google.refresh(&tokens["refresh_token"]).await;
    let text = "reauth related error (invalid_rapt)".to_owned();
    assert_eq!(page.refusal(), (400, "invalid_grant".to_owned(), text));
    assert_eq!(page.json()["error_subtype"], "invalid_rapt");
    // The session in the browser does not count any more; consent is not asked for again.
    let back = google.walk(&[("scope", CALENDAR)], Choice::default()).await;
    assert_eq!(back["prompt"], "none");
    assert_eq!(google.refresh(&tokens["refresh_token"]).await.status, 200);
}

#[tokio::test]
async fn a_deleted_account_ends_everything() {
    let google = Google::start().await;
    let tokens = google.connect(&[]).await;
    let waiting = google.walk(&[("prompt", "consent")], Choice::default()).await;
    google.control("accounts", json!({"account": ADA, "deleted": true})).await;
    let gone = (400, "invalid_grant".to_owned(), "Account has been deleted".to_owned());
    assert_eq!(google.refresh(&tokens["refresh_token"]).await.refusal(), gone);
    assert_eq!(google.redeem(&waiting["code"]).await.refusal(), gone);
    assert_eq!(google.call("/v1/userinfo", &tokens["access_token"]).await.status, 401);
    let to = google.ask(&[]).await.location();
    let page = google.browse(google.get(&to)).await;
    assert!(!page.text.contains(ADA) && page.text.contains("grace@example.org"));
    // The address may be given to somebody else, who is somebody else.
    let person = json!({"sub": "2", "email": ADA, "name": "Another Ada"});
    google.control("people", person).await;
    let tokens = google.connect(&[]).await;
    assert_eq!(google.call("/v1/userinfo", &tokens["access_token"]).await.json()["sub"], "2");
}
