//! Who is signed in: sessions in memory, each mirrored in a sealed file, found by a hash of their id.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::config::{Settings, StartError};
use crate::flow::{fingerprint, random_secret};
use crate::problem::Problem;
use crate::tokens::{Person, TokenSet, now};
use crate::vault::Vault;

/// What is known of one sign-in.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Record {
    pub(crate) person: Person,
    pub(crate) tokens: TokenSet,
    pub(crate) signed_in_at: u64,
    /// How often the tokens were refreshed; also tells whether somebody else just did it.
    pub(crate) refreshes: u64,
}

/// One signed-in browser.
pub(crate) struct Session {
    /// The hash of the session id, which names the sealed file too.
    key: String,
    state: Mutex<State>,
    /// Held while the tokens are being changed, so that parallel requests refresh once.
    pub(crate) gate: tokio::sync::Mutex<()>,
}

struct State {
    record: Record,
    ended: bool,
    failure: Option<(Instant, Problem)>,
}

impl Session {
    fn new(key: String, record: Record) -> Self {
        let state = State { record, ended: false, failure: None };
        Self { key, state: Mutex::new(state), gate: tokio::sync::Mutex::default() }
    }

    /// The current record, or the end of this sign-in.
    pub(crate) fn record(&self) -> Result<Record, Problem> {
        self.with(|state| match state.ended {
            true => Err(Problem::Ended),
            false => Ok(state.record.clone()),
        })
    }

    /// The latest refresh that failed, with the moment when it did.
    pub(crate) fn failure(&self) -> Option<(Instant, Problem)> {
        self.with(|state| state.failure.clone())
    }

    pub(crate) fn failed(&self, problem: &Problem) {
        self.with(|state| state.failure = Some((Instant::now(), problem.clone())));
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(crate) struct Sessions {
    vault: Arc<Vault>,
    live: Mutex<HashMap<String, Arc<Session>>>,
    lifetime: u64,
    max: usize,
}

impl Sessions {
    /// Opens the data folder and takes up the sessions of an earlier run.
    pub(crate) fn open(settings: &Settings) -> Result<Self, StartError> {
        let data_dir = &settings.config.data_dir;
        let vault = Vault::open(data_dir)?;
        let files =
            vault.load().map_err(|reason| StartError::Data { path: data_dir.clone(), reason })?;
        let live = files.into_iter().filter_map(|(key, plain)| {
            let record = serde_json::from_slice(&plain).ok()?;
            Some((key.clone(), Arc::new(Session::new(key, record))))
        });
        Ok(Self {
            live: Mutex::new(live.collect()),
            vault: Arc::new(vault),
            lifetime: settings.config.session_lifetime.as_secs(),
            max: settings.config.max_sessions.max(1),
        })
    }

    /// Begins a session and returns its id, which from here on only the browser knows.
    pub(crate) async fn begin(&self, person: Person, tokens: TokenSet) -> Result<String, Problem> {
        let id = random_secret()?;
        let key = fingerprint(&id);
        let record = Record { person, tokens, signed_in_at: now(), refreshes: 0 };
        self.make_room().await;
        self.write(&key, &record).await?;
        let session = Arc::new(Session::new(key.clone(), record));
        self.lock().insert(key, session);
        Ok(id)
    }

    /// The session of an id, if it is still alive.
    pub(crate) async fn find(&self, id: &str) -> Result<Arc<Session>, Problem> {
        let found = self.lock().get(&fingerprint(id)).cloned();
        let session = found.ok_or(Problem::SignedOut)?;
        match self.is_over(&session) {
            true => {
                self.end(&session).await;
                Err(Problem::Expired)
            }
            false => Ok(session),
        }
    }

    /// Puts new tokens in place of the old ones. The caller holds the session's gate.
    pub(crate) async fn renew(
        &self,
        session: &Session,
        tokens: TokenSet,
    ) -> Result<Record, Problem> {
        let renewed = session.with(|state| {
            state.record.tokens = tokens;
            state.record.refreshes += 1;
            state.failure = None;
            state.record.clone()
        });
        if let Err(problem) = self.write(&session.key, &renewed).await {
            // The tokens in memory are good; only a restart would lose them.
            tracing::error!(?problem, "renewed tokens could not be written");
        }
        Ok(renewed)
    }

    /// Forgets a session. The caller holds its gate, or knows that nobody uses it any more.
    pub(crate) async fn end(&self, session: &Session) {
        session.with(|state| state.ended = true);
        self.lock().remove(&session.key);
        let (vault, key) = (self.vault.clone(), session.key.clone());
        if let Err(error) = blocking(move || vault.remove(&key)).await {
            tracing::error!(%error, "the file of an ended session could not be removed");
        }
    }

    /// Removes every session that is over.
    pub(crate) async fn sweep(&self) {
        let all: Vec<_> = self.lock().values().cloned().collect();
        for session in all.iter().filter(|session| self.is_over(session)) {
            self.end(session).await;
        }
    }

    fn is_over(&self, session: &Session) -> bool {
        let now = now();
        session.with(|state| {
            let tokens = &state.record.tokens;
            let spent = tokens.refresh_token.is_none() && tokens.expired(now);
            spent || now >= state.record.signed_in_at.saturating_add(self.lifetime)
        })
    }

    async fn make_room(&self) {
        while let Some(oldest) = self.oldest_if_full() {
            self.end(&oldest).await;
        }
    }

    fn oldest_if_full(&self) -> Option<Arc<Session>> {
        let live = self.lock();
        let full = live.len() >= self.max;
        let oldest = || live.values().min_by_key(|s| s.with(|state| state.record.signed_in_at));
        full.then(oldest).flatten().cloned()
    }

    async fn write(&self, key: &str, record: &Record) -> Result<(), Problem> {
        let plain = serde_json::to_vec(record).map_err(|_| Problem::Storage)?;
        let (vault, key) = (self.vault.clone(), key.to_owned());
        blocking(move || vault.put(&key, &plain)).await.map_err(|error| {
            tracing::error!(%error, "a session could not be written to the data folder");
            Problem::Storage
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn blocking(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
