//! The provider's answer on its way to the caller: counted, searched for the token, and not waited
//! for without an end.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::record::Record;
use super::search::Search;

/// Why an answer was cut off after it had begun: all that is left to do is to end the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Cut {
    #[error("the provider's answer is longer than vault.proxy.answer_bytes")]
    TooLarge,
    #[error("the provider did not go on within vault.proxy.timeout")]
    TooSlow,
    #[error("the provider's answer has the token in it")]
    Telling,
    #[error("the provider's answer broke off")]
    Broken,
}

/// An answer. When it ends, or is given up, the call is written down.
pub(super) struct Download {
    body: Body,
    search: Search,
    left: u64,
    limit: Duration,
    timer: Pin<Box<Sleep>>,
    record: Record,
    ended: bool,
}

impl Download {
    /// The body of up to `most` bytes, of which each piece has to come within `limit`.
    pub(super) fn new(
        body: Body,
        search: Search,
        most: u64,
        limit: Duration,
        mut record: Record,
    ) -> Self {
        let timer = Box::pin(sleep(limit));
        if body.is_end_stream() {
            record.complete();
        }
        Self { body, search, left: most, limit, timer, record, ended: false }
    }

    fn cut(&mut self, why: Cut) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        self.ended = true;
        self.record.cut(why);
        Poll::Ready(Some(Err(why)))
    }

    fn take(&mut self, data: Bytes) -> Result<Bytes, Cut> {
        let more = data.len() as u64;
        self.left = self.left.checked_sub(more).ok_or(Cut::TooLarge)?;
        self.record.received(more);
        if self.body.is_end_stream() {
            // Nobody asks for the end of a body whose length was told before.
            self.record.complete();
        }
        self.search.pass(data).map_err(|_| Cut::Telling)
    }
}

impl HttpBody for Download {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let own = self.get_mut();
        loop {
            if own.ended {
                return Poll::Ready(None);
            }
            let Poll::Ready(frame) = Pin::new(&mut own.body).poll_frame(cx) else {
                ready!(own.timer.as_mut().poll(cx));
                return own.cut(Cut::TooSlow);
            };
            own.timer.as_mut().reset(Instant::now() + own.limit);
            // Trailers are not passed on.
            let data = match frame.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => data,
                Some(Err(_)) => return own.cut(Cut::Broken),
                None | Some(Ok(Err(_))) => {
                    own.ended = true;
                    own.record.complete();
                    let rest = own.search.rest();
                    return Poll::Ready((!rest.is_empty()).then(|| Ok(Frame::data(rest))));
                }
            };
            match own.take(data) {
                Ok(data) if data.is_empty() => {}
                Ok(data) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Err(why) => return own.cut(why),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
