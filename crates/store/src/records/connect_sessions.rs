//! Connect sessions: the rows of `connect_session`, and what leads from one state to the next.

use grantor_core::id::{ConnectSessionId, ConnectionId};
use grantor_core::model::{ConnectMode, ConnectSession, ConnectState, ConnectStep};
use grantor_core::secret::Digest;
use grantor_core::time::Timestamp;

use crate::columns::{Columns, Unreadable, Value, values};

/// The columns of a connect session, those of the table that is named: `""`, or `"x."`.
macro_rules! connect_columns {
    ($of:literal) => {
        crate::columns::listed!(
            $of:
            id, digest, integration, subject, scope, account_hint, reconnect,
            return_url, mode, made_by, step, step_digest, browser, step_until,
            sealed, connection_id, failure, created_at, expires_at
        )
    };
}
pub(crate) use connect_columns;

/// What is bound for [`connect_columns`].
pub(crate) fn row(session: &ConnectSession) -> [Value<'_>; 19] {
    let [step, digest, browser, until, sealed, connection, failure] = state_row(&session.state);
    values![
        session.id.0,
        session.digest,
        &session.integration,
        &session.subject,
        session.scope.as_str(),
        session.account_hint.as_deref(),
        session.reconnect.map(|connection| connection.0),
        session.return_url.as_deref(),
        session.mode.as_str(),
        &session.made_by,
        step,
        digest,
        browser,
        until,
        sealed,
        connection,
        failure,
        session.created_at,
        session.expires_at,
    ]
}

/// What is bound for a state: from `step` to `failure`. What it does not have is NULL, so that
/// nothing sealed outlives its use.
pub(crate) fn state_row(state: &ConnectState) -> [Value<'_>; 7] {
    const NO: Value<'_> = Value::Null;
    match state {
        ConnectState::Open => ["open".into(), NO, NO, NO, NO, NO, NO],
        ConnectState::Started { state, browser, until, sealed } => {
            values!["started", state, browser, *until, sealed, NO, NO]
        }
        ConnectState::Waiting { code, browser, sealed } => {
            values!["waiting", code, browser, NO, sealed, NO, NO]
        }
        ConnectState::Done(connection) => values!["done", NO, NO, NO, NO, connection.0, NO],
        ConnectState::Failed(failure) => values!["failed", NO, NO, NO, NO, NO, failure],
    }
}

/// Whether `digest` is the one that leads out of the state of the session.
pub(crate) fn opens(session: &ConnectSession, digest: &Digest, now: Timestamp) -> bool {
    match &session.state {
        ConnectState::Open => session.digest == *digest,
        ConnectState::Started { state, until, .. } => state == digest && now < *until,
        ConnectState::Waiting { code, .. } => code == digest,
        ConnectState::Done(_) | ConnectState::Failed(_) => false,
    }
}

/// Whether a grant may end a session in this state.
pub(crate) fn may_end(session: &ConnectSession) -> bool {
    match session.state.step() {
        ConnectStep::Started | ConnectStep::Waiting => true,
        ConnectStep::Open | ConnectStep::Done | ConnectStep::Failed => false,
    }
}

/// Reads [`connect_columns`].
pub(crate) fn session(columns: &mut Columns<'_>) -> Result<ConnectSession, Unreadable> {
    Ok(ConnectSession {
        id: ConnectSessionId(columns.id()?),
        digest: columns.digest()?,
        integration: columns.value()?,
        subject: columns.value()?,
        scope: columns.scope()?,
        account_hint: columns.value()?,
        reconnect: columns.optional_id()?.map(ConnectionId),
        return_url: columns.value()?,
        mode: columns.named("a mode of a connect session", ConnectMode::named)?,
        made_by: columns.value()?,
        state: state(columns)?,
        created_at: columns.time()?,
        expires_at: columns.time()?,
    })
}

/// From `step` to `failure`.
fn state(columns: &mut Columns<'_>) -> Result<ConnectState, Unreadable> {
    let step = columns.text()?;
    let (digest, browser) = (columns.optional_digest()?, columns.optional_digest()?);
    let (until, sealed) = (columns.optional_time()?, columns.value::<Option<Vec<u8>>>()?);
    let (connection, failure) = (columns.optional_id()?, columns.value::<Option<String>>()?);
    match (&*step, digest, browser, until, sealed, connection, failure) {
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
        (other, ..) => Err(Unreadable(format!("not a step of a connect session: {other:?}"))),
    }
}
