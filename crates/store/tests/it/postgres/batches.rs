//! Writes that go into one statement, writes that nobody waits for, and text that Postgres refuses.

use std::future::Future as _;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use grantor_core::model::{AccessToken, AuditEvent};
use grantor_core::store::{
    Added, AuditStore as _, ClientStore as _, CodeStore as _, ConnectionStore as _, Selector,
    Store as _, StoreError, TokenStore as _, UserStore as _,
};
use grantor_store::contract::audit::verified;
use grantor_store::contract::fixtures::{NOW, answer, client, code, own_access, user};
use grantor_store::contract::servers::PostgresServer;
use grantor_store::contract::vault_fixtures::{audit_event, grant};
use grantor_store::postgres::Postgres;
use tokio_postgres::Client;

/// Waits until this many statements wait for a lock that another connection has.
async fn waiting(shell: &Client, table: &str, statements: i64) {
    let count = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = to_regclass($1)";
    while shell.query_one(count, &[&table]).await.expect("count").get::<_, i64>(0) < statements {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A store, and somebody else who has locked one of its tables.
async fn locked(table: &str) -> (Arc<Postgres>, Client) {
    let url = PostgresServer::shared().fresh().await;
    let store = Arc::new(super::open(&url).await);
    let shell = super::shell(&url).await;
    let lock = format!("BEGIN; LOCK TABLE {table} IN EXCLUSIVE MODE");
    shell.batch_execute(&lock).await.expect("lock");
    (store, shell)
}

/// Has all of `tokens` issued, the first before the others.
async fn issue(
    store: &Arc<Postgres>,
    shell: &Client,
    tokens: Vec<AccessToken>,
) -> Vec<Result<(), StoreError>> {
    let mut tasks = Vec::new();
    for token in tokens {
        let store = Arc::clone(store);
        tasks.push(tokio::spawn(async move { store.issue_access(token).await }));
        if tasks.len() == 1 {
            waiting(shell, "access_token", 1).await;
        }
    }
    // So that all of them have come as far as the queue.
    tokio::task::yield_now().await;
    shell.batch_execute("COMMIT").await.expect("unlock");
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.expect("a task panicked"));
    }
    outcomes
}

#[tokio::test]
async fn writes_that_wait_go_into_one_statement() {
    let (store, shell) = locked("access_token").await;
    let tokens = (0..60).map(|_| own_access("a")).collect();
    let outcomes = issue(&store, &shell, tokens).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let written = "SELECT count(*), count(DISTINCT xmin::text) FROM access_token";
    let written = shell.query_one(written, &[]).await.expect("count");
    assert_eq!((written.get::<_, i64>(0), written.get::<_, i64>(1)), (60, 2));
}

#[tokio::test]
async fn a_write_that_fails_takes_nothing_with_it_but_itself() {
    let (store, shell) = locked("access_token").await;
    let twice = own_access("a");
    let mut tokens: Vec<_> = (0..20).map(|_| own_access("a")).collect();
    tokens[0] = twice.clone();
    tokens[7] = twice;
    let outcomes = issue(&store, &shell, tokens.clone()).await;
    for (place, outcome) in outcomes.iter().enumerate() {
        let fails = place == 7;
        assert_eq!(outcome.is_err(), fails, "{place}: {outcome:?}");
        let token = &tokens[place];
        let read = store.access_token(token.id, &token.digest, NOW).await.expect("read");
        assert!(read.is_some(), "{place}");
    }
    assert!(matches!(outcomes[7], Err(StoreError::Corrupt(_))), "{:?}", outcomes[7]);
}

#[tokio::test]
async fn uses_are_written_together_and_the_latest_counts() {
    let url = PostgresServer::shared().fresh().await;
    let store = super::open(&url).await;
    let own = grant(&store, "google", "ann").await.connection;
    let at = |seconds| grantor_store::contract::fixtures::after(seconds);
    let (a, b) = ([(own.id, at(5)), (own.id, at(3))], [(own.id, at(4))]);
    let both = tokio::join!(store.touch_connections(&a), store.touch_connections(&b));
    assert!(both.0.is_ok() && both.1.is_ok(), "{both:?}");
    store.touch_connections(&[]).await.expect("nothing to note");
    let read = store.connection(own.id).await.expect("read").expect("is there");
    assert_eq!(read.last_used_at, Some(at(5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_nobody_waits_for_happens_whole() {
    let url = PostgresServer::shared().fresh().await;
    let store = super::open(&url).await;
    let (made, token) = (code(user("u").id, "a"), own_access("a"));
    {
        let mut left = pin!(store.answer_request(answer(made.clone()), None, None, NOW));
        let mut issued = pin!(store.issue_access(token.clone()));
        // Once, then the callers go away.
        let mut context = Context::from_waker(Waker::noop());
        assert!(left.as_mut().poll(&mut context).is_pending());
        assert!(issued.as_mut().poll(&mut context).is_pending());
    }
    while store.code(made.id, &made.digest).await.expect("read").is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    while store.access_token(token.id, &token.digest, NOW).await.expect("read").is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn text_may_have_any_character() {
    let url = PostgresServer::shared().fresh().await;
    let store = super::open(&url).await;
    let odd = "a\0b\u{10FFFE}0\u{10FFFE}\0";
    let named = client(odd);
    assert_eq!(store.add_client(named.clone()).await.expect("add"), Added::Done);
    let read = store.client(odd).await.expect("read").expect("is there");
    assert_eq!(read.client_id, odd);
    assert!(store.client("\0").await.expect("read").is_none());
    let mut person = user("ann");
    person.external_subject = Some(odd.to_owned());
    store.add_user(person.clone()).await.expect("add");
    let read = store.user_by_external_subject(odd).await.expect("read");
    assert_eq!(read.map(|user| user.id), Some(person.id));
    assert!(store.user_by_email("\0@example.com").await.expect("read").is_none());
    let selector = Selector { subjects: Some(vec![odd.to_owned()]), ..Selector::default() };
    let granted = grant(&store, "google", odd).await;
    assert_eq!(store.held(&selector, 9).await.expect("read"), [granted]);
    let event = AuditEvent { target: odd.to_owned(), ..audit_event("a") };
    store.append_audit(vec![event.clone()]).await.expect("append");
    let entries = verified(&store).await;
    assert_eq!(entries.last().map(|entry| &entry.event), Some(&event));
}

#[tokio::test]
async fn what_was_begun_is_finished_before_the_store_is_closed() {
    let (store, shell) = locked("access_token").await;
    let token = own_access("a");
    let issuing = tokio::spawn({
        let (store, token) = (Arc::clone(&store), token.clone());
        async move { store.issue_access(token).await }
    });
    waiting(&shell, "access_token", 1).await;
    let mut closing = pin!(store.close());
    assert!(closing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    for late in
        [store.issue_access(own_access("a")).await.err(), store.add_client(client("a")).await.err()]
    {
        assert!(matches!(late, Some(StoreError::Unavailable(_))), "{late:?}");
    }
    shell.batch_execute("COMMIT").await.expect("unlock");
    closing.await;
    issuing.await.expect("a task panicked").expect("was begun before");
    let read = store.access_token(token.id, &token.digest, NOW).await.expect("look-ups go on");
    assert!(read.is_some());
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))), "writes do not");
}
