//! A server and a command line on one file, and callers that go away.

use std::future::Future as _;
use std::pin::pin;
use std::slice::from_ref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use grantor_core::model::ApiKey;
use grantor_core::store::{
    ApiKeyStore as _, AuditStore as _, ClientStore as _, CodeStore as _, ConnectionStore as _,
    Held, Recorded, RequestStore as _, Store as _, StoreError,
};
use grantor_store::contract::fixtures::{NOW, answer, client, code, consent, request, user};
use grantor_store::contract::vault_fixtures::{api_key, audit_event, dead, held, only};
use grantor_store::sqlite::{Options, Sqlite};

use crate::scratch::Scratch;

#[tokio::test]
async fn a_client_changed_by_another_process_is_seen_within_a_second() {
    let scratch = Scratch::new();
    let (server, shell) = (scratch.open(), scratch.open());
    let mut changed = client("a");
    assert!(server.client("a").await.expect("read").is_none());
    shell.add_client(changed.clone()).await.expect("add");
    assert!(server.client("a").await.expect("read").is_some(), "nothing to be behind of");
    for name in ["one", "two", "three"] {
        let before = changed.clone();
        changed.client_name = name.to_owned();
        assert!(shell.replace_client(&before, changed.clone()).await.expect("replace"));
        let since = Instant::now();
        while server.client("a").await.expect("read").expect("is there").client_name != name {
            assert!(since.elapsed() < Duration::from_secs(1), "{name} is not seen");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert!(shell.remove_client(&changed, NOW).await.expect("remove"));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(server.client("a").await.expect("read").is_none());
}

#[tokio::test]
async fn what_another_process_does_to_a_service_is_seen_within_a_second() {
    let scratch = Scratch::new();
    let (server, shell) = (scratch.open(), scratch.open());
    let key = api_key("ab12cd34");
    shell.add_api_key(key.clone(), Recorded::default()).await.expect("add");
    let own = held("google", "user-1");
    shell.store_grant(own.clone(), None, None, Recorded::default(), NOW).await.expect("grant");
    let selector = only(own.connection.id);
    assert_eq!(server.api_key(&key.id).await.expect("read").as_deref(), Some(&key));
    let seen = server.recently_held(&selector, 1).await.expect("read");
    assert_eq!(seen, from_ref(&own));

    let revoked = ApiKey { revoked_at: Some(NOW), ..key.clone() };
    let done = shell.replace_api_key(&key, revoked.clone(), Recorded::default()).await;
    assert!(done.expect("revoke"));
    let id = own.connection.id;
    let ended = shell.set_status(id, 1, dead(), Recorded::default()).await;
    assert!(ended.expect("end"));
    let since = Instant::now();
    let mut known = true;
    while known {
        assert!(since.elapsed() < Duration::from_secs(1), "what was ended is still there");
        let seen = server.api_key(&key.id).await.expect("read").expect("is there");
        let held = server.recently_held(&selector, 1).await.expect("read");
        known = *seen != revoked || held[0].connection.status != dead();
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_without_a_pause_do_not_keep_the_log_from_being_started_over() {
    let scratch = Scratch::new();
    let store = scratch.open_with(&Options { wal_frames: 100, ..Options::default() });
    let own = held("google", "user-1");
    store.store_grant(own.clone(), None, None, Recorded::default(), NOW).await.expect("grant");
    let over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..2).map(|_| read_on(&store, &over, &own)).collect();
    let log = format!("{}-wal", scratch.path().display());
    let mut largest = 0;
    // As many pages again and again as would make a log of some fifty megabytes.
    for _ in 0..12_000 {
        store.append_audit(vec![audit_event("read")]).await.expect("append");
        largest = largest.max(std::fs::metadata(&log).expect("there is a log").len());
    }
    over.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.join().expect("a reader panicked");
    }
    assert!(largest < 40_000_000, "the log had {largest} bytes");
}

/// Reads one connection until it is told that it is over.
fn read_on(store: &Arc<Sqlite>, over: &Arc<AtomicBool>, own: &Held) -> JoinHandle<()> {
    let (store, over, own) = (Arc::clone(store), Arc::clone(over), own.clone());
    let runtime = tokio::runtime::Handle::current();
    std::thread::spawn(move || {
        let selector = only(own.connection.id);
        while !over.load(Ordering::Relaxed) {
            let read = runtime.block_on(store.recently_held(&selector, 1)).expect("read");
            assert_eq!(read, from_ref(&own));
        }
    })
}

#[tokio::test]
async fn the_shell_shows_client_id_and_hashed_secret() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let mut public = client("b");
    public.secret = None;
    for one in [client("a"), public] {
        store.add_client(one).await.expect("add");
    }
    let shell = scratch.shell();
    let select = "SELECT client_id, client_secret FROM oauth2_client ORDER BY client_id";
    let mut statement = shell.prepare(select).expect("prepare");
    let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).expect("query");
    let rows: Vec<(String, Option<String>)> = rows.collect::<Result<_, _>>().expect("read");
    assert_eq!((rows[0].0.as_str(), rows[1].0.as_str()), ("a", "b"));
    let secret = rows[0].1.as_deref().expect("has a secret");
    assert!(secret.starts_with("sha256:") && secret.len() == 7 + 43, "{secret}");
    assert_eq!(rows[1].1, None);
}

#[tokio::test]
async fn a_write_waits_for_another_process_but_not_for_ever() {
    let scratch = Scratch::new();
    let store = scratch
        .open_with(&Options { busy_timeout: Duration::from_millis(200), ..Options::default() });
    let shell = scratch.shell();
    shell.execute_batch("BEGIN IMMEDIATE").expect("lock");
    let error = store.add_client(client("a")).await.expect_err("is locked").to_string();
    assert!(error.contains("another process keeps the database locked"), "{error}");
    assert!(store.client("a").await.expect("reads go on").is_none());
    shell.execute_batch("COMMIT").expect("unlock");
    store.add_client(client("a")).await.expect("works again");
    store.ping().await.expect("answers");
}

#[tokio::test]
async fn a_write_that_nobody_waits_for_happens_whole() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let (asked, made) = (request(), code(user("u").id, "a"));
    store.add_request(asked.clone()).await.expect("add");
    {
        let allowed = consent(made.user, "a", "read");
        let mut left =
            pin!(store.answer_request(answer(made.clone()), Some(asked.id), Some(allowed), NOW));
        // Once, as far as the queue; then the caller goes away.
        assert!(left.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    store.ping().await.expect("everything before is done");
    assert!(store.code(made.id, &made.digest).await.expect("read").is_some());
    assert!(!store.take_request(asked.id, NOW).await.expect("was answered"));
}

#[tokio::test]
async fn a_write_after_close_is_unavailable() {
    let scratch = Scratch::new();
    let store = scratch.open();
    store.close();
    let refused = store.add_client(client("a")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
}
