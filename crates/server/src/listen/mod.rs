//! The accept loop: sockets in, connections that cannot hang out; a stop that lets requests finish.

mod bind;
mod connection;
mod stall;
mod tls;

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

pub(crate) use bind::bind;
pub(crate) use tls::Tls;

/// Why nothing can be listened on.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ListenError(String);

/// Who is at the other end of the connection. In the extensions of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// What is put up with from those who connect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// Open connections at most. Over it, one more per listener is accepted and waits for a free
    /// place, and the rest wait in the queue of the operating system: nobody is turned away in a
    /// short rush, and memory stays bounded in a long one.
    pub(crate) connections: usize,
    /// Bytes of request line and headers at most (431).
    pub(crate) header_bytes: usize,
    /// Headers at most (431).
    pub(crate) headers: usize,
    /// Time to send the headers of a request, from the end of the one before.
    pub(crate) header_timeout: Duration,
    /// Time for the TLS handshake.
    pub(crate) tls_timeout: Duration,
    /// Time for requests in flight to finish after the stop.
    pub(crate) shutdown_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connections: 800,
            header_bytes: 32_768,
            headers: 100,
            header_timeout: Duration::from_secs(30),
            tls_timeout: Duration::from_secs(10),
            shutdown_timeout: Duration::from_secs(10),
        }
    }
}

/// Where the server is in its life, as its connections see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Serving,
    /// Answer what is in flight, take nothing new.
    Draining,
    /// Time is up.
    Closing,
}

/// What the connections share.
struct Shared {
    router: Router,
    tls: Option<Tls>,
    settings: Settings,
    slots: Arc<Semaphore>,
}

/// Serves `router` until `stop` is ready, then lets requests in flight finish within
/// `shutdown_timeout` and closes what is left.
pub(crate) async fn serve(
    listeners: Vec<TcpListener>,
    tls: Option<Tls>,
    router: Router,
    settings: Settings,
    stop: impl Future<Output = ()> + Send,
) {
    let (phase, watching) = watch::channel(Phase::Serving);
    let slots = Arc::new(Semaphore::new(settings.connections.max(1)));
    // Routes without state left to fill in are prepared once here instead of at every request.
    let shared = Arc::new(Shared { router: router.with_state(()), tls, settings, slots });
    for listener in listeners {
        tokio::spawn(accept(listener, Arc::clone(&shared), watching.clone()));
    }
    if shared.tls.is_some() {
        tokio::spawn(reload(Arc::clone(&shared), watching.clone()));
    }
    drop((shared, watching));
    stop.await;
    drain(&phase, settings.shutdown_timeout).await;
}

async fn drain(phase: &watch::Sender<Phase>, deadline: Duration) {
    phase.send_replace(Phase::Draining);
    if timeout(deadline, phase.closed()).await.is_ok() {
        return;
    }
    tracing::warn!(connections = phase.receiver_count(), "closing requests that did not finish");
    phase.send_replace(Phase::Closing);
    // Connections see it when they are next polled, which this gives them the time for.
    let closed = timeout(Duration::from_secs(1), phase.closed()).await;
    drop(closed);
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, mut phase: watch::Receiver<Phase>) {
    let mut backoff = FIRST_BACKOFF;
    loop {
        let accepted = tokio::select! {
            _ = phase.changed() => return take_rest(listener, &shared, &phase),
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                backoff = FIRST_BACKOFF;
                let slots = Arc::clone(&shared.slots);
                let slot = tokio::select! {
                    _ = phase.changed() => None,
                    slot = slots.acquire_owned() => slot.ok(),
                };
                let stops = slot.is_none();
                attend(stream, Peer(peer), slot, &shared, &phase);
                if stops {
                    return take_rest(listener, &shared, &phase);
                }
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                // Out of files or memory: the next try fails too until a connection is closed.
                tracing::warn!(%error, "cannot accept connections");
                tokio::time::sleep(backoff).await;
                backoff = (backoff * 2).min(Duration::from_secs(1));
            }
        }
    }
}

/// Answers on a connection in a task of its own; without a slot, as soon as there is one.
fn attend(
    stream: TcpStream,
    peer: Peer,
    slot: Option<OwnedSemaphorePermit>,
    shared: &Arc<Shared>,
    phase: &watch::Receiver<Phase>,
) {
    let (shared, phase) = (Arc::clone(shared), phase.clone());
    tokio::spawn(async move {
        let slot = match slot {
            Some(slot) => Ok(slot),
            None => Arc::clone(&shared.slots).acquire_owned().await,
        };
        greet(stream, peer, &shared, phase).await;
        drop(slot);
    });
}

/// Closes the port. Whoever was connected before may have sent a request already, and the system
/// would throw that away with the port: a proxy sends it nowhere else if it is a POST.
fn take_rest(listener: TcpListener, shared: &Arc<Shared>, phase: &watch::Receiver<Phase>) {
    // Asked directly: what waits is not always known to the runtime yet.
    let Ok(listener) = listener.into_std() else { return };
    while let Ok((stream, peer)) = listener.accept() {
        let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
        if let Ok(stream) = stream {
            attend(stream, Peer(peer), None, shared, phase);
        }
    }
}

const FIRST_BACKOFF: Duration = Duration::from_millis(20);

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

async fn greet(stream: TcpStream, peer: Peer, shared: &Shared, mut phase: watch::Receiver<Phase>) {
    // Answers are small and written at once: waiting for more to send would only delay them.
    drop(stream.set_nodelay(true));
    let (router, settings) = (shared.router.clone(), shared.settings);
    let answer = connection::Answer::new(router, peer);
    let Some(tls) = &shared.tls else {
        return connection::http1(stream, answer, settings, phase).await;
    };
    let handshake = timeout(settings.tls_timeout, tls.acceptor().accept(stream));
    let stream = tokio::select! {
        _ = phase.changed() => return,
        outcome = handshake => match outcome {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return tracing::debug!(%error, remote = %peer.0, "TLS handshake"),
            Err(_) => return tracing::debug!(remote = %peer.0, "TLS handshake took too long"),
        },
    };
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        connection::http2(stream, answer, settings, phase).await;
    } else {
        connection::http1(stream, answer, settings, phase).await;
    }
}

async fn reload(shared: Arc<Shared>, mut phase: watch::Receiver<Phase>) {
    let Some(tls) = &shared.tls else { return };
    loop {
        let minute = pin!(tokio::time::sleep(Duration::from_secs(60)));
        tokio::select! {
            _ = phase.changed() => return,
            () = minute => tls.refresh(),
        }
    }
}
