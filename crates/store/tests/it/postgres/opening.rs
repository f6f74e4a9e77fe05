//! Opening what is not there, not ours, or too new.

use std::time::{Duration, Instant};

use grantor_core::store::{ClientStore as _, Store as _, StoreError};
use grantor_store::contract::fixtures::client;
use grantor_store::contract::servers::PostgresServer;
use grantor_store::postgres::{Options, Postgres};

/// The error that opening gives.
async fn refused(url: &str) -> StoreError {
    match Postgres::open(url, &Options::default()).await {
        Ok(_) => panic!("the database was opened"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_schema_from_the_future_is_refused() {
    let url = PostgresServer::shared().fresh().await;
    drop(super::open(&url).await);
    let shell = super::shell(&url).await;
    // A step that this version can work with: a node of it may start during an upgrade.
    let newer = "INSERT INTO schema_migration VALUES (2, 'later', '\\x00'::bytea, 1, 0);
                 UPDATE schema_migration SET checksum = decode(repeat('00', 32), 'hex')
                 WHERE version = 2";
    shell.batch_execute(newer).await.expect("insert");
    super::open(&url).await.ping().await.expect("works beside the newer version");
    let much_newer = "UPDATE schema_migration SET version = 41, works_from = 40 WHERE version = 2";
    shell.batch_execute(much_newer).await.expect("update");
    let error = refused(&url).await;
    assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
    for part in ["schema version 41", "knows version 1", "restore a backup"] {
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test]
async fn an_edited_migration_is_refused() {
    let url = PostgresServer::shared().fresh().await;
    drop(super::open(&url).await);
    let edit = "UPDATE schema_migration SET checksum = decode(repeat('00', 32), 'hex')";
    super::shell(&url).await.batch_execute(edit).await.expect("update");
    let error = refused(&url).await.to_string();
    assert!(error.contains("step 1 (initial) is not the one that was applied"), "{error}");
}

#[tokio::test]
async fn tables_of_another_program_are_left_alone() {
    let url = PostgresServer::shared().fresh().await;
    let shell = super::shell(&url).await;
    shell.batch_execute("CREATE TABLE session (recipe text)").await.expect("create");
    let error = refused(&url).await;
    assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
    assert!(error.to_string().contains("tables of another program"), "{error}");
    let clients = shell.query_opt("SELECT to_regclass('oauth2_client')::text", &[]).await;
    let clients = clients.expect("query").expect("a row");
    assert_eq!(clients.get::<_, Option<String>>(0), None, "half a schema was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_that_start_at_once_make_one_schema() {
    let url = PostgresServer::shared().fresh().await;
    let nodes = (0..8).map(|_| {
        let url = url.clone();
        tokio::spawn(async move { super::open(&url).await })
    });
    for node in nodes.collect::<Vec<_>>() {
        let node = node.await.expect("a node panicked");
        node.ping().await.expect("answers");
    }
    let shell = super::shell(&url).await;
    let steps = shell.query_one("SELECT count(*) FROM schema_migration", &[]).await;
    assert_eq!(steps.expect("count").get::<_, i64>(0), 1);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_soon_and_its_password_is_not() {
    for (url, part) in [
        ("postgres://u:secret@127.0.0.1:1/grantor", "127.0.0.1:1"),
        ("postgres://u:secret@%2Fnowhere/grantor", "/nowhere"),
        ("postgres://u:secret@host:port/grantor", "cannot be used"),
        (
            "postgres://u:secret@127.0.0.1:1/grantor?sslrootcert=/no.pem&sslmode=verify-ca",
            "/no.pem",
        ),
    ] {
        let began = Instant::now();
        let error = refused(url).await;
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains(part) && !text.contains("secret"), "{text}");
        assert!(began.elapsed() < Duration::from_secs(9), "{url}");
    }
    let none = PostgresServer::shared().url().replace("/postgres", "/nothing");
    let error = refused(&none).await.to_string();
    assert!(error.contains("there is no such database"), "{error}");
}

#[tokio::test]
async fn psql_shows_client_id_and_hashed_secret() {
    let url = PostgresServer::shared().fresh().await;
    let store = super::open(&url).await;
    let mut public = client("b");
    public.secret = None;
    for one in [client("a"), public] {
        store.add_client(one).await.expect("add");
    }
    let select = "SELECT client_id, client_secret FROM oauth2_client ORDER BY client_id";
    let rows = super::shell(&url).await.query(select, &[]).await.expect("query");
    assert_eq!((rows[0].get::<_, &str>(0), rows[1].get::<_, &str>(0)), ("a", "b"));
    let secret: &str = rows[0].get(1);
    assert!(secret.starts_with("sha256:") && secret.len() == 7 + 43, "{secret}");
    assert_eq!(rows[1].get::<_, Option<&str>>(1), None);
}
