//! Connect sessions: the table `connect_session`.

use async_trait::async_trait;
use grantor_core::id::{ConnectSessionId, ConnectionId};
use grantor_core::model::{ConnectMode, ConnectSession, ConnectState, ConnectStep};
use grantor_core::secret::Digest;
use grantor_core::store::{ConnectStore, Recorded, StoreError};
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::Sqlite;
use super::fault::Fault;
use super::recorded;
use super::rows::{Columns, Db, bytes};

/// What is not over, by id.
const SELECT: &str = "SELECT id, digest, integration, subject, scope, account_hint, reconnect,
        return_url, mode, made_by, step, step_digest, browser, step_until, sealed, connection_id,
        failure, created_at, expires_at
     FROM connect_session WHERE id = ?1 AND expires_at > ?2";

#[async_trait]
impl ConnectStore for Sqlite {
    async fn add_connect_session(
        &self,
        session: ConnectSession,
        recorded: Recorded,
    ) -> Result<(), StoreError> {
        self.write(move |db| {
            insert(db, &session)?;
            recorded::write(db, &recorded)
        })
        .await
    }

    async fn connect_session(
        &self,
        id: ConnectSessionId,
        now: Timestamp,
    ) -> Result<Option<ConnectSession>, StoreError> {
        self.read(|db| alive(db, id, now))
    }

    async fn step_connect(
        &self,
        id: ConnectSessionId,
        from: ConnectStep,
        digest: Option<Digest>,
        to: ConnectState,
        now: Timestamp,
    ) -> Result<Option<ConnectSession>, StoreError> {
        self.write(move |db| {
            let Some(session) = alive(db, id, now)? else {
                return Ok(None);
            };
            let may = session.state.step() == from
                && digest.is_none_or(|digest| opens(&session, &digest, now));
            if may {
                set_state(db, id, &to)?;
            }
            Ok(may.then_some(session))
        })
        .await
    }
}

/// A session that is not over.
fn alive(
    db: &Db<'_>,
    id: ConnectSessionId,
    now: Timestamp,
) -> Result<Option<ConnectSession>, Fault> {
    db.one(SELECT, params![bytes(&id.0), now.epoch()], session)
}

/// Whether `digest` is the one that leads out of the state of the session.
fn opens(session: &ConnectSession, digest: &Digest, now: Timestamp) -> bool {
    match &session.state {
        ConnectState::Open => session.digest == *digest,
        ConnectState::Started { state, until, .. } => state == digest && now < *until,
        ConnectState::Waiting { code, .. } => code == digest,
        ConnectState::Done(_) | ConnectState::Failed(_) => false,
    }
}

/// Whether a grant may end the session.
pub(super) fn may_end(db: &Db<'_>, id: ConnectSessionId, now: Timestamp) -> Result<bool, Fault> {
    Ok(alive(db, id, now)?.is_some_and(|session| match session.state.step() {
        ConnectStep::Started | ConnectStep::Waiting => true,
        ConnectStep::Open | ConnectStep::Done | ConnectStep::Failed => false,
    }))
}

/// The columns of a state. What it does not have is NULL, so that nothing sealed outlives its use.
#[derive(Default)]
struct StateColumns<'s> {
    step: &'static str,
    digest: Option<&'s Digest>,
    browser: Option<&'s Digest>,
    until: Option<Timestamp>,
    sealed: Option<&'s [u8]>,
    connection: Option<&'s ConnectionId>,
    failure: Option<&'s str>,
}

impl<'s> From<&'s ConnectState> for StateColumns<'s> {
    fn from(state: &'s ConnectState) -> Self {
        match state {
            ConnectState::Open => Self { step: "open", ..Self::default() },
            ConnectState::Started { state, browser, until, sealed } => Self {
                step: "started",
                digest: Some(state),
                browser: Some(browser),
                until: Some(*until),
                sealed: Some(sealed),
                ..Self::default()
            },
            ConnectState::Waiting { code, browser, sealed } => Self {
                step: "waiting",
                digest: Some(code),
                browser: Some(browser),
                sealed: Some(sealed),
                ..Self::default()
            },
            ConnectState::Done(connection) => {
                Self { step: "done", connection: Some(connection), ..Self::default() }
            }
            ConnectState::Failed(failure) => {
                Self { step: "failed", failure: Some(failure), ..Self::default() }
            }
        }
    }
}

/// Puts a session into a state.
pub(super) fn set_state(
    db: &Db<'_>,
    id: ConnectSessionId,
    state: &ConnectState,
) -> Result<(), Fault> {
    let state = StateColumns::from(state);
    db.run(
        "UPDATE connect_session
         SET step = ?2, step_digest = ?3, browser = ?4, step_until = ?5, sealed = ?6,
             connection_id = ?7, failure = ?8
         WHERE id = ?1",
        params![
            bytes(&id.0),
            state.step,
            state.digest.map(Digest::as_bytes),
            state.browser.map(Digest::as_bytes),
            state.until.map(Timestamp::epoch),
            state.sealed,
            state.connection.map(|connection| bytes(&connection.0)),
            state.failure,
        ],
    )?;
    Ok(())
}

fn insert(db: &Db<'_>, session: &ConnectSession) -> Result<(), Fault> {
    db.run(
        "INSERT INTO connect_session (id, digest, integration, subject, scope, account_hint,
            reconnect, return_url, mode, made_by, step, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'open', ?11, ?12)",
        params![
            bytes(&session.id.0),
            session.digest.as_bytes(),
            session.integration,
            session.subject,
            session.scope.as_str(),
            session.account_hint,
            session.reconnect.as_ref().map(|connection| bytes(&connection.0)),
            session.return_url,
            session.mode.as_str(),
            session.made_by,
            session.created_at.epoch(),
            session.expires_at.epoch(),
        ],
    )?;
    set_state(db, session.id, &session.state)
}

fn session(columns: &mut Columns<'_>) -> Result<ConnectSession, Fault> {
    Ok(ConnectSession {
        id: ConnectSessionId(columns.id()?),
        digest: columns.digest()?,
        integration: columns.value()?,
        subject: columns.value()?,
        scope: columns.scope()?,
        account_hint: columns.value()?,
        reconnect: columns.optional_id()?.map(ConnectionId),
        return_url: columns.value()?,
        mode: mode(columns)?,
        made_by: columns.value()?,
        state: state(columns)?,
        created_at: columns.time()?,
        expires_at: columns.time()?,
    })
}

/// From `step` to `failure`.
fn state(columns: &mut Columns<'_>) -> Result<ConnectState, Fault> {
    let step = columns.text()?;
    let (digest, browser) = (columns.optional_digest()?, columns.optional_digest()?);
    let (until, sealed) = (columns.optional_time()?, columns.value::<Option<Vec<u8>>>()?);
    let (connection, failure) = (columns.optional_id()?, columns.value::<Option<String>>()?);
    match (step, digest, browser, until, sealed, connection, failure) {
        ("open", ..) => Ok(ConnectState::Open),
        ("started", Some(state), Some(browser), Some(until), Some(sealed), _, _) => {
            Ok(ConnectState::Started { state, browser, until, sealed })
        }
        ("waiting", Some(code), Some(browser), _, Some(sealed), _, _) => {
            Ok(ConnectState::Waiting { code, browser, sealed })
        }
        ("done", _, _, _, _, Some(connection), _) => {
            Ok(ConnectState::Done(ConnectionId(connection)))
        }
        ("failed", _, _, _, _, _, Some(failure)) => Ok(ConnectState::Failed(failure)),
        (other, ..) => Err(Fault::Record(format!("not a step of a connect session: {other:?}"))),
    }
}

fn mode(columns: &mut Columns<'_>) -> Result<ConnectMode, Fault> {
    let name = columns.text()?;
    ConnectMode::named(name)
        .ok_or_else(|| Fault::Record(format!("not a mode of a connect session: {name:?}")))
}
