//! Connections that misbehave: a listener whose every connection can be cut, reset or slowed down
//! by the handler of a request.

use std::fmt;
use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};

/// The handler's hand on its own connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire(Arc<Mutex<Mode>>);

/// What happens to the next bytes of an answer.
#[derive(Clone, Copy, Debug, Default)]
enum Mode {
    #[default]
    Plain,
    /// Not a byte leaves, and the peer sees a reset.
    Reset,
    /// The last bytes of the next write never leave, and the peer sees the end.
    Cut { tail: usize },
    /// So many bytes at a time.
    Drip { bytes: usize, every: Duration },
}

impl Wire {
    /// Drops the connection without a byte of an answer.
    pub(crate) fn reset(&self) {
        self.set(Mode::Reset);
    }

    /// Ends the connection when all but the last `tail` bytes of the answer are written.
    pub(crate) fn cut(&self, tail: usize) {
        self.set(Mode::Cut { tail });
    }

    /// Writes so many bytes at a time.
    pub(crate) fn drip(&self, bytes: usize, every: Duration) {
        self.set(Mode::Drip { bytes: bytes.max(1), every });
    }

    /// As a connection should be; every request begins with it.
    pub(crate) fn mend(&self) {
        self.set(Mode::Plain);
    }

    fn set(&self, mode: Mode) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = mode;
    }

    fn mode(&self) -> Mode {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A TCP listener whose connections have a [`Wire`] in place of an address.
pub(crate) struct Tapped(pub(crate) TcpListener);

impl Listener for Tapped {
    type Io = Tap;
    type Addr = Wire;

    async fn accept(&mut self) -> (Tap, Wire) {
        let (stream, _) = Listener::accept(&mut self.0).await;
        // A small answer in two packets would otherwise wait for an acknowledgement.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection is gone already");
        }
        let wire = Wire::default();
        (Tap { stream, wire: wire.clone(), pause: None }, wire)
    }

    fn local_addr(&self) -> Result<Wire> {
        Ok(Wire::default())
    }
}

impl Connected<IncomingStream<'_, Tapped>> for Wire {
    fn connect_info(stream: IncomingStream<'_, Tapped>) -> Self {
        stream.remote_addr().clone()
    }
}

/// A connection, as its [`Wire`] wants it.
pub(crate) struct Tap {
    stream: TcpStream,
    wire: Wire,
    pause: Option<Pin<Box<Sleep>>>,
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tap({:?})", self.wire)
    }
}

impl AsyncRead for Tap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

// Not vectored: so hyper writes a small answer, head and body, in one piece.
impl AsyncWrite for Tap {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        match self.wire.mode() {
            Mode::Plain => Pin::new(&mut self.stream).poll_write(context, bytes),
            Mode::Reset => {
                // What lingers for no time is reset when it is dropped, which follows the error.
                self.stream.set_zero_linger()?;
                Poll::Ready(Err(Error::from(ErrorKind::ConnectionReset)))
            }
            Mode::Cut { tail } => {
                let kept = &bytes[..bytes.len().saturating_sub(tail)];
                ready!(Pin::new(&mut self.stream).poll_write(context, kept))?;
                Poll::Ready(Err(Error::from(ErrorKind::ConnectionAborted)))
            }
            Mode::Drip { bytes: few, every } => {
                if let Some(pause) = &mut self.pause {
                    ready!(pause.as_mut().poll(context));
                }
                let few = &bytes[..few.min(bytes.len())];
                let written = ready!(Pin::new(&mut self.stream).poll_write(context, few))?;
                self.pause = Some(Box::pin(sleep(every)));
                Poll::Ready(Ok(written))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
