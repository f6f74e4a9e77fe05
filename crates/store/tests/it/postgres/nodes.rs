//! Two nodes on one database.

use std::sync::Arc;
use std::time::{Duration, Instant};

use grantor_core::model::RefreshAttempt;
use grantor_core::store::{
    ApiKeyStore as _, AuditStore as _, Begun, ClientStore as _, CodeStore as _,
    ConnectionStore as _, Ended, Recorded, Redeemed, RefreshEnd, Store as _, UserStore as _,
};
use grantor_store::contract::audit::verified;
use grantor_store::contract::fixtures::{NOW, after, answer, client, code, family, issued, user};
use grantor_store::contract::servers::PostgresServer;
use grantor_store::contract::vault_fixtures::{
    api_key, audit_event, grant, only, recorded, refresh, renewed,
};
use grantor_store::postgres::Postgres;

async fn nodes() -> [Arc<Postgres>; 2] {
    let url = PostgresServer::shared().fresh().await;
    [Arc::new(super::open(&url).await), Arc::new(super::open(&url).await)]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_changed_by_another_node_is_seen_within_a_second() {
    let [one, other] = nodes().await;
    let mut changed = client("a");
    one.add_client(changed.clone()).await.expect("add");
    for name in ["one", "two", "three"] {
        assert!(other.client("a").await.expect("read").is_some());
        let before = changed.clone();
        changed.client_name = name.to_owned();
        assert!(one.replace_client(&before, changed.clone()).await.expect("replace"));
        let since = Instant::now();
        while other.client("a").await.expect("read").expect("is there").client_name != name {
            assert!(since.elapsed() < Duration::from_secs(1), "{name} is not seen");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let key = api_key("k");
    other.add_api_key(key.clone(), Recorded::default()).await.expect("add");
    assert!(one.api_key("k").await.expect("read").is_some());
    let mut revoked = key.clone();
    revoked.revoked_at = Some(NOW);
    assert!(other.replace_api_key(&key, revoked, Recorded::default()).await.expect("revoke"));
    let since = Instant::now();
    while one.api_key("k").await.expect("read").expect("is there").revoked_at.is_none() {
        assert!(since.elapsed() < Duration::from_secs(1), "the revocation is not seen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_redeemed_once_by_whichever_node() {
    let nodes = nodes().await;
    let ann = user("ann");
    nodes[0].add_user(ann.clone()).await.expect("add");
    for _ in 0..10 {
        let made = code(ann.id, "a");
        nodes[0].answer_request(answer(made.clone()), None, None, NOW).await.expect("issue");
        let tasks = (0..16).map(|place| {
            let (node, issued) = (Arc::clone(&nodes[place % 2]), issued(family(ann.id, "a")));
            let made = made.clone();
            tokio::spawn(async move { node.redeem_code(made.id, &made.digest, issued, NOW).await })
        });
        let mut done = 0;
        for task in tasks.collect::<Vec<_>>() {
            match task.await.expect("a task panicked").expect("redeem") {
                Redeemed::Done => done += 1,
                Redeemed::Replayed { .. } => {}
                Redeemed::Gone => panic!("the code is there"),
            }
        }
        assert_eq!(done, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_two_nodes_add_are_one_chain() {
    let nodes = nodes().await;
    let tasks = (0..32).map(|place| {
        let node = Arc::clone(&nodes[place % 2]);
        tokio::spawn(async move {
            for _ in 0..5 {
                let events = vec![audit_event("a"), audit_event("b")];
                node.append_audit(events).await.expect("append");
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("a task panicked");
    }
    for node in &nodes {
        assert_eq!(verified(&**node).await.len(), 320);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_one_refreshes() {
    let [one, two] = nodes().await;
    let own = grant(&*one, "google", "ann").await;
    let tasks = (0..32).map(|place| {
        let node = Arc::clone([&one, &two][place % 2]);
        let attempt = refresh(&own.connection);
        tokio::spawn(async move { node.begin_refresh(attempt, NOW).await.expect("begin") })
    });
    let mut winners = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        match task.await.expect("a task panicked") {
            Begun::Yes(attempt) => winners.push(attempt),
            other => assert_eq!(other, Begun::Busy { until: after(60) }),
        }
    }
    let [winner] = winners.try_into().expect("one has the lease");

    // The first one is slow; the second takes over, and hears that the first has answered after all.
    let next = RefreshAttempt { until: after(200), ..refresh(&own.connection) };
    let taken = two.begin_refresh(next.clone(), after(60)).await.expect("begin");
    assert!(matches!(taken, Begun::Yes(attempt) if attempt.again));
    let answer = renewed(&own);
    let end = RefreshEnd::Renewed(Box::new(answer.clone()));
    let ended = one.end_refresh(&winner, end, recorded("late"), after(71)).await;
    assert_eq!(ended.expect("end"), Ended::Done);
    let end = RefreshEnd::Renewed(Box::new(renewed(&own)));
    let ended = two.end_refresh(&next, end, recorded("lost"), after(72)).await;
    assert_eq!(ended.expect("end"), Ended::Overtaken);
    let read = two.held(&only(own.connection.id), 9).await.expect("read");
    assert_eq!(read, [answer]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_swept_by_two_nodes_is_gone_once() {
    let nodes = nodes().await;
    for _ in 0..50 {
        let made = code(user("u").id, "a");
        nodes[0].answer_request(answer(made), None, None, NOW).await.expect("issue");
    }
    let (mut removed, mut rounds) = (0, 0);
    while removed < 50 {
        let both = tokio::join!(nodes[0].sweep(after(900), 7), nodes[1].sweep(after(900), 7));
        removed += both.0.expect("sweep") + both.1.expect("sweep");
        rounds += 1;
        assert!(rounds < 50, "{removed} after {rounds} rounds");
    }
    assert_eq!(removed, 50);
}
