//! Browsers that play a television: what each one shows, and the task that waits for its person.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::AbortHandle;

use crate::app::App;
use crate::flow::fingerprint;
use crate::problem::Problem;
use crate::provider::{Invitation, Role};
use crate::sessions::Record;
use crate::tokens::now;

/// How long a television stays on after its code has run out.
const AFTERWARDS: Duration = Duration::from_secs(3600);
/// The longest that a code is shown, whatever the provider says.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// How many may be on; the oldest goes off for a new one.
const MAX: usize = 1_000;

/// What a television shows.
#[derive(Clone)]
pub(crate) enum Screen {
    Code(Arc<Invitation>),
    Guest(Box<Record>),
    Over(Problem),
}

struct Television {
    screen: Screen,
    on_until: Instant,
    code_until: u64,
    waiting: AbortHandle,
}

/// Every television, by a hash of its browser's cookie.
#[derive(Default)]
pub(crate) struct Televisions(Mutex<HashMap<String, Television>>);

impl Televisions {
    /// What the browser's television shows and, in epoch seconds, how long its code works.
    pub(crate) fn screen(&self, browser: &str) -> Option<(Screen, u64)> {
        let all = self.lock();
        let own = all.get(&fingerprint(browser))?;
        Some((own.screen.clone(), own.code_until))
    }

    pub(crate) fn sweep(&self) {
        self.lock().retain(|_, own| Instant::now() < own.on_until);
    }

    fn insert(&self, key: String, television: Television) {
        let mut all = self.lock();
        if all.len() >= MAX {
            let oldest = all.iter().min_by_key(|(_, own)| own.on_until);
            if let Some(key) = oldest.map(|(key, _)| key.clone()) {
                all.remove(&key);
            }
        }
        all.insert(key, television);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Television>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whatever takes a television away, nobody waits for its code any more.
impl Drop for Television {
    fn drop(&mut self) {
        self.waiting.abort();
    }
}

/// Shows a new code on the browser's television and begins to wait for an answer.
pub(crate) async fn switch_on(app: &Arc<App>, browser: &str) -> Result<(), Problem> {
    let invitation = Arc::new(app.provider.invite().await?);
    switch_off(app, browser).await;
    let key = fingerprint(browser);
    let lifetime = invitation.lifetime().min(LONGEST);
    // On a task of its own: the page only looks at what has come of it.
    let task = tokio::spawn(wait(app.clone(), key.clone(), invitation.clone()));
    let television = Television {
        screen: Screen::Code(invitation),
        on_until: Instant::now() + lifetime + AFTERWARDS,
        code_until: now().saturating_add(lifetime.as_secs()),
        waiting: task.abort_handle(),
    };
    app.televisions.insert(key, television);
    Ok(())
}

/// Forgets what the browser's television has; a refresh token is given back.
pub(crate) async fn switch_off(app: &App, browser: &str) {
    let gone = app.televisions.lock().remove(&fingerprint(browser));
    if let Some(Screen::Guest(record)) = gone.as_ref().map(|own| &own.screen)
        && let Some(refresh_token) = &record.tokens.refresh_token
    {
        app.provider.revoke(Role::Television, refresh_token).await;
    }
}

async fn wait(app: Arc<App>, key: String, invitation: Arc<Invitation>) {
    let screen = match app.provider.wait_for(&invitation).await {
        Ok((person, tokens)) => {
            let record = Record { person, tokens, signed_in_at: now(), refreshes: 0 };
            Screen::Guest(Box::new(record))
        }
        Err(problem) => Screen::Over(problem),
    };
    // The browser may have a newer code by now.
    if let Some(own) = app.televisions.lock().get_mut(&key)
        && matches!(&own.screen, Screen::Code(shown) if Arc::ptr_eq(shown, &invitation))
    {
        own.screen = screen;
    }
}
