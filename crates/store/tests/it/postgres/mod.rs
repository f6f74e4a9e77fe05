//! What is Postgres's own.

mod batches;
mod failover;
mod failures;
mod nodes;
mod opening;
mod protection;

use std::time::Duration;

use grantor_store::postgres::{Options, Postgres};

/// Patient, because the machine may be busy with other tests.
pub(crate) fn options() -> Options {
    Options {
        wait: Duration::from_secs(20),
        statement: Duration::from_secs(30),
        ..Options::default()
    }
}

/// The store at `url`.
pub(crate) async fn open(url: &str) -> Postgres {
    Postgres::open(url, &options()).await.expect("the database opens")
}

/// The database as another program sees it.
async fn shell(url: &str) -> tokio_postgres::Client {
    let connect = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
    let (client, connection) = connect.expect("the server answers");
    tokio::spawn(connection);
    client
}
