//! Connections that many share: look-ups are sent one after the other without waiting for answers.
//! Nothing that may have to wait for a lock goes over them, because all behind it would wait too.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use deadpool_postgres::ClientWrapper;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::Options;
use super::connect::Connector;
use super::fault::{Fault, describe};
use super::rows::Db;
use crate::columns::{Columns, Unreadable, Value};

/// How long after a connection was lost, or could not be made, the next one is tried.
const PAUSE: Duration = Duration::from_millis(100);

/// The connections. Each is replaced by itself when it breaks.
pub(super) struct Lines {
    lines: Vec<Line>,
    next: AtomicUsize,
    wait: Duration,
    limit: Duration,
}

struct Line {
    current: watch::Receiver<Option<Arc<Open>>>,
    keeper: JoinHandle<()>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

struct Open {
    client: ClientWrapper,
    /// Told by whoever got no answer.
    broken: Notify,
}

impl Lines {
    /// Begins to connect.
    pub(super) fn start(connector: &Arc<Connector>, options: &Options) -> Self {
        let line = |_| {
            let (sender, current) = watch::channel(None);
            let keep = keep(Arc::clone(connector), sender, options.statement);
            Line { current, keeper: tokio::spawn(keep) }
        };
        Self {
            lines: (0..options.lines.max(1)).map(line).collect(),
            next: AtomicUsize::new(0),
            wait: options.wait,
            limit: options.statement,
        }
    }

    /// The rows that a statement finds which only reads.
    pub(super) async fn look_all<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: fn(&mut Columns<'_>) -> Result<T, Unreadable>,
    ) -> Result<Vec<T>, Fault> {
        let open = self.open().await?;
        match self.ask(&open, sql, values, read).await {
            // The connection ended under the question, which may be asked again.
            Err(fault) if open.client.is_closed() => {
                tracing::debug!(?fault, "a look-up is made again");
                self.ask(&*self.open().await?, sql, values, read).await
            }
            answer => answer,
        }
    }

    async fn ask<T>(
        &self,
        open: &Open,
        sql: &str,
        values: &[Value<'_>],
        read: fn(&mut Columns<'_>) -> Result<T, Unreadable>,
    ) -> Result<Vec<T>, Fault> {
        let answer = match timeout(self.limit, Db(&open.client).all(sql, values, read)).await {
            Ok(answer) => answer,
            Err(_) => Err(Fault::Away("the database did not answer in time".to_owned())),
        };
        if answer.as_ref().is_err_and(Fault::of_the_connection) {
            open.broken.notify_one();
        }
        answer
    }

    /// A connection that works as far as is known.
    async fn open(&self) -> Result<Arc<Open>, Fault> {
        let own = self.next.fetch_add(1, Ordering::Relaxed) % self.lines.len();
        let (before, after) = self.lines.split_at(own);
        let works = |open: &Arc<Open>| !open.client.is_closed();
        let open = |line: &Line| line.current.borrow().clone().filter(works);
        if let Some(open) = after.iter().chain(before).find_map(open) {
            return Ok(open);
        }
        let mut current = self.lines[own].current.clone();
        let there = |open: &Option<Arc<Open>>| open.as_ref().is_some_and(works);
        let wait = timeout(self.wait, current.wait_for(there)).await;
        match wait {
            Ok(Ok(open)) => open.clone().ok_or_else(away),
            Ok(Err(_)) | Err(_) => Err(away()),
        }
    }
}

fn away() -> Fault {
    Fault::Away("there is no connection to the database".to_owned())
}

/// Has a connection made whenever there is none.
async fn keep(connector: Arc<Connector>, line: watch::Sender<Option<Arc<Open>>>, limit: Duration) {
    loop {
        match timeout(limit, connector.open(None)).await {
            Ok(Ok(opened)) => {
                let client = ClientWrapper::new(opened.client, opened.task);
                let open = Arc::new(Open { client, broken: Notify::new() });
                line.send_replace(Some(Arc::clone(&open)));
                tokio::select! {
                    _ = opened.closed => {}
                    () = open.broken.notified() => {}
                }
                line.send_replace(None);
                tracing::warn!("a connection to the database was lost; another one is made");
            }
            Ok(Err(error)) => {
                tracing::debug!(error = describe(&error), "the database cannot be reached");
            }
            Err(_) => tracing::debug!("the database cannot be reached in time"),
        }
        sleep(PAUSE).await;
    }
}
