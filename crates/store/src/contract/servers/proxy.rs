//! A proxy between a client and a server's socket, which can be made to say nothing.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Accepts connections on a free port of this machine until it is dropped, which ends them.
pub struct Proxy {
    address: SocketAddr,
    open: Arc<watch::Sender<bool>>,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// A proxy to the server at `socket`.
    pub async fn to(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("is bound");
        let open = Arc::new(watch::channel(true).0);
        let task = tokio::spawn(accept(listener, socket, Arc::clone(&open)));
        Self { address, open, task }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on bytes go in and none come out, as behind a network that has broken.
    pub fn shut(&self) {
        self.open.send_replace(false);
    }

    /// What has waited goes on.
    pub fn reopen(&self) {
        self.open.send_replace(true);
    }
}

async fn accept(listener: TcpListener, socket: PathBuf, open: Arc<watch::Sender<bool>>) {
    // The connections end with this task.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let Ok(server) = UnixStream::connect(&socket).await else {
            continue;
        };
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        connections.spawn(carry(from_client, to_server, open.subscribe()));
        connections.spawn(carry(from_server, to_client, open.subscribe()));
    }
}

async fn carry(
    mut from: impl tokio::io::AsyncRead + Unpin,
    mut to: impl tokio::io::AsyncWrite + Unpin,
    mut open: watch::Receiver<bool>,
) {
    let mut bytes = [0; 8_192];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        if open.wait_for(|open| *open).await.is_err()
            || to.write_all(&bytes[..length]).await.is_err()
        {
            break;
        }
    }
    // The other side hears of the end.
    drop(to.shutdown().await);
}
