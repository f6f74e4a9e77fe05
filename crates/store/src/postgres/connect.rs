//! Connections to the server, each made ready for use.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use deadpool_postgres::Connect;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_postgres::config::Host;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Options;

/// Makes connections.
pub(super) struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
    settings: String,
}

/// A connection that was made.
pub(super) struct Opened {
    pub(super) client: Client,
    /// What moves its messages.
    pub(super) task: JoinHandle<()>,
    /// Ends when the connection does.
    pub(super) closed: oneshot::Receiver<()>,
}

impl Connector {
    pub(super) fn new(config: Config, tls: MakeRustlsConnect, options: &Options) -> Self {
        // A little less than is waited for here, so that the server speaks first, and the connection
        // can go on.
        let limit = (options.statement * 9 / 10).as_millis().max(1);
        // Set here rather than with the connection, because poolers in between refuse it there. A
        // node that hangs in the middle of a transaction must not keep its locks for long.
        let settings = format!(
            "SET statement_timeout = {limit}; SET lock_timeout = {limit};
             SET idle_in_transaction_session_timeout = {limit}"
        );
        Self { config, tls, settings }
    }

    /// A connection. When another one says something, `heard` is told.
    pub(super) async fn open(
        &self,
        heard: Option<mpsc::UnboundedSender<()>>,
    ) -> Result<Opened, Error> {
        let (client, connection) = self.config.connect(self.tls.clone()).await?;
        let (open, closed) = oneshot::channel();
        let task = tokio::spawn(drive(connection, heard, open));
        client.batch_execute(&self.settings).await?;
        Ok(Opened { client, task, closed })
    }

    /// Where the server is, for messages.
    pub(super) fn place(&self) -> String {
        let mut ports = self.config.get_ports().iter().cycle();
        let hosts = self.config.get_hosts().iter().map(|host| {
            let port = ports.next().copied().unwrap_or(5432);
            match host {
                Host::Tcp(name) => format!("{name}:{port}"),
                Host::Unix(folder) => folder.display().to_string(),
            }
        });
        let hosts = hosts.collect::<Vec<_>>().join(",");
        format!("the database {} at {hosts}", self.config.get_dbname().unwrap_or("of the user"))
    }
}

/// Moves the messages of a connection until it ends, and `open` with it.
async fn drive<S, T>(
    mut connection: Connection<S, T>,
    heard: Option<mpsc::UnboundedSender<()>>,
    open: oneshot::Sender<()>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(_))) => {
                if let Some(heard) = &heard {
                    // Nobody listens any more when the store is being closed.
                    let _ = heard.send(());
                }
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                tracing::debug!(error = super::fault::describe(&error), "a connection broke");
                break;
            }
            None => break,
        }
    }
    drop(open);
}

/// The connector, for the pool.
pub(super) struct PoolConnect(pub(super) Arc<Connector>);

impl Connect for PoolConnect {
    fn connect(
        &self,
        _: &Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + '_>> {
        Box::pin(async {
            let opened = self.0.open(None).await?;
            Ok((opened.client, opened.task))
        })
    }
}
