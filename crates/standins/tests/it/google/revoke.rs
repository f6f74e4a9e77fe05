//! Giving tokens back, and taking back what was allowed.

use serde_json::{Value, json};
use standins::google::Client;

use super::support::{ADA, BACK, CALENDAR, Choice, DRIVE, Google, ID, SECRET, read};

async fn revoke(google: &Google, token: &Value) -> (u16, Value) {
    let page = read(google.post("/revoke").form(&[("token", token.as_str().expect("text"))])).await;
    (page.status.as_u16(), page.json())
}

#[tokio::test]
async fn either_token_ends_the_whole_grant() {
    let google = Google::start().await;
    for which in ["access_token", "refresh_token"] {
        let tokens = google.connect(&[("scope", CALENDAR), ("prompt", "consent")]).await;
        let other = google.issue(&[DRIVE]).await;
        assert_eq!(revoke(&google, &tokens[which]).await, (200, json!({})));
        for dead in [&tokens["refresh_token"], &other["refresh_token"]] {
            let (_, error, text) = google.refresh(dead).await.refusal();
            assert_eq!(error, "invalid_grant");
            assert_eq!(text, "Token has been expired or revoked.", "{which}");
        }
        let path = "/calendar/v3/users/me/calendarList";
        assert_eq!(google.call(path, &tokens["access_token"]).await.status, 401);
        // Nothing is allowed any more, so the next time consent is shown.
        let back = google.walk(&[("scope", CALENDAR)], Choice::default()).await;
        assert_eq!(back["prompt"], "consent");
    }
}

#[tokio::test]
async fn a_dead_token_is_an_error() {
    let google = Google::start().await;
    let tokens = google.issue(&[CALENDAR]).await;
    assert_eq!(revoke(&google, &tokens["refresh_token"]).await.0, 200);
    let dead = json!({"error": "invalid_token", "error_description": "Token expired or revoked"});
    for token in [&tokens["refresh_token"], &tokens["access_token"], &json!("1//0never")] {
        assert_eq!(revoke(&google, token).await, (400, dead.clone()));
    }
    assert_eq!(read(google.post("/revoke")).await.refusal().1, "invalid_request");
}

#[tokio::test]
async fn a_grant_is_of_the_project_and_of_one_person() {
    let client = |id: &str, project: &str| {
        let mut client = Client::new(id, SECRET, BACK);
        client.project = project.to_owned();
        client
    };
    let google =
        Google::with(vec![client(ID, "a"), client("sibling", "a"), client("else", "b")]).await;
    let issue = async |id: &str, account: &str| {
        let body = json!({"client_id": id, "account": account, "scopes": [CALENDAR]});
        google.control("issue", body).await["access_token"].clone()
    };
    let ada = issue(ID, ADA).await;
    let sibling = issue("sibling", ADA).await;
    let other_project = issue("else", ADA).await;
    let grace = issue(ID, "grace@example.org").await;
    assert_eq!(revoke(&google, &ada).await.0, 200);
    let path = "/calendar/v3/users/me/calendarList";
    for (token, status) in [(&ada, 401), (&sibling, 401), (&other_project, 200), (&grace, 200)] {
        assert_eq!(google.call(path, token).await.status.as_u16(), status);
    }
}

#[tokio::test]
async fn a_person_takes_back_what_was_allowed() {
    let google = Google::start().await;
    let tokens = google.connect(&[("scope", CALENDAR)]).await;
    let back = google.walk(&[("scope", CALENDAR), ("prompt", "consent")], Choice::default()).await;
    let left = google.control("revoke", json!({"account": ADA, "client_id": ID})).await;
    assert_eq!(left, json!({"grants": []}));
    assert_eq!(google.refresh(&tokens["refresh_token"]).await.status, 400);
    assert_eq!(google.redeem(&back["code"]).await.status, 400, "nor does a code survive");
}
