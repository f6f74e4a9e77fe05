//! What Postgres does by itself: the row of an access token, inserted in batches, each committed.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use aws_lc_rs::rand;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};

use crate::compare::Effort;
use crate::report::number;

/// How many connections insert at once; the best of them counts.
const WRITERS: [usize; 3] = [1, 2, 4];

/// Rows a second, in batches of as many rows as there are connections to a server.
pub(super) async fn inserts(url: &str, effort: Effort) -> Result<f64> {
    let owner = connect(url).await?;
    owner.batch_execute("CREATE TABLE bare (LIKE access_token INCLUDING ALL)").await?;
    let columns = owner
        .query_one(
            "SELECT string_agg('own.' || column_name, ', ' ORDER BY ordinal_position)
                 FROM information_schema.columns
                 WHERE table_name = 'access_token' AND column_name <> 'id'",
            &[],
        )
        .await?;
    let columns: String = columns.try_get(0)?;
    let insert = format!(
        "INSERT INTO bare SELECT fresh.id, {columns}
             FROM unnest($1::bytea[]) AS fresh (id), (SELECT * FROM access_token LIMIT 1) AS own"
    );
    let mut best: f64 = 0.0;
    for writers in WRITERS {
        best = best.max(rate(url, &insert, writers, effort).await?);
    }
    owner.batch_execute("DROP TABLE bare").await?;
    Ok(best)
}

async fn rate(url: &str, insert: &str, writers: usize, effort: Effort) -> Result<f64> {
    let mut tasks = JoinSet::new();
    let began = Instant::now();
    for _ in 0..writers {
        let (client, insert) = (connect(url).await?, insert.to_owned());
        tasks.spawn(write(client, insert, effort));
    }
    let mut rows = 0;
    while let Some(done) = tasks.join_next().await {
        rows += done.context("a writer died")??;
    }
    Ok(number(rows) / began.elapsed().as_secs_f64())
}

async fn write(client: Client, insert: String, effort: Effort) -> Result<usize> {
    let statement = client.prepare(&insert).await?;
    let until = Instant::now() + Duration::from_secs(effort.seconds);
    let mut rows = 0;
    while Instant::now() < until {
        let mut ids = vec![vec![0; 16]; effort.connections];
        ids.iter_mut().try_for_each(|id| rand::fill(id)).ok().context("no randomness")?;
        client.execute(&statement, &[&ids]).await?;
        rows += ids.len();
    }
    Ok(rows)
}

async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
