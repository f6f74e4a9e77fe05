//! Answers that wait until a test lets them go, so that no test has to sleep.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The answers that are held, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Holds(Mutex<Vec<Held>>);

#[derive(Debug)]
struct Held {
    endpoint: &'static str,
    token: Option<String>,
    go: oneshot::Sender<()>,
}

impl Holds {
    /// A call that will wait at this endpoint from now on, with this token's fingerprint.
    pub(crate) fn begin(
        &self,
        endpoint: &'static str,
        token: Option<String>,
    ) -> oneshot::Receiver<()> {
        let (go, wait) = oneshot::channel();
        self.held().push(Held { endpoint, token, go });
        wait
    }

    /// Lets the oldest go, at most so many: all of them, or those of an endpoint or a token.
    /// Answers how many there were.
    pub(crate) fn release(
        &self,
        endpoint: Option<&str>,
        token: Option<&str>,
        most: usize,
    ) -> usize {
        let mut held = self.held();
        let matches = |one: &Held| {
            endpoint.is_none_or(|wanted| wanted == one.endpoint)
                && token.is_none_or(|wanted| one.token.as_deref() == Some(wanted))
        };
        let all = std::mem::take(&mut *held);
        let mut gone = 0;
        for one in all {
            match matches(&one) && gone < most {
                true => {
                    gone += 1;
                    // Nobody waits any more where the server has stopped.
                    let _ = one.go.send(());
                }
                false => held.push(one),
            }
        }
        gone
    }

    /// How many wait.
    pub(crate) fn count(&self) -> usize {
        self.held().len()
    }

    fn held(&self) -> MutexGuard<'_, Vec<Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
