//! Every provider that is built in, through the server, at a stand-in that was written by somebody
//! else after the same documentation. `table.rs` has a row for each.

mod alone;
mod description;
mod quirks;
mod story;
mod table;
mod world;

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use story::Story;
use table::{ROWS, Row};
use world::World;

use crate::support::connect::RETURN_URL;

#[test]
fn every_description_has_a_row() {
    let told: BTreeSet<String> = ROWS.iter().map(|row| row.provider.to_owned()).collect();
    assert_eq!(description::names(), Vec::from_iter(told));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_provider_connects_serves_refreshes_and_is_given_back() {
    let world = Arc::new(World::start(ROWS, &|_| Vec::new()).await);
    // A stand-in has one memory: what happens at the same one happens one after the other.
    let mut places: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    for row in ROWS {
        places.entry(row.stand_in).or_default().push(*row);
    }
    let mut told = JoinSet::new();
    for rows in places.into_values() {
        let world = Arc::clone(&world);
        told.spawn(async move {
            let mut failed = Vec::new();
            for row in rows {
                let story = Story::new(Arc::clone(&world), row);
                if let Err(error) = tokio::spawn(story.tell()).await {
                    failed.push(format!("{}: {}", row.name, said(&*error.into_panic())));
                }
            }
            failed
        });
    }
    let failed: Vec<_> = told.join_all().await.into_iter().flatten().collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[tokio::test]
async fn a_grant_that_cannot_be_ended_now_is_not_called_over() {
    // Dropbox takes a grant back with an access token only, and there is no other to be had.
    let row = *ROWS.iter().find(|row| row.name == "dropbox").expect("a row");
    let world = Arc::new(World::start(&[row], &|_| Vec::new()).await);
    let (place, story) = (world.place(row.stand_in), Story::new(Arc::clone(&world), row));
    let connection = story.connects().await;
    story.idles("ada").await;
    let away = json!({"endpoint": "token", "until_cleared": true, "fault": {"html": 503}});
    place.control("POST", "faults", &away).await;
    let id = connection["connection_id"].as_str().expect("an id");
    let page = world.api("DELETE", &format!("/connections/{id}")).await;
    assert_eq!((page.status, page.json()), (202, json!({"status": "disconnecting"})));
    let left = place.control("GET", "grants", &Value::Null).await;
    assert_eq!(left["grants"][0]["account"], "ada", "{left}");
    // The provider is back, and with another token the grant ends.
    place.control("DELETE", "faults", &Value::Null).await;
    world.server.sql("PRAGMA busy_timeout = 10000; UPDATE connection SET due_at = 0");
    let until = Instant::now() + Duration::from_secs(30);
    while world.api("GET", &format!("/connections/{id}")).await.status == 200 {
        assert!(Instant::now() < until, "the sweeper has not ended it:\n{}", world.server.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let ended = "SELECT actor, json_extract(details, '$.provider') FROM audit_event \
                 WHERE action = 'connection.disconnected'";
    assert_eq!(world.server.sql(ended), "sweeper|revoked");
    let left = place.control("GET", "grants", &Value::Null).await;
    assert!(!left.to_string().contains("ada"), "{left}");
}

#[tokio::test]
async fn a_company_is_the_one_that_the_token_opens_and_not_what_the_callback_says() {
    let row = *ROWS.iter().find(|row| row.name == "quickbooks").expect("a row");
    let world = World::start(&[row], &|_| Vec::new()).await;
    let place = world.place(row.stand_in);
    let session = json!({"integration": row.name, "subject": "ada", "return_url": RETURN_URL});
    let other = |back: String| back.replace(row.sub, "4620816365000000002");
    let page = world.walk_with(&place, &session, "ada", other).await;
    assert_eq!(page.status, 400, "{page:?}");
    assert_eq!(world.server.sql("SELECT count(*) FROM connection"), "0");
    assert_eq!(world.walk(&place, &session, "ada").await.status, 303, "the real one");
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
    text.unwrap_or_default()
}
