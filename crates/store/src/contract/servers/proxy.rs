//! A proxy between a client and a server's socket, which can do what a network does that has broken.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Accepts connections on a free port of this machine until it is dropped, which ends them.
pub struct Proxy {
    address: SocketAddr,
    way: Arc<watch::Sender<Way>>,
    task: JoinHandle<()>,
}

/// What happens to what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Open,
    /// It comes so much later, in each direction.
    Slow(Duration),
    /// It waits.
    Shut,
    /// Connections end, and new ones end at once.
    Cut,
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
        let way = Arc::new(watch::channel(Way::Open).0);
        let task = tokio::spawn(accept(listener, socket, Arc::clone(&way)));
        Self { address, way, task }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on bytes go in and none come out, as behind a network that has broken.
    pub fn shut(&self) {
        self.way.send_replace(Way::Shut);
    }

    /// What is sent comes so much later, in each direction.
    pub fn slow(&self, by: Duration) {
        self.way.send_replace(Way::Slow(by));
    }

    /// Connections end, as do new ones.
    pub fn cut(&self) {
        self.way.send_replace(Way::Cut);
    }

    /// What has waited goes on.
    pub fn reopen(&self) {
        self.way.send_replace(Way::Open);
    }
}

async fn accept(listener: TcpListener, socket: PathBuf, way: Arc<watch::Sender<Way>>) {
    // The connections end with this task.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        if *way.borrow() == Way::Cut {
            continue;
        }
        let Ok(server) = UnixStream::connect(&socket).await else {
            continue;
        };
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        connections
            .spawn(until_cut(carry(from_client, to_server, way.subscribe()), way.subscribe()));
        connections
            .spawn(until_cut(carry(from_server, to_client, way.subscribe()), way.subscribe()));
    }
}

/// Ends what is carried when the connections are cut; both directions do, and with them the sockets.
async fn until_cut(carried: impl Future<Output = ()>, mut way: watch::Receiver<Way>) {
    let cut = async { drop(way.wait_for(|way| *way == Way::Cut).await) };
    tokio::select! {
        () = carried => {}
        () = cut => {}
    }
}

async fn carry(
    mut from: impl tokio::io::AsyncRead + Unpin,
    mut to: impl tokio::io::AsyncWrite + Unpin,
    mut way: watch::Receiver<Way>,
) {
    let mut bytes = [0; 8_192];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        let slow = match *way.borrow() {
            Way::Slow(by) => by,
            Way::Open | Way::Shut | Way::Cut => Duration::ZERO,
        };
        sleep(slow).await;
        if way.wait_for(|way| *way != Way::Shut).await.is_err()
            || to.write_all(&bytes[..length]).await.is_err()
        {
            break;
        }
    }
    // The other side hears of the end.
    drop(to.shutdown().await);
}
